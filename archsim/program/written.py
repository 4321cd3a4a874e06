"""Remembers which entries of which slots the phases of a program have written."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from archsim.program.accesses import Accesses, Flags, Ints
from archsim.program.unrolled import NOBODY, Unrolled, begins

_ANY_TIME = -1
"""Stands for the slot of a tensor with a time axis that an earlier phase has written at some time."""


class Written:
    """The entries that earlier phases have written, by buffer and slot.

    A later phase may read any time of a tensor with a time axis: an earlier one is checked with fewer repetitions than
    it has.
    """

    def __init__(self) -> None:
        """Nothing has been written."""
        self._entries: dict[tuple[str, int], Flags] = {}

    def missing(self, accesses: Accesses, operands: Unrolled, writes: Unrolled) -> Unrolled:
        """Those operands of a phase with entries that nothing has written before; `writes`: those of the phase."""
        filled = accesses.of_buffer([buffer.is_input or buffer.is_cleared for buffer in accesses.buffers]) > 0
        operands = operands.of_which(~filled[operands.access])
        row, segment = writes.by_segment()
        first = begins(segment)
        since = segment[first], writes.instance[row[first]]
        # What the first reader of a region finds written, all later ones do.
        most = int(operands.segments.max(initial=0)) + 1
        _, readers = np.unique(operands.first_segment * most + operands.segments, return_index=True)
        if self._written(accesses, operands.of_which(readers), *since).all():
            return operands.of_which(readers[:0])
        return operands.of_which(~self._written(accesses, operands, *since))

    def add(self, accesses: Accesses, writes: Unrolled) -> None:
        """Note what a phase writes."""
        for key, buffer, rows in _slots(accesses, writes, timed=False):
            entries = accesses.buffers[buffer].entries
            bounds = accesses.start[writes.access[rows]], accesses.stop[writes.access[rows]]
            opened, closed = (np.bincount(ends, minlength=entries + 1) for ends in bounds)
            self._entries[key] = self._entries.get(key, False) | (np.cumsum(opened - closed)[:entries] > 0)

    def _written(self, accesses: Accesses, operands: Unrolled, written: Ints, since: Ints) -> Flags:
        """Whether operands have been written; `since`: the instances that are the first to write segments `written`."""
        row, segment = operands.by_segment()
        there = np.isin(segment, written)
        there[there] = since[np.searchsorted(written, segment[there])] < operands.instance[row[there]]
        there |= np.isin(segment, self._before(accesses, operands))
        whole: Flags = np.bincount(row[there], minlength=len(operands)) == operands.segments
        return whole

    def _before(self, accesses: Accesses, operands: Unrolled) -> Ints:
        """The segments in the slots of operands that earlier phases have written."""
        first, _, _ = accesses.segments
        found = [np.empty(0, np.int64)]
        for key, buffer, rows in _slots(accesses, operands, timed=True):
            entries = self._entries.get(key)
            if entries is not None:
                ends = accesses.ends[accesses.name_of[buffer]]
                count = np.append(0, np.cumsum(entries))[np.clip(ends, 0, len(entries))]
                whole = np.flatnonzero(np.diff(count) == np.diff(ends))
                found.append(operands.first_segment[rows[0]] - first[operands.access[rows[0]]] + whole)
        return np.concatenate(found)


def _slots(accesses: Accesses, used: Unrolled, *, timed: bool) -> Iterator[tuple[tuple[str, int], int, Ints]]:
    """Of each slot that is used its name and number, its buffer, and the rows that use it.

    `timed`: whether each time of a tensor with a time axis is a slot; else all of them are one.
    """
    one = (accesses.slots[used.access] == 0) & (not timed)
    slot = np.where(one, NOBODY - accesses.name[used.access], used.slot)
    order = np.argsort(slot, kind="stable")
    for rows in np.split(order, np.flatnonzero(begins(slot[order]))[1:]) if len(order) else ():
        row = int(rows[0])
        buffer = int(accesses.buffer[used.access[row]])
        number = _ANY_TIME if accesses.buffers[buffer].slots is None else int(used.number[row])
        yield (accesses.buffers[buffer].name, number), buffer, rows
