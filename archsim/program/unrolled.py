"""Unrolls the accesses of a body over some repetitions, and says who was the last to use what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.program.accesses import Accesses, Flags, Ints, Role

NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Unrolled:
    """Accesses in the order of time: a row for each in each repetition in which its op takes part."""

    access: Ints
    """The row of the access."""
    instance: Ints
    """Repetition * number of ops + number of the op."""
    number: Ints
    """The slot's number in its buffer."""
    slot: Ints
    """A number for each slot of each buffer."""
    first_segment: Ints
    """A number for each segment of each slot; those of a slot follow each other."""
    segments: Ints
    """How many segments the access covers."""
    instances: int
    """Instances of all repetitions."""

    @classmethod
    def of(cls, accesses: Accesses, rows: Ints, begin: Ints, end: Ints) -> Unrolled:
        """The given rows of accesses, each from repetition `begin` to before `end`."""
        repeat = int(end.max(initial=0))
        repetition = np.arange(repeat)[:, None]
        active = (begin <= repetition) & (repetition < end)
        access = np.broadcast_to(rows, active.shape)[active]
        repetition = np.broadcast_to(repetition, active.shape)[active]
        slots, name = accesses.slots[access], accesses.name[access]
        number = repetition * accesses.stride[access] + accesses.offset[access]
        number = np.where(slots > 0, number % np.maximum(slots, 1), number)
        # Buffers lie one after the other, each with room for as many slots as any has.
        slot = number - number.min(initial=0)
        first, past, count = accesses.segments
        room = int(slot.max(initial=0)) + 1
        base = (np.cumsum(count) - count) * room
        return cls(
            access,
            repetition * len(accesses) + accesses.op[access],
            number,
            name * room + slot,
            base[name] + slot * count[name] + first[access],
            np.maximum(past - first, 0)[access],
            repeat * len(accesses),
        )

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.access)

    def of_which(self, chosen: Flags | Ints) -> Unrolled:
        """Some of the rows."""
        return Unrolled(
            self.access[chosen],
            self.instance[chosen],
            self.number[chosen],
            self.slot[chosen],
            self.first_segment[chosen],
            self.segments[chosen],
            self.instances,
        )

    def by_segment(self) -> tuple[Ints, Ints]:
        """The number of a row and a segment, for each segment of each row, in the order of segments and of time."""
        row = np.repeat(np.arange(len(self)), self.segments)
        segment = self.first_segment[row] + counted(self.segments)
        order = np.argsort(segment, kind="stable")
        return row[order], segment[order]


class Users:
    """The ops that use each segment, those of different kinds apart, in the order of time."""

    def __init__(self, segment: Ints, kind: Ints, instance: Ints, instances: int) -> None:
        """Note that an op instance of a kind (a number) uses a segment, for each row, in the order of time."""
        self._kinds, self._instances = int(kind.max(initial=0)) + 1, instances
        pair = segment * self._kinds + kind
        order = np.argsort(pair, kind="stable")
        first = begins(pair[order])
        self._pairs = pair[order][first]
        self._uses = (np.cumsum(first) - 1) * instances + instance[order]

    def before(self, segment: Ints, instance: Ints) -> tuple[Ints, Ints, Ints]:
        """The last op of each kind that has used a segment before an instance.

        Returns the numbers of the row that was asked, the kind, and the instance of the last op, where there is one.
        """
        first = np.searchsorted(self._pairs, segment * self._kinds)
        past = np.searchsorted(self._pairs, (segment + 1) * self._kinds)
        row = np.repeat(np.arange(len(segment)), past - first)
        pair = first[row] + counted(past - first)
        last = self._last(pair, instance[row])
        there = last != NOBODY
        return row[there], self._pairs[pair[there]] % self._kinds, last[there]

    def last(self, segment: Ints, instance: Ints, kind: Ints | int) -> Ints:
        """The last op of a kind that has used a segment before an instance; NOBODY where there is none."""
        if not len(self._pairs):
            return np.full(len(segment), NOBODY)
        asked = segment * self._kinds + kind
        pair = np.minimum(np.searchsorted(self._pairs, asked), len(self._pairs) - 1)
        known = (self._pairs[pair] == asked) & (kind < self._kinds)
        return np.where(known, self._last(pair, instance), NOBODY)

    def _last(self, pair: Ints, instance: Ints) -> Ints:
        place = np.searchsorted(self._uses, pair * self._instances + instance) - 1
        found = self._uses[place] - pair * self._instances
        return np.where((place >= 0) & (found >= 0), found, NOBODY)


@dataclass(frozen=True, slots=True, eq=False)
class Versions:
    """Which rows are the first, and which the last reads, that a kind of reader has of one version of a region.

    A region has one version from one write to its slot to the next.
    """

    first: Flags
    last: Flags

    @classmethod
    def of(cls, accesses: Accesses, reads: Unrolled, writes: Unrolled, kind: Ints) -> Versions:
        """Take reads and what else waits for writes; `kind`: a number for each row."""
        changed = np.sort(writes.slot * writes.instances + writes.instance)
        version = np.searchsorted(changed, reads.slot * reads.instances + reads.instance)
        _, past, count = accesses.segments
        most = int(count.max(initial=0)) + 1
        region = (reads.first_segment * most + past[reads.access]) * (int(kind.max(initial=0)) + 1) + kind
        order = np.argsort(region, kind="stable")
        found = cls(np.zeros(len(order), np.bool_), np.zeros(len(order), np.bool_))
        found.first[order] = begins(region[order], version[order])
        sampled = order[accesses.role[reads.access[order]] == Role.READ]
        found.last[sampled] = ends(region[sampled], version[sampled])
        return found


def begins(*keys: Ints) -> Flags:
    """Whether a row of keys differs from the one before it, as the first one does."""
    found = np.zeros(len(keys[0]), np.bool_)
    found[:1] = True
    for key in keys:
        found[1:] |= key[1:] != key[:-1]
    return found


def ends(*keys: Ints) -> Flags:
    """Whether a row of keys differs from the one behind it, as the last one does."""
    return np.append(begins(*keys)[1:], np.ones(min(len(keys[0]), 1), np.bool_))


def counted(counts: Ints) -> Ints:
    """0, 1, 2 ... for each count, one after the other."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
