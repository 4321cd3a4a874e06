"""Sections of the report and the summary, of runs and figures that are written by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from archsim.api import Simulation
from archsim.api.outcome import Outcome
from archsim.config.aims import By
from archsim.metrics.stacks import BUCKETS
from archsim.program.sparsity import Sparsity
from archsim.report.text.binding import binding_sentence, gap_sentence, is_alone, what_binds
from archsim.report.text.figures_as_text import behind, binary_bytes, part, percent, significant, span
from archsim.report.text.sections import use_section
from archsim.report.text.sections.accuracy_section import _narrow_group, _narrow_groups, _pruning
from archsim.report.text.sections.activity_section import _saved
from archsim.report.text.sections.energy_section import _left_out, most
from archsim.report.text.sections.further_section import further
from archsim.report.text.sections.roofline_section import roof_sentence
from archsim.report.text.sections.schedules_section import schedules
from archsim.report.text.sections.time_section import cold_start, step_compositions
from archsim.report.text.sections.traffic_section import _count, _dram
from archsim.report.text.sections.use_section import units
from archsim.report.text.summary import _asked, _behind, _binds, _network, _skipping
from archsim.technology.conditions import Counted
from archsim.workload import load_workload
from tests.report.parts import flat, lines, thing


def test_figures_at_the_edges_of_their_digits() -> None:
    assert [significant(value) for value in (9999.6, 0.99996, -12.346, 1000.04, 0.00012346)] == [
        "10,000", "1", "-12.35", "1,000", "0.0001235",
    ]  # fmt: skip
    assert [percent(value) for value in (0.000999, -0.5, 0.00099951)] == ["0.100 %", "-50.0 %", "0.100 %"]
    assert (part(1, 1001), part(0.5, 500), part(1, 0.5)) == ("<0.1 %", "0.1 %", "200.0 %")
    assert (span(410.4, 12345.0), behind(1.0, 2.0), behind(None, 2.0), behind(1.0, None)) == (
        "410 to 12,300", " (1 to 2)", "", "",
    )  # fmt: skip
    assert (binary_bytes((1 << 20) - 1), binary_bytes(1 << 70)) == ("1,024.0 KiB", "1,024.0 EiB")


def stats(step: float, bound: float = 100.0, name: str = "mac", **parts: Any) -> Any:
    fields = {"bounds": {name: bound}, "binding_bound": name, "cycles_per_step": step, "body_cycles": 2000}
    return thing(**(fields | parts))


def test_the_chain_of_a_step_alone_takes_the_place_of_a_recurrence() -> None:
    recurrence = stats(100.0, name="recurrence")
    assert what_binds(recurrence, alone=False) == "recurrence"
    assert what_binds(recurrence, alone=True) == "the chain of ops from h_0 to h"
    assert what_binds(stats(100.0), alone=True) == "mac"
    assert binding_sentence(recurrence).startswith("recurrence binds: "), (
        "one of several steps, if nothing else is said"
    )
    specs = [thing(steps=steps, streaming=streams) for steps, streams in ((1, False), (2, False), (1, True))]
    assert [is_alone(spec) for spec in specs] == [True, False, False]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (100.0 + 0.9e-9, "the simulated step is exactly at it"),
        (100.0 + 2e-9, "the simulated step is 0.00"),
        (100.5, "the simulated step is 0.5 % above it (by 0.5 cycles a step)"),
        (125.0, "the simulated step is 25.0 % above it (by 25 cycles a step)"),
        (80.0, "the simulated step is 20.0 % below it (by 20 cycles a step), which is a mean"),
    ],
)
def test_how_far_a_step_is_from_its_bound(step: float, words: str) -> None:
    assert binding_sentence(stats(step)).startswith(f"mac binds: {words}")


def test_the_largest_loss_that_no_bound_explains_is_named_with_its_share_of_the_steps() -> None:
    """500 of 2,000 cycles; work, what is outside of the steps and what `mac` explains do not count."""
    stack = {
        "useful": 1500, "padding": 900, "prologue": 800, "idle": 700, "wait_port": 600, "wait_issue": 500,
        "wait_input": 400,
    }  # fmt: skip
    found = stats(102.0, cycle_stack=stack)
    said = gap_sentence(found, "MAC array", {"mac": ("wait_port",), "dram": ("wait_issue",)})
    assert said.endswith(f"the MAC array loses most by wait_issue ({BUCKETS['wait_issue']}): 25.0 % of the time steps.")
    assert gap_sentence(stats(100.9, cycle_stack=stack), "MAC array", {}) == ""
    assert gap_sentence(stats(101.1, cycle_stack=stack), "MAC array", {}) != ""
    assert gap_sentence(stats(102.0, cycle_stack={"useful": 5, "wait_issue": 0}), "MAC array", {}) == ""


@pytest.mark.parametrize(("share", "lost"), [(0.9, False), (0.899, True)])
def test_a_step_that_reaches_nine_tenths_of_its_roof_is_bound_by_it(share: float, lost: bool) -> None:
    roof = thing(step_binding="dram", run_binding="peak", step_roof_share=share, run_roof_share=0.25)
    said = roof_sentence(stats(100.0, name="recurrence", roofline=roof), alone=True)
    assert said.startswith(f"Time steps: the roof is the bandwidth of dram, of which {percent(share)} is reached. ")
    assert ("the chain of ops from h_0 to h binds a step (see One time step)" in said) is lost
    assert said.endswith("Whole run: the roof is the peak of the multipliers, of which 25.0 % is reached.")


def loading(prologue: int, streams: bool = True, **spec: Any) -> str:
    network = thing(**({"streaming": False, "runs_in_reverse": False, "lengths": None} | spec))
    return cold_start(
        thing(
            stats=thing(prologue_cycles=prologue, latency_cycles=1000), workload=thing(spec=network),
            schedule=thing(streams=streams),
        )
    )  # fmt: skip


def test_a_run_of_which_four_fifths_load_is_a_cold_start() -> None:
    alone = "This run is a cold start: 80.0 % of it loads what stays."
    frames = f"{alone} Of a machine that is on, to which the steps come as frames: streaming=1 (--set streaming=true)."
    assert loading(799) == loading(800, streaming=True) == ""
    assert loading(800) == frames
    assert loading(800, streams=False) == loading(800, runs_in_reverse=True) == loading(800, lengths=(1,)) == alone


def test_what_a_step_is_in_the_long_run_for_each_body() -> None:
    def body(phase: int, steps: int) -> Any:
        return thing(phase=phase, steps=steps, stack={"dram": {"useful": 70}}, cycle=thing(cycles=70))

    run = thing(program=thing(phases=[thing(name="p"), thing(name="body of layer 0"), thing(name="body of layer 1")]))
    assert list(step_compositions(run, thing(steps=[body(1, 1)]))) == [
        "In the long run a step is, of 70 cycles: 70 dram useful"
    ]
    assert list(step_compositions(run, thing(steps=[body(1, 1), body(2, 3)]))) == [
        "In the long run a step of body of layer 0 is, of 70 cycles: 70 dram useful",
        "In the long run 3 steps of body of layer 1 is, of 70 cycles: 70 dram useful",
    ]


def test_units_have_a_bar_of_tenths_and_what_they_otherwise_wait_for_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work of a unit is no wait: of `dram` nothing is left."""
    stacks = {
        "mac": {"useful": 700, "padding": 150, "wait_port": 100, "wait_input": 20, "idle": 30},
        "dram": {"useful": 900, "padding": 50, "wait_port": 50, "wait_input": 0, "idle": 0},
    }
    monkeypatch.setattr(use_section, "step_stacks", lambda _: stacks)
    monkeypatch.setattr(use_section, "busy_cycles", lambda _: {"mac": 960, "dram": 1000})
    said = lines(*units(thing(stats=thing(body_cycles=1000))))
    assert said[0] == "Units during the time steps (busy: holds an op; of 1,000 cycles)"
    assert said[2:] == [
        "mac 960 96.0 % [##########] idle 3.0 %",
        "dram 1,000 100.0 % [##########] nothing",
    ]
    monkeypatch.setattr(use_section, "busy_cycles", lambda _: {"mac": 340, "dram": 0})
    assert [line.split("[")[1].split("]")[0] for line in lines(*units(thing(stats=thing(body_cycles=1000))))[2:]] == [
        "###.......", "..........",
    ]  # fmt: skip
    monkeypatch.setattr(use_section, "busy_cycles", lambda _: {"dram": 0})
    assert "dram 0 0 % [..........] nothing" in lines(*units(thing(stats=thing(body_cycles=0))))


