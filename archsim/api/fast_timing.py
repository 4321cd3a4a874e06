"""A program timed by the second executor, or the reason why it cannot be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from archsim.api.programs.cached_program import CachedProgram
from archsim.critical import AllTimes
from archsim.families.machine_config import MachineConfig
from archsim.hardware.unit import Service, Units
from archsim.metrics.bounds import StepTimes
from archsim.metrics.precomputed import Precomputed
from archsim.program.ir import PhaseKind, Program
from archsim.trace import Trace, Window
from archsim.trace.limits import LARGEST_CYCLE, too_long

if TYPE_CHECKING:
    from archsim.engines.recurrence import Recorded, Run, Timing


@dataclass(frozen=True, slots=True)
class FastTiming:
    """What the second executor finds: the same trace as the machine's, and figures known by the way.

    `times`: those of all ops, if they were asked for.
    """

    trace: Trace
    precomputed: Precomputed
    times: AllTimes | None = None


def time_fast(
    cached: CachedProgram, config: MachineConfig, units: Units, window: Window | None = None, keep_times: bool = False
) -> FastTiming | str:
    """Time a program on a machine, or say why that cannot be; `window` as in execute_fast.

    `keep_times`: with a window, keep the times of all ops, too.

    ExecutorError if a window is asked for and the run is too long to record it; LengthError if no executor can.
    """
    from archsim.engines.recurrence import ServiceTimes, Timing, execute_fast, length_refusal, machine_refusal

    reason = machine_refusal(units.values(), config.single_ported) or cached.refusal
    if reason:
        return reason
    facts = cached.figure_cache.facts(units)
    left = {name: iter(unit.services) for name, unit in facts.items()}
    services = [next(left[op.unit]) for op in cached.shapes.ops]
    sequencer = config.sequencer
    reason = length_refusal(services, cached.shape_times, sequencer.issue_cycles + sequencer.token_latency_cycles)
    if reason:
        _check_length(cached, services)
        return reason
    of_shapes = ServiceTimes.from_services(services)
    of_phases = tuple(of_shapes.at(places) for places in cached.shape_places)
    recorded, counts = _recorded(cached.program, units)
    of_sequencer = sequencer.issue_cycles, sequencer.queue_depth, sequencer.token_latency_cycles
    timing = Timing(of_phases, *of_sequencer, recorded)
    run = execute_fast(cached.tables, timing, window=window)
    trace = replace(run.trace, counts=counts)
    if recorded:
        times = StepTimes.from_program(cached.program, units, sequencer.token_latency_cycles)
    else:
        times = _step_times(cached, trace, timing)
    bursts = cached.figure_cache.burst_figures(config, units)
    precomputed = Precomputed(cached.spec, cached.figures, times, bursts, facts)
    return FastTiming(trace, precomputed, _all_times(cached.program, run, timing) if keep_times else None)


def _all_times(program: Program, run: Run, timing: Timing) -> AllTimes:
    """The times of all ops, of which the run has kept logs, as a machine's listener has them."""
    found = AllTimes(program)
    for number, (log, phase, services) in enumerate(zip(run.logs, run.trace.phases, timing.services, strict=True)):
        of_ops, recorded = log.all_times(phase.start), timing.recorded_of(number)
        takes_part = of_ops.done > 0  # no op is done in cycle 0
        found.issue[number][:], found.start[number][:] = of_ops.issue, of_ops.start
        found.free[number][:], found.done[number][:] = of_ops.free, of_ops.done
        found.compute[number][:] = takes_part * (services.compute if recorded is None else recorded.compute)
        found.held[number][:] = takes_part * (services.occupancy if recorded is None else recorded.occupancy)
    return found


def _check_length(cached: CachedProgram, services: Sequence[Service]) -> None:
    """LengthError if one unit alone is occupied for longer than a run may take: no executor counts so far."""
    occupied: Counter[str] = Counter()
    for op, service, times in zip(cached.shapes.ops, services, cached.shape_times, strict=True):
        occupied[op.unit] += service.occupancy_cycles * times
    if max(occupied.values(), default=0) >= LARGEST_CYCLE:
        raise too_long()


LEFT_OUT = Service(0, 0, 0)
"""The times of an op in a repetition in which it takes no part."""


def _recorded(program: Program, units: Units) -> tuple[tuple[Recorded | None, ...], Mapping[str, Mapping[str, int]]]:
    """The times of all repetitions, () if they are alike in all phases; and what the units count in them."""
    from archsim.engines.recurrence import Recorded

    sessions = {name: unit.session(program.buffers) for name, unit in units.items() if not unit.static}
    if not sessions:
        return (), {}
    found: list[Recorded | None] = []
    for phase in program.phases:
        if not any(op.unit in sessions for op in phase.ops):
            found.append(None)
            continue
        known = [units[op.unit].cycles(op) for op in phase.ops]
        rows = [
            [
                LEFT_OUT
                if not op.active(repetition, phase.repeat)
                else sessions[op.unit].service(op, repetition, 0, 0)
                if op.unit in sessions
                else service
                for op, service in zip(phase.ops, known, strict=True)
            ]
            for repetition in range(phase.repeat)
        ]
        found.append(Recorded.from_services(rows))
    return tuple(found), {name: session.counts() for name, session in sessions.items()}


def _step_times(cached: CachedProgram, trace: Trace, timing: Timing) -> StepTimes:
    """The cycles for which bodies occupy units, and those of the recurrence, as StepTimes.from_program gives them.

    It is quicker to take them from the trace: static units were occupied for as long as it says.
    """
    chains = zip(cached.chains, timing.services, strict=True)
    latency = timing.token_latency_cycles
    recurrence = sum((chain.longest(times, latency) for chain, times in chains if chain is not None), Fraction(0))
    occupied = dict.fromkeys(trace.units, 0)
    for phase, units in zip(trace.phases, trace.phase_units, strict=True):
        if phase.kind is PhaseKind.BODY:
            for name, unit in units.items():
                occupied[name] += unit.compute_cycles + unit.port_cycles
    return StepTimes(occupied, recurrence)
