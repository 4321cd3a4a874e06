"""The data of a page's charts, of runs that are written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archsim.api.explain import find
from archsim.formats import parse_format
from archsim.metrics.roofline import Ceiling, Roofline
from archsim.program.ir import After, Buffer, DataKind, Dep, PhaseKind, Region, Wait
from archsim.report.looks.op_looks import op_look
from archsim.report.looks.use_looks import LEAKS, MULTIPLY, WIRES, data_look
from archsim.report.page.charts.accuracy import _largest, accuracy_chart
from archsim.report.page.charts.costs import Amount, energy_charts, traffic_chart
from archsim.report.page.charts.roofline import Point, roofline_chart
from archsim.report.page.charts.stacks import _chart, latency_chart
from archsim.report.page.charts.timeline import (
    Chain,
    Group,
    _chain,
    _fitting,
    _groups,
    _notes,
    _operand,
    _operands,
    timeline_chart,
)
from archsim.report.page.charts.utilization import Bins, Span, utilization_chart
from archsim.report.page.charts.waits import Waited, Waits
from archsim.report.page.page_data import _notes as _notes_of_page
from archsim.report.page.page_data import names_of
from archsim.report.page.saved_run import _column, _errors_by_step, _number, _text
from archsim.trace import OpRecord, Window
from archsim.trace.data import PhaseTrace
from archsim.trace.timeline import Timeline
from tests.report.conftest import Run
from tests.report.parts import flat, thing


def tensor(name: str, *errors: float) -> object:
    return thing(name=name, rms_by_step=np.array(errors))


def test_a_point_is_the_largest_error_of_its_steps_with_four_digits() -> None:
    assert _largest(np.array([1.0, 3.0, 2.0, 5.0, 4.0]), 2) == (3.0, 5.0, 4.0)
    assert _largest(np.array([0.123456, 0.5]), 1) == (0.1235, 0.5)


@pytest.mark.parametrize(("steps", "each", "points"), [(1000, 1, 1000), (1001, 2, 501), (2001, 3, 667)])
def test_a_line_of_errors_has_a_thousand_points_at_most(steps: int, each: int, points: int) -> None:
    chart = accuracy_chart(thing(accuracy=thing(tensors=[tensor("output", *range(steps))])))
    assert chart is not None
    assert (chart.steps_per_point, len(chart.lines[0].rms)) == (each, points)
    assert chart.lines[0].rms[-1] == steps - 1


def test_eight_tensors_are_drawn_and_the_others_counted() -> None:
    tensors = [tensor("none"), *(tensor(f"t{place}", 1.0) for place in range(9))]
    chart = accuracy_chart(thing(accuracy=thing(tensors=tensors)))
    assert chart is not None
    assert [line.tensor for line in chart.lines] == [f"t{place}" for place in range(8)]
    assert chart.tensors_left_out == 1
    few = accuracy_chart(thing(accuracy=thing(tensors=tensors[:4])))
    assert few is not None
    assert few.tensors_left_out == 0
    assert accuracy_chart(thing(accuracy=None)) is accuracy_chart(thing(accuracy=thing(tensors=tensors[:1]))) is None


def test_traffic_is_by_memory_and_use_and_nothing_where_nothing_is_moved() -> None:
    moved = {
        "dram": {"read": {"W_ih": 30, "x": 0}, "write": {"h": 5}},
        "sram": {"write": {"W_ih": 7}, "read": {"h": 4}},
    }
    chart = traffic_chart(thing(stats=thing(traffic_bytes=moved)))
    words = [use.words for use in chart.uses]
    assert words == ["weights read", "weights written", "h, c, output read", "h, c, output written"]
    assert chart.parts == ("dram", "sram")
    assert chart.amounts == (
        Amount("dram", "read W_ih", 0, 30.0), Amount("sram", "write W_ih", 1, 7.0), Amount("sram", "read h", 2, 4.0),
        Amount("dram", "write h", 3, 5.0),
    )  # fmt: skip


def test_energy_is_by_part_the_largest_first_and_areas_have_parts_without_energy_too() -> None:
    energy = thing(
        part_uj={"mac_array": 2.0, "wires": 5.0, "sram": 3.0}, leakage_uj=0.0,
        unit_uj={"mac_array": {"multiply": 2.0}}, memory_uj={"sram": {"read": {"h": 1.0}, "write": {"h": 2.0}}},
    )  # fmt: skip
    area = thing(part_area_mm2={"mac_array": 0.5, "layout": 0.25})
    taken, sized = energy_charts(thing(stats=thing(energy=energy, area=area), frames=None))
    assert taken.parts == ("wires", "sram", "mac_array")
    assert [use.words for use in taken.uses] == [
        data_look(DataKind.H, False).words, data_look(DataKind.H, True).words, MULTIPLY.words, WIRES.words,
    ]  # fmt: skip
    assert taken.amounts == (
        Amount("sram", "read h", 0, 1.0), Amount("sram", "write h", 1, 2.0), Amount("mac_array", "multiply", 2, 2.0),
        Amount("wires", WIRES.words, 3, 5.0),
    )  # fmt: skip
    assert LEAKS.words not in [use.words for use in taken.uses]
    assert [(one.part, one.amount) for one in sized.amounts] == [
        ("wires", 0.0), ("sram", 0.0), ("mac_array", 0.5), ("layout", 0.25),
    ]  # fmt: skip
    assert energy_charts(thing(stats=thing(energy=energy, area=None))) == ()
    assert energy_charts(thing(stats=thing(energy=None, area=area))) == ()


def test_a_memory_that_moves_nothing_has_no_point_and_near_ones_have_levels() -> None:
    """10 and 13 are 0.11 decades apart, less than 0.15; 10 and 15 are 0.18."""

    def roof(step: float | None, run: float | None) -> Ceiling:
        return Ceiling(2.0, step, run, 1.0, 1.0)

    found = Roofline(
        100.0, {"a": roof(13.0, None), "b": roof(10.0, 15.0), "c": roof(0.0, 10.0)}, 40.0, 25.0, "", "", 1, 1
    )
    chart = roofline_chart(thing(stats=thing(roofline=found)))
    assert (chart.peak_gops, chart.step_gops, chart.run_gops) == (100.0, 40.0, 25.0)
    assert [one.step for one in chart.roofs] == [Point(13.0, 1), Point(10.0, 0), None]
    assert [one.run for one in chart.roofs] == [None, Point(15.0, 0), Point(10.0, 0)]
    assert [one.memory for one in chart.roofs] == ["a", "b", "c"]


def test_parts_of_stacks_have_a_number_for_each_row_in_the_order_of_the_legend() -> None:
    """What has no look of its own stands last; what is nowhere is no part."""
    stacks = {"mac": {"idle": 3, "useful": 5, "padding": 0}, "dram": {"mine": 2, "useful": 4}}
    chart = _chart("title", 9, stacks)
    assert [(part.name, part.cycles) for part in chart.parts] == [
        ("useful", (5, 4)), ("idle", (3, 0)), ("mine", (0, 2)),
    ]  # fmt: skip
    assert (chart.title, chart.total_cycles, chart.units) == ("title", 9, ("mac", "dram"))


def phase(kind: PhaseKind, name: str, start: int, end: int) -> PhaseTrace:
    return PhaseTrace(name, kind, start, end, ())


def test_utilization_has_phases_that_take_cycles_and_a_step_of_one_layer() -> None:
    """Two layers: a step of both takes 30 cycles, one of a layer 15 on average."""
    body = PhaseKind.BODY
    phases = (
        phase(PhaseKind.PROLOGUE, "p", 0, 10), phase(PhaseKind.EPILOGUE, "none", 10, 10), phase(body, "a", 10, 40),
        phase(body, "b", 40, 100),
    )  # fmt: skip
    timelines = tuple({"u": Timeline(one.start, place + 1, (place,))} for place, one in enumerate(phases))
    run = thing(
        trace=thing(phases=phases, timelines=timelines, units={"u": None}, total_cycles=100),
        workload=thing(spec=thing(steps=7)), stats=thing(cycles_per_step=30),
    )  # fmt: skip
    chart = utilization_chart(run)
    assert (chart.total_cycles, chart.layers, chart.step_cycles, chart.steps) == (100, 2, 15.0, 7)
    assert chart.phases == (Span("p", 0, 10, False), Span("a", 10, 40, True), Span("b", 40, 100, True))
    assert chart.units[0].bins == (Bins(0, 10, 1, (0,)), Bins(10, 40, 3, (2,)), Bins(40, 100, 4, (3,)))
    alone = thing(
        **{**vars(run), "trace": thing(**{**vars(run.trace), "phases": phases[:2], "timelines": timelines[:2]})}
    )
    assert (utilization_chart(alone).layers, utilization_chart(alone).step_cycles) == (1, 30.0)


def op(unit: str, label: str, first: int = 0) -> Any:
    """An op that takes part from the repetition `first` on; on step 2 r."""
    return thing(unit=unit, label=label, active=lambda r, repeat: first <= r < repeat, step=lambda r: 2 * r)


def waits(*records: OpRecord, deps: Any = ((), ()), latency: int = 1, first: int = 0) -> list[Waited]:
    """What the records have waited for, in a phase of two ops, on the units a and b; the latter from `first` on."""
    body = thing(ops=[op("a", "x"), op("b", "y", first)], deps=deps, repeat=9)
    found = Waits(thing(phases=[body]), records, latency)
    return [found.of(record) for record in records]


def test_without_the_op_before_on_its_unit_an_op_is_not_known_to_have_waited() -> None:
    one = OpRecord(0, 0, 0, 5, 8, 9)
    assert waits(one) == [Waited(0, "")]
    assert waits(one, OpRecord(0, 1, 0, 8, 9, 9))[1] == Waited(0, ""), "its unit was free in that cycle alone"
    assert waits(one, OpRecord(0, 1, 0, 11, 12, 12))[1] == Waited(3, "wait_issue: until the sequencer has issued it")


@pytest.mark.parametrize(
    ("after", "start", "reason"),
    [
        (After.DONE, 13, "wait_input: until y (b, step 2) is done"),  # done at 12, and a token of 1 cycle
        (After.FREE, 11, "wait_input: until y (b, step 2) is free"),
        (After.DONE, 14, "wait_issue: until the sequencer has issued it"),  # its token was there before
        (After.FIRST, 13, "wait_input: until the first word of y (b, step 2) is through"),
    ],
)
def test_an_op_has_waited_for_the_token_that_came_as_it_started(after: After, start: int, reason: str) -> None:
    deps = ((Dep(1, 1, after, Wait.INPUT),), ())
    sender, before = OpRecord(0, 1, 1, 6, 10, 12), OpRecord(0, 1, 0, 5, 8, 9)
    found = waits(before, sender, OpRecord(0, 2, 0, start, 20, 20), deps=deps)
    assert found[2] == Waited(start - 8, reason)


def test_a_sender_that_is_not_on_record_or_takes_no_part_is_told_apart() -> None:
    deps = ((Dep(1, 1, After.DONE, Wait.INPUT),), ())
    before, one = OpRecord(0, 0, 0, 5, 8, 9), OpRecord(0, 1, 0, 11, 12, 12)
    assert waits(before, one, deps=deps)[1].reason == "an op before those shown"
    ahead = ((Dep(1, 2, After.DONE, Wait.INPUT),), ())
    assert waits(before, one, deps=ahead)[1].reason.startswith("wait_issue"), "of a repetition before the first"
    left_out = waits(before, one, deps=deps, first=1)
    assert left_out[1].reason.startswith("wait_issue"), "it takes no part in repetition 0"


def test_operands_have_slot_entries_and_whole_bytes() -> None:
    """3 entries of 5 numbers of 4 bits are 60 bits: 8 bytes."""

    def region(slots: int | None) -> Region:
        buffer = Buffer("x", "sram", DataKind.X, 8, 5, parse_format("int4"), slots)
        return Region(buffer, 2, 5, 1, 1)

    assert _operand(region(2), 4) == "x slot 1 [2:5] 8 B"
    assert _operand(region(1), 4) == "x [2:5] 8 B"
    assert _operand(region(None), 4) == "x [2:5] 8 B"


def test_operands_of_one_direction_follow_each_other() -> None:
    x, h = (Region(Buffer(name, "sram", DataKind.X, 8, 1, parse_format("int8"), 1), 0, 8) for name in "xh")
    assert _operands((x, h), (), 0) == "reads x [0:8] 8 B, h [0:8] 8 B"
    assert _operands((x,), (h,), 0) == "reads x [0:8] 8 B; writes h [0:8] 8 B"


@pytest.mark.parametrize(("most", "steps"), [(9, 3), (6, 3), (5, 2), (4, 2), (3, 1), (1, 1)])
def test_as_many_steps_are_drawn_as_have_no_more_ops_and_one_at_least(most: int, steps: int) -> None:
    """Steps 2, 4 and 6 have 3, 1 and 2 ops, of which records of repetitions 1, 2 and 3 are the one op's."""
    run = thing(program=thing(phases=[thing(ops=[op("a", "x")])]))
    records = [OpRecord(0, repetition, 0, 0, 1, 1) for repetition in (1, 1, 1, 2, 3, 3)]
    assert _fitting(run, records, range(2, 7, 2), most) == range(2, 2 + 2 * steps, 2)


