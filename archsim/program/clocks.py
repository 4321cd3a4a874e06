"""Finds what each op of a phase knows to lie behind it: its vector clocks."""

from __future__ import annotations

from enum import IntEnum
from itertools import pairwise

import numpy as np

from archsim.program.accesses import Accesses, Flags, Ints
from archsim.program.codes import DONE_CODE, EVENT_CODES, FIRST_CODE
from archsim.program.ir import After, Phase
from archsim.program.unrolled import NOBODY, begins

_FREE_CODE = EVENT_CODES[After.FREE]


class At(IntEnum):
    """The events of an op at which it has a clock."""

    START = 0
    FREE = 1
    DONE = 2


_EVENT = np.zeros(3, np.int64)
_EVENT[[DONE_CODE, _FREE_CODE, FIRST_CODE]] = At.DONE, At.FREE, At.START
"""Whose clock an op has that waits for the event of a code: the first word comes at or after the start."""


class Clocks:
    """The clocks of all op instances of a phase, as far as they are known.

    A clock says of each unit which is the youngest op whose F, and which the youngest whose D, lies before. What an op
    knows, it has from the op before it on its unit and from those that its dependencies name. `learn` passes that on by
    one dependency, and along each unit all the way. What is known is true at any time; when `learn` returns False,
    nothing else is.
    """

    def __init__(self, phase: Phase, accesses: Accesses, repeat: int) -> None:
        """Nothing is known but what an op sees of itself, of its unit, and of those whose F it waits for."""
        repetition = np.arange(repeat)[:, None]
        active = (accesses.skip_first <= repetition) & (repetition < repeat - accesses.skip_last)
        instance = np.flatnonzero(active)
        self._ops, self._unit_of = max(len(accesses), 1), accesses.unit
        self._units = int(accesses.unit.max(initial=0)) + 1
        unit = self._unit_of[instance % self._ops]
        # A row for each instance, those of a unit one after the other.
        order = np.argsort(unit, kind="stable")
        instance, unit, rows = instance[order], unit[order], np.arange(len(order))
        self._row = np.full(active.size, NOBODY)
        self._row[instance] = rows
        self._of_unit = np.searchsorted(unit, np.arange(self._units + 1))
        self._clocks = np.full((3, len(order), 2 * self._units), NOBODY, np.int32)
        later = np.flatnonzero(~begins(unit))
        self._clocks[At.START, later, unit[later]] = instance[later - 1]
        self._clocks[At.DONE, rows, unit] = self._clocks[At.DONE, rows, self._units + unit] = instance
        self._look_back(phase, repeat, instance, unit)

    def _look_back(self, phase: Phase, repeat: int, instance: Ints, unit: Ints) -> None:
        """Find whose events each op instance waits for."""
        op, other, lag, after = phase.order
        repetition = np.arange(repeat)[:, None]
        behind = (repetition - lag) * self._ops + other
        waiting = self._row[repetition * self._ops + op]
        source = np.where(behind < 0, NOBODY, self._row[np.maximum(behind, 0)])
        # Before the phase, or left out in that repetition, there is nothing to wait for.
        there = (waiting != NOBODY) & (source != NOBODY)
        waiting, source, after = waiting[there], source[there], np.broadcast_to(after, there.shape)[there]
        order = np.argsort(waiting, kind="stable")
        waiting, source, after = waiting[order], source[order], after[order]
        # The clock at an op's F is taken without the op itself, but whoever waits for that F knows it.
        free = after == _FREE_CODE
        read = instance[source[free]].astype(np.int32)
        np.maximum.at(self._clocks[At.START], (waiting[free], unit[source[free]]), read)
        self._waits = _Joins(waiting, _EVENT[after] * len(instance) + source)
        # An op that follows another's words is free at or after D of that one.
        first = after == FIRST_CODE
        self._follows = _Joins(waiting[first], At.DONE * len(instance) + source[first])

    def learn(self) -> bool:
        """Let each op know what those know for whom it waits; whether that was anything new."""
        before = self._clocks.sum(dtype=np.int64)
        self._waits.join(self._clocks[At.START], self._clocks)
        self._follows.join(self._clocks[At.FREE], self._clocks)
        for first, past in pairwise(self._of_unit):
            of_unit = self._clocks[:, first:past]
            start, free, done = of_unit
            # A unit starts an op at or after F of the one before, and retires it at or after D of the one before.
            np.maximum(start[1:], free[:-1], out=start[1:])
            np.maximum.accumulate(start, axis=0, out=start)
            np.maximum.accumulate(of_unit, axis=0, out=of_unit)
            np.maximum.accumulate(done, axis=0, out=done)
        return bool(self._clocks.sum(dtype=np.int64) != before)

    def know(self, at: Ints, instance: Ints, done: Ints, other: Ints) -> Flags:
        """Whether instances know at an event that D (or F, where `done` is 0) of another one lies before."""
        unit = self._unit_of[other % self._ops] + done * self._units
        known: Flags = self._clocks[at, self._row[instance], unit] >= other
        return known


class _Joins:
    """Which clocks are joined, by their maximum, to which."""

    def __init__(self, target: Ints, source: Ints) -> None:
        self._first = np.flatnonzero(begins(target))
        self._target, self._source = target[self._first], source

    def join(self, clocks: np.ndarray, sources: np.ndarray) -> None:
        if len(self._source):
            found = np.maximum.reduceat(sources.reshape(-1, sources.shape[-1])[self._source], self._first)
            clocks[self._target] = np.maximum(clocks[self._target], found)
