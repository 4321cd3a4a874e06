"""When ops start, free their unit and complete: the machine against the rules of time, written as a recurrence.

The machine has events, queues and processes and the recurrence (recurrence.py) has none, so that their agreement in
every cycle of every op says that nothing else (order of units, ties, arithmetic) plays a part.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import accumulate
from types import MappingProxyType

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.api.machine_spec import machine_spec
from archsim.engines.events import MachineSpec, Options, execute
from archsim.engines.events.options import Jitter
from archsim.hardware.unit import Service
from archsim.metrics import compute_stats
from archsim.program.ir import After, Phase, PhaseKind, Wait
from archsim.program.verifier import find_hazards
from archsim.trace import OpRecord
from archsim.workload.network import MergeMode
from tests.laws.generic_ops import bodies, one_phase
from tests.laws.recurrence import recurrence
from tests.rings import examples
from tests.strategies import EVERYTHING, STEP_BY_STEP, Case, bits, cases, is_wavefront, jitters, phase_text, tensors


@given(cases())
def test_every_op_at_its_cycle(case: Case) -> None:
    trace, _ = case.execute()
    want = recurrence(case.program, case.machine_spec())
    assert list(trace.records) == want.records
    assert [phase.start for phase in trace.phases] == want.starts
    assert trace.total_cycles == want.end
    for name, unit in trace.units.items():
        assert {cause.value: unit.waits[cause] for cause in Wait} == {
            cause.value: want.waits[name, cause.value] for cause in Wait
        }


@given(cases(), st.lists(st.integers(0, 60), max_size=12))
def test_every_op_at_its_cycle_when_repetitions_are_released(case: Case, gaps: list[int]) -> None:
    """As frames of a stream are, which come one after the other."""
    releases = tuple(accumulate(gaps))
    spec = case.machine_spec()
    trace = execute(case.program, spec, Options(window=EVERYTHING, releases=releases))
    want = recurrence(case.program, spec, releases=releases)
    assert list(trace.records) == want.records
    assert [phase.start for phase in trace.phases] == want.starts
    assert trace.total_cycles == want.end


@given(cases())
def test_every_value_passes_while_the_datapath_works(case: Case) -> None:
    """No value of an operand or result is taken or made after the last of the op's steps."""
    for op in (op for phase in case.program.phases for op in phase.ops):
        unit = case.units[op.unit]
        for stream in unit.read_streams(op) + unit.write_streams(op):
            for run in stream.runs:
                last = run.first_step + run.taken_in(np.array([run.values - 1]))[0]
                assert 0 <= run.first_step <= last < unit.compute_cycles(op), (op.label, stream)


@given(cases(), jitters())
def test_every_op_at_its_cycle_when_latencies_vary(case: Case, jitter: Jitter) -> None:
    trace, _ = case.execute(jitter=jitter)
    want = recurrence(case.program, case.machine_spec(), jitter)
    assert list(trace.records) == want.records
    assert trace.total_cycles == want.end


@settings(max_examples=examples(200))
@given(
    bodies(conditional=True, max_repeat=9),
    st.tuples(st.integers(0, 3), st.integers(1, 4), st.integers(0, 2)),
    st.integers(0, 3),
    jitters(),
)
def test_every_op_of_any_program_at_its_cycle(
    phase: Phase, sequencer: tuple[int, int, int], write_cycles: int, jitter: Jitter
) -> None:
    """Also where repetitions leave ops out, and where tokens come from several repetitions ago."""
    program = one_phase(phase)
    issue_cycles, queue_depth, token_latency_cycles = sequencer
    spec = MachineSpec(
        ("u2", "u0", "u1"),
        ((Service(2, 1, 3, write_cycles=write_cycles),) * len(phase.ops),),
        issue_cycles,
        queue_depth,
        token_latency_cycles=token_latency_cycles,
    )
    trace = execute(program, spec, Options(window=EVERYTHING, jitter=jitter))
    want = recurrence(program, spec, jitter)
    assert list(trace.records) == want.records
    assert trace.total_cycles == want.end
    for name, unit in trace.units.items():
        assert unit.total_cycles == want.end
        assert {c.value: unit.waits[c] for c in Wait} == {c.value: want.waits[name, c.value] for c in Wait}


@given(cases(), jitters())
def test_records_obey_the_rules_of_order(case: Case, jitter: Jitter) -> None:
    """The rules that the verifier trusts, each read off the trace."""
    trace, _ = case.execute(jitter=jitter)
    services, latency = case.machine_spec().services, case.machine_spec().token_latency_cycles
    before: dict[str, OpRecord] = {}
    by_key = {(r.phase, r.repetition, r.op): r for r in trace.records}
    for r in trace.records:  # in program order
        phase = case.program.phases[r.phase]
        op = phase.ops[r.op]
        service = jitter(r.phase, r.repetition, r.op, services[r.phase][r.op])
        assert r.start < r.free == r.start + service.occupancy_cycles <= r.done
        previous = before.get(op.unit)
        if previous is not None:
            assert r.start >= previous.free
        beats = services[r.phase][r.op].write_cycles
        assert r.done == max(r.start + service.latency_cycles, previous.done + beats if previous else 0)
        assert trace.phases[r.phase].start <= r.start
        assert r.done <= trace.phases[r.phase].end
        for dep in phase.deps[r.op]:
            other = by_key.get((r.phase, r.repetition - dep.lag, dep.op))
            if other is not None:
                assert r.start >= (other.done if dep.after is After.DONE else other.free) + latency
        before[op.unit] = r