def test_groups_reach_from_the_first_start_to_the_last_result() -> None:
    program = thing(phases=[thing(name="one"), thing(name="two")])
    records = [OpRecord(1, 0, 0, 7, 9, 30), OpRecord(1, 0, 1, 5, 9, 10), OpRecord(0, 0, 0, 1, 2, 3)]
    assert list(_groups(program, records)) == [Group("two", 5, 30), Group("one", 1, 3)]


def chain_of(steps: range, most: int) -> list[Chain]:
    def segment(phase: int, repetition: int, op: int, start: int, end: int) -> Any:
        instance = thing(phase=phase, repetition=repetition, op=op)
        return thing(instance=instance, start=start, end=end, cycles=end - start, cause=thing(value="drain"))

    ops = [op("a", "x"), op("b", "y"), op("host", "z")]
    phases = [thing(kind=PhaseKind.PROLOGUE, ops=ops), thing(kind=PhaseKind.BODY, ops=ops)]
    path = [
        segment(0, 1, 0, 0, 1), segment(1, 0, 0, 1, 2), segment(1, 1, 1, 2, 4), segment(1, 1, 0, 4, 4),
        segment(1, 1, 2, 4, 5), segment(1, 2, 0, 5, 8), segment(1, 2, 1, 8, 9),
    ]  # fmt: skip
    return list(_chain(thing(program=thing(phases=phases)), thing(path=path), ("b", "a"), steps, most))


