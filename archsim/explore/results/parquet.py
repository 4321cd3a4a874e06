"""Makes points.parquet: columns go to Arrow as they lie in memory."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from archsim.api.batch import Column
from archsim.api.batch.columns import Picked
from archsim.explore.results.arrow_arrays import flag_array, number_array, word_array
from archsim.explore.results.cells import Cell, as_text
from archsim.explore.results.table import Table

_WORD = 1 << 63


def parquet_bytes(table: Table) -> bytes | None:
    """The table as Parquet; None if pyarrow is missing."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        return None
    arrays = [_array(pa, column) for column in table.columns.values()]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(table.columns)), buffer, compression="zstd")
    return buffer.getvalue()


def _array(pa: Any, column: Column) -> Any:  # noqa: ANN401 pyarrow says nothing of its types
    """A column as an array of Arrow."""
    of = column.of
    if not isinstance(of, Picked):
        return number_array(pa, of)
    cells = _one_type(of.values)
    kinds = {type(cell) for cell in cells if cell is not None}
    if not kinds:
        return pa.nulls(len(column))
    if kinds == {str}:
        return word_array(pa, [None if cell is None else str(cell) for cell in cells], of.codes)
    known = np.array([cell is not None for cell in cells])[of.codes]
    if kinds == {bool}:
        return flag_array(pa, np.array([bool(cell) for cell in cells])[of.codes], known)
    of_numpy = np.int64 if kinds == {int} else np.float64
    return number_array(pa, np.array([0 if cell is None else cell for cell in cells], of_numpy)[of.codes], known)


def _one_type(cells: Sequence[Cell]) -> Sequence[Cell]:
    """Cells of one type, as Parquet wants a column.

    Integers beside floats become floats, anything beside strings a string, and so do integers of more than 64 bits (as
    numbers of points in a space beyond 2 ** 63).
    """
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {int}:
        whole = [int(cell) for cell in cells if cell is not None]
        if min(whole) < -_WORD or max(whole) >= _WORD:
            return [None if cell is None else str(cell) for cell in cells]
    if len(kinds) <= 1:
        return cells
    if kinds <= {int, float}:
        return [None if cell is None else float(cell) for cell in cells]
    return [None if cell is None else as_text(cell) for cell in cells]
