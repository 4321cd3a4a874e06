"""Says where a cell's weight tiles live: pinned in the weight SRAM for the whole run, or streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from archsim.families.cells.tiling import Group, cut


@dataclass(frozen=True, slots=True)
class WeightTile:
    """A tile: rows [start, stop) of a group (of W_hr: of the matrix) that pass the MAC array at a time."""

    group: int
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """How many rows the tile has."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class MatrixPlacement:
    """The tiles of one matrix in the order in which a time step multiplies them, and which of them are pinned."""

    tiles: tuple[WeightTile, ...]
    pinned: tuple[bool, ...]

    @property
    def pinned_rows(self) -> int:
        """How many rows stay in the weight SRAM."""
        return sum(tile.rows for tile, pinned in zip(self.tiles, self.pinned, strict=True) if pinned)

    @property
    def streamed_tiles(self) -> tuple[WeightTile, ...]:
        """The tiles that come from DRAM every time step."""
        return tuple(tile for tile, pinned in zip(self.tiles, self.pinned, strict=True) if not pinned)

    @property
    def tile_rows(self) -> int:
        """How many rows the largest tile has; 0 if there is none."""
        return max((tile.rows for tile in self.tiles), default=0)

    @property
    def slot_rows(self) -> int:
        """How many rows a slot for streamed tiles has; 0 if no tile is streamed."""
        return self.tile_rows if self.streamed_tiles else 0

    def streamed(self) -> MatrixPlacement:
        """A placement of the same tiles in which none of them is pinned."""
        return replace(self, pinned=(False,) * len(self.tiles))

    def places(self) -> Iterator[tuple[WeightTile, bool, int]]:
        """Each tile as (tile, pinned, place).

        `place` is the first row among the pinned ones, or the number among the streamed tiles.
        """
        counts = ((tile.rows, 0) if pinned else (0, 1) for tile, pinned in zip(self.tiles, self.pinned, strict=True))
        before = accumulate(counts, lambda a, b: (a[0] + b[0], a[1] + b[1]), initial=(0, 0))
        for tile, pinned, (rows, number) in zip(self.tiles, self.pinned, before, strict=False):
            yield tile, pinned, rows if pinned else number


@dataclass(frozen=True, slots=True)
class Placement:
    """The placement of a cell's matrices; a tile has at most `tile_rows` rows. `slots`: of each streamed matrix."""

    tile_rows: int
    slots: int
    w_ih: MatrixPlacement
    w_hh: MatrixPlacement
    w_hr: MatrixPlacement


def all_pinned(groups: Sequence[Group], projection_rows: int, tile_rows: int) -> Placement:
    """The placement with every tile in the weight SRAM."""

    def pinned(tiles: list[WeightTile]) -> MatrixPlacement:
        return MatrixPlacement(tuple(tiles), (True,) * len(tiles))

    return Placement(
        tile_rows,
        0,
        pinned([WeightTile(g.index, *rows) for g in groups for rows in cut(*g.input_rows, tile_rows)]),
        pinned([WeightTile(g.index, *rows) for g in groups for rows in cut(*g.hidden_rows, tile_rows)]),
        pinned([WeightTile(0, *rows) for rows in cut(0, projection_rows, tile_rows)]),
    )