def ranking(**parts: Any) -> Any:
    def named(name: str) -> Any:
        return thing(name=name)

    first, second = Outcome(1000, 12.5, 3.0, 4.0), Outcome(2000, 25.0, None, None)
    ranked = [(named("a"), first), (named("b"), second), (named("c"), first), (named("d"), first)]
    return thing(**({"ranked": ranked, "by": By.STEP, "tied": (), "left_out": ()} | parts))


def test_schedules_of_the_same_figures_have_one_row() -> None:
    def said(streams: bool, **parts: Any) -> list[str]:
        return lines(*schedules(thing(ranking=ranking(**parts), workload=thing(spec=thing(streaming=streams)))))

    assert said(False)[:4] == [
        "Schedules (all that can run this; least cycles a step first, which is the one of this run)",
        "schedule cycles a step energy, uJ alike", "a 1,000 12.5 3 and 2 more", "b 2,000 25 -",
    ]  # fmt: skip
    assert said(True, by=By.ENERGY)[0:2] == [
        "Schedules (all that can run this; least energy first, which is the one of this run)",
        "schedule cycles a frame interval energy, uJ alike",
    ]
    assert said(False, tied=("x",))[-1] == "1 other schedule takes as little: least energy first, then by name"
    assert said(False, tied=("x", "y"))[-1].startswith("2 other schedules take as little")
    left = (("x", "no room"), ("y", "too long"), ("z", "no room"))
    assert said(False, left_out=left)[-2:] == ["not possible: x, z: no room", "not possible: y: too long"]
    assert schedules(thing(ranking=None)) == []


