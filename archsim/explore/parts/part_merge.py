"""Makes a part of pieces: the same bytes as if all its points had been written at once.

Rows are moved as columns, and no point is made of them; columns that not all pieces have are filled up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsim.errors import OutputError
from archsim.explore.parts.part_file import PartFiles
from archsim.explore.parts.part_rows import Numbers
from archsim.explore.results.arrow_arrays import number_array
from archsim.explore.results.study import Status


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of points in a file's bytes. `without_failed`: those of designs that failed do not count."""

    data: bytes
    without_failed: bool = False


def merged(files: PartFiles, numbers: Numbers, sources: Sequence[Rows]) -> bytes:
    """The file of the points of these numbers, in that order; each is in some source, rows of others are left out."""
    return files.written(merged_tables(files, numbers, [_counted(files, source) for source in sources]))


def merged_tables(files: PartFiles, numbers: Numbers, tables: Sequence[Any]) -> Any:  # noqa: ANN401 pyarrow has no types
    """The table of the points of these numbers, in that order; each is in one of the tables at least."""
    rows = _places(files, numbers, tables)
    pa, order = files.arrow, number_array(files.arrow, rows)
    columns: dict[str, Any] = {}
    for name in files.column_order({name for table in tables for name in table.column_names}):
        columns[name] = _column(files, name, tables).take(order)
    mixed = [name for name, column in columns.items() if pa.types.is_null(column.type)]
    if mixed:  # words in some pieces and numbers in others: a derived field, which follows from the point
        designs = files.space.designs(numbers.tolist())
        for name in mixed:
            columns[name] = files.input_column(name, [design.inputs.get(name) for design in designs])
    return files.table_of(columns)


def _counted(files: PartFiles, source: Rows) -> Any:  # noqa: ANN401
    table = files.table(source.data)
    if not source.without_failed:
        return table
    statuses = np.array(table["status"].to_pylist(), object)
    return table.take(number_array(files.arrow, np.flatnonzero(statuses != Status.FAILED.value)))


def _places(files: PartFiles, numbers: Numbers, tables: Sequence[Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The row of each point, of all tables one after the other."""
    there = np.concatenate([files.numbers_in(table) for table in tables])
    order = np.argsort(there, kind="stable")  # of a point that is in two tables the first one's row counts
    places = np.searchsorted(there[order], numbers)
    found = order[np.minimum(places, len(order) - 1)] if len(order) else places
    missing = np.flatnonzero(there[found] != numbers) if len(order) else np.arange(len(numbers))
    if len(missing):
        missed = numbers[int(missing[0])]
        raise OutputError(f"no piece of the exploration has point {missed}; choose another --out")
    return found.astype(np.int64)


def _column(files: PartFiles, name: str, tables: Sequence[Any]) -> Any:  # noqa: ANN401
    """A column of all tables; of type null where words and numbers come together."""
    pa = files.arrow
    having = {
        table[name].type for table in tables if name in table.column_names and table[name].null_count < len(table)
    }
    kind = next(iter(having or {table[name].type for table in tables if name in table.column_names}))
    if len(having) > 1:
        assert name in files.derived, f"{name} is a number of some designs and a word of others"
        return pa.nulls(sum(map(len, tables)))
    pieces = [
        table[name].combine_chunks() if name in table.column_names and table[name].type == kind
        else pa.nulls(len(table), kind)
        for table in tables
    ]  # fmt: skip
    flat = [chunk for piece in pieces for chunk in (piece.chunks if hasattr(piece, "chunks") else [piece])]
    return pa.concat_arrays(flat)
