"""A matrix packed tile by tile, and what belongs to its rows: by hand."""

from __future__ import annotations

import numpy as np

from archsim.program.packing import PackedTile, Packing

ABOVE = PackedTile(((0, 2), (3, 4)), (0, 2))
"""Rows 0, 1 and 3, of columns 0 and 1."""
BELOW = PackedTile(((2, 3),), (1, 3))
"""Row 2, of columns 1 and 2."""
PACKING = Packing((ABOVE, BELOW), 4, 3)


def test_a_tile_holds_rows_of_several_ranges() -> None:
    assert (ABOVE.row_count, BELOW.row_count) == (3, 1)
    assert ABOVE.row_numbers.tolist() == [0, 1, 3]
    assert BELOW.row_numbers.tolist() == [2]


def test_tiles_lie_one_after_the_other_and_are_filled_up_with_0() -> None:
    """Two tiles of 4 rows by 3 columns; a matrix of 4 rows whose numbers are 10 row + column + 1."""
    matrix = np.array([[10.0 * row + column + 1 for column in range(3)] for row in range(4)], np.float32)
    found = PACKING.packed(matrix)
    assert found.dtype == np.float32
    assert found.tolist() == [
        [1, 2, 0],
        [11, 12, 0],
        [31, 32, 0],
        [0, 0, 0],
        [22, 23, 0],
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
    ]


def test_values_of_rows_stand_where_their_rows_do() -> None:
    """The rows that fill a tile up have the padding's value, here 7."""
    found = PACKING.of_rows(np.array([[0.5], [1.5], [2.5], [3.5]]), 7.0)
    assert found.tolist() == [[0.5], [1.5], [3.5], [7], [2.5], [7], [7], [7]]