def columns(**parts: Any) -> Any:
    fields = {
        "dense_latency_cycles": 4000, "skipped_uj": 2.0, "dense_energy_uj": 8.0, "skipped_share": 0.6,
        "skipped_part_uj": {"mac": 0.4, "dram": 1.59, "tiny": 0.01, "less": 0.0099},
    }  # fmt: skip
    return thing(**(fields | parts))


def test_what_is_saved_is_shown_by_part_down_to_a_two_hundredth() -> None:
    """Of 2 uJ that is 0.01; 1,000 of 4,000 cycles."""
    said = lines(*_saved(thing(stats=thing(latency_cycles=3000)), columns()))
    assert said[1:] == [
        "cycles 4,000 1,000 25.0 %", "energy, uJ 8 2 25.0 %", "dram 1.59 79.5 % of it", "mac 0.4 20.0 % of it",
        "tiny 0.01 0.5 % of it",
    ]  # fmt: skip
    assert len(lines(*_saved(thing(stats=thing(latency_cycles=3000)), columns(skipped_uj=None)))) == 2
    nothing = lines(*_saved(thing(stats=thing(latency_cycles=4000)), columns(skipped_uj=0.0)))
    assert nothing[1:] == ["cycles 4,000 0 0 %", "energy, uJ 8 0 0 %"]


