"""Writes tables of a run as Parquet or CSV, some rows at a time, and holds them as arrays for pandas."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from archsim.api.op_rows import RowType, Values, column_types, columns, meanings
from archsim.config.csv_cells import harmless_row
from archsim.errors import OutputError

BATCH_ROWS = 65_536
"""Rows that are held and written to Parquet together."""


class TableWriter(Protocol):
    """Writes a table, a row after the other."""

    def add(self, values: Values) -> None:
        """Write a row, or keep it for the next time."""

    def close(self) -> None:
        """Write the rest, and close the file."""


class CsvWriter:
    """A table as comma-separated values under a line of names."""

    def __init__(self, file: Path, row: RowType) -> None:
        self._file = file.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, lineterminator="\n")
        self._csv.writerow(harmless_row(columns(row)))

    def add(self, values: Values) -> None:
        """Write a row."""
        self._csv.writerow(harmless_row(values))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class ParquetWriter:
    """A table as Parquet, in groups of BATCH_ROWS rows; the meaning of a column stands in its metadata.

    OutputError if pyarrow is missing.
    """

    def __init__(self, file: Path, row: RowType) -> None:
        pa, pq = _pyarrow()
        types = {str: pa.string(), int: pa.int64(), float: pa.float64()}
        facts = zip(columns(row), column_types(row), meanings(row), strict=True)
        fields = [pa.field(name, types[kind], metadata={"meaning": meaning}) for name, kind, meaning in facts]
        self._pa, self._schema = pa, pa.schema(fields)
        self._writer = pq.ParquetWriter(str(file), self._schema)
        self._rows: list[Values] = []

    def add(self, values: Values) -> None:
        """Keep a row, and write all that are kept if they are many."""
        self._rows.append(values)
        if len(self._rows) == BATCH_ROWS:
            self._flush()

    def close(self) -> None:
        """Write the rest, and the end of the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            kept = zip(zip(*self._rows, strict=True), self._schema, strict=True)
            arrays = [self._pa.array(column, field.type) for column, field in kept]
            self._writer.write_table(self._pa.table(arrays, schema=self._schema))
            self._rows.clear()


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table of a run; `data` has the columns by name, each an array with a value for each row."""

    row: RowType
    data: dict[str, NDArray[Any]]

    @classmethod
    def of(cls, row: RowType, rows: Sequence[Values]) -> Table:
        """The table of some rows."""
        types = {str: np.object_, int: np.int64, float: np.float64}
        found = enumerate(zip(columns(row), column_types(row), strict=True))
        return cls(row, {name: np.array([values[n] for values in rows], types[kind]) for n, (name, kind) in found})

    def __len__(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.data.values())))

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column."""
        return self.data[name]

    def __repr__(self) -> str:
        """One line: how large it is, its columns, and what to do with it."""
        return f"<{len(self):,} rows of {', '.join(self.data)}; .to_pandas(), .to_parquet(FILE)>"

    def to_pandas(self) -> Any:  # noqa: ANN401 pandas is no dependency
        """The table as a pandas DataFrame; OutputError if pandas is missing."""
        try:
            import pandas
        except ImportError as error:
            raise OutputError("a DataFrame needs pandas: pip install pandas") from error
        return pandas.DataFrame(self.data)

    def to_parquet(self, file: str | Path) -> None:
        """Write the table as Parquet; OutputError if pyarrow is missing or the file cannot be written."""
        try:
            writer = ParquetWriter(Path(file), self.row)
            for values in zip(*(column.tolist() for column in self.data.values()), strict=True):
                writer.add(values)
            writer.close()
        except OSError as error:
            raise OutputError(f"{file}: cannot be written: {error.strerror or error}") from error


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise OutputError('Parquet needs pyarrow: pip install "archsim[tables]"; or CSV') from error
    return pyarrow, pyarrow.parquet
