"""Writes a comparison of designs as CSV, Markdown, LaTeX or JSON (docs/compare.md)."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Mapping, Sequence

from archsim.api.compare import Comparison, Difference, Row
from archsim.config.csv_cells import harmless_row
from archsim.config.table_format import TableFormat
from archsim.metrics.declare import declared
from archsim.report.text.figures_as_text import behind, cycles, percent, significant

Cell = str | int | float | None


def as_json(found: Comparison) -> str:
    """One object: `machines` and `workloads`, the fields that differ, each with its values by design; `rows`.

    `overrides` has what was set in all, `notes` what is to be noted.
    """
    data = {
        "machines": [dataclasses.asdict(one) for one in found.machines],
        "workloads": [dataclasses.asdict(one) for one in found.workloads],
        "rows": [dataclasses.asdict(row) for row in found.rows],
        "overrides": list(found.overrides),
        "notes": list(found.notes),
    }
    return json.dumps(data, indent=2, allow_nan=False) + "\n"


def as_csv(found: Comparison) -> str:
    """The rows, numbers in full; their units are in the names of the columns."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in dataclasses.fields(Row)])
    for row in found.rows:
        writer.writerow(harmless_row("" if value is None else value for value in _values(row)))
    return text.getvalue()


def as_markdown(found: Comparison) -> str:
    """What differs, then the rows, as tables with a pipe between cells."""
    parts = [_markdown(*_difference_table(one)) for one in (found.machines, found.workloads) if one]
    return "\n".join([*parts, _markdown(*rows_table(found))])


def as_latex(found: Comparison) -> str:
    """What differs, then the rows, as tabular environments for booktabs."""
    parts = [_latex(*_difference_table(one)) for one in (found.machines, found.workloads) if one]
    return "\n".join([*parts, _latex(*rows_table(found))])


WRITERS: Mapping[TableFormat, Callable[[Comparison], str]] = {
    TableFormat.CSV: as_csv,
    TableFormat.MARKDOWN: as_markdown,
    TableFormat.LATEX: as_latex,
    TableFormat.JSON: as_json,
}


ENDS: Mapping[str, tuple[str, str]] = {
    "energy_uj": ("energy_low_uj", "energy_high_uj"),
    "frame_energy_uj": ("frame_energy_low_uj", "frame_energy_high_uj"),
    "frame_idle_energy_uj": ("frame_idle_energy_low_uj", "frame_idle_energy_high_uj"),
    "area_mm2": ("area_low_mm2", "area_high_mm2"),
}
"""Figures with a low and a high, which tables to read have in one cell, and the names of these."""


def rows_table(found: Comparison) -> tuple[list[str], list[list[str]]]:
    """Headers with units, and the rows as text; columns without any figure are left out."""
    about = declared(Row)
    ends = {name for pair in ENDS.values() for name in pair}
    kept = [name for name in about if name not in ends and any(getattr(row, name) is not None for row in found.rows)]
    headers = [name.removesuffix(f"_{_suffix(about[name].unit)}") for name in kept]
    units = [about[name].unit for name in kept]
    headers = [
        f"{name.replace('_', ' ')}, {unit}" if unit not in ("", "1") else name.replace("_", " ")
        for name, unit in zip(headers, units, strict=True)
    ]
    return headers, [
        [shown(getattr(row, name), unit) + _ends(row, name) for name, unit in zip(kept, units, strict=True)]
        for row in found.rows
    ]


def _ends(row: Row, name: str) -> str:
    """The low and high of a figure behind it; "" of one that has none."""
    low, high = (getattr(row, end) for end in ENDS[name]) if name in ENDS else (None, None)
    return behind(low, high)


def shown(value: Cell, unit: str) -> str:
    """A figure with no more digits than it carries; a share in per cent."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if unit == "1":
        return percent(value)
    return cycles(value) if unit == "cycles" else significant(value)


def _suffix(unit: str) -> str:
    return unit.lower().replace(" ", "_")


def _values(row: Row) -> list[Cell]:
    return [getattr(row, field.name) for field in dataclasses.fields(row)]


def _difference_table(found: Sequence[Difference]) -> tuple[list[str], list[list[str]]]:
    names = list(found[0].values)
    return ["differs", *names], [[one.field, *(one.values[name] for name in names)] for one in found]


def _markdown(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    escaped = ([cell.replace("\\", "\\\\").replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in escaped)


_SPECIAL = {char: f"\\{char}" for char in "#$%&_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def _latex(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return " & ".join("".join(_SPECIAL.get(char, char) for char in cell) for cell in cells) + r" \\"

    begin, end = f"\\begin{{tabular}}{{{'l' * len(headers)}}}", "\\end{tabular}"
    body = [line(row) for row in rows]
    return "\n".join([begin, "\\toprule", line(headers), "\\midrule", *body, "\\bottomrule", end]) + "\n"
