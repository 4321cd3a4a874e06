"""What a report says of hoisted schedules: steps of a block, and that blocks of one gain nothing."""

import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.report.figures.gantt import charted_bodies, gantt
from archsim.report.text.linetrace import line_trace
from archsim.report.text.report_text import report_text
from archsim.trace import Window
from archsim.workload import load_workload


def report(schedule: str, *sets: str, steps: int = 5) -> str:
    """As one line."""
    arch = load_arch("tiny_2x2", [parse_override(text) for text in sets])
    run = simulate(arch, load_workload(f"lstm:3,2,t={steps}"), schedule, timing_only=True)
    return " ".join(report_text(run).split())


@pytest.mark.parametrize(("asked", "said"), [(2, "2 time steps"), (5, "5 time steps"), (99, "5 time steps")])
def test_steps_of_a_block_and_their_room(asked: int, said: str) -> None:
    text = report("hoisted", f"state_buffer.hoist_steps={asked}", "state_buffer.capacity_bytes=4096")
    assert f"blocks W_ih x of {said} at once" in text
    assert "gain nothing" not in text
    assert "input_sums" in text


@pytest.mark.parametrize("executor", ["machine", "fast"])
@pytest.mark.parametrize("asked", [1, 3, 11])
def test_the_recorded_steps_are_those_of_the_middle(asked: int, executor: str) -> None:
    """Steps 4, 5 and 6 of 11, and with blocks of 3, of which the first has two, all of the blocks of 2 to 4 and 5 to 7;
    a block of all is one phase before the steps."""
    sets = [f"state_buffer.hoist_steps={asked}", "state_buffer.capacity_bytes=4096", "input_buffer.capacity_bytes=4096"]
    arch = load_arch("tiny_2x2", [parse_override(text) for text in sets])
    run = simulate(arch, load_workload("lstm:3,2,t=11"), "hoisted", timing_only=True, executor=executor, window=None)
    phases = run.program.phases
    steps = {
        phases[record.phase].ops[record.op].step(record.repetition)
        for record in run.trace.records
        if phases[record.phase].ops[record.op].label.startswith("mac_h")
    }
    assert steps == ({2, 3, 4, 5, 6, 7} if asked == 3 else {4, 5, 6})
    chart = gantt(run, charted_bodies(run, 1)[0])
    assert {4, 5, 6} <= chart.step_ends.keys()
    kinds = {"MAC tile", "sigmoid", "tanh", "update of c", "update of h", "store"}
    assert {bar.look.words for bar in chart.bars} - {"load", "MAC tile of x alone"} == kinds


@pytest.mark.parametrize("schedule", ["hoisted", "fused_wavefront"])
def test_every_cycle_of_a_schedule_with_delays_can_be_traced(schedule: str) -> None:
    sets = ("state_buffer.hoist_steps=2", "state_buffer.capacity_bytes=4096", "accumulators.entries=64")
    arch = load_arch("tiny_2x2", [parse_override(text) for text in sets])
    window = Window(0, 5 + 2)
    run = simulate(arch, load_workload("lstm:3,2,t=5,layers=2"), schedule, timing_only=True, window=window)
    assert len(run.trace.records) == run.program.op_instances
    assert len(list(line_trace(run))) == run.trace.total_cycles + 1 + 3


def test_the_steps_of_a_block_are_said() -> None:
    assert "blocks W_ih x of 1 time step at once" in report("hoisted", "state_buffer.hoist_steps=1")
    assert "blocks W_ih" not in report("fused")
