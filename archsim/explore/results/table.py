"""Makes points.csv and pareto.csv, and what points.parquet has: a row for each point, every input and output."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from archsim.api.batch import Column
from archsim.api.batch.columns import Picked
from archsim.config.csv_cells import harmless_row
from archsim.explore.results.cells import Cell, as_text, column_of, gathered
from archsim.explore.results.study import Point, Study
from archsim.explore.run.commands import RunCommands
from archsim.explore.space.objectives import COLD
from archsim.metrics.frames import COLD_START


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name, in order, all of one length."""

    columns: dict[str, Column]

    @staticmethod
    def of_cells(columns: Mapping[str, Sequence[Cell]]) -> Table:
        """The table of cells one by one."""
        return Table({name: column_of(cells) for name, cells in columns.items()})

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return len(next(iter(self.columns.values()), ()))

    def cells(self, name: str) -> list[Cell]:
        """The cells of a column."""
        return self.columns[name].values()


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
    commands = RunCommands(space)
    reasons = [point.reason for point in points]
    behind: dict[str, list[Cell]] = {
        "executor": [point.executor or None for point in points],
        "reason": [reason.kind if reason else None for reason in reasons],
        "reason_what": [reason.what if reason else None for reason in reasons],
        "reason_need": [reason.need if reason else None for reason in reasons],
        "reason_have": [reason.have if reason else None for reason in reasons],
        "reason_gap": [reason.gap if reason else None for reason in reasons],
        "reason_unit": [reason.unit if reason else None for reason in reasons],
        "command": ["; ".join(commands.of(point)) for point in points],
    }
    return Table(Table.of_cells(columns).columns | _outputs(study, points) | Table.of_cells(behind).columns)


def _outputs(study: Study, points: Sequence[Point]) -> dict[str, Column]:
    several = len(study.space.workloads) > 1
    columns: dict[str, Column] = {}
    for use in study.space.workloads:
        workload = use.workload.name
        for name, column in gathered([(point.outputs or {}).get(workload, {}) for point in points]).items():
            shown = shown_name(name, use.workload.spec.streaming)
            columns[f"{workload}:{shown}" if several else shown] = column
    return columns


def shown_name(name: str, streaming: bool) -> str:
    """The name under which a figure is shown: of a stream, what is of a whole run is said to be of a cold start."""
    return f"{COLD} {name}" if streaming and name.split(".")[0] in COLD_START else name


def csv_bytes(table: Table) -> bytes:
    """The table as CSV (RFC 4180, \\n between rows); what is not known is empty."""
    names, columns = _written(list(table.columns)), list(table.columns.values())
    if len(columns) == 1:  # a row that has an empty cell alone is written otherwise
        return "".join(f"{text or EMPTY}\n" for text in (*names, *_texts(columns[0]))).encode()
    rows = zip(*_cells(columns), strict=True)
    return "".join([f"{','.join(names)}\n", *[f"{','.join(row)}\n" for row in rows]]).encode()


EMPTY = '""'


def _cells(columns: Sequence[Column]) -> list[list[str]]:
    """The cells of columns as they stand in a CSV file; columns beside each other with one value each are one."""
    found: list[list[str]] = []
    for same, beside in groupby(columns, _has_one_value):
        if same:
            together = list(beside)
            texts = [_texts(column.at(np.zeros(1, np.intp)))[0] for column in together if len(column)]
            found.append([",".join(texts)] * len(together[0]))
        else:
            found += map(_texts, beside)
    return found


def _has_one_value(column: Column) -> bool:
    return isinstance(column.of, Picked) and len(column.of.values) == 1


def _texts(column: Column) -> list[str]:
    """The cells of a column as they stand in a CSV file: each of its distinct values is written once."""
    of = column.of
    if not isinstance(of, Picked):
        return list(map(str if of.dtype == np.int64 else repr, of.tolist()))
    kinds = set(map(type, of.values))
    if kinds == {float}:
        texts = list(map(repr, of.values))
    elif kinds == {str}:
        texts = _written(of.values)
    else:
        texts = [_written([value])[0] if isinstance(value, str) else as_text(value) for value in of.values]
    found: list[str] = np.array(texts, object)[of.codes].tolist()
    return found


class _Rows(list[str]):
    """Takes rows from a writer of CSV as they come, each by itself."""

    write = list.append


def _written(cells: Sequence[object]) -> list[str]:
    """Texts as cells of a CSV file."""
    rows = _Rows()
    csv.writer(rows, lineterminator="").writerows(harmless_row((cell, "")) for cell in cells)
    return [row[:-1] for row in rows]
