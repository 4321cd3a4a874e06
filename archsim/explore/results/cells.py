"""Cells of tables as columns: numbers in arrays, or distinct values with which of them each row has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.api.batch import Column
from archsim.api.batch.columns import Codes, Picked
from archsim.explore.run.outcome import Outputs
from archsim.explore.run.output_table import OutputTable, RowOutputs

Cell = bool | int | float | str | None

_WORD = 1 << 63


def column_of(cells: Sequence[Cell]) -> Column:
    """The column of cells one by one."""
    if cells and all(type(cell) is float for cell in cells):
        return Column(np.array(cells, np.float64)).compact
    if cells and all(type(cell) is int and -_WORD <= cell < _WORD for cell in cells):
        return Column(np.array(cells, np.int64)).compact
    places: dict[tuple[type, Cell], int] = {}
    # 0.0 and -0.0 are equal, and not the same.
    keys = ((type(cell), repr(cell) if isinstance(cell, float) else cell) for cell in cells)
    codes = [places.setdefault(key, len(places)) for key in keys]
    values = [float(cell) if kind is float and isinstance(cell, str) else cell for kind, cell in places]
    return Column(Picked(values, np.array(codes, np.intp)))


def gathered(found: Sequence[Outputs]) -> dict[str, Column]:
    """A column for each figure that some outputs have; those that are rows of a table are taken from its columns."""
    parts: dict[str, list[tuple[Codes, Column]]] = {}
    tables: dict[int, tuple[OutputTable, list[int], list[int]]] = {}
    alone: dict[str, tuple[list[int], list[Cell]]] = {}
    for place, outputs in enumerate(found):
        if isinstance(outputs, RowOutputs):
            table = tables.get(id(outputs.table))
            if table is None:
                table = tables[id(outputs.table)] = outputs.table, [], []
                parts |= {name: [] for name in outputs if name not in parts}
            table[1].append(place)
            table[2].append(outputs.row)
            continue
        for name, value in outputs.items():
            parts.setdefault(name, [])
            of_name = alone.setdefault(name, ([], []))
            of_name[0].append(place)
            of_name[1].append(value)
    for of_table, places, rows in tables.values():
        here, mine = np.array(places, np.intp), np.array(rows, np.intp)
        order = np.argsort(mine)
        whole = np.array_equal(mine[order], np.arange(of_table.rows))
        if whole:  # all rows, each once: their places are put in order instead of every column
            here = here[order]
        for name, column in of_table.columns.items():
            parts[name].append((here, column if whole else column.at(mine)))
    for name, (places, values) in alone.items():
        parts[name].append((np.array(places, np.intp), Column(Picked(values, np.arange(len(values))))))
    return {name: _together(columns, len(found)) for name, columns in parts.items()}


def _together(parts: Sequence[tuple[Codes, Column]], rows: int) -> Column:
    """The column of so many rows of columns of some of them; None where none has any."""
    whole = sum(len(places) for places, _ in parts) == rows
    arrays = [(places, column.of) for places, column in parts if not isinstance(column.of, Picked)]
    if whole and len(arrays) == len(parts) and len({array.dtype for _, array in arrays}) == 1:
        found: npt.NDArray[Any] = np.empty(rows, arrays[0][1].dtype)
        for places, array in arrays:
            found[places] = array
        return Column(found).compact
    values: list[Cell] = [] if whole else [None]
    codes = np.zeros(rows, np.intp)
    for places, column in parts:
        of = column.of
        codes[places] = len(values) + (of.codes if isinstance(of, Picked) else np.arange(len(of)))
        values += of.values if isinstance(of, Picked) else of.tolist()
    return Column(Picked(values, codes))


def as_text(cell: Cell) -> str:
    """A cell as text; nothing for what is not known."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return repr(cell) if isinstance(cell, float) else str(cell)
