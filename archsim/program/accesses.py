"""Holds what the ops of a body touch as arrays, a row for each region: what their order follows from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from archsim.program.causes import read_cause, write_cause
from archsim.program.codes import CAUSE_CODES
from archsim.program.ir import Buffer, Op, Region

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Role(IntEnum):
    """What an op does with a region; the order of these is that of an op's rows."""

    READ = 0
    AWAIT = 1
    WRITE = 2
    UPDATE = 3


@dataclass(frozen=True, eq=False)
class Accesses:
    """The regions of n ops in m rows, in the order of the ops, of an op by role; buffers are numbers in `buffers`."""

    units: tuple[str, ...]
    unit: Ints
    """(n) the number of the op's unit in `units`."""
    skip_first: Ints
    skip_last: Ints
    """(n) as the ops have them."""
    op: Ints
    """(m) the number of the op."""
    role: Ints
    buffer: Ints
    start: Ints
    stop: Ints
    offset: Ints
    stride: Ints
    """(m) as the regions have them."""
    buffers: tuple[Buffer, ...]
    """The buffers, in the order of the first row."""

    @classmethod
    def of(cls, ops: Sequence[Op]) -> Accesses:
        """What ops touch."""
        units: dict[str, int] = {}
        numbers: dict[Buffer, int] = {}
        heads: list[int] = []
        rows: list[int] = []
        for index, op in enumerate(ops):
            heads += units.setdefault(op.unit, len(units)), op.skip_first, op.skip_last
            for role, regions in enumerate((op.reads, op.awaits, op.writes, op.updates)):
                for region in regions:
                    number = numbers.setdefault(region.buffer, len(numbers))
                    rows += index, role, number, region.start, region.stop, region.offset, region.stride
        unit, skip_first, skip_last = _columns(heads, 3)
        of_op, of_role, buffer, start, stop, offset, stride = _columns(rows, 7)
        of_rows = of_op, of_role, buffer, start, stop, offset, stride
        return cls(tuple(units), unit, skip_first, skip_last, *of_rows, tuple(numbers))

    @classmethod
    def joined(cls, bodies: Sequence[Accesses]) -> Accesses:
        """The rows of several bodies one after the other, whose ops, units and buffers are counted on."""
        numbers = {buffer: n for n, buffer in enumerate(dict.fromkeys(b for body in bodies for b in body.buffers))}
        firsts = np.cumsum([0, *map(len, bodies)])
        units = {unit: n for n, unit in enumerate(dict.fromkeys(unit for body in bodies for unit in body.units))}

        def column(of: Callable[[Accesses, int], Ints]) -> Ints:
            return np.concatenate([of(body, int(first)) for body, first in zip(bodies, firsts, strict=False)])

        return cls(
            tuple(units),
            column(lambda body, _: np.array([units[unit] for unit in body.units], np.int64)[body.unit]),
            column(lambda body, _: body.skip_first),
            column(lambda body, _: body.skip_last),
            column(lambda body, first: body.op + first),
            column(lambda body, _: body.role),
            column(lambda body, _: body.of_buffer([numbers[buffer] for buffer in body.buffers])),
            column(lambda body, _: body.start),
            column(lambda body, _: body.stop),
            column(lambda body, _: body.offset),
            column(lambda body, _: body.stride),
            tuple(numbers),
        )

    def __len__(self) -> int:
        """How many ops there are."""
        return len(self.unit)

    @property
    def writers(self) -> tuple[tuple[Buffer, str], ...]:
        """The buffers that are written, each with every unit that writes to it."""
        written = self.role == Role.WRITE
        pairs = np.unique(self.buffer[written] * len(self.units) + self.unit[self.op[written]]).tolist()
        return tuple((self.buffers[pair // len(self.units)], self.units[pair % len(self.units)]) for pair in pairs)

    @property
    def used(self) -> tuple[Buffer, ...]:
        """The buffers that are read or written, in the order of the first such access."""
        numbers = self.buffer[(self.role == Role.READ) | (self.role == Role.WRITE)]
        return tuple(self.buffers[number] for number in dict.fromkeys(numbers.tolist()))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the buffers, each once: a buffer is known by its name."""
        return tuple(dict.fromkeys(buffer.name for buffer in self.buffers))

    @cached_property
    def name_of(self) -> Ints:
        """The number of each buffer's name in `names`."""
        numbers = {name: number for number, name in enumerate(self.names)}
        return np.array([numbers[buffer.name] for buffer in self.buffers], np.int64)

    @cached_property
    def name(self) -> Ints:
        """(m) the number of the name of the row's buffer."""
        return self.name_of[self.buffer]

    @cached_property
    def slots(self) -> Ints:
        """(m) how many slots the buffer has; 0 of one with a time axis."""
        return self.of_buffer([buffer.slots or 0 for buffer in self.buffers])

    @cached_property
    def stream(self) -> Flags:
        """(m) whether the buffer is a FIFO."""
        return self.of_buffer([buffer.stream for buffer in self.buffers]).astype(np.bool_)

    @cached_property
    def cause(self) -> Ints:
        """(m) the code of the cause under which a wait for this access is booked."""
        read = self.of_buffer([CAUSE_CODES[read_cause(buffer)] for buffer in self.buffers])
        write = self.of_buffer([CAUSE_CODES[write_cause(buffer)] for buffer in self.buffers])
        return np.where(self.role >= Role.WRITE, write, read)

    @cached_property
    def changed(self) -> Flags:
        """(m) whether some op writes to the buffer."""
        return np.isin(self.name, self.name[self.role == Role.WRITE])

    @cached_property
    def move_alike(self) -> bool:
        """Whether all accesses to a buffer move through its slots at the same stride."""
        stride = np.where(self.slots > 0, self.stride % np.maximum(self.slots, 1), self.stride)
        return self._same(self.name, stride)

    @cached_property
    def conflict(self) -> bool:
        """Whether there may be anything to order: something written is read, or written by several units.

        A unit retires its ops in order: what it alone writes is written in order.
        """
        reads = self.changed & (self.role <= Role.AWAIT)
        written = self.role == Role.WRITE
        return bool(reads.any()) or not self._same(self.name[written], self.unit[self.op[written]])

    @cached_property
    def segments(self) -> tuple[Ints, Ints, Ints]:
        """For each row the first segment and the one behind the last, and for each name how many segments it has.

        Segments are the entries of a buffer between two neighbouring ends of regions, which ops touch all or none of:
        what is known of accesses is kept once a segment, not once an entry. A state vector of 1,000 numbers that is
        written in 16 parts has 16 segments.
        """
        numbers, room = self._ends
        first = np.searchsorted(numbers, np.arange(len(self.names) + 1) * room)
        place = [np.searchsorted(numbers, self.name * room + ends - self._least) for ends in (self.start, self.stop)]
        return place[0] - first[self.name], place[1] - first[self.name], np.diff(first) - 1

    @cached_property
    def ends(self) -> tuple[Ints, ...]:
        """For each name where its segments begin, and where the last one ends."""
        numbers, room = self._ends
        bounds = np.searchsorted(numbers, np.arange(1, len(self.names)) * room)
        return tuple(np.split(numbers % room + self._least, bounds))

    @cached_property
    def _ends(self) -> tuple[Ints, int]:
        """A number for each end of a region, by name and place, and how far those of two names are apart."""
        room = int(max(self.start.max(initial=0), self.stop.max(initial=0))) - self._least + 1
        ends = np.concatenate([self.start, self.stop])
        return np.unique(np.tile(self.name * room, 2) + ends - self._least), room

    @cached_property
    def _least(self) -> int:
        return int(min(self.start.min(initial=0), self.stop.min(initial=0)))

    @cached_property
    def reuse_distance(self) -> int:
        """The repetitions after which every slot that the ops write has come round again (at least 1).

        A buffer with a time axis is never re-used; there the distance is how many repetitions lie between two accesses
        to the same entries at the same time, one of them a write.
        """
        round_again = (self.role == Role.WRITE) & (self.slots > 0)
        slots = self.slots[round_again]
        distance = int((slots // np.gcd(slots, self.stride[round_again])).max(initial=1))
        timed = (self.slots == 0) & ((self.role == Role.READ) | (self.role == Role.WRITE))
        rows = (self.name, self.role == Role.WRITE, self.start, self.stop, self.offset, self.stride)
        name, writes, start, stop, offset, stride = np.unique(np.stack([row[timed] for row in rows]), axis=1)
        for number in np.unique(name[writes == 1]).tolist():
            of = name == number
            by = of & (writes == 1) & (stride != 0)
            overlap = (start[by, None] < stop[of]) & (start[of] < stop[by, None])
            apart = abs(offset[by, None] - offset[of]) // abs(stride[by, None])
            distance = max(distance, int(apart[overlap].max(initial=0)))
        return distance

    def region(self, row: int) -> Region:
        """The entries that a row stands for."""
        start, stop, offset, stride = (int(of[row]) for of in (self.start, self.stop, self.offset, self.stride))
        return Region(self.buffers[self.buffer[row]], start, stop, offset, stride)

    @cached_property
    def distance(self) -> Ints:
        """(m) the repetitions after which every slot of the row's buffer that is written has come round again."""
        of_name = np.ones(len(self.names), np.int64)
        common = np.maximum(np.gcd(self.slots, self.stride), 1)
        slots = np.where(self.slots > 0, self.slots // common, self.reuse_distance)
        written = self.role == Role.WRITE
        np.maximum.at(of_name, self.name[written], slots[written])
        return of_name[self.name]

    def _same(self, name: Ints, value: Ints) -> bool:
        """Whether all rows of a name have the same value."""
        one = np.zeros(len(self.names), np.int64)
        one[name] = value
        return bool((one[name] == value).all())

    def of_buffer(self, values: Sequence[int]) -> Ints:
        """(m) the value of each row's buffer; `values`: one a buffer."""
        return np.array(values, np.int64)[self.buffer]


def _columns(rows: list[int], width: int) -> Ints:
    """The columns of rows that stand in a list one after the other."""
    return np.ascontiguousarray(np.fromiter(rows, np.int64, len(rows)).reshape(-1, width).T)
