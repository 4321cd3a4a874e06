"""How many events the machine needs for an op: what a run costs, counted without a clock."""

from __future__ import annotations

from typing import Any

import pytest

from archsim.api.machine_spec import machine_spec
from archsim.engines.events import Options, execute
from archsim.engines.events.clock import Clock
from archsim.families.load import load_arch, load_workload_for
from archsim.families.registry import build_units
from archsim.families.schedules import build_program, find_schedule
from archsim.program.ir import After
from tests.engines.events.by_hand import Job, Token, run_jobs


@pytest.fixture
def scheduled(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The events of all runs of a test."""
    found: list[object] = []
    schedule = Clock.schedule

    def counted(clock: Clock, event: Any, *rest: Any, **more: Any) -> None:
        found.append(event)
        schedule(clock, event, *rest, **more)

    monkeypatch.setattr(Clock, "schedule", counted)
    return found


@pytest.mark.parametrize("token_latency_cycles", [0, 1, 3])
@pytest.mark.parametrize("after", [After.DONE, After.FREE])
def test_an_op_has_two_events_and_its_unit_one_for_each_wait(
    scheduled: list[object], after: After, token_latency_cycles: int
) -> None:
    """Each op has two: its unit is free again, and its results are visible. That tokens arrive is none.

    2 units begin. b waits once, for its first token: as the slower one it has all others before it is free. The phase
    ends (SimPy from 4.1.2 on puts back the event that it stops at: that is none more). With a token latency the phase's
    own token is one, too: a waits for it; b does not begin before its own first token, which comes later.
    """
    ops = 5
    jobs = [job for n in range(ops) for job in (Job(f"a{n}", 2, 1), Job(f"b{n}", 4, 1, [Token(f"a{n}", after)]))]
    times, _ = run_jobs(jobs, token_latency_cycles=token_latency_cycles)
    begin = token_latency_cycles + (2 if after is After.FREE else 3) + token_latency_cycles
    assert [times["0", 0, f"b{n}"][0] for n in range(ops)] == [begin + 4 * n for n in range(ops)]
    assert len({id(event) for event in scheduled}) == 2 * 2 * ops + 2 + 1 + 1 + bool(token_latency_cycles)


def test_a_run_has_less_than_two_and_a_half_events_an_op(scheduled: list[object]) -> None:
    """Most ops stand in the queue of a unit that is not free; of the others each has one event more, or two."""
    arch = load_arch("edge_64x64")
    workload, units = load_workload_for(arch, "lstm:100,300,t=8"), build_units(arch.config)
    program = build_program(find_schedule(None, arch.config.family), workload.spec, arch.config)
    execute(program, machine_spec(program, arch, units), Options())
    assert 2 * program.op_instances < len(scheduled) < 2.5 * program.op_instances
