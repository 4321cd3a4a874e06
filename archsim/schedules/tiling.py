"""How the 4H gate rows are cut into groups and tiles.

A *group* is what the accumulators, the activation unit and the element-wise unit work on together; its rows go
through the MAC array in *tiles* of at most R rows. Weights lie in the weight SRAM in the order of the groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from archsim.components.activation import Function


class Gate(IntEnum):
    """The gates in torch's row order: gate k of unit u is row k * H + u of the weight matrices."""

    I = 0  # noqa: E741  the field's name for the input gate
    F = 1
    G = 2
    O = 3  # noqa: E741

    @property
    def function(self) -> Function:
        """Its activation function."""
        return Function.TANH if self is Gate.G else Function.SIGMOID


@dataclass(frozen=True, slots=True)
class Segment:
    """One gate of hidden units [first_unit, first_unit + units), at `row` of its group."""

    gate: Gate
    first_unit: int
    units: int
    row: int


@dataclass(frozen=True, slots=True)
class Group:
    """Rows [start, start + rows) of the packed weights: segments, cut into tiles (start, stop) inside the group."""

    index: int
    start: int
    segments: tuple[Segment, ...]
    tiles: tuple[tuple[int, int], ...]

    @property
    def rows(self) -> int:
        """Outputs of the group."""
        return sum(segment.units for segment in self.segments)

    def segment(self, gate: Gate) -> Segment:
        """The segment of a gate; KeyError if the group has none."""
        for segment in self.segments:
            if segment.gate is gate:
                return segment
        raise KeyError(gate)

    def has(self, gate: Gate) -> bool:
        """Whether the group holds rows of that gate."""
        return any(segment.gate is gate for segment in self.segments)


def interleaved(hidden_size: int, array_rows: int) -> tuple[Group, ...]:
    """Each group holds i, f, o, g of R // 4 hidden units (of 1, in several tiles, if R < 4).

    The three sigmoid gates stand side by side so that one op activates them.
    """
    units_per_group = max(1, array_rows // 4)
    blocks = []
    for first in range(0, hidden_size, units_per_group):
        units = min(units_per_group, hidden_size - first)
        blocks.append(tuple((gate, first, units) for gate in (Gate.I, Gate.F, Gate.O, Gate.G)))
    return _groups(blocks, array_rows)


def gate_major(hidden_size: int, array_rows: int) -> tuple[Group, ...]:
    """Whole i, then whole f, g and o; each group holds one gate of R hidden units."""
    blocks = [
        ((gate, first, min(array_rows, hidden_size - first)),)
        for gate in Gate
        for first in range(0, hidden_size, array_rows)
    ]
    return _groups(blocks, array_rows)


def _groups(blocks: Sequence[Sequence[tuple[Gate, int, int]]], array_rows: int) -> tuple[Group, ...]:
    groups = []
    start = 0
    for index, block in enumerate(blocks):
        segments = []
        rows = 0
        for gate, first, units in block:
            segments.append(Segment(gate, first, units, rows))
            rows += units
        tiles = tuple((row, min(row + array_rows, rows)) for row in range(0, rows, array_rows))
        groups.append(Group(index, start, tuple(segments), tiles))
        start += rows
    return tuple(groups)
