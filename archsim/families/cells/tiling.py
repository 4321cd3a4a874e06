"""Cuts a cell's gate rows into groups and tiles.

A *group* is what the accumulators, the activation unit and the element-wise unit work on together; its rows go through
the MAC array in *tiles* of at most R rows. A row of a group is one accumulator: a gate row of the weight matrices, or
of only one of them (Part.INPUT, Part.HIDDEN: a GRU's candidate keeps W x and W h apart). Rows with an input part come
first and rows with a hidden part last, so that each part of a group is one range. Weights and biases lie in the weight
SRAM in the order of the groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property


class Part(Enum):
    """Which products a segment's sums take."""

    BOTH = "both"
    INPUT = "input"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Block:
    """A row block that a cell asks for: gate number `gate` of torch's row order, and which products it takes."""

    gate: int
    part: Part = Part.BOTH

    def __hash__(self) -> int:
        """The gate's number: blocks of one gate are few."""
        return self.gate


@dataclass(frozen=True, slots=True)
class Segment:
    """The hidden units [first_unit, first_unit + units) of a block, which stand at `row` of their group."""

    block: Block
    first_unit: int
    units: int
    row: int

    @property
    def stop(self) -> int:
        """The row behind the segment's last."""
        return self.row + self.units


@dataclass(frozen=True)
class Group:
    """Segments that share a slot of the accumulators.

    `w_ih_start`, `w_hh_start` and `bias_start` are where its rows begin in the packed weights and biases.
    """

    index: int
    segments: tuple[Segment, ...]
    w_ih_start: int
    w_hh_start: int
    bias_start: int

    @cached_property
    def rows(self) -> int:
        """How many rows, and so accumulators, the group has."""
        return self.segments[-1].stop

    @cached_property
    def input_rows(self) -> tuple[int, int]:
        """The rows [start, stop) that take W_ih x."""
        return self._range(Part.HIDDEN)

    @cached_property
    def hidden_rows(self) -> tuple[int, int]:
        """The rows [start, stop) that take W_hh h."""
        return self._range(Part.INPUT)

    def segment(self, block: Block) -> Segment:
        """The segment of a block; KeyError if the group has none."""
        return self._of_block[block]

    def has(self, block: Block) -> bool:
        """Whether the group holds rows of that block."""
        return block in self._of_block

    @cached_property
    def _of_block(self) -> dict[Block, Segment]:
        return {segment.block: segment for segment in self.segments}

    def _range(self, without: Part) -> tuple[int, int]:
        rows = [segment for segment in self.segments if segment.block.part is not without]
        return (rows[0].row, rows[-1].stop) if rows else (0, 0)


def cut(start: int, stop: int, rows: int) -> list[tuple[int, int]]:
    """The ranges [first, end) of at most `rows` rows that [start, stop) is cut into."""
    return [(row, min(row + rows, stop)) for row in range(start, stop, rows)]


def interleaved(blocks: Sequence[Block], hidden_size: int, array_rows: int) -> list[list[tuple[Block, int, int]]]:
    """The groups that hold all n blocks of R // n hidden units (of 1 unit, in several tiles, if R < n)."""
    units = max(1, array_rows // len(blocks))
    return [
        [(block, first, min(units, hidden_size - first)) for block in blocks] for first in range(0, hidden_size, units)
    ]


def block_major(
    sets: Sequence[Sequence[Block]], hidden_size: int, array_rows: int
) -> list[list[tuple[Block, int, int]]]:
    """The groups that hold one set of blocks each: all of the first set, then all of the second, ...

    A group has n blocks of R // n hidden units.
    """
    return [group for blocks in sets for group in interleaved(blocks, hidden_size, array_rows)]


def number_groups(layouts: Sequence[Sequence[tuple[Block, int, int]]]) -> tuple[Group, ...]:
    """Number groups of (block, first unit, units), and place them one after the other in the packed weights."""
    groups: list[Group] = []
    w_ih = w_hh = bias = 0
    for index, layout in enumerate(layouts):
        segments: list[Segment] = []
        for block, first, units in layout:
            segments.append(Segment(block, first, units, segments[-1].stop if segments else 0))
        group = Group(index, tuple(segments), w_ih, w_hh, bias)
        groups.append(group)
        w_ih += group.input_rows[1] - group.input_rows[0]
        w_hh += group.hidden_rows[1] - group.hidden_rows[0]
        bias += group.rows
    return tuple(groups)
