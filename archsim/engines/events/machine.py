"""The discrete-event machine: in-order units fed by a sequencer, dependency tokens, one phase after the other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from types import MappingProxyType

from archsim.engines.events.clock import Clock
from archsim.engines.events.options import MachineSpec, Options
from archsim.engines.events.overlapping_unit import OverlappingUnit
from archsim.engines.events.phase import PhaseRun
from archsim.engines.events.ports import Arbiter
from archsim.engines.events.service_clock import ServiceClock
from archsim.engines.events.unit_process import UnitProcess
from archsim.errors import DeadlockError
from archsim.hardware.overlap import OverlappingSession
from archsim.program.ir import Program
from archsim.trace import OpRecord, PhaseTrace, Timeline, Trace, UnitTrace
from archsim.trace.limits import LARGEST_CYCLE, too_long


def execute(program: Program, spec: MachineSpec, options: Options) -> Trace:
    """Run a program to its end and return its trace; DeadlockError names what is blocked.

    LengthError if it is not over in cycle LARGEST_CYCLE.
    """
    env = Clock()
    arbiter = Arbiter(env, spec.units)
    services = ServiceClock(spec, options.jitter)

    def process(name: str) -> UnitProcess:
        session = services.session(name)
        if isinstance(session, OverlappingSession):
            return OverlappingUnit(env, name, options.arithmetic, arbiter, session)
        return UnitProcess(env, name, options.arithmetic, arbiter)

    units = {name: process(name) for name in spec.units}
    phases: list[PhaseTrace] = []
    phase_units: list[Mapping[str, UnitTrace]] = []
    timelines: list[Mapping[str, Timeline]] = []
    records: list[OpRecord] = []
    for number, phase in enumerate(program.phases):
        start = env.now
        ends: tuple[tuple[int, int], ...] = ()
        if phase.op_instances:
            run = PhaseRun(env, number, phase, spec, units, options, services)
            _run_to_end(env, run)
            if env.now >= LARGEST_CYCLE:
                raise too_long()
            ends = tuple(sorted(run.ends.items()))
            records += sorted(run.records, key=lambda record: (record.repetition, record.op))
        phases.append(PhaseTrace(phase.name, phase.kind, start, env.now, ends))
        ended = {name: unit.end_phase(phase.kind) for name, unit in units.items()}
        phase_units.append(MappingProxyType({name: trace for name, (trace, _) in ended.items()}))
        timelines.append(MappingProxyType({name: timeline for name, (_, timeline) in ended.items()}))
    return Trace(
        total_cycles=env.now,
        phases=tuple(phases),
        units=MappingProxyType({name: reduce(add, (phase[name] for phase in phase_units)) for name in units}),
        phase_units=tuple(phase_units),
        timelines=tuple(timelines),
        records=tuple(records),
        counts=services.counts(),
    )


def _run_to_end(env: Clock, run: PhaseRun) -> None:
    """Execute a phase until its last op is done."""
    run.begin()
    try:
        env.run(until=run.finished)
    except RuntimeError as error:
        if not run.finished.triggered:  # SimPy has no events left, and ops remain
            raise DeadlockError(f"the machine stands still at cycle {env.now:,}: {run.blocked()}") from error
        raise
