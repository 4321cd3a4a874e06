"""Finds where the operands of a body's ops come from: another op of the same repetition, or what was there before.

Buffers are rotated by the repetition, but alike for all ops of a phase: if every access to a buffer moves on by as many
slots a repetition, two accesses are to the same slot in all repetitions or in none. So one analysis is good for all
repetitions in which the same ops take part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from archsim.program.ir import Buffer, Phase, Region

Rows = npt.NDArray[np.int64]

BEFORE = -1
"""The place of no op: the entry holds what it held before the repetition."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of a buffer in each repetition: number (r * stride + offset) mod slots."""

    buffer: Buffer
    stride: int
    offset: int

    def of(self, repetition: int) -> int:
        """The number of the slot in a repetition."""
        slot = repetition * self.stride + self.offset
        return slot if self.buffer.slots is None else slot % self.buffer.slots

    @property
    def moves(self) -> bool:
        """Whether each repetition has another slot."""
        return self.stride != 0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the entries of a region come from: for each the op that wrote it, or BEFORE, and which row that is.

    The row is one of the op's result, of all its writes one after the other; of BEFORE the entry of the slot.
    """

    slot: Slot
    ops: Rows
    rows: Rows


@dataclass(frozen=True, slots=True)
class ValueFlow:
    """The flow of values through a repetition in which all ops of a phase take part.

    `operands`: the origins of each op's reads, then of what it updates. `levels`: of each op, 0 if no operand comes
    from another op, else one more than the highest level of those. `left`: what is in all slots after the repetition.
    `written`: the buffers that the phase writes.
    """

    operands: tuple[tuple[Origin, ...], ...]
    levels: tuple[int, ...]
    left: tuple[Origin, ...]
    written: frozenset[str]


def value_flow(phase: Phase) -> ValueFlow | None:
    """The flow of values of a phase.

    None if accesses to one buffer move on differently, the results of one op are not stored alike, or an op updates
    what it writes otherwise as well.
    """
    strides: dict[str, int] = {}
    for op in phase.ops:
        if len({(region.buffer.width, region.buffer.number_format) for region in op.writes}) > 1:
            return None
        if op.updates and _overlap(op.writes):
            return None
        for region in (*op.reads, *op.writes):
            if strides.setdefault(region.buffer.name, _slot(region).stride) != _slot(region).stride:
                return None
    contents: dict[Slot, tuple[Rows, Rows]] = {}
    operands: list[tuple[Origin, ...]] = []
    levels: list[int] = []
    for number, op in enumerate(phase.ops):
        found = tuple(_origin(region, contents) for region in (*op.reads, *op.updates))
        sources = np.unique(np.concatenate([origin.ops for origin in found])) if found else np.empty(0, np.int64)
        levels.append(1 + max((levels[source] for source in sources.tolist() if source != BEFORE), default=-1))
        operands.append(found)
        for region, first in _placed(op.writes):
            ops, rows = _contents(_slot(region), contents)
            ops[region.start : region.stop] = number
            rows[region.start : region.stop] = np.arange(first, first + region.entries)
    left = tuple(Origin(slot, ops, rows) for slot, (ops, rows) in contents.items() if (ops != BEFORE).any())
    return ValueFlow(tuple(operands), tuple(levels), left, frozenset(origin.slot.buffer.name for origin in left))


def _slot(region: Region) -> Slot:
    slots = region.buffer.slots
    if slots is None:
        return Slot(region.buffer, region.stride, region.offset)
    return Slot(region.buffer, region.stride % slots, region.offset % slots)


def _overlap(regions: Sequence[Region]) -> bool:
    pairs = combinations(regions, 2)
    return any(_slot(a) == _slot(b) and a.start < b.stop and b.start < a.stop for a, b in pairs)


def _placed(regions: Sequence[Region]) -> Iterator[tuple[Region, int]]:
    first = 0
    for region in regions:
        yield region, first
        first += region.entries


def _contents(slot: Slot, contents: dict[Slot, tuple[Rows, Rows]]) -> tuple[Rows, Rows]:
    if slot not in contents:
        entries = slot.buffer.entries
        contents[slot] = np.full(entries, BEFORE, np.int64), np.arange(entries)
    return contents[slot]


def _origin(region: Region, contents: dict[Slot, tuple[Rows, Rows]]) -> Origin:
    slot, part = _slot(region), slice(region.start, region.stop)
    if slot not in contents:
        return Origin(slot, np.full(region.entries, BEFORE, np.int64), np.arange(region.start, region.stop))
    ops, rows = contents[slot]
    return Origin(slot, ops[part].copy(), rows[part].copy())
