"""Simulated time in whole cycles."""

from __future__ import annotations

import simpy


class Clock(simpy.Environment):
    """A SimPy environment whose time is an integer: only whole cycles are ever scheduled."""

    _now: int

    @property
    def now(self) -> int:
        """The current cycle."""
        return self._now
