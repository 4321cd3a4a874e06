"""Simulated time in whole cycles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import simpy

Payload = TypeVar("Payload")


class _Call(simpy.Event, Generic[Payload]):
    """An event that calls a function when it comes."""

    def __init__(self, env: simpy.Environment, act: Callable[[Payload], None], payload: Payload) -> None:
        self.env = env
        self.callbacks = [self]
        self._ok = True
        self._value = None
        self._act = act
        self._payload = payload

    def __call__(self, event: simpy.Event) -> None:
        self._act(self._payload)


class _Pause(simpy.Event):
    """An event without a value that comes when it is scheduled, as a timeout of SimPy does."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.callbacks = []
        self._ok = True
        self._value = None


class Clock(simpy.Environment):
    """A SimPy environment whose time is an integer: only whole cycles are ever scheduled."""

    _now: int

    @property
    def now(self) -> int:
        """The current cycle."""
        return self._now

    def until_told(self) -> simpy.Event:
        """An event that comes when it is told to (tell)."""
        return _Pause(self)

    def pause(self, cycles: int) -> simpy.Event:
        """An event that comes so many cycles from now."""
        event = _Pause(self)
        self._schedule_ahead(event, cycles)
        return event

    def after(self, cycles: int, act: Callable[[Payload], None], payload: Payload) -> None:
        """Call `act` with the payload so many cycles from now.

        Of calls in the same cycle, the one that was asked for first comes first.
        """
        self._schedule_ahead(_Call(self, act, payload), cycles)

    def tell(self, event: simpy.Event, cycles: int) -> None:
        """Let an event that something waits for come so many cycles from now."""
        self._schedule_ahead(event, cycles)

    def _schedule_ahead(self, event: simpy.Event, cycles: int) -> None:
        if cycles < 0:
            raise ValueError(f"an event {-cycles} cycles before now")
        self.schedule(event, delay=cycles)
