"""Builder, verifier and machine on random programs: any regions, slots, strides, units and lags.

The builder's dependencies must leave no hazard, the verifier must find one exactly if the oracle does, and where there
is none, the machine must end with the interpreter's bits at any latencies.

But for a test of their own, all regions of a buffer that a body writes move through its slots with one stride.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.hardware.unit import Service
from archsim.program.builder import build_phase
from archsim.program.ir import Buffer, Op, Phase, PhaseKind, Program, Region
from archsim.program.verifier import find_hazards
from tests.laws.generic_ops import Mix, bodies, buffer, damaged_bodies, executed, interpreted, one_phase
from tests.laws.happens_before import Unrolled, reads_before_writes
from tests.rings import examples, law
from tests.strategies import seeded_jitter

SERVICES = (Service(1, 0, 0), Service(2, 5, 3))

services = st.sampled_from(SERVICES)
seeds = st.integers(0, 1 << 20)


def unordered(phase: Phase) -> bool:
    """Whether the verifier finds two accesses that nothing orders."""
    return any(hazard.kind != "uninitialized" for hazard in find_hazards(one_phase(phase)))


def check_numbers(phase: Phase, service: Service, seed: int) -> None:
    """The machine leaves the interpreter's bits: at fixed latencies, at random ones, with short queues and deep."""
    program = one_phase(phase)
    want = interpreted(program)
    assert executed(program, service, None) == want
    assert executed(program, service, seeded_jitter(seed, 4), queue_depth=1, issue_cycles=1) == want
    assert executed(program, service, seeded_jitter(seed, 100)) == want


@settings(max_examples=examples(400))
@given(bodies(conditional=False), services, seeds)
def test_derived_dependencies_order_everything(phase: Phase, service: Service, seed: int) -> None:
    assert Unrolled(phase).hazards == []
    assert not unordered(phase)
    check_numbers(phase, service, seed)


@settings(max_examples=examples(200))
@given(bodies(conditional=True, max_ops=5, max_repeat=10), services, seeds)
def test_also_with_ops_that_some_repetitions_leave_out(phase: Phase, service: Service, seed: int) -> None:
    assert Unrolled(phase).hazards == []
    assert not unordered(phase)
    check_numbers(phase, service, seed)


@law
def test_mixed_strides_are_ordered_or_refused() -> None:
    """Regions of one buffer that move through its slots at different speeds: right at any latencies, or a hazard."""
    verdicts: Counter[str] = Counter()

    @settings(max_examples=examples(200))
    @given(bodies(conditional=True, same_strides=False, max_ops=4, max_repeat=12), services, seeds)
    def check(phase: Phase, service: Service, seed: int) -> None:
        refused = unordered(phase)
        verdicts["refused" if refused else "ordered"] += 1
        if not refused:
            assert Unrolled(phase).hazards == []
            check_numbers(phase, service, seed)

    check()
    assert verdicts["refused"] > examples(20)
    assert verdicts["ordered"] > examples(20)


@law
def test_verifier_and_oracle_agree_on_damaged_programs() -> None:
    """No hazard overlooked, none invented; and without one, the numbers are right at any latencies."""
    verdicts: Counter[str] = Counter()

    @settings(max_examples=examples(400))
    @given(damaged_bodies(), services, seeds)
    def check(phase: Phase, service: Service, seed: int) -> None:
        hazardous = bool(Unrolled(phase).hazards)
        verdicts["hazardous" if hazardous else "clean"] += 1
        assert unordered(phase) == hazardous
        if not hazardous:
            check_numbers(phase, service, seed)

    check()
    assert verdicts["hazardous"] > examples(50)
    assert verdicts["clean"] > examples(50)


@settings(max_examples=examples(150))
@given(bodies(conditional=True, max_repeat=12))
def test_verifier_and_oracle_agree_on_reads_before_writes(phase: Phase) -> None:
    program = one_phase(phase)
    found = any(hazard.kind == "uninitialized" for hazard in find_hazards(program))
    assert found == reads_before_writes(program)


@settings(max_examples=examples(100))
@given(bodies(conditional=False), st.integers(1, 200))
def test_dependencies_do_not_depend_on_the_number_of_repetitions(phase: Phase, repeat: int) -> None:
    other = build_phase(phase.name, phase.kind, phase.ops, repeat)
    assert other.deps == phase.deps
    assert not unordered(other)


@law
def test_no_dependency_is_named_twice_or_on_the_own_unit_in_vain() -> None:
    """Tokens cost hardware: at most one for each op, lag and event, and the own unit's order is free."""

    @settings(max_examples=examples(150))
    @given(bodies(conditional=True))
    def check(phase: Phase) -> None:
        for op, deps in zip(phase.ops, phase.deps, strict=True):
            assert len({(dep.op, dep.lag, dep.after) for dep in deps}) == len(deps)
            for dep in deps:
                if phase.ops[dep.op].unit == op.unit:
                    assert dep.after.value == "done"

    check()