def test_the_chain_has_segments_with_cycles_of_units_in_the_steps_shown() -> None:
    """Repetition 1 is step 2, and repetition 2 step 4; the prologue has none, and the host no row."""
    both = [Chain(2, 4, 0, "y: drain"), Chain(5, 8, 1, "x: drain"), Chain(8, 9, 0, "y: drain")]
    assert chain_of(range(1, 5), 10) == both
    assert chain_of(range(1, 4), 10) == both[:1]
    assert chain_of(range(1, 5), 2) == both[:2]


def test_notes_say_what_is_not_drawn() -> None:
    run, known = thing(frames=None), thing(path=[1])
    assert list(_notes(run, known, 5, 5, 2)) == []
    assert list(_notes(run, known, 1200, 1, 1)) == [
        "Drawn are 1 op of 1,200, of the first 1 step that were asked for; --steps chooses others."
    ]
    [unknown], [frames] = (list(_notes(thing(frames=1), found, 5, 5, 2)) for found in (thing(path=[]), known))
    assert unknown.startswith("The critical path is drawn of runs of up to 200,000 ops")
    assert frames.startswith("Frames one behind the other")


def test_names_are_folders_unless_two_are_the_same(tmp_path: Any) -> None:
    one, two, same = tmp_path / "one", tmp_path / "two", tmp_path / "other" / "one"
    assert names_of([one, two]) == ["one", "two"]
    assert names_of([one, two, same]) == [f"1: {one}", f"2: {two}", f"3: {same}"]


