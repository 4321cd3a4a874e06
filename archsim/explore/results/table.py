"""Makes points.csv, points.parquet and pareto.csv: a row for each point, every input and every output."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from archsim.config.csv_cells import harmless_row
from archsim.explore.results.study import Point, Study
from archsim.explore.run.commands import run_commands
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
    columns["command"] = ["; ".join(run_commands(space, point)) for point in points]
    return Table(columns)


def _outputs(study: Study, points: Sequence[Point]) -> dict[str, list[Cell]]:
    several = len(study.space.workloads) > 1
    columns: dict[str, list[Cell]] = {}
    for use in study.space.workloads:
        workload = use.workload.name
        found = [(point.outputs or {}).get(workload, {}) for point in points]
        for name in dict.fromkeys(name for outputs in found for name in outputs):
            shown = shown_name(name, use.workload.spec.streaming)
            columns[f"{workload}:{shown}" if several else shown] = [outputs.get(name) for outputs in found]
    return columns


def shown_name(name: str, streaming: bool) -> str:
    """The name under which a figure is shown: of a stream, what is of a whole run is said to be of a cold start."""
    return f"{COLD} {name}" if streaming and name.split(".")[0] in COLD_START else name


def csv_bytes(table: Table) -> bytes:
    """The table as CSV (RFC 4180, \\n between rows); what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(harmless_row(table.columns))
    for row in zip(*table.columns.values(), strict=True):
        writer.writerow([_csv(cell) for cell in harmless_row(row)])
    return text.getvalue().encode()


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
    if kinds == {int} and not all(cell is None or -_WORD <= int(cell) < _WORD for cell in column):
        return [None if cell is None else str(cell) for cell in column]
    if len(kinds) <= 1:
        return column
    if kinds <= {int, float}:
        return [None if cell is None else float(cell) for cell in column]
    return [None if cell is None else _csv(cell) for cell in column]
