"""What a report says of hoisted schedules: steps of a block, and that blocks of one gain nothing."""

import pytest

from archsim.api import simulate
from archsim.arch import load_arch
from archsim.config import parse_override
from archsim.report.text import report_text
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


def test_blocks_of_one_step_gain_nothing() -> None:
    assert "blocks of one step gain nothing" in report("hoisted", "state_buffer.hoist_steps=1")
    assert "gain nothing" not in report("hoisted", steps=1)
    assert "blocks W_ih" not in report("fused")
