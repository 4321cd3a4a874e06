"""Writes what `archsim fidelity` prints: rows by machine, the whole table in Markdown, and JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from archsim.fidelity import Row
from archsim.fidelity.groups import MachineRows, Spread, by_machine

WIDTH = 100
_HEAD = ("machine", "workload", "figure", "published", "simulated", "error", "allowed", "input", "predicted", "source")
_SUMMARY = ("machine", "rows given", "mean error", "worst", "rows drawn", "mean error", "worst", "inferred")


def fidelity_text(rows: Sequence[Row]) -> str:
    """The rows by machine in at most 100 columns: workload, figure, published, simulated, error."""
    return "\n".join(line for group in by_machine(rows) for line in (*_group_lines(group), "")) or "no rows\n"


def fidelity_summary(rows: Sequence[Row]) -> str:
    """A Markdown table with a line a machine: how many rows, how large errors are, what is inferred."""
    groups = (
        (group.machine, *_spread_cells(group.given), *_spread_cells(group.drawn), group.inferred)
        for group in by_machine(rows)
    )
    return _markdown([_SUMMARY, ("---",) * len(_SUMMARY), *groups])


def fidelity_table(rows: Sequence[Row]) -> str:
    """The table in Markdown, a line a row."""
    return _markdown([_HEAD, ("---",) * len(_HEAD), *(_cells(row) for row in rows)])


def fidelity_json(rows: Sequence[Row]) -> str:
    """The rows as a JSON list of objects."""
    objects = [asdict(row) | {"error": row.error, "error_unit": row.error_unit, "passed": row.passed} for row in rows]
    return json.dumps(objects, indent=2)


def _group_lines(group: MachineRows) -> Iterator[str]:
    yield group.machine
    for what, spread in (("given", group.given), ("from drawn runs of its own tool", group.drawn)):
        if spread.worst is not None:
            mean = f"mean error {spread.mean:.2f}{_unit(spread.worst)}, worst {_error(spread.worst, 2)}"
            yield f"  {spread.count} {'row' if spread.count == 1 else 'rows'} {what}: {mean}"
    yield from textwrap.wrap(
        f"inferred: {group.inferred}", WIDTH, initial_indent="  ", subsequent_indent="            "
    )
    for row in group.rows:
        mark = "drawn" if row.drawn else "second-hand" if row.second_hand else ""
        out = "too far" if row.passed is False else "" if row.tolerance is not None else "shown only"
        figure = textwrap.shorten(row.figure, 24, placeholder="...")
        workload = textwrap.shorten(row.workload, 24, placeholder="...")
        values = f"{_number(row.published):>9} {_number(row.simulated):>9} {row.unit.removesuffix(' of cycles'):<6}"
        yield f"  {workload:<24} {figure:<24} {values} {_error(row, 1):>9}  {out or mark}".rstrip()


def _spread_cells(spread: Spread) -> tuple[str, str, str]:
    if spread.worst is None:
        return "0", "", ""
    worst = spread.worst
    return (
        str(spread.count),
        f"{spread.mean:.2f}{_unit(worst)}",
        f"{_error(worst, 2)} ({worst.workload}, {worst.figure})",
    )


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def _unit(row: Row) -> str:
    return " pp" if row.error_unit != "%" else " %"


def _error(row: Row, places: int) -> str:
    return f"{row.error:+.{places}f}{_unit(row)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"


def _cells(row: Row) -> tuple[str, ...]:
    allowed = "not held to it" if row.tolerance is None else f"{row.tolerance:g}{_unit(row)}"
    marks = [mark for mark, said in (("second-hand", row.second_hand), ("drawn run", row.drawn)) if said]
    return (
        row.machine,
        row.workload,
        row.figure,
        f"{row.published:,.10g} {row.unit}",
        f"{_number(row.simulated)} {row.unit}",
        _error(row, 1),
        allowed,
        row.inputs,
        row.predicted,
        f"{row.source} ({', '.join(marks)})" if marks else row.source,
    )