def test_what_skipping_saves_in_a_line() -> None:
    assert _skipping(columns(), 3000) == "saves 1,000 cycles, 25.0 %, and 2 uJ, 25.0 %"
    for missing in ("skipped_uj", "dense_energy_uj"):
        assert _skipping(columns(**{missing: None}), 3000) == "saves 1,000 cycles, 25.0 %"
    assert _behind(None) == "frame behind frame"
    assert _behind(columns()) == "frame behind frame, counting the 60.0 % of the model that is skipped"


def test_what_binds_has_the_three_largest_parts_of_a_step_and_the_sum_of_the_others() -> None:
    run = thing(stats=stats(100.0), workload=thing(spec=thing(steps=4, streaming=False)))

    def said(*stacks: Any) -> str:
        return _binds(run, thing(steps=[thing(stack=stack) for stack in stacks]))

    stack = {"mac": {"useful": 1000, "drain": 7}, "dram": {"useful": 40, "token": 5, "issue": 3}}
    assert said(stack) == "mac binds: 1,000 mac useful, 40 dram useful, 7 mac drain, 8 others"
    assert said({"mac": {"useful": 9, "drain": 2, "token": 1}}) == "mac binds: 9 mac useful, 2 mac drain, 1 mac token"
    assert said() == said(stack, stack) == "mac binds"
    one = thing(stats=stats(100.0), workload=thing(spec=thing(steps=1, streaming=False)))
    assert _binds(one, thing(steps=[])) == "mac binds, no step comes before"


def test_a_network_in_a_few_words() -> None:
    def words(workload: str) -> str:
        return _network(load_workload(workload).spec)

    assert words("lstm:1000,24,t=1") == "LSTM(1,000, 24)"
    assert words("lstm:5,5,t=1,layers=3") == "3 x LSTM(5, 5)"
    assert words("gru:3,4,t=1,layers=3,bidirectional=1") == "GRU(3, 4, both ways) + 2 x GRU(8, 4, both ways)"


def test_what_was_asked_says_steps_sequences_and_what_was_set(small: Simulation) -> None:
    def asked(workload: str, **parts: Any) -> dict[str, str]:
        run = dataclasses.replace(small, workload=dataclasses.replace(load_workload(workload), **parts))
        return dict(_asked(run))

    one = asked("lstm:3,2,t=1")
    assert one["asked"] == "LSTM(3, 2), 1 time step: from cold, loading included"
    assert ", with a" not in one["asked"]
    assert one["machine"] == (
        "4 rows x 2 columns = 8 MACs a cycle at 800 MHz, with mac_array.rows=4, mac_array.columns=2, "
        "activation.lanes=1, elementwise.lanes=1"
    )
    many = asked("lstm:3,2,t=1200,b=1200", overrides=("a=1", "b=2"))
    assert many["asked"] == "LSTM(3, 2), 1,200 time steps, 1,200 sequences: from cold, loading included, with a=1, b=2"
    assert asked("lstm:3,2,t=2,streaming=1")["asked"] == "LSTM(3, 2), 2 frames: frames on a machine that is on"


def test_groups_that_do_not_divide_the_columns_have_a_narrow_last_one() -> None:
    """Of 10 columns in groups of 4 the last has 2, both of which are kept: 2 + 2 + 2 of 10."""
    assert _narrow_group(10, Sparsity(2, 4)) == (
        "10 columns are 2 groups of 4 and one of 2, of which 2 weights are kept: 60.0 % of the row."
    )
    assert _narrow_group(5, Sparsity(2, 4)) == (
        "5 columns are 1 group of 4 and one of 1, of which 1 weight is kept: 60.0 % of the row."
    )
    assert _narrow_group(7, Sparsity(1, 4)).endswith("one of 3, of which 1 weight is kept: 28.6 % of the row.")
    cells = [thing(input_size=10, hidden_size=8, output_size=8), thing(input_size=8, hidden_size=5, output_size=3)]
    found = _narrow_groups(thing(workload=thing(spec=thing(cells=cells))), Sparsity(2, 4))
    assert [text.split()[0] for text in found] == ["3", "5", "10"]


