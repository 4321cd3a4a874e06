"""What a panel of the timeline draws and its legend explains, of charts that are written by hand."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from archsim.api import Simulation
from archsim.report.figures.drawing import style
from archsim.report.figures.figure_timeline import (
    Scale,
    Seen,
    _chain,
    _draw_chain,
    _draw_panel,
    _known_until,
    _left_out,
    _legend,
    _mark_gap,
    _mark_steps,
    _name_bars,
    timeline_figure,
)
from archsim.report.figures.gantt import Bar, Gantt, Panel, charted_bodies, gantt, merge_short, panels
from archsim.report.figures.look import USUAL
from archsim.report.looks.named_look import NamedLook
from archsim.report.looks.op_looks import LOAD, MACS, MIXED, SIGMOID, STORE, TANH
from tests.report.conftest import Run
from tests.rings import exhaustive


def chart(*bars: Bar, ends: dict[int, int] | None = None) -> Gantt:
    return Gantt(("dram", "mac_array"), "mac_array", bars, ends or {}, "ends")


def bar(start: int, free: int, done: int, look: NamedLook = LOAD, unit: str = "dram", label: str = "load x") -> Bar:
    return Bar(unit, look, label, 0, start, free, done)


def drawn(axes: Axes, label: str) -> list[tuple[float, float]]:
    found = []
    for artist in axes.collections:
        assert isinstance(artist, PolyCollection)
        for path in artist.get_paths() if artist.get_label() == label else ():
            cycles = np.asarray(path.vertices, float)[:, 0]
            found.append((float(cycles.min()), float(cycles.max())))
    return found


def draw(panel: Panel, *bars: Bar) -> tuple[Axes, Seen]:
    axes, seen = Figure().add_subplot(), Seen()
    _draw_panel(axes, chart(*bars), panel, USUAL, seen)
    return axes, seen


def test_ops_that_a_panel_shows_nothing_of_are_not_drawn() -> None:
    """Of the cycles [1000, 2000): an op whose results are visible at 1000, and one that starts at 2000, are outside.

    One whose results come at 1001 is inside, with its tail, and so is one that starts at 1999."""
    panel = Panel("", 1000, 2000, None)
    axes, seen = draw(panel, bar(500, 900, 1000), bar(910, 980, 1001), bar(1999, 2100, 2100), bar(2100, 2200, 2300))
    assert drawn(axes, "op") == [(910, 980), (1999, 2100)]
    assert drawn(axes, "tail") == [(980, 1001)]
    assert axes.get_xlim() == (1000, 2000)
    assert seen.tails


def test_the_legend_explains_looks_only_of_bars_that_are_seen() -> None:
    """An op that frees its unit at 1000 is in the panel from 1000 on with its tail alone."""
    panel = Panel("", 1000, 2000, None)
    _, seen = draw(panel, bar(900, 1000, 1100, STORE), bar(1100, 1200, 1200, SIGMOID))
    assert (seen.looks, seen.tails) == ({SIGMOID: True}, True)
    _, seen = draw(panel, bar(900, 1001, 1001, STORE))
    assert (seen.looks, seen.tails) == ({STORE: True}, False)
    _, seen = draw(panel, bar(998, 1000, 1100, STORE))
    assert seen.looks == {}, "a short one that is before the panel"
    _, seen = draw(panel, bar(999, 1001, 1001, STORE))
    assert seen.looks == {STORE: False}, "a short one has no hatch"


def test_a_hatch_is_seen_if_any_bar_of_a_look_has_room_for_it_in_whatever_row() -> None:
    panel = Panel("", 1000, 2000, None)
    long, narrow = bar(1100, 1200, 1200, STORE), bar(1300, 1308, 1308, STORE, "mac_array")
    for bars in ((long, narrow), (narrow, long), (long,)):
        assert draw(panel, *bars)[1].looks == {STORE: True}
    assert draw(panel, narrow)[1].looks == {STORE: False}


def test_rows_are_the_units_from_above_and_a_bar_stands_in_its_own() -> None:
    axes, _ = draw(Panel("a title", 0, 100, None), bar(10, 30, 30, MACS, "mac_array"), bar(40, 60, 60))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["DRAM", "MAC array"]
    assert axes.get_ylim() == (1.5, -0.5)
    assert axes.get_title(loc="left") == "a title"
    rows = {}
    for artist in axes.collections:
        assert isinstance(artist, PolyCollection)
        height = np.asarray(artist.get_paths()[0].vertices, float)[:, 1]
        rows[float(np.asarray(artist.get_paths()[0].vertices, float)[:, 0].min())] = (height.min() + height.max()) / 2
    assert rows == {10.0: pytest.approx(1), 40.0: pytest.approx(0)}


@pytest.mark.parametrize(
    ("start", "free", "middle"),
    [(100, 171, 135.5), (-500, 71, 35.5), (929, 1500, 964.5), (100, 170, None), (-500, 70, None), (930, 1500, None)],
)
def test_an_op_is_named_in_what_is_seen_of_it_if_that_is_longer_than_its_name(
    start: int, free: int, middle: float | None
) -> None:
    """A cycle is a point wide, a character 10: "load xy" needs more than 70 cycles of [0, 1000)."""
    axes = Figure().add_subplot()
    _name_bars(
        axes, [bar(start, free, free, label="load xy")], Panel("", 0, 1000, None), 3, "#FFFFFF", Scale(1.0, 10.0)
    )
    found = [(text.get_text(), text.get_position()) for text in axes.texts]
    assert found == ([] if middle is None else [("load xy", (middle, 3))])


def test_ends_of_steps_at_both_ends_of_a_panel_are_in_it() -> None:
    axes = Figure().add_subplot()
    ends = {0: 999, 1: 1000, 2: 1100, 3: 1101, 4: 1900, 5: 1901, 6: 2000, 7: 2001}
    assert _mark_steps(axes, chart(ends=ends), Panel("", 1000, 2000, None))
    assert [np.asarray(line.get_xdata(), float)[0] for line in axes.lines] == [1000, 1100, 1101, 1900, 1901, 2000]
    sides = {text.get_text(): text.get_horizontalalignment() for text in axes.texts}
    assert sides == {
        "step 1 ends": "left", "step 2 ends": "center", "step 3 ends": "center", "step 4 ends": "center",
        "step 5 ends": "right", "step 6 ends": "right",
    }  # fmt: skip
    assert not _mark_steps(axes, chart(ends={0: 999}), Panel("", 1000, 2000, None))


@pytest.mark.parametrize(
    ("gap", "mac_unit", "shown"),
    [
        ((100, 211), "mac_array", True),  # "111 cycles" has ten characters of 11 points
        ((100, 210), "mac_array", False),
        ((100, 211), None, False),
        (None, "mac_array", False),
    ],
)
def test_a_gap_has_its_length_where_there_is_room(
    gap: tuple[int, int] | None, mac_unit: str | None, shown: bool
) -> None:
    axes = Figure().add_subplot()
    found = dataclasses.replace(chart(), mac_unit=mac_unit)
    _mark_gap(axes, found, Panel("", 0, 1000, gap), Scale(1.0, 11.0))
    arrows = [text for text in axes.texts if isinstance(text, Annotation)]
    texts = [text for text in axes.texts if not isinstance(text, Annotation)]
    assert len(arrows) == len(texts) == shown
    if shown:
        assert (arrows[0].xy, arrows[0].get_position()) == ((100, 1), (211, 1)), "in the row of the array"
        assert (texts[0].get_text(), texts[0].get_position()) == ("111 cycles", (155.5, 0.94))


def test_the_critical_path_is_cut_at_the_ends_of_the_panel_and_where_the_chart_ends() -> None:
    """Segments that end where the panel begins, or begin where it ends, are none of it."""
    chain = [(0, 100, 0), (100, 150, 1), (150, 400, 0), (400, 500, 1)]

    def line(start: int, stop: int, until: int) -> list[tuple[float, int]]:
        axes = Figure().add_subplot()
        if not _draw_chain(axes, chain, Panel("", start, stop, None), until):
            assert not axes.lines
            return []
        (found,) = axes.lines
        heights = np.asarray(found.get_ydata(), float)
        assert np.all(heights - np.floor(heights) == pytest.approx(0.38)), "just below the ops, which end at 0.31"
        return list(
            zip(np.asarray(found.get_xdata(), float).tolist(), np.floor(heights).astype(int).tolist(), strict=True)
        )

    assert line(100, 400, 999) == [(100, 1), (150, 1), (150, 0), (400, 0)]
    assert line(99, 401, 999) == [(99, 0), (100, 0), (100, 1), (150, 1), (150, 0), (400, 0), (400, 1), (401, 1)]
    assert line(120, 999, 200) == [(120, 1), (150, 1), (150, 0), (200, 0)]
    assert line(500, 900, 999) == []
    assert line(120, 999, 100) == []


def simulation(**parts: object) -> Simulation:
    """Something with those parts of a run."""
    found: Any = SimpleNamespace(**parts)
    return found  # type: ignore[no-any-return]


def test_the_critical_path_has_a_row_for_what_a_unit_of_the_chart_does() -> None:
    """Segments of other units, and those that take no cycle, are left out."""
    ops = [SimpleNamespace(unit=unit) for unit in ("mac_array", "dram", "host")]
    phases = (SimpleNamespace(ops=[]), SimpleNamespace(ops=ops))

    def segment(start: int, end: int, op: int) -> Any:
        return SimpleNamespace(start=start, end=end, cycles=end - start, instance=SimpleNamespace(phase=1, op=op))

    path = [segment(0, 5, 1), segment(5, 5, 0), segment(5, 9, 0), segment(9, 12, 2), segment(12, 13, 1)]
    run = simulation(program=SimpleNamespace(phases=phases))
    assert list(_chain(run, chart(), path)) == [(0, 5, 0), (5, 9, 1), (12, 13, 0)]


@pytest.mark.parametrize(("ends", "until"), [({}, 500), ({7: 90, 8: 110}, 110), ({8: 110, 9: 130}, 500)])
def test_the_ops_on_record_reach_to_the_end_of_the_last_step_on_record_or_of_the_run(
    ends: dict[int, int], until: int
) -> None:
    """Of 10 steps the last one is step 9: with it the rest of the run is in the chart."""
    spec = SimpleNamespace(steps=10)
    run = simulation(trace=SimpleNamespace(total_cycles=500), workload=SimpleNamespace(spec=spec))
    assert _known_until(run, chart(ends=ends)) == until


def test_layers_that_are_not_drawn_are_counted(run: Run) -> None:
    many = run(workload=("input_size=2", "hidden_size=2", "steps=2", "num_layers=5"), timing_only=True)
    numbers = charted_bodies(many, 9)
    assert len(numbers) == 5
    charts = [gantt(many, number) for number in numbers[:4]]
    assert _left_out(many, charts, numbers[:4]) == "4 of 5 layers, those that take longest"
    assert _left_out(many, charts, numbers) == ""
    assert [chart.body for chart in charts] == ["layer 0", "layer 1", "layer 2", "layer 3"]
    assert charted_bodies(many, 2) == sorted(charted_bodies(many, 2))
    cycles = {number: many.trace.phases[number].cycles for number in numbers}
    assert (
        sorted((cycles[number] for number in charted_bodies(many, 2)), reverse=True)
        == sorted(cycles.values(), reverse=True)[:2]
    )


@exhaustive
def test_of_several_layers_each_has_one_panel_and_one_layer_alone_may_have_two(run: Run, long: Simulation) -> None:
    sets = ("mac_array.rows=8", "mac_array.columns=8")
    layers = run(sets, ("input_size=48", "hidden_size=64", "steps=24", "num_layers=2"), timing_only=True)
    with style():
        assert (len(timeline_figure(layers).axes), len(timeline_figure(long).axes)) == (2, 2)
    charts = [gantt(layers, number) for number in charted_bodies(layers, 2)]
    assert [chart.body for chart in charts] == ["layer 0", "layer 1"]
    assert gantt(long, charted_bodies(long, 2)[0]).body == "", "the only one needs no name"
    assert len(panels(charts[0])) == 2


def test_bars_that_just_fit_are_long_and_gaps_that_are_just_as_wide_part_two() -> None:
    """At least 10 cycles are long; of the others less than 3 cycles between two make them one."""
    bars = [bar(0, 10, 12), bar(20, 29, 29), bar(31, 35, 50, TANH), bar(36, 37, 40), bar(40, 41, 41), bar(43, 44, 44)]
    long, short = merge_short(reversed(bars), 10, 3)
    assert long == [bars[0]]
    assert [(ops.start, ops.free, ops.done, ops.looks) for ops in short] == [
        (20, 37, 50, (LOAD, TANH)), (40, 44, 44, (LOAD,)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "labels"),
    [
        (Seen({TANH: True, LOAD: False}), ["load", "tanh"]),
        (Seen({MIXED: False, MACS: True}, tails=True), ["MAC tile", "several short ops", "paler: in the pipeline"]),
        (Seen({LOAD: False}, ends=True), ["load", "step ends: h complete"]),
        (Seen({LOAD: False}, chain=True), ["load", "critical path"]),
    ],
)
def test_the_legend_has_looks_in_their_order_and_then_what_is_seen_besides(seen: Seen, labels: list[str]) -> None:
    figure = Figure()
    _legend(figure, USUAL, "step ends: h complete", seen)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == labels
    hatched = {patch.get_label(): bool(patch.get_hatch()) for patch in figure.legends[0].get_patches()}
    assert hatched.get("tanh", True), "its bars have room for it"
    assert not hatched.get("load", False)
