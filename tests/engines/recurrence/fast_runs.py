"""Both executors on the same program, and random phases to compare them on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from hypothesis import strategies as st

from archsim.critical import AllTimes
from archsim.engines.events import MachineSpec, Options, execute
from archsim.engines.recurrence import ProgramTables, Run, ServiceTimes, Timing, execute_fast
from archsim.engines.recurrence.state import Log
from archsim.hardware.unit import Service
from archsim.program.ir import After, Dep, Phase, Program, Wait
from archsim.trace import Trace, Window
from tests.engines.recurrence.generic_phases import AFTER, generic_bodies, phase_of
from tests.strategies import EVERYTHING, Case


def fast(program: Program, spec: MachineSpec, *, window: Window | None = EVERYTHING, skip: bool = True) -> Any:
    """A run by the second executor; its `evaluated` counts the repetitions that were not skipped."""
    services = tuple(ServiceTimes.from_services(of_phase) for of_phase in spec.services)
    timing = Timing(services, spec.issue_cycles, spec.queue_depth, spec.token_latency_cycles)
    return execute_fast(ProgramTables.from_program(program, spec.units), timing, window=window, skip=skip)


def machine(program: Program, spec: MachineSpec, window: Window = EVERYTHING) -> Trace:
    """A run by the machine."""
    return execute(program, spec, Options(window=window))


def assert_same(found: Trace, wanted: Trace) -> None:
    """Everything that a trace has; the first part that differs is named."""
    for field in fields(Trace):
        assert getattr(found, field.name) == getattr(wanted, field.name), field.name


def check(program: Program, spec: MachineSpec) -> None:
    """Both executors give the same trace, and so does the second one without its skip."""
    wanted = machine(program, spec)
    assert_same(fast(program, spec).trace, wanted)
    assert_same(fast(program, spec, skip=False).trace, wanted)


def all_times(program: Program, spec: MachineSpec) -> AllTimes:
    """The times of all ops, as the machine says them."""
    times = AllTimes(program)
    execute(program, spec, Options(window=EVERYTHING, listener=times.add))
    return times


def assert_same_times(run: Run, wanted: AllTimes) -> None:
    """Issue, start, free and done of every op of a run by the second executor are the machine's."""
    for number, (log, phase) in enumerate(zip(run.logs, run.trace.phases, strict=True)):
        found = log.all_times(phase.start)
        of_phase = (wanted.issue[number], wanted.start[number], wanted.free[number], wanted.done[number])
        for name, mine, its in zip(Log._fields, found, of_phase, strict=True):
            assert (mine == its).all(), (number, name)


def longer(case: Case, steps: int, issue_cycles: int, queue_depth: int) -> Case:
    """A drawn case with another length and sequencer."""
    changed = {"sequencer.issue_cycles": issue_cycles, "sequencer.queue_depth": queue_depth}
    return case.with_steps(steps).with_fields(changed)


TOKEN_LATENCIES = st.sampled_from([0, 0, 1, 3])


@st.composite
def services(draw: st.DrawFn) -> Service:
    """A short service; the first word comes within the occupancy."""
    compute, port = draw(st.sampled_from([1, 1, 2, 3, 7])), draw(st.sampled_from([0, 0, 1, 5]))
    first = draw(st.integers(1, max(compute, port)))
    depth, write = draw(st.sampled_from([0, 0, 1, 2, 9])), draw(st.integers(0, max(compute, port)))
    return Service(compute, port, depth, first, write)


@st.composite
def loop_runs(draw: st.DrawFn) -> tuple[Program, MachineSpec]:
    """A recurrence: the first op waits for the last one of some repetitions before, so that tokens set the pace."""
    count, lag = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    names = [f"op{index}" for index in range(count)]
    after = draw(st.sampled_from(AFTER))
    deps = {name: [Dep(index, 0, After.DONE, Wait.OPERAND)] for index, name in enumerate(names[1:])}
    deps["op0"] = [Dep(count - 1, lag, after, Wait.RECURRENCE)]
    phase = phase_of(" ".join(f"{name}:u{index}" for index, name in enumerate(names)), deps, draw(st.integers(15, 60)))
    times = tuple(draw(services()) for _ in phase.ops)
    sequencer = draw(st.sampled_from([0, 1])), draw(st.sampled_from([1, 3, 8]))
    spec = MachineSpec(("u0", "u1", "u2"), (times,), *sequencer, token_latency_cycles=draw(TOKEN_LATENCIES))
    return Program("loop", (), (phase,)), spec


@st.composite
def stream_runs(draw: st.DrawFn) -> tuple[Program, MachineSpec]:
    """Two ops of a unit, of which a third follows the second from its first word on, to its last."""
    deps = {"c": [Dep(1, 0, After.FIRST, Wait.OPERAND)]}
    phase = phase_of("a:u0 b:u0 c:u1", deps, draw(st.integers(3, 20)))
    times = tuple(draw(services()) for _ in phase.ops)
    issue, latency = draw(st.sampled_from([0, 1])), draw(TOKEN_LATENCIES)
    return Program("stream", (), (phase,)), MachineSpec(("u0", "u1"), (times,), issue, 8, token_latency_cycles=latency)


@st.composite
def generic_runs(draw: st.DrawFn, max_repeat: int = 60) -> tuple[Program, MachineSpec]:
    """A random body, ops of which some repetitions leave out, waits of any cause, any services and sequencer.

    Latencies are small, so that tokens, issue and units often meet in one cycle.
    """
    sizes = draw(st.sampled_from([(6, 4), (6, 4), (3, 1), (2, 0)]))
    phase = with_causes(draw(generic_bodies(max_repeat, *sizes)), lambda: draw(st.sampled_from(list(Wait))))
    program = Program("generic", (), (phase,))
    times = tuple(draw(services()) for _ in phase.ops)
    issue_cycles, queue_depth = draw(st.sampled_from([0, 0, 1, 2])), draw(st.sampled_from([1, 1, 2, 3, 8, 1000]))
    latency = draw(TOKEN_LATENCIES)
    spec = MachineSpec(("u0", "u1", "u2"), (times,), issue_cycles, queue_depth, token_latency_cycles=latency)
    return program, spec


def with_causes(phase: Phase, cause: Callable[[], Wait]) -> Phase:
    """The same phase with other causes of its waits."""
    deps = tuple(tuple(replace(dep, cause=cause()) for dep in of_op) for of_op in phase.deps)
    return replace(phase, deps=deps)
