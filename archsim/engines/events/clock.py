"""Simulated time in whole cycles."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import simpy

Payload = TypeVar("Payload")


class Clock(simpy.Environment):
    """A SimPy environment whose time is an integer: only whole cycles are ever scheduled."""

    _now: int

    @property
    def now(self) -> int:
        """The current cycle."""
        return self._now

    def after(self, cycles: int, act: Callable[[Payload], None], payload: Payload) -> None:
        """Call `act` with the payload so many cycles from now.

        Of calls in the same cycle, the one that was asked for first comes first.
        """
        event = simpy.Timeout(self, cycles)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: act(payload))

    def trigger(self, event: simpy.Event, cycles: int) -> None:
        """Let an event that something waits for come so many cycles from now."""
        event._ok = True
        event._value = None
        self.schedule(event, delay=cycles)
