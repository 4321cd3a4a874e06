"""What multipliers and memories allow, and what the run reaches."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.api import Simulation
from archsim.report.looks.roof_looks import levels, roof_looks

_APART = 0.15
"""Decades: markers that are closer lie over each other in a chart of usual width."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where a memory stands: its intensity, and over how many other markers, so that each is so much larger."""

    ops_per_byte: float
    level: int


@dataclass(frozen=True, slots=True)
class Roof:
    """A memory: its look, the slope of its roof, and its points (None where it moves nothing)."""

    memory: str
    colour: str
    dash: str
    symbol: str
    bandwidth_gb_per_s: float
    step: Point | None
    run: Point | None


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
    looks = roof_looks(found)
    steps = _points({memory: ceiling.step_ops_per_byte for memory, ceiling in found.ceilings.items()})
    runs = _points({memory: ceiling.run_ops_per_byte for memory, ceiling in found.ceilings.items()})
    roofs = (
        Roof(
            memory,
            looks[memory].colour,
            looks[memory].page_dash,
            looks[memory].page_marker,
            ceiling.bandwidth_gb_per_s,
            steps.get(memory),
            runs.get(memory),
        )
        for memory, ceiling in found.ceilings.items()
    )
    return RooflineChart(found.peak_gops, found.step_gops, found.run_gops, tuple(roofs))


def _points(intensities: dict[str, float | None]) -> dict[str, Point]:
    """The points of those that move something, all at one height."""
    known = {memory: intensity for memory, intensity in intensities.items() if intensity}
    return {memory: Point(known[memory], level) for memory, level in levels(known, _APART).items()}
