"""Cuts a cell's weights into tiles of a systolic array, in the order in which a step needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archsim.families.cells.tiling import Group, Part, cut
from archsim.families.systolic.systolic_array import SystolicArrayConfig
from archsim.formats import Formats
from archsim.program.ir import Buffer, DataKind, Region
from archsim.program.packing import PackedTile, Packing
from archsim.workload.network import CellSpec

NAMES = {DataKind.W_IH: "W_ih", DataKind.W_HH: "W_hh", DataKind.W_HR: "W_hr"}


@dataclass(frozen=True, slots=True)
class StreamTile:
    """A tile of C outputs and R inputs.

    `number`: its place in the cell's step; `index`: that in its matrix in DRAM; `block`: the group (or tile of the
    projection) whose sums it adds to; `rows`: outputs that it has; `inputs`: [start, stop) of the vector that it takes.
    """

    number: int
    matrix: DataKind
    index: int
    block: int
    rows: int
    inputs: tuple[int, int]

    @property
    def starts(self) -> bool:
        """Whether the tile is the first one of its sums."""
        return self.inputs[0] == 0

    @property
    def label(self) -> str:
        """The tile's name: its group and its number in it."""
        return f"{self.block}.{self.inputs[0]}"


class CellTiles:
    """All tiles of a cell: group by group, W_ih before W_hh; then those of a projection."""

    def __init__(self, spec: CellSpec, groups: Sequence[Group], array: SystolicArrayConfig) -> None:
        self._array = array
        self._packed: dict[DataKind, list[PackedTile]] = {kind: [] for kind in NAMES}
        self._tiles: list[StreamTile] = []
        for group in groups:
            for kind, without, inputs in (
                (DataKind.W_IH, Part.HIDDEN, spec.input_size),
                (DataKind.W_HH, Part.INPUT, spec.output_size),
            ):
                rows = tuple(
                    (first, first + segment.units)
                    for segment in group.segments
                    if segment.block.part is not without
                    for first in (segment.block.gate * spec.hidden_size + segment.first_unit,)
                )
                self._add(kind, group.index, rows, inputs)
        for number, projected in enumerate(cut(0, spec.proj_size, array.columns)):
            self._add(DataKind.W_HR, number, (projected,), spec.hidden_size)

    def __len__(self) -> int:
        """The number of tiles of a time step."""
        return len(self._tiles)

    def tiles_of(self, matrix: DataKind, block: int | None = None) -> tuple[StreamTile, ...]:
        """The tiles of a matrix, or of a group (or tile of the projection) of it."""
        return tuple(tile for tile in self._tiles if tile.matrix is matrix and block in (None, tile.block))

    def buffers(self, prefix: str, formats: Formats) -> dict[DataKind, Buffer]:
        """The buffers of the matrices in DRAM, packed tile by tile."""
        return {
            kind: Buffer(
                f"{prefix}dram.tiles.{NAMES[kind]}",
                "dram",
                kind,
                len(tiles) * self._array.columns,
                self._array.rows,
                formats.format("weight"),
                is_input=True,
                format_kind="weight",
                matrix=True,
                tensor=f"{prefix}dram.{NAMES[kind]}",
                packing=Packing(tuple(tiles), self._array.columns, self._array.rows),
            )
            for kind, tiles in self._packed.items()
            if tiles
        }

    def _add(self, kind: DataKind, block: int, rows: tuple[tuple[int, int], ...], inputs: int) -> None:
        for columns in cut(0, inputs, self._array.rows):
            tile = PackedTile(rows, columns)
            number, index = len(self._tiles), len(self._packed[kind])
            self._tiles.append(StreamTile(number, kind, index, block, tile.row_count, columns))
            self._packed[kind].append(tile)


@dataclass(frozen=True, slots=True)
class TileStream:
    """What the tiles of all cells of a phase pass through: the FIFO and the array's registers, in rotation.

    `first`: tiles of the step before those of this cell; `tiles`: those of all its cells.
    """

    fifo: Buffer
    registers: Buffer
    first: int
    tiles: int

    def in_fifo(self, tile: StreamTile) -> Region:
        """The region of a tile in the FIFO."""
        return self._place(self.fifo, tile)

    def in_array(self, tile: StreamTile) -> Region:
        """The region of a tile in the array."""
        return self._place(self.registers, tile)

    def _place(self, buffer: Buffer, tile: StreamTile) -> Region:
        return Region(buffer, 0, buffer.entries, offset=self.first + tile.number, stride=self.tiles)