def test_errors_by_step_are_columns_of_their_names(tmp_path: Any) -> None:
    file = tmp_path / "accuracy.csv"
    assert _errors_by_step(file) == {}
    file.write_text("step,gate_i_l0_rms_error,c_rms_error\n0,0.5,1.5\n1,0.25,2.5\n")
    found = _errors_by_step(file)
    assert found == {"step": [0, 1], "gate_i_l0_rms_error": [0.5, 0.25], "c_rms_error": [1.5, 2.5]}
    assert _column(found, "gate i l0", "rms_error").tolist() == [0.5, 0.25]
    assert _column(found, "gate i l0", "max_abs_error").tolist() == []
    assert (_number(0.0), np.isnan(_number(None))) == (0.0, True)


def test_a_file_is_shown_up_to_a_mebibyte(tmp_path: Any) -> None:
    file = tmp_path / "arch.yaml"
    file.write_text("x" * (1 << 20))
    assert _text(file) == "x" * (1 << 20)
    file.write_text("x" * ((1 << 20) + 1))
    assert _text(file) == "x" * (1 << 20) + "\n... (cut off)\n"


def test_figures_that_have_changed_are_counted_and_five_of_them_named() -> None:
    def said(*changed: str) -> str:
        return flat(*_notes_of_page(thing(manifest=thing(archsim="0.1"), changed=changed)))

    assert said().endswith("all as saved.")
    assert said("a").startswith("CHANGED: 1 figures are not those in the folder, which archsim 0.1 made;")
    assert said(*"abcde").endswith(" simulates: a, b, c, d, e")
    assert said(*"abcdef").startswith("CHANGED: 6 figures ")
    assert said(*"abcdef").endswith(" simulates: a, b, c, d, e, ...")


