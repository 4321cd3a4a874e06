"""A program timed by the second executor, or the reason why it cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from archsim.api.program_cache import CachedProgram
from archsim.families.machine_config import MachineConfig
from archsim.hardware.unit import Units
from archsim.metrics.bounds import StepTimes
from archsim.metrics.precomputed import Precomputed
from archsim.program.ir import PhaseKind
from archsim.trace import Trace, Window

if TYPE_CHECKING:
    from archsim.engines.recurrence import ServiceTimes


@dataclass(frozen=True, slots=True)
class FastTiming:
    """The same trace as the machine's, and what is known of the figures by the way."""

    trace: Trace
    known: Precomputed


def time_fast(
    structure: CachedProgram, config: MachineConfig, units: Units, window: Window | None = None
) -> FastTiming | str:
    """Time a program on a machine, or say why that cannot be; `window` as in execute_fast.

    ExecutorError if a window is asked for and the run is too long to record it.
    """
    from archsim.engines.recurrence import ServiceTimes, Timing, execute_fast, length_refusal, machine_refusal

    reason = machine_refusal(units.values(), config.single_ported) or structure.refusal
    if reason:
        return reason
    facts = structure.parts.facts(units)
    left = {name: iter(unit.services) for name, unit in facts.items()}
    services = [next(left[op.unit]) for op in structure.shapes.ops]
    issue_cycles = config.sequencer.issue_cycles
    reason = length_refusal(services, structure.shape_times, issue_cycles)
    if reason:
        return reason
    of_shapes = ServiceTimes.from_services(services)
    of_phases = tuple(of_shapes.at(places) for places in structure.shape_places)
    timing = Timing(of_phases, issue_cycles, config.sequencer.queue_depth)
    trace = execute_fast(structure.tables, timing, window=window).trace
    times, moves = _step_times(structure, trace, of_phases), structure.parts.moves(config, units)
    return FastTiming(trace, Precomputed(structure.spec, structure.figures, times, moves, facts))


def _step_times(structure: CachedProgram, trace: Trace, services: tuple[ServiceTimes, ...]) -> StepTimes:
    """The bodies' cycles for which each unit is occupied, and those of the recurrence: as StepTimes.of has them.

    It is quicker to take them from the trace: static units were occupied for as long as it says.
    """
    chains = zip(structure.chains, services, strict=True)
    recurrence = sum((chain.longest(times) for chain, times in chains if chain is not None), Fraction(0))
    occupied = dict.fromkeys(trace.units, 0)
    for phase, units in zip(trace.phases, trace.phase_units, strict=True):
        if phase.kind is PhaseKind.BODY:
            for name, unit in units.items():
                occupied[name] += unit.compute_cycles + unit.port_cycles
    return StepTimes(occupied, recurrence)
