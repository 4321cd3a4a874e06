"""Says what a trace tells of its run as a whole."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TracedRun:
    """What a trace says of its run: what was run on what, the clock, and the units in the order of reports."""

    title: str
    clock_mhz: float
    units: tuple[str, ...]
