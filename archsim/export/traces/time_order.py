"""Puts events of ops that come in program order into the order of time, with few of them held back."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

Event = TypeVar("Event")


class TimeOrder(Generic[Event]):
    """Passes events on in the order of their cycles, those of one cycle by rank, then as they came.

    The sequencer issues in program order, and nothing happens to an op before its issue. So when an op comes, all
    events before its issue are known.
    """

    def __init__(self, take: Callable[[int, Event], None]) -> None:
        self._take = take
        self._waiting: list[tuple[int, int, int, Event]] = []
        self._number = count()

    def add(self, cycle: int, rank: int, event: Event) -> None:
        """Take an event; it lies at or behind the last cycle that was told to be complete."""
        heappush(self._waiting, (cycle, rank, next(self._number), event))

    def complete_before(self, cycle: int | None) -> None:
        """Pass on all events before a cycle (None: all): no other one will come."""
        while self._waiting and (cycle is None or self._waiting[0][0] < cycle):
            found, _, _, event = heappop(self._waiting)
            self._take(found, event)