def test_weights_that_are_not_kept_are_counted() -> None:
    def said(pruned: int, sqnr: float | None = 12.34) -> str:
        found = thing(kept=2, of=4, pruned=pruned, weights=5000, square_share=0.125, sqnr_db=sqnr)
        cells = [thing(input_size=8, hidden_size=8, output_size=8)]
        return flat(*_pruning(thing(numbers=thing(pruning=found), workload=thing(spec=thing(cells=cells)))))

    assert said(0).endswith("The network's 5,000 weights are as sparse as that: none was pruned.")
    assert "By magnitude: 1,200 of 5,000 weights were not zero and are not kept, 12.5 % of the sum" in said(1200)
    assert "the output has 12.3 dB against the network" in said(1200)
    assert "the output is the same against the network" in said(1200, None)
    assert _pruning(thing(numbers=None)) == _pruning(thing(numbers=thing(pruning=None))) == []


def test_the_four_kinds_that_take_most_of_a_part_are_named_and_none_that_takes_nothing() -> None:
    energy = thing(
        unit_uj={"mac": {"multiply": 4.0, "add": 1.0, "register": 0.5, "compare": 0.0}},
        memory_uj={"mac": {"read": {"h": 2.0}, "write": {"h": 0.5}}},
        part_uj={"mac": 8.0, "wires": 1.0},
    )
    run = thing(stats=thing(energy=energy, area=1))
    assert most(run, "mac") == "multiply 50.0 %, h read 25.0 %, add 12.5 %, register 6.2 %"
    few = thing(**{**vars(energy), "memory_uj": {}, "unit_uj": {"mac": {"add": 1.0, "compare": 0.0}}})
    assert most(thing(stats=thing(energy=few, area=1)), "mac") == "add 100.0 %"
    assert most(run, "wires") == "between memories and units 100.0 %"


def test_what_the_model_of_energy_leaves_out_is_named() -> None:
    counted = dict.fromkeys(("wires", "clock", "control", "phy", "layout"), True)
    words = {
        "wires": "wires", "clock": "clock tree", "control": "control", "phy": "interface to DRAM",
        "layout": "space between cells",
    }  # fmt: skip
    assert _left_out(thing(**counted, dram_idle="standby")) == []
    assert _left_out(thing(**counted, dram_idle="off")) == ["DRAM's power over time"]
    for name, word in words.items():
        assert _left_out(thing(**(counted | {name: False}), dram_idle="standby")) == [word]
    assert set(counted) <= {field.name for field in dataclasses.fields(Counted)}


def test_rows_that_dram_opened_are_misses_and_conflicts() -> None:
    counts = {"bursts": 4000, "row_misses": 1000, "row_conflicts": 234, "refreshes": 1500, "row_hits": 9}
    assert flat(*_dram(counts)) == (
        "DRAM moved 4,000 bursts and opened 1,234 rows for them, 234 in a bank with another row open; it was refreshed "
        "1,500 times (all channels together)."
    )
    assert _dram({}) == []
    assert (_count(0), _count(1234)) == ("-", "1,234")


def test_statistics_of_others_have_a_line_an_entry() -> None:
    def figure(name: str, unit: str, value: Any) -> Any:
        return thing(statistic=thing(name=name, unit=unit, meaning=f"of {name}"), value=value)

    found = [figure("one", "1", 0.25), figure("two", "pJ", 1234.6), figure("both", "us", {"a": 1.0, "b": 2.0})]
    assert lines(*further(thing(further=found)))[1:] == [
        "one 25.0 % of one", "two 1,235 pJ of two",
        "both.a 1 us of both", "both.b 2 us the same",
    ]  # fmt: skip
    assert further(thing(further=[])) == []
