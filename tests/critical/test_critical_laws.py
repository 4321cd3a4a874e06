"""On random machines: a critical path has no gap and sums to the latency; the critical cycle is the long run's rate."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.api.explain import explain
from archsim.api.machine_spec import machine_spec
from archsim.critical import (
    AllTimes,
    Cause,
    Instance,
    Rules,
    Segment,
    critical_cycle,
    critical_path,
    frame_path,
    latency_stack,
)
from archsim.engines.events import MachineSpec, Options, execute
from archsim.errors import SimulatorBug
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import build_program, find_schedule
from archsim.hardware.unit import Units
from archsim.program.ir import PhaseKind, Program
from archsim.trace import Trace
from archsim.workload import load_workload
from tests.laws.test_dynamic_machines import dynamic_cases
from tests.rings import examples
from tests.strategies import EVERYTHING, Case, cases, sparse, unit_options


def rules_of(spec: MachineSpec) -> Rules:
    return Rules(
        spec.services, spec.issue_cycles, spec.queue_depth, spec.token_latency_cycles, frozenset(spec.sessions)
    )


def timed(program: Program, spec: MachineSpec) -> tuple[Trace, AllTimes]:
    times = AllTimes(program)
    return execute(program, spec, Options(window=EVERYTHING, listener=times.add)), times


def check(program: Program, spec: MachineSpec, units: Units) -> None:
    """The path runs from 0 to the end without a gap, each segment inside the times of its op, and so does the stack."""
    trace, times = timed(program, spec)
    path = critical_path(program, rules_of(spec), times)
    assert (path[0].start, path[-1].end) == (0, trace.total_cycles)
    assert all(before.end == after.start for before, after in pairwise(path))
    assert all(segment.cycles > 0 for segment in path)
    for segment in path:
        number, *place = segment.instance
        start, free, done = (kind[number][tuple(place)] for kind in (times.start, times.free, times.done))
        if segment.cause in (Cause.COMPUTE, Cause.PORT):
            assert start <= segment.start < segment.end <= free
        elif segment.cause is Cause.DRAIN:
            assert (segment.start, segment.end) == (free, done)
        elif segment.cause is Cause.WRITE_PORT:
            assert free <= segment.end == done
        elif segment.cause is Cause.ISSUE:
            assert segment.end == times.issue[number][tuple(place)]
    stack = latency_stack(path, program, units)
    assert sum(cycles for causes in stack.values() for cycles in causes.values()) == trace.total_cycles
    assert all(cycles > 0 for causes in stack.values() for cycles in causes.values())


@given(cases().flatmap(unit_options).flatmap(sparse))
def test_a_path_explains_every_cycle(case: Case) -> None:
    check(case.program, case.machine_spec(), case.units)


@given(cases().flatmap(unit_options))
def test_a_path_since_any_cycle_explains_those_after_it(case: Case) -> None:
    """As that of a frame that came while the machine was busy: nothing before it is on the path, and there is no gap.

    From the start and from the middle of each of the last segments of the whole path.
    """
    spec, number = case.machine_spec(), len(case.program.phases) - 1
    _, times = timed(case.program, spec)
    done = times.done[number][-1]
    last = Instance(number, len(times.done[number]) - 1, int(done.argmax()))

    def since(cycle: int) -> tuple[Segment, ...]:
        return frame_path(case.program, rules_of(spec), times, last, cycle)

    whole = since(0)
    for segment in whole[-24:]:
        for cycle in (segment.start, (segment.start + segment.end) // 2):
            path = since(cycle)
            assert (path[0].start, path[-1].end) == (cycle, done.max())
            assert all(before.end == after.start for before, after in pairwise(path))
            assert all(segment.cycles > 0 for segment in path)
            assert path[1:] == whole[len(whole) - len(path) + 1 :], "but for the first, those of the whole path"


@settings(max_examples=examples(40))
@given(dynamic_cases())
def test_also_where_times_depend_on_the_run(pair: tuple[Case, Case]) -> None:
    case = pair[1]
    check(case.program, case.machine_spec(), case.units)


PUBLISHED = ("npu_s10nx", "tpu_v1", "koios_lstm")


@pytest.mark.parametrize(
    ("arch", "workload"),
    [
        *((arch, workload) for workload in ("lstm:100,64,t=5", "lstm:30,40,t=3,layers=2,b=2") for arch in PUBLISHED),
        ("elasticai_lstm", "lstm:1,5,t=4"),
        ("ethos_u55_128", "lstm:30,40,t=3"),
    ],
)
def test_machines_of_every_family(arch: str, workload: str) -> None:
    machine = load_arch(arch)
    units, spec = build_units(machine.config), load_workload(workload).spec
    program = build_program(find_schedule(None, machine.config.family), spec, machine.config)
    check(program, machine_spec(program, machine, units), units)


def rate(case: Case, number: int, repetitions: int) -> Fraction:
    """Cycles a repetition of body `number` at the end of a long run, over so many repetitions."""
    _, times = timed(case.program, case.machine_spec())
    ends = times.done[number].max(axis=1)
    last = case.program.phases[number].steady_repetitions[1]
    return Fraction(int(ends[last] - ends[last - repetitions]), repetitions)


@settings(max_examples=examples(60))
@given(cases(), st.data())
def test_the_critical_cycle_is_the_rate_in_the_long_run(case: Case, data: st.DataObject) -> None:
    """60 repetitions after 60 others, a number that the lags of cycles divide."""
    case = case.with_steps(130)
    bodies = [
        number
        for number, phase in enumerate(case.program.phases)
        if phase.kind is PhaseKind.BODY and phase.repeat > 120
    ]
    assume(bodies)
    number = data.draw(st.sampled_from(bodies))
    rules = rules_of(case.machine_spec())
    phase = case.program.phases[number]
    cycle, alone = critical_cycle(phase, number, rules), critical_cycle(phase, number, rules, recurrence_alone=True)
    assert cycle is not None
    assert cycle.ratio == rate(case, number, 60)
    assert alone is None or alone.ratio <= cycle.ratio
    for edge, following in pairwise((*cycle.edges, cycle.edges[0])):
        assert edge.end == following.begin


@pytest.mark.parametrize("kind", ["start", "free", "done", "issue"])
def test_times_that_follow_from_nothing_are_a_bug(kind: str) -> None:
    """A cycle added to one time of an op of the path, and to nothing that follows from it.

    It is a bug, unless another event of the same cycle explains what follows: then the path goes there.
    """
    machine = load_arch("tiny_2x2")
    units, spec = build_units(machine.config), load_workload("lstm_3_2_t4").spec
    program = build_program(find_schedule(None, "gemv"), spec, machine.config)
    rules = rules_of(machine_spec(program, machine, units))
    noticed = 0
    _, times = timed(program, machine_spec(program, machine, units))
    path = critical_path(program, rules, times)
    causes = {"start": (Cause.COMPUTE,), "free": (Cause.COMPUTE,), "done": (Cause.DRAIN,), "issue": (Cause.ISSUE,)}[
        kind
    ]
    asked = [segment.instance for segment in path if segment.cause in causes]
    for number, *place in asked:
        of_kind = getattr(times, kind)[number]
        of_kind[tuple(place)] += 1
        try:
            found = critical_path(program, rules, times)
            assert all((segment.instance, segment.cause) != ((number, *place), causes[0]) for segment in found)
        except SimulatorBug:
            noticed += 1
        of_kind[tuple(place)] -= 1
    assert noticed >= len(asked) - 1 > 0


def test_explain_of_a_run_that_is_too_long_is_refused() -> None:
    from archsim.errors import ScheduleError

    with pytest.raises(ScheduleError, match="2,000,000 whose times are kept"):
        explain(load_arch("edge_64x64"), load_workload("lstm:200,1000,t=100000"))
