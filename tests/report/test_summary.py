"""A run on one screen: the answer to what was asked, its largest losses, and changes that were measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archsim.api import simulate
from archsim.api.evaluate import Evaluator
from archsim.api.explain import Findings, find
from archsim.api.near_changes import near_changes
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.report.text.report_text import as_text, report_text
from archsim.report.text.summary import print_changes, print_summary, width_of_names
from archsim.workload import load_workload
from tests.rings import few

RUNS = [
    ("tiny_2x2", "lstm_3_2_t4"),
    ("tiny_2x2", "lstm:3,2,t=3,layers=2,streaming=1"),
    ("edge_16x16", "gru:20,24,t=6,b=2,layers=2,bidirectional=1"),
    ("npu_s10nx", "lstm:32,32,t=4"),
    ("tpu_v1", "lstm:32,32,t=3"),
]


@pytest.mark.parametrize("width", few([80, 60, 200], 1))
@pytest.mark.parametrize(("arch", "workload"), RUNS)
def test_it_fits_on_a_screen(arch: str, workload: str, width: int) -> None:
    """25 lines at 80 columns."""
    evaluator = Evaluator()
    run = simulate(load_arch(arch), load_workload(workload), timing_only=True, evaluator=evaluator)
    findings, changes = find(run), near_changes(run, evaluator)
    text = as_text(lambda console: print_summary(run, findings, console), width)
    text += as_text(lambda console: print_changes(changes, console), width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= (25 if width >= 80 else 40)
    names = {line[2:15].strip() for line in lines[1:]}
    assert {"asked", "machine", "latency", "utilization", "losses", "numbers", "changes", "more"} <= names


def test_the_answer_is_a_frame_s_where_frames_were_asked_for() -> None:
    """49 cycles from an arrival to the output, and 43 between frames: tests/families/gemv/test_frames.py has why."""
    run = simulate(load_arch("tiny_2x2"), load_workload("lstm:3,2,t=4,streaming=1"), timing_only=True)
    text = " ".join(as_text(lambda console: print_summary(run, find(run), console), 80).split())
    assert "latency 49 cycles a frame, 0.49 us" in text
    assert "interval 43 cycles, 0.43 us" in text
    assert f"another question: {run.stats.latency_cycles:,} cycles for 4 frames, loading included" in text


def test_of_a_single_step_nothing_recurs() -> None:
    """No step comes before it: the chain of its ops binds, as long as the bound `recurrence`; no steady state."""
    texts = {}
    for steps in (1, 4):
        work = load_workload("lstm_3_2_t4", [parse_override(f"steps={steps}")])
        run = simulate(load_arch("tiny_2x2"), work, timing_only=True)
        assert run.stats.binding_bound == "recurrence"
        screen = as_text(lambda console, run=run: print_summary(run, find(run), console), 80)  # type: ignore[misc]
        texts[steps] = (" ".join(screen.split()), " ".join(report_text(run).split()))
    for text in texts[1]:
        assert "recurrence binds" not in text
        assert "the chain of ops from h_0 to h binds" in text
    for text in texts[4]:
        assert "recurrence binds" in text
        assert "the chain of ops" not in text
    assert "binds, no step comes before" in texts[1][0]
    assert "steady state" not in texts[1][0]
    assert "in the steady state" in texts[4][0]


def test_steps_that_differ_have_a_mean() -> None:
    """The recorded run takes 32,921 cycles for 200 steps; its second half has fewer changes, 164 cycles a step."""
    activity = Path("8_8_16_2_200_1_16_16")
    work = load_workload("gru:8,16,layers=2,t=200", activity=activity)
    run = simulate(load_arch("edgedrnn"), work, timing_only=True)
    text = as_text(lambda console: print_summary(run, find(run), console), 300)
    assert "a time step   164 cycles, 1.312 us; " in text
    assert "steps differ  mean of all 200: 164.6 cycles, 1.317 us" in text


def test_changes_stand_below_the_summary() -> None:
    """Of frames that differ, the longest name is "frames differ", two characters wider than "utilization"."""
    changed = "delta_encoder={lanes: 1, latency_cycles: 1, capacity_bytes: 64, port_bits: 64}"
    sets = [parse_override(text) for text in (changed, "formats=q4.12", "activation.method=table")]
    work = load_workload("lstm:3,2,t=8,delta=0.0625,streaming=1")
    evaluator = Evaluator()
    run = simulate(load_arch("tiny_2x2", sets), work, "split_interleaved", timing_only=True, evaluator=evaluator)
    findings, changes = find(run), near_changes(run, evaluator)
    text = as_text(lambda console: print_summary(run, findings, console), 80)
    text += as_text(lambda console: print_changes(changes, console, width_of_names(run, findings)), 80)
    places = {line.index(line[15:].lstrip()) for line in text.splitlines()[1:] if line[:17].strip()}
    assert "frames differ  mean" in text
    assert places == {17}


def test_losses_are_the_largest_parts_but_the_multipliers_useful_work() -> None:
    run = simulate(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), timing_only=True)
    stack = {
        "dram": {"useful": 30, "drain": 2},
        "mac_array": {"useful": 140, "padding": 7},
        "activation": {"token": 19},
    }
    text = as_text(lambda console: print_summary(run, Findings(stack, ()), console), 80)
    losses = text.split("  losses")[1].split("  numbers")[0].split("\n")
    assert [line.strip() for line in losses if line.strip()] == [
        "30 cycles, 15.2 %: dram at work",
        "19 cycles, 9.6 %: activation token",
        "7 cycles, 3.5 %: mac_array padding",
    ]


def test_of_a_very_long_run_they_are_those_of_the_multipliers_stack() -> None:
    run = simulate(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), timing_only=True)
    text = as_text(lambda console: print_summary(run, Findings(None, ()), console), 80)
    losses = {name: amount for name, amount in run.stats.cycle_stack.items() if name != "useful"}
    assert f"{max(losses.values())} cycles" in text.split("  losses")[1].splitlines()[0]


def test_layers_that_are_alike_are_counted() -> None:
    run = simulate(load_arch("tiny_2x2"), load_workload("lstm:3,2,t=1,layers=4"), timing_only=True)
    text = as_text(lambda console: print_summary(run, find(run), console), 80)
    assert "LSTM(3, 2) + 3 x LSTM(2, 2), 1 time step" in text


def test_changes_of_a_run_leave_its_program_as_it_is() -> None:
    """None is built for them, and each gives what simulating it gives."""
    evaluator = Evaluator()
    arch, workload = load_arch("tiny_2x2"), load_workload("lstm_3_2_t4")
    run = simulate(arch, workload, timing_only=True, evaluator=evaluator)
    found = near_changes(run, evaluator)
    assert evaluator.programs_built == 1
    assert found.before.latency_cycles == run.stats.latency_cycles
    assert len(found.changes) > 10
    for measured in found.better[:3]:
        [setting] = measured.change.settings
        again = simulate(load_arch("tiny_2x2", [parse_override(str(setting))]), workload, timing_only=True).stats
        assert again.latency_cycles == measured.outcome.latency_cycles < run.stats.latency_cycles
        assert again.energy is not None
        assert again.energy.total_uj == measured.outcome.energy_uj


def test_where_weights_are_loaded_again_and_again_enough_memory_is_measured() -> None:
    """4 (20 + 24) 24 weights of a byte are 4,224: 5 KiB hold them."""
    evaluator = Evaluator()
    arch = load_arch("edge_16x16", [parse_override("weight_sram.capacity_bytes=3KiB")])
    run = simulate(arch, load_workload("lstm:20,24,t=12"), "fused_streamed", timing_only=True, evaluator=evaluator)
    best, *_ = near_changes(run, evaluator).better
    assert str(best.change) == "--set weight_sram.capacity_bytes=5KiB"
    assert best.outcome.latency_cycles < run.stats.latency_cycles / 1.5


def test_a_long_run_on_a_machine_whose_times_depend_on_the_run_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archsim.api.near_changes.MAX_MACHINE_OPS", 10_000)
    evaluator = Evaluator()
    arch = load_arch("tiny_2x2", [parse_override("state_buffer.ports=1RW"), parse_override("state_buffer.banks=one")])
    run = simulate(arch, load_workload("lstm:3,2,t=40"), timing_only=True, evaluator=evaluator)
    found = near_changes(run, evaluator)
    assert (found.changes, found.better) == ((), ())
    text = " ".join(as_text(lambda console: print_changes(found, console), 80).split())
    assert f"not measured here: a run of {run.program.op_instances:,} ops on a machine whose times depend on" in text


def test_nothing_that_helps_is_said() -> None:
    evaluator = Evaluator()
    run = simulate(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), timing_only=True, evaluator=evaluator)
    none = replace(near_changes(run, evaluator), changes=())
    assert "none makes it faster" in as_text(lambda console: print_changes(none, console), 80)