def test_ops_of_the_steps_shown_stand_in_the_order_of_time_with_the_ends_of_the_steps(run: Run) -> None:
    """Of layers after each other each has ends of its own, so that none are shown."""
    one, two = (run(workload=(f"num_layers={n}",), window=Window(0, 4), timing_only=True) for n in (1, 2))
    chart = timeline_chart(one, find(one), range(1, 3), 1000)
    places = list(zip(chart.ops.start, chart.ops.free, strict=True))
    assert places == sorted(places)
    assert set(chart.ops.step) == {1, 2}
    assert (chart.steps, [end.step for end in chart.ends], chart.ends_mean) == ((1, 2), [1, 2], "h complete")
    kinds = [chart.kinds[kind] for kind in chart.ops.kind]
    assert all(label.startswith(kind) for label, kind in zip(chart.ops.label, kinds, strict=True))
    assert chart.colours == tuple(op_look(kind).colour for kind in chart.kinds)
    few = timeline_chart(one, find(one), range(1, 3), 3)
    assert (few.steps, len(few.ops.label), few.ops.label) == ((1, 1), 3, chart.ops.label[:3])
    assert len(few.chain) <= 3
    layers = timeline_chart(two, find(two), range(1, 3), 1000)
    assert (layers.ends, layers.ends_mean, layers.steps) == ((), "", (1, 2))
    assert [group.name for group in layers.groups] == ["body of layer 0", "body of layer 1"]


def test_latency_and_cycles_are_charts_of_the_run_or_of_a_frame() -> None:
    stack = {"mac": {"useful": 9}}
    stats = thing(latency_cycles=1000, body_cycles=600, unit_cycle_stacks=stack)
    alone = latency_chart(thing(stats=stats, frames=None), thing(stack=stack))
    assert alone is not None
    assert (alone.title, alone.total_cycles) == ("Latency of the run: its critical path by unit and cause", 1000)
    frame = latency_chart(thing(stats=stats, frames=thing(frame_latency_cycles=70)), thing(stack=stack))
    assert frame is not None
    assert (frame.title, frame.total_cycles) == ("Latency of a frame: its critical path by unit and cause", 70)
    assert latency_chart(thing(stats=stats, frames=None), thing(stack=None)) is None
