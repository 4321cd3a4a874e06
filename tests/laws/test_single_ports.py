"""Single ports, on random programs: the rule to the cycle, the same bits as ever, and never faster than ports apart."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.engines.events import Arithmetic, MachineSpec, Options, execute
from archsim.engines.events.options import Jitter
from archsim.hardware.unit import PortUse, Service
from archsim.program.ir import Phase, Wait
from tests.laws.generic_ops import Hashing, bodies, contents, initial_state, interpreted, one_phase
from tests.laws.polled import polled
from tests.rings import examples
from tests.strategies import EVERYTHING, jitters

phases = bodies(conditional=True, max_repeat=9)


@st.composite
def machines(draw: st.DrawFn, phase: Phase) -> MachineSpec:
    """Any services, and for each op any need of two single ports."""
    cycles = st.integers(0, 9)
    uses = st.sampled_from(["m0", "m1"]).flatmap(lambda name: st.builds(PortUse, st.just(name), cycles, cycles))
    two = st.tuples(
        st.builds(PortUse, st.just("m0"), cycles, cycles), st.builds(PortUse, st.just("m1"), cycles, cycles)
    )
    none_or_some = st.one_of(st.just(()), st.tuples(uses), two)
    services = st.builds(Service, st.integers(1, 6), st.integers(0, 6), st.integers(0, 12))
    return MachineSpec(
        units=draw(st.permutations(["u0", "u1", "u2"]).map(tuple)),
        services=(tuple(draw(services) for _ in phase.ops),),
        issue_cycles=draw(st.integers(0, 2)),
        queue_depth=draw(st.integers(1, 4)),
        port_uses=(tuple(draw(none_or_some) for _ in phase.ops),),
    )


@settings(max_examples=examples(300))
@given(st.data(), phases, st.one_of(st.none(), jitters()))
def test_every_op_at_its_cycle(data: st.DataObject, phase: Phase, jitter: Jitter | None) -> None:
    """The machine, with its events and books, against a look at every rule in every cycle."""
    program, spec = one_phase(phase), data.draw(machines(phase))
    if jitter is not None:
        big, jitter = jitter, lambda *a: _capped(big(*a))
    trace = execute(program, spec, Options(window=EVERYTHING, jitter=jitter))
    records, end = polled(program, spec, jitter)
    assert list(trace.records) == records
    assert trace.total_cycles == end
    for name, unit in trace.units.items():
        assert unit.total_cycles == end
        own = [r for r in records if phase.ops[r.op].unit == name]
        assert unit.compute_cycles + unit.port_cycles == sum(r.free - r.start for r in own)
        assert (
            sum(unit.waits[cause] for cause in Wait) + sum(unit.idle.values()) + sum(r.free - r.start for r in own)
            == end
        )


def _capped(service: Service) -> Service:
    """Cycles are looked at one by one."""
    return Service(min(service.compute_cycles, 40), service.port_cycles, min(service.depth_cycles, 40))


@settings(max_examples=examples(150))
@given(st.data(), phases, st.one_of(st.none(), jitters()))
def test_the_same_bits_as_ever(data: st.DataObject, phase: Phase, jitter: Jitter | None) -> None:
    program, spec = one_phase(phase), data.draw(machines(phase))
    state = initial_state(program)
    execute(program, spec, Options(arithmetic=Arithmetic(state, Hashing()), jitter=jitter))
    assert contents(program, state) == interpreted(program)


@settings(max_examples=examples(150))
@given(st.data(), phases)
def test_ports_of_ones_own_are_never_slower(data: st.DataObject, phase: Phase) -> None:
    """No op starts, frees its unit or completes later; and what a single port adds is all in wait_port."""
    program, shared = one_phase(phase), data.draw(machines(phase))
    apart = replace(shared, port_uses=())
    assert apart.static
    slower, faster = (execute(program, spec, Options(window=EVERYTHING)) for spec in (shared, apart))
    for late, early in zip(slower.records, faster.records, strict=True):
        assert (late.start, late.free, late.done) >= (early.start, early.free, early.done)
        assert late.free >= early.free
        assert late.done >= early.done
    for name in shared.units:
        assert slower.units[name].compute_cycles == faster.units[name].compute_cycles
        assert slower.units[name].port_cycles >= faster.units[name].port_cycles


@settings(max_examples=examples(150))
@given(st.data(), phases)
def test_an_op_waits_no_longer_than_the_others_in_progress_hold_the_port(data: st.DataObject, phase: Phase) -> None:
    """What has been granted is never taken back: a wait is bounded by one op, or those still to retire, of each unit.

    With depths of 0 an op's cycles lie within its occupancy, so that the others have one op each.
    """
    program, spec = one_phase(phase), data.draw(machines(phase))
    spec = replace(spec, services=(tuple(replace(s, depth_cycles=0) for s in spec.services[0]),))
    trace = execute(program, spec, Options(window=EVERYTHING))
    uses = spec.port_uses[0]
    most = dict.fromkeys(spec.units, 0)
    for op, of_op in zip(phase.ops, uses, strict=True):
        most[op.unit] = max(most[op.unit], sum(use.read_cycles + use.write_cycles for use in of_op))
    for record in trace.records:
        op, of_op = phase.ops[record.op], uses[record.op]
        own = sum(use.read_cycles + use.write_cycles for use in of_op)
        alone = max(spec.services[0][record.op].occupancy_cycles, own)
        others = sum(cycles for name, cycles in most.items() if name != op.unit)
        assert record.free - record.start <= alone + own + others
