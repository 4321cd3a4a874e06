"""Makes points.parquet: columns go to Arrow as they lie in memory.

`pyarrow.array` of a list would load pandas first, which takes as long as writing all of a small table.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.api.batch import Column
from archsim.api.batch.columns import Picked
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
    rows, of = len(column), column.of
    if not isinstance(of, Picked):
        kind = pa.int64() if of.dtype == np.int64 else pa.float64()
        return pa.Array.from_buffers(kind, rows, [None, pa.py_buffer(np.ascontiguousarray(of))])
    cells = _one_type(of.values)
    kinds = {type(cell) for cell in cells if cell is not None}
    if not kinds:
        return pa.nulls(rows)
    known = np.array([cell is not None for cell in cells])[of.codes]
    mask = None if known.all() else pa.py_buffer(_bits(known))
    if kinds == {str}:
        texts = [str(cell or "").encode() for cell in cells]
        lengths = np.array([len(text) for text in texts], np.int32)[of.codes]
        begins = np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
        data = b"".join([texts[code] for code in of.codes.tolist()])
        return pa.Array.from_buffers(pa.string(), rows, [mask, pa.py_buffer(begins), pa.py_buffer(data)])
    if kinds == {bool}:
        truths = np.array([bool(cell) for cell in cells])[of.codes]
        return pa.Array.from_buffers(pa.bool_(), rows, [mask, pa.py_buffer(_bits(truths))])
    kind, of_numpy = (pa.int64(), np.int64) if kinds == {int} else (pa.float64(), np.float64)
    numbers = np.array([0 if cell is None else cell for cell in cells], of_numpy)[of.codes]
    return pa.Array.from_buffers(kind, rows, [mask, pa.py_buffer(numbers)])


def _bits(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    return np.packbits(flags, bitorder="little")


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
