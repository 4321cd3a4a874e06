"""Writes the table of `archsim fidelity`, for the terminal and for docs/fidelity.md, and its JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from archsim.fidelity import Row

_HEAD = ("machine", "workload", "figure", "published", "simulated", "error", "allowed", "input", "predicted", "source")


def fidelity_table(rows: Sequence[Row]) -> str:
    """The table in Markdown, a line a row."""
    lines = [_HEAD, ("---",) * len(_HEAD), *(_cells(row) for row in rows)]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def fidelity_json(rows: Sequence[Row]) -> str:
    """The rows as a JSON list of objects."""
    objects = [asdict(row) | {"error": row.error, "error_unit": row.error_unit, "passed": row.passed} for row in rows]
    return json.dumps(objects, indent=2)


def _cells(row: Row) -> tuple[str, ...]:
    points = " pp" if row.error_unit != "%" else " %"
    allowed = "not held to it" if row.tolerance is None else f"{row.tolerance:g}{points}"
    source = f"{row.source} (second-hand)" if row.second_hand else row.source
    return (
        row.machine,
        row.workload,
        row.figure,
        f"{row.published:,g} {row.unit}",
        f"{row.simulated:,.4g} {row.unit}"
        if row.simulated != int(row.simulated)
        else f"{row.simulated:,.0f} {row.unit}",
        f"{row.error:+.1f}{points}",
        allowed,
        row.inputs,
        row.predicted,
        source,
    )
