"""The sequencer: puts ops into the units' queues in program order, one every `issue_cycles`, waiting for a free place.

It needs no events of its own: when an op is issued follows from when the op before it was and when the queue had a
place, so ops are put into the queues at once, stamped with the cycle at which they arrive there.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Protocol

from archsim.engines.events.repetition import IssuedOp, OpFacts, Repetitions
from archsim.engines.events.token_tables import TokenTables


class Queue(Protocol):
    """The queue in front of a unit."""

    @property
    def waiting(self) -> Sized:
        """The ops that are in it."""

    def put(self, issued: IssuedOp) -> None:
        """Add an op to its end."""


class Sequencer:
    """Issues all repetitions of one phase. It knows queues and nothing of units, and is told when a queue has place."""

    def __init__(
        self,
        facts: Sequence[OpFacts],
        queues: Sequence[Queue],
        tables: TokenTables,
        repetitions: Repetitions,
        issue_cycles: int,
        queue_depth: int,
        releases: Sequence[int] = (),
    ) -> None:
        """`queues` holds each op's queue, as `facts` does what is known of it, in program order.

        `releases`: for each repetition the cycle, counted from `begin`, before which it is not issued.
        """
        self._facts = facts
        self._queues = queues
        self._waiting = [queue.waiting for queue in queues]
        self._tables = tables
        self._repetitions = repetitions
        self._issue_cycles = issue_cycles
        self._queue_depth = queue_depth
        self._releases = releases
        self._begun_at = 0
        self._issued_at = 0
        self._full: Queue | None = None
        """The queue for a place in which the sequencer waits."""
        self._number = 0
        self._index = 0
        """Place of the next op among `_ops`, the ops of repetition `_number`."""
        self._repetition = repetitions.at(0)
        self._ops = tables.active(0)
        self._passed = tables.left_out_before(0)
        """Left-out instructions before each of `_ops` and after the last one: passing over one takes an interval."""

    def begin(self, now: int) -> None:
        """Issue from cycle `now` on."""
        self._begun_at = self._issued_at = now
        self._wait_for_release()
        self._pass_over()
        self._issue()

    def place_free(self, queue: Queue, now: int) -> None:
        """A unit has taken an op out of its queue, which therefore has a place."""
        if self._full is queue:
            self._full = None
            self._issued_at = max(self._issued_at, now)
            self._issue()

    def next_op(self) -> tuple[int, int] | None:
        """(repetition, op) to be issued next; None if all are."""
        return (self._number, self._ops[self._index]) if self._index < len(self._ops) else None

    def _issue(self) -> None:
        """Put ops into queues until one is full, or all are issued."""
        depth, interval = self._queue_depth, self._issue_cycles
        while True:
            while self._index == len(self._ops):  # a repetition may have no ops at all
                if self._number + 1 == self._tables.repeat:
                    return
                self._number += 1
                self._ops = self._tables.active(self._number)
                self._passed = self._tables.left_out_before(self._number)
                self._index = 0
                self._wait_for_release()
                self._pass_over()
                if self._ops:
                    self._repetition = self._repetitions.at(self._number)
            op = self._ops[self._index]
            if len(self._waiting[op]) >= depth:
                self._full = self._queues[op]
                return
            facts = self._facts[op]
            if not facts.op.joined:
                self._issued_at += interval
            self._queues[op].put(IssuedOp(facts, self._repetition, self._issued_at))
            self._index += 1
            if self._passed[self._index]:
                self._pass_over()

    def _wait_for_release(self) -> None:
        if self._number < len(self._releases):
            self._issued_at = max(self._issued_at, self._begun_at + self._releases[self._number])

    def _pass_over(self) -> None:
        """Pass over the left-out instructions that stand between the op issued last and the next one."""
        self._issued_at += self._passed[self._index] * self._issue_cycles
