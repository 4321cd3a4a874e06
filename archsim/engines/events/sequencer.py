"""The sequencer: puts ops into the units' queues in program order, one every `issue_cycles`, waiting for a free place.

It needs no events of its own: when an op is issued follows from when the op before it was and when the queue had a
place, so ops are put into the queues at once, stamped with the cycle at which they arrive there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archsim.engines.events.unit_process import UnitProcess

if TYPE_CHECKING:
    from archsim.engines.events.phase import PhaseRun


class Sequencer:
    """Issues all repetitions of one phase."""

    def __init__(self, run: PhaseRun, units: Sequence[UnitProcess], issue_cycles: int, queue_depth: int) -> None:
        """`units` holds each op's unit, in program order."""
        self._run = run
        self._units = units
        self._joined = [op.joined for op in run.ops]
        self._issue_cycles = issue_cycles
        self._queue_depth = queue_depth
        self._issued_at = 0
        self._full: UnitProcess | None = None
        self._repetition = 0
        self._index = 0
        self._step = run.step(0)
        self._ops = run.tables.active(0)

    def begin(self, now: int) -> None:
        """Issue from cycle `now` on."""
        self._issued_at = now
        self._issue()

    def place_free(self, unit: UnitProcess, now: int) -> None:
        """A unit has started an op, so its queue has a place."""
        if self._full is unit:
            self._full = None
            self._issued_at = max(self._issued_at, now)
            self._issue()

    def next_op(self) -> tuple[int, int] | None:
        """(repetition, op) to be issued next; None if all are."""
        return (self._repetition, self._ops[self._index]) if self._index < len(self._ops) else None

    def _issue(self) -> None:
        depth, interval = self._queue_depth, self._issue_cycles
        while True:
            while self._index == len(self._ops):
                if self._repetition + 1 == self._run.repeat:
                    return
                self._repetition += 1
                self._ops = self._run.tables.active(self._repetition)
                self._index = 0
                if self._ops:
                    self._step = self._run.step(self._repetition)
            op = self._ops[self._index]
            unit = self._units[op]
            queue = unit.queue
            if len(queue) >= depth:
                self._full = unit
                return
            if not self._joined[op]:
                self._issued_at += interval
            queue.append((self._issued_at, self._step, op))
            self._index += 1
            if len(queue) == 1:
                unit.wake()
