"""The skip: found exactly, proved by running on without it, and independent of the length."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.engines.events import MachineSpec
from archsim.hardware.unit import Service
from archsim.program.ir import After, Dep, PhaseKind, Program, Wait
from tests.engines.recurrence.fast_runs import assert_same, fast, generic_runs, longer
from tests.engines.recurrence.generic_phases import phase_of
from tests.rings import examples
from tests.strategies import Case, cases


def two_step_loop(repeat: int) -> tuple[Program, MachineSpec]:
    """a (3 cycles, depth 4) waits for b of two repetitions before; b (2 cycles, depth 5) waits for a.

    From a's start to b's done it is 3 + 4 + 2 + 5 = 14, and that once in two repetitions. Repetitions 0 and 1 have
    nobody to wait for: a starts at 0 and 3, b at 7 and 10, b is done at 14 and 17. So a starts at 14, 17, 28, 31, ...:
    the differences are 3 and 11, the period 2 repetitions and 14 cycles.
    """
    deps = {"a": [Dep(1, 2, After.DONE, Wait.RECURRENCE)], "b": [Dep(0, 0, After.DONE, Wait.OPERAND)]}
    times = (Service(3, 0, 4), Service(2, 0, 5))
    return Program("", (), (phase_of("a:u0 b:u1", deps, repeat),)), MachineSpec(("u0", "u1"), (times,), 0, 8)


def test_a_period_of_two_repetitions_by_hand() -> None:
    """The last of 101 repetitions, number 100, is the 50th of the even ones: b is done at 14 + 50 * 14 = 714.

    u0 works 101 * 3 cycles. It waits for b before every even repetition but the first, 14 - 6 = 8 cycles 50 times, and
    has nothing more to do after a of repetition 100, which starts at 700: 714 - 703 = 11 cycles.
    """
    run = fast(*two_step_loop(101))
    assert run.trace.total_cycles == 714
    unit = run.trace.units["u0"]
    assert (unit.compute_cycles, unit.waits[Wait.RECURRENCE], unit.idle[PhaseKind.BODY]) == (303, 400, 11)
    # steady state: from the end of repetition 50, 14 + 25 * 14 = 364, to that of 100
    assert run.trace.phases[0].ends == ((0, 14), (50, 364), (100, 714))
    assert run.evaluated[0] < 20


def test_it_starts_where_the_slower_loop_takes_over() -> None:
    """a takes 5 cycles, b, which waits for it, 10. Until b's queue is full, a starts every 5 cycles; then a is issued
    only when b starts, every 10. So a queue of 40 places is full after some 80 repetitions, and the period found then.
    """
    deps = {"b": [Dep(0, 0, After.DONE, Wait.OPERAND)]}
    spec = MachineSpec(("u0", "u1"), ((Service(5, 0, 0), Service(10, 0, 0)),), 0, 1)
    slow = replace(spec, queue_depth=40)
    for machine_spec, before, after in ((spec, 0, 20), (slow, 80, 300)):
        short = fast(Program("", (), (phase_of("a:u0 b:u1", deps, 1_000),)), machine_spec)
        assert before < short.evaluated[0] < after
        plain = fast(Program("", (), (phase_of("a:u0 b:u1", deps, 1_000),)), machine_spec, skip=False)
        assert_same(short.trace, plain.trace)


def test_nothing_is_skipped_while_the_sequencer_runs_ahead() -> None:
    """With a place for every op there is no steady state: issue goes on at its own rate, the units at theirs."""
    program, spec = two_step_loop(60)
    run = fast(program, replace(spec, issue_cycles=1, queue_depth=59))
    assert run.evaluated == (60,)


@settings(max_examples=examples(300))
@given(generic_runs(max_repeat=400))
def test_running_on_changes_nothing(run: tuple[Program, MachineSpec]) -> None:
    """400 repetitions with and without the skip: every op's times, all waits, ends and bins."""
    program, spec = run
    assert_same(fast(program, spec).trace, fast(program, spec, skip=False).trace)


@settings(max_examples=examples(60))
@given(cases(), st.integers(100, 400), st.sampled_from([0, 1]), st.sampled_from([1, 2, 16]))
def test_running_on_changes_nothing_on_drawn_machines(
    case: Case, steps: int, issue_cycles: int, queue_depth: int
) -> None:
    case = longer(case, steps, issue_cycles, queue_depth)
    spec = case.machine_spec()
    assert_same(fast(case.program, spec).trace, fast(case.program, spec, skip=False).trace)


@pytest.mark.parametrize("schedule", ["fused", "split", "fused_gate_major", "split_gate_major"])
def test_a_million_steps_are_evaluated_like_a_hundred(schedule: str) -> None:
    """The reference: as many repetitions one by one, and each further step takes the steady state's cycles."""
    from archsim.api.machine_spec import machine_spec
    from archsim.families.load import load_arch
    from archsim.families.registry import build_units
    from archsim.families.schedules import find_schedule
    from archsim.workload import load_workload

    arch = load_arch("edge_64x64")
    runs = {}
    for steps in (100, 1_000_000):
        workload = load_workload(f"lstm:200,1000,t={steps}")
        program = find_schedule(schedule, "gemv").build(workload.spec, arch.config)
        runs[steps] = fast(program, machine_spec(program, arch, build_units(arch.config)), window=None)
    assert runs[100].evaluated == runs[1_000_000].evaluated
    assert max(runs[100].evaluated) < 50
    ends = {steps: dict(run.trace.phases[1].ends) for steps, run in runs.items()}
    (first, last) = sorted(ends[100])[1:3]
    per_step = (ends[100][last] - ends[100][first]) / (last - first)
    more = runs[1_000_000].trace.total_cycles - runs[100].trace.total_cycles
    assert more == pytest.approx(999_900 * per_step, rel=1e-4)
