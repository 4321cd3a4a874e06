"""How busy each unit is from the run's first cycle to its last."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.api import Simulation
from archsim.program.ir import PhaseKind


@dataclass(frozen=True, slots=True)
class Bins:
    """The busy cycles of a unit in a phase, in bins of `bin_cycles` from cycle `start` on; the last ends at `end`."""

    start: int
    end: int
    bin_cycles: int
    busy: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UnitUse:
    """A unit's busy cycles, phase by phase."""

    unit: str
    bins: tuple[Bins, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A phase of the run: the cycles [start, end)."""

    name: str
    start: int
    end: int
    body: bool


@dataclass(frozen=True, slots=True)
class UseChart:
    """The utilization of every unit; `step_cycles` is how long a time step takes in the steady state.

    `layers`: how many run one after the other, each through all steps; then a step is one of a layer, on average.
    """

    total_cycles: int
    layers: int
    step_cycles: float
    steps: int
    phases: tuple[Span, ...]
    units: tuple[UnitUse, ...]


def utilization_chart(simulation: Simulation) -> UseChart:
    """The occupied cycles that were recorded, at most 1,024 bins a phase."""
    trace, spec = simulation.trace, simulation.workload.spec
    phases = [phase for phase in trace.phases if phase.cycles]
    numbers = [number for number, phase in enumerate(trace.phases) if phase.cycles]
    bodies = max(1, sum(phase.kind is PhaseKind.BODY for phase in phases))  # layers one after the other
    return UseChart(
        trace.total_cycles,
        bodies,
        float(simulation.stats.cycles_per_step) / bodies,
        spec.steps,
        tuple(Span(phase.name, phase.start, phase.end, phase.kind is PhaseKind.BODY) for phase in phases),
        tuple(UnitUse(unit, tuple(_bins(simulation, number, unit) for number in numbers)) for unit in trace.units),
    )


def _bins(simulation: Simulation, number: int, unit: str) -> Bins:
    timeline, phase = simulation.trace.timelines[number][unit], simulation.trace.phases[number]
    return Bins(phase.start, phase.end, timeline.bin_cycles, timeline.busy)