@given(cases())
def test_phases_follow_each_other(case: Case) -> None:
    trace, _ = case.execute()
    assert trace.phases[0].start == 0
    assert trace.phases[-1].end == trace.total_cycles
    for phase, following in zip(trace.phases, trace.phases[1:], strict=False):
        assert phase.end == following.start
    kinds = [phase.kind for phase in trace.phases]
    layers = 1 if is_wavefront(case.schedule, case.spec) else len(case.spec.layers)
    expected = [PhaseKind.PROLOGUE]
    for number in range(layers):
        expected += [PhaseKind.HANDOVER] * (number > 0)
        expected += [PhaseKind.BODY] * (2 if "hoisted" in case.schedule else 1)
        expected += [PhaseKind.BODY] * (case.spec.merge_mode(number) is not MergeMode.CONCAT)
    assert kinds == [*expected, PhaseKind.EPILOGUE]
    further = len(case.spec.layers) - layers
    for number, body in enumerate(trace.phases):
        if body.kind is not PhaseKind.BODY:
            continue
        for repetition, cycle in body.ends:
            assert cycle == max(r.done for r in trace.records if (r.phase, r.repetition) == (number, repetition))
        ends = [repetition for repetition, _ in body.ends]
        repeat = case.program.phases[number].repeat
        assert ends == sorted({*ends, 0, repeat - 1})
        if body.name.endswith("merge"):
            assert repeat == case.spec.steps + 1, "what a step needs is loaded in the one before"
        else:
            assert "hoisted" in case.schedule or repeat == case.spec.steps + further


@settings(max_examples=examples(30))
@given(cases())
def test_cycles_do_not_depend_on_the_numbers(case: Case) -> None:
    """Other weights, other inputs, or none at all: the same trace."""
    timed, _ = case.execute()
    for seed in (1, 2):
        trace, _ = case.execute(tensors(case.spec, seed, scale=1 / seed))
        assert trace == timed
    other = case.with_network(weights={"seed": 77}, input={"seed": 78})
    full, timing_only = other.simulate(), case.simulate(timing_only=True)
    assert full.trace == timing_only.trace
    assert replace(full.stats, workload="") == replace(timing_only.stats, workload="")
    assert timing_only.results is None
    assert timing_only.validation.passed is None
    assert full.validation.passed


@settings(max_examples=examples(30))
@given(cases())
def test_the_same_inputs_give_the_same_run(case: Case) -> None:
    first, second = case.simulate(), case.simulate()
    assert first.stats == second.stats
    assert first.trace == second.trace
    assert bits(first.results) == bits(second.results)
    assert repr(asdict(first.stats)) == repr(asdict(second.stats))  # the order of every mapping, too


@settings(max_examples=examples(30))
@given(cases())
def test_the_order_of_the_units_does_not_matter(case: Case) -> None:
    numbers = tensors(case.spec, 3)
    want, computed = case.execute(numbers)
    names = tuple(case.units)
    for order in (names[::-1], names[2:] + names[:2], (names[1], names[3], names[0], names[2])):
        spec = replace(case.machine_spec(), units=order)
        trace, permuted = case.execute(numbers, machine_spec=spec)
        assert trace == want
        assert bits(permuted) == bits(computed)
        units = MappingProxyType({name: case.units[name] for name in order})
        assert machine_spec(case.program, case.arch, units) == spec
        args = (case.arch, case.workload)
        assert compute_stats(case.program, trace, *args, units) == compute_stats(case.program, want, *args, case.units)


@settings(max_examples=examples(30))
@given(cases(schedules=STEP_BY_STEP))
def test_the_bodies_do_not_depend_on_the_sequence_length(case: Case) -> None:
    """Same ops, same dependencies for 100 and for 500 steps; the epilogue differs by the slot of the last h.

    (Of hoisted schedules, where blocks count, see tests/families/gemv/test_hoisted.py.)
    """
    lengths = (100, 500, 501)
    short, long, odd = (case.with_steps(steps).program for steps in lengths)
    for program, steps in zip((long, odd), lengths[1:], strict=True):
        for phase, other in zip(short.phases[:-1], program.phases[:-1], strict=True):
            assert phase_text(phase, lengths[0]) == phase_text(other, steps)
            assert other.repeat - phase.repeat == (steps - lengths[0] if phase.kind is PhaseKind.BODY else 0)
    texts = [phase_text(program.phases[-1]) for program in (short, long, odd)]
    assert texts[0] == texts[1] != texts[2]
    assert find_hazards(short) == find_hazards(long) == find_hazards(odd) == ()
