"""What multipliers and memories allow, and what the run reaches."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.api import Simulation


@dataclass(frozen=True, slots=True)
class Roof:
    """A memory: the slope of its roof, and its intensities (None where it moves nothing)."""

    memory: str
    bandwidth_gb_per_s: float
    step_ops_per_byte: float | None
    run_ops_per_byte: float | None


@dataclass(frozen=True, slots=True)
class RooflineChart:
    """The roofs, and what is reached below them in the steady state and over the whole run."""

    peak_gops: float
    step_gops: float
    run_gops: float
    roofs: tuple[Roof, ...]


def roofline_chart(simulation: Simulation) -> RooflineChart:
    """The roofline of a run."""
    found = simulation.stats.roofline
    roofs = (
        Roof(memory, ceiling.bandwidth_gb_per_s, ceiling.step_ops_per_byte, ceiling.run_ops_per_byte)
        for memory, ceiling in found.ceilings.items()
    )
    return RooflineChart(found.peak_gops, found.step_gops, found.run_gops, tuple(roofs))
