"""Cells of points.csv and points.parquet: what goes in comes out, whatever types a column mixes."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest

from archsim.api.batch import Column
from archsim.api.batch.columns import Picked
from archsim.explore.results.cells import Cell, as_text, column_of, gathered
from archsim.explore.results.parquet import parquet_bytes
from archsim.explore.results.table import Table, csv_bytes
from archsim.explore.run.output_table import OutputTable
from tests.optional import need

COLUMNS: dict[str, list[Cell]] = {
    "whole": [3, -1, 3, 2**62],
    "real": [0.5, -0.0, 0.0, 1e300],
    "some real": [0.5, None, 0.0, -0.0],
    "mixed": [1, 0.5, None, 1.0],
    "words": ["a", "", None, 'b,"c"\n\u00e9'],
    "words and numbers": ["a", 1, 1.5, True],
    "flags": [True, False, True, None],
    "nothing": [None, None, None, None],
    "too large": [2**70, 1, None, -(2**63) - 1],
    "beyond above": [2**63, 1, 2, -1],
    "beyond below": [-(2**63) - 1, 1, 2, -1],
    "fits": [2**63 - 1, -(2**63), 0, 1],
    "just fits": [2**63 - 1, -(2**63), 0, None],
}


def same(cell: Cell, other: Cell) -> bool:
    """Equal, of one type, and of one sign."""
    signs = isinstance(cell, float) and isinstance(other, float) and math.copysign(1, cell) != math.copysign(1, other)
    return type(cell) is type(other) and cell == other and not signs


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_has_the_cells_that_it_was_made_of(name: str) -> None:
    cells = COLUMNS[name]
    assert all(map(same, column_of(cells).values(), cells))
    many = cells * 500
    assert all(map(same, column_of(many).values(), many))
    text = csv_bytes(Table.of_cells({"place": [*range(len(cells))], name: cells})).decode()
    _, *rows = csv.reader(io.StringIO(text))
    assert [row[1] for row in rows] == [as_text(cell) for cell in cells]


def test_parquet_has_one_type_a_column_and_the_same_cells() -> None:
    need("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = parquet_bytes(Table.of_cells(COLUMNS))
    assert data is not None
    found = pq.read_table(io.BytesIO(data))
    assert found.schema.field("whole").type == pa.int64()
    expected = {name: list(cells) for name, cells in COLUMNS.items()}
    expected["mixed"] = [1.0, 0.5, None, 1.0]
    expected["words and numbers"] = ["a", "1", "1.5", "true"]
    for name in ("too large", "beyond above", "beyond below"):
        expected[name] = [None if cell is None else str(cell) for cell in COLUMNS[name]]
    for name, cells in found.to_pydict().items():
        assert all(map(same, cells, expected[name])), name
    # As pyarrow itself makes it of lists.
    buffer = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(cells) for name, cells in expected.items()}), buffer, compression="zstd")
    assert buffer.getvalue() == data


def test_figures_of_tables_and_of_designs_by_themselves_make_one_column_each() -> None:
    """Rows 2 and 0 of one table, a design by itself, one without figures, and one of another table."""
    first = OutputTable({"a": Column(np.array([1, 2, 3])), "b": Column(Picked(["x", "y"], np.array([0, 1, 0])))})
    second = OutputTable({"c": Column(np.array([0.5])), "a": Column(np.array([2.5]))})
    found = gathered([first.row(2), {"b": "z", "d": None}, first.row(0), {}, second.row(0)])
    assert list(found) == ["a", "b", "d", "c"]  # as they are met
    assert found["a"].values() == [3, None, 1, None, 2.5]
    assert found["b"].values() == ["x", "z", "x", None, None]
    assert found["c"].values() == [None, None, None, None, 0.5]
    assert found["d"].values() == [None] * 5
    whole = gathered([first.row(1), first.row(0), first.row(2)])
    assert whole["a"].values() == [2, 1, 3]
    assert isinstance(whole["a"].of, np.ndarray)
