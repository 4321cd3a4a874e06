"""Packs a matrix for a memory that delivers it tile by tile: tiles one after the other, padded with 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class PackedTile:
    """A tile: the matrix's rows [first, stop) of each of `rows`, and its columns [start, stop)."""

    rows: tuple[tuple[int, int], ...]
    columns: tuple[int, int]

    @property
    def row_count(self) -> int:
        """The number of rows that the tile uses."""
        return sum(stop - first for first, stop in self.rows)

    @property
    def row_numbers(self) -> npt.NDArray[np.int64]:
        """The row of the matrix that each row of the tile holds."""
        return np.concatenate([np.arange(first, stop) for first, stop in self.rows])


@dataclass(frozen=True, slots=True)
class Packing:
    """A packing of a matrix into tiles of `entries` rows and `width` columns."""

    tiles: tuple[PackedTile, ...]
    entries: int
    width: int

    def packed(self, matrix: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """The matrix (rows, K) as (tiles * entries, width)."""
        found = np.zeros((len(self.tiles) * self.entries, self.width), matrix.dtype)
        for number, tile in enumerate(self.tiles):
            start, stop = tile.columns
            first = number * self.entries
            found[first : first + tile.row_count, : stop - start] = matrix[tile.row_numbers, start:stop]
        return found

    def of_rows(self, values: npt.NDArray[np.float64], padding: float) -> npt.NDArray[np.float64]:
        """The values of the matrix's rows (rows, 1), in the order of the packed rows."""
        found = np.full((len(self.tiles) * self.entries, 1), padding)
        for number, tile in enumerate(self.tiles):
            first = number * self.entries
            found[first : first + tile.row_count] = values[tile.row_numbers]
        return found
