"""Outputs of many designs as a table: a column a figure, of which each design sees its row as a mapping.

A row is made when somebody looks at it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from archsim.api.batch import Column
from archsim.api.batch.columns import Picked, compacted

Output = int | float | str | None


class OutputTable:
    """Figures of designs: a column for each name."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = compacted(columns)
        self._values: dict[str, list[Output]] = {}

    @property
    def rows(self) -> int:
        """How many designs the table has."""
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def value(self, name: str, row: int) -> Output:
        """One figure of one design."""
        values = self._values.get(name)
        if values is None:
            values = self._values[name] = self.columns[name].values()
        return values[row]

    def row(self, row: int) -> RowOutputs:
        """The figures of one design."""
        return RowOutputs(self, row)

    def to_data(self) -> list[Any]:
        """The table as data for JSON."""
        return [[name, _column_data(column)] for name, column in self.columns.items()]

    @staticmethod
    def from_data(data: list[Any]) -> OutputTable:
        """The table of what `to_data` gave, after JSON."""
        return OutputTable({name: _column(found) for name, found in data})


class RowOutputs(Mapping[str, Output]):
    """The figures of one design, from a table."""

    __slots__ = ("row", "table")

    def __init__(self, table: OutputTable, row: int) -> None:
        self.table, self.row = table, row

    def __getitem__(self, name: str) -> Output:
        return self.table.value(name, self.row)

    def __iter__(self) -> Iterator[str]:
        return iter(self.table.columns)

    def __len__(self) -> int:
        return len(self.table.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.table.columns

    def __repr__(self) -> str:
        return repr(dict(self))

    @property
    def text(self) -> str:
        """The figures as JSON; ValueError if one is no finite number."""
        figures = {name: column.value(self.row) for name, column in self.table.columns.items()}
        return json.dumps(figures, separators=(",", ":"), allow_nan=False)


def _column_data(column: Column) -> Any:  # noqa: ANN401 - data for JSON
    if not isinstance(column.of, Picked):
        return column.of.tolist()
    return {"values": list(column.of.values), "codes": column.of.codes.tolist()}


def _column(data: Any) -> Column:  # noqa: ANN401 - data from JSON
    if isinstance(data, dict):
        return Column(Picked(data["values"], np.array(data["codes"], np.intp)))
    if data and isinstance(data[0], float):
        return Column(np.array(data, np.float64))
    return Column(np.array(data, np.int64))
