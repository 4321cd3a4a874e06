"""Makes points.csv, points.parquet and pareto.csv: a row for each point, every input and every output."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType

import numpy as np

from archsim.config.csv_cells import harmless_row
from archsim.explore.results.study import Point, Study
from archsim.explore.run.commands import RunCommands
from archsim.explore.run.outcome import Outputs
from archsim.explore.run.output_table import OutputTable, RowOutputs
from archsim.explore.space.objectives import COLD
from archsim.metrics.frames import COLD_START

Cell = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name, in order, all of one length."""

    columns: dict[str, list[Cell]]

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return len(next(iter(self.columns.values()), []))


def points_table(study: Study, points: Sequence[Point]) -> Table:
    """The table of some points, with what is known of each.

    Outputs stand under their names; of several workloads as WORKLOAD:NAME, and of a stream, whose frames do not know
    them, figures of a whole run as `cold start NAME`. Objectives stand under `objective NAME`.
    `same_as`: the point of the front to which another one comes by another schedule.
    """
    space = study.space
    front = {point.number for point in study.pareto()}
    same_as = {point.number: first for first, others in study.same_as().items() for point in others}
    columns: dict[str, list[Cell]] = {
        "point": [point.number for point in points],
        "status": [point.status.value for point in points],
        "pareto": [point.number in front for point in points],
        "same_as": [same_as.get(point.number) for point in points],
        "schedule": [point.schedule for point in points],
    }
    inputs = dict.fromkeys(name for point in points for name in point.inputs if name not in columns)
    for name in inputs:
        columns[name] = [point.inputs.get(name) for point in points]
    for place, objective in enumerate(space.objectives):
        columns[f"objective {objective.name}"] = [p.objectives[place] if p.objectives else None for p in points]
    columns |= _outputs(study, points)
    columns["executor"] = [point.executor or None for point in points]
    reasons = [point.reason for point in points]
    columns["reason"] = [reason.kind if reason else None for reason in reasons]
    columns["reason_what"] = [reason.what if reason else None for reason in reasons]
    columns["reason_need"] = [reason.need if reason else None for reason in reasons]
    columns["reason_have"] = [reason.have if reason else None for reason in reasons]
    columns["reason_gap"] = [reason.gap if reason else None for reason in reasons]
    columns["reason_unit"] = [reason.unit if reason else None for reason in reasons]
    commands = RunCommands(space)
    columns["command"] = ["; ".join(commands.of(point)) for point in points]
    return Table(columns)


def _outputs(study: Study, points: Sequence[Point]) -> dict[str, list[Cell]]:
    several = len(study.space.workloads) > 1
    columns: dict[str, list[Cell]] = {}
    for use in study.space.workloads:
        workload = use.workload.name
        for name, column in _gathered([(point.outputs or {}).get(workload, {}) for point in points]).items():
            shown = shown_name(name, use.workload.spec.streaming)
            columns[f"{workload}:{shown}" if several else shown] = column
    return columns


def _gathered(found: Sequence[Outputs]) -> dict[str, list[Cell]]:
    """A column for each figure that some outputs have; those that are rows of a table are taken from its columns."""
    columns: dict[str, list[Cell]] = {}
    tables: dict[int, tuple[OutputTable, list[int], list[int]]] = {}
    for place, outputs in enumerate(found):
        if isinstance(outputs, RowOutputs):
            known = tables.get(id(outputs.table))
            if known is None:
                known = tables[id(outputs.table)] = outputs.table, [], []
                columns |= {name: [None] * len(found) for name in outputs if name not in columns}
            known[1].append(place)
            known[2].append(outputs.row)
            continue
        for name, value in outputs.items():
            columns.setdefault(name, [None] * len(found))[place] = value
    for table, places, rows in tables.values():
        few = 4 * len(rows) < table.rows
        for name, of_table in table.columns.items():
            values = of_table.at(np.array(rows)).values() if few else of_table.values()
            column = columns[name]
            for place, row in zip(places, range(len(rows)) if few else rows, strict=True):
                column[place] = values[row]
    return columns


def shown_name(name: str, streaming: bool) -> str:
    """The name under which a figure is shown: of a stream, what is of a whole run is said to be of a cold start."""
    return f"{COLD} {name}" if streaming and name.split(".")[0] in COLD_START else name


def csv_bytes(table: Table) -> bytes:
    """The table as CSV (RFC 4180, \\n between rows); what is not known is empty."""
    cells = [(_written(name), *_texts(column)) for name, column in table.columns.items()]
    if len(cells) == 1:  # a row that has an empty cell alone is written otherwise
        return "".join(f"{text or EMPTY}\n" for text in cells[0]).encode()
    return "".join([f"{','.join(row)}\n" for row in zip(*cells, strict=True)]).encode()


EMPTY = '""'


def _texts(column: list[Cell]) -> list[str]:
    """The cells of a column as they stand in a CSV file: equal ones are written once."""
    kinds = set(map(type, column))
    if kinds == {NoneType}:
        return [""] * len(column)
    if kinds == {int}:
        return list(map(str, column))
    if kinds == {float}:
        values = set(column)
        if 0.0 in values or 2 * len(values) > len(column):  # 0.0 and -0.0 are equal, and not the same
            return list(map(repr, column))
        texts: dict[Cell, str] = {value: repr(value) for value in values}
        return list(map(texts.__getitem__, column))
    words: dict[str, str] = {}
    found: list[str] = []
    for cell in column:
        if not isinstance(cell, str):
            found.append(_csv(cell))
            continue
        text = words.get(cell)
        if text is None:
            text = words[cell] = _written(cell)
        found.append(text)
    return found


def _written(cell: object) -> str:
    """A text as a cell of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(harmless_row((cell, "")))
    return text.getvalue()[:-2]


def parquet_bytes(table: Table) -> bytes | None:
    """The table as Parquet; None if pyarrow is missing."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        return None
    arrays = [pa.array(_one_type(column)) for column in table.columns.values()]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(table.columns)), buffer, compression="zstd")
    return buffer.getvalue()


def _csv(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return repr(cell) if isinstance(cell, float) else str(cell)


_WORD = 1 << 63


def _one_type(column: list[Cell]) -> list[Cell]:
    """A column with one type, as Parquet wants it.

    Integers beside floats become floats, anything beside strings a string, and so do integers of more than 64 bits (as
    numbers of points in a space beyond 2 ** 63).
    """
    kinds = {type(cell) for cell in column if cell is not None}
    if kinds == {int}:
        whole = [int(cell) for cell in column if cell is not None]
        if min(whole) < -_WORD or max(whole) >= _WORD:
            return [None if cell is None else str(cell) for cell in column]
    if len(kinds) <= 1:
        return column
    if kinds <= {int, float}:
        return [None if cell is None else float(cell) for cell in column]
    return [None if cell is None else _csv(cell) for cell in column]
