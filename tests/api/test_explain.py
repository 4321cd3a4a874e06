"""What an explanation says of steps, and of how many ops."""

from __future__ import annotations

import sys
from fractions import Fraction

import pytest

from archsim.api import simulate
from archsim.api.explain import explain, find
from archsim.errors import ScheduleError
from archsim.families.load import load_arch
from archsim.workload import load_workload

MODULE = sys.modules["archsim.api.explain"]
"""The package has the function under its name."""
TINY = "tiny_2x2"


def test_layers_one_after_the_other_add_up() -> None:
    """LSTM(3, 2) and LSTM(2, 2) on tiny_2x2: each body has its own cycle, and a step of the network takes both."""
    found = explain(load_arch(TINY), load_workload("lstm:3,2,t=6,layers=2"))
    first, second = found.steps
    assert [found.program.phases[step.phase].name for step in found.steps] == ["body of layer 0", "body of layer 1"]
    assert found.max_cycle_ratio == first.cycles_per_step + second.cycles_per_step
    assert first.cycles_per_step > second.cycles_per_step
    stats = simulate(found.arch, found.workload, timing_only=True).stats
    assert found.latency_cycles == stats.latency_cycles == found.path[-1].end
    assert found.cycles_by_phase == {
        "prologue": stats.prologue_cycles,
        "body": stats.body_cycles,
        "handover": stats.handover_cycles,
        "epilogue": stats.epilogue_cycles,
    }
    for step in found.steps:
        assert step.cycles_per_step == step.cycle.ratio / step.unroll
        assert step.steps == step.cycle.lag * step.unroll
        in_stack = sum(cycles for causes in step.stack.values() for cycles in causes.values())
        assert Fraction(in_stack, step.steps) == step.cycles_per_step
        assert step.recurrence is not None
        assert step.recurrence <= step.cycles_per_step


def test_nothing_repeats_in_a_single_step() -> None:
    found = explain(load_arch(TINY), load_workload("lstm:3,2,t=1"))
    assert (found.steps, found.max_cycle_ratio) == ((), None)


def test_as_many_ops_as_may_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the op: an explanation is refused beyond, and beside a run the path is left out."""
    arch, work = load_arch(TINY), load_workload("lstm:3,2,t=3")
    run = simulate(arch, work, timing_only=True)
    ops = run.program.op_instances
    monkeypatch.setattr(MODULE, "MAX_OPS", ops)
    monkeypatch.setattr(MODULE, "MAX_STACK_OPS", ops)
    assert explain(arch, work).latency_cycles == run.stats.latency_cycles
    found = find(run)
    assert found.path[-1].end == run.stats.latency_cycles
    assert found.stack is not None
    monkeypatch.setattr(MODULE, "MAX_OPS", ops - 1)
    monkeypatch.setattr(MODULE, "MAX_STACK_OPS", ops - 1)
    with pytest.raises(ScheduleError, match=f"a run of {ops} ops is longer than the {ops - 1} whose times are kept"):
        explain(arch, work)
    short = find(run)
    assert (short.path, short.stack) == ((), None)
    assert short.steps == found.steps
    frames = simulate(arch, load_workload("lstm:3,2,t=3,streaming=1"), timing_only=True)
    assert frames.frames is not None
    assert find(frames).stack == frames.frames.latency_stack


def test_times_that_depend_on_the_run_have_no_step() -> None:
    arch = load_arch(TINY, ["state_buffer.ports=1RW", "state_buffer.banks=one"])
    found = explain(arch, load_workload("lstm:3,2,t=3"))
    assert (found.steps, found.max_cycle_ratio) == ((), None)
    assert found.path[-1].end == found.latency_cycles


TIMES = ("issue", "start", "free", "done", "compute", "held")


@pytest.mark.parametrize(
    ("arch", "workload"),
    [(TINY, "lstm:3,2,t=6,layers=2"), (TINY, "gru:3,2,t=30"), ("edgedrnn", "gru:16,8,t=9")],
)
def test_both_executors_keep_the_same_times_of_all_ops(arch: str, workload: str) -> None:
    """So that the critical path of a run is found without executing it once more; edgedrnn's ops differ by step."""
    machine, work = load_arch(arch), load_workload(workload)
    fast, slow = (simulate(machine, work, timing_only=True, executor=name) for name in ("fast", "machine"))
    assert fast.times is not None
    assert slow.times is not None
    for name in TIMES:
        for mine, its in zip(getattr(fast.times, name), getattr(slow.times, name), strict=True):
            assert mine.tolist() == its.tolist(), name
    assert find(fast) == find(slow)
    assert find(fast).path


def test_a_long_run_keeps_no_times_of_its_ops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["archsim.api.simulate"], "MAX_STACK_OPS", 10)
    runs = [simulate(TINY, "lstm_3_2_t4", timing_only=True, executor=name) for name in ("fast", "machine")]
    assert [run.times for run in runs] == [None, None]