# Reproductions that are small enough to read. r(...) is a region, op(...) an op on a unit.


def r(b: Buffer, offset: int = 0, stride: int = 0) -> Region:
    return Region(b, 0, b.entries, offset, stride)


def op(name: str, unit: str, reads: tuple[Region, ...] = (), writes: tuple[Region, ...] = (), **skips: int) -> Op:
    return Mix(unit=unit, label=name, inputs=reads, outputs=writes, **skips)  # type: ignore[arg-type]


def test_a_conditional_write_does_not_hide_the_write_before_it() -> None:
    """In the last repetition the second write is left out, and the read must wait for the first."""
    b = buffer("b")
    ops = [
        op("write", "u0", writes=(r(b),)),
        op("again", "u1", writes=(r(b),), skip_last=1),
        op("read", "u2", (r(b),)),
    ]
    phase = build_phase("body", PhaseKind.BODY, ops, 2)
    assert Unrolled(phase).hazards == []


def test_a_conditional_read_does_not_hide_the_read_before_it() -> None:
    """In the last repetition the second read is left out, and the write must wait for the first."""
    b = buffer("b", is_input=True)
    ops = [
        op("read", "u0", (r(b),)),
        op("again", "u0", (r(b),), skip_last=1),
        op("write", "u1", writes=(r(b),)),
    ]
    phase = build_phase("body", PhaseKind.BODY, ops, 2)
    assert Unrolled(phase).hazards == []


def test_what_is_left_out_at_the_end_was_last_there_some_repetitions_ago() -> None:
    """In the last two repetitions the writer is left out: the read must wait for what it wrote before them."""
    b = buffer("b")
    ops = [op("write", "u0", writes=(r(b),), skip_last=2), op("read", "u1", (r(b),), skip_first=1)]
    for repeat in (3, 4, 5):
        phase = build_phase("body", PhaseKind.BODY, ops, repeat)
        assert Unrolled(phase).hazards == []
        assert not unordered(phase)


@pytest.mark.parametrize("second", ["write", "update"])
def test_two_writers_of_one_time_some_repetitions_apart(second: str) -> None:
    """Time step t is written in repetition t - 2, and again in repetition t, though nothing reads it."""
    steps = buffer("steps", slots=None)
    early, late = r(steps, offset=2, stride=1), r(steps, stride=1)
    ops = [
        op("early", "u0", writes=(early,)),
        Mix(unit="u1", label="late", **{"outputs" if second == "write" else "accumulated": (late,)}),  # type: ignore[arg-type]
    ]
    phase = build_phase("body", PhaseKind.BODY, ops, 6)
    assert Unrolled(phase).hazards == []
    damaged = replace(phase, deps=((), ()))
    assert Unrolled(damaged).hazards
    assert unordered(damaged)


def test_a_time_that_nothing_has_written_yet() -> None:
    """Within one phase a time step counts as written only once that time step is."""
    steps = buffer("steps", slots=None)
    ops = [op("read", "u", (r(steps, offset=1, stride=1),)), op("write", "u", writes=(r(steps, stride=1),))]
    program = one_phase(build_phase("body", PhaseKind.BODY, ops, 4))
    assert reads_before_writes(program)
    assert [hazard.kind for hazard in find_hazards(program)] == ["uninitialized"]


def mixed_strides() -> list[tuple[Op, ...]]:
    """A buffer that rotates for one op and stands still, or rotates slower, for another."""
    b, steps = buffer("b", slots=2, is_input=True), buffer("steps", slots=None, is_input=True)
    log, clock = r(buffer("log", slots=None), stride=1), r(buffer("clock", slots=None, is_input=True), stride=1)
    return [
        (op("read", "u", (r(b, stride=1),), (log,)), op("write", "u", (clock,), (r(b),))),
        (op("write", "u0", (clock,), (r(steps, 1, 1),)), op("read", "u1", (r(steps, 0, 2),), (log,))),
    ]


@pytest.mark.parametrize("ops", mixed_strides(), ids=["slots", "time axis"])
def test_no_hazard_of_mixed_strides_is_overlooked(ops: tuple[Op, ...]) -> None:
    """Either ordered, or refused by the verifier."""
    phase = build_phase("body", PhaseKind.BODY, ops, 6)
    assert unordered(phase) or not Unrolled(phase).hazards


def test_a_later_phase_may_read_what_an_earlier_one_wrote_for_every_step() -> None:
    """As a second layer does that starts when the first has finished all steps."""
    steps = buffer("steps", slots=None)
    first = build_phase("first", PhaseKind.BODY, [op("write", "u", writes=(r(steps, stride=1),))], 10)
    second = build_phase("second", PhaseKind.EPILOGUE, [op("read", "u", (r(steps, offset=9),))])
    program = Program("generic", (steps,), (first, second))
    assert not reads_before_writes(program)
    assert find_hazards(program) == ()
