"""Writes designs beside each other: what differs in them, then their figures, a column a design."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archsim.api.compare import Comparison, Difference
from archsim.report.text.compare_tables import rows_table
from archsim.report.text.figures_as_text import plural
from archsim.report.text.layout import heading, sentence, table, title

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def print_comparison(found: Comparison, console: Console) -> None:
    """Print a comparison; colours and width are the console's."""
    parts: list[RenderableType] = [title(_title(found))]
    parts += _differences("Machines differ in", found.machines)
    parts += _differences("Workloads differ in", found.workloads)
    parts.append(heading("Figures"))
    headers, rows = rows_table(found)
    common = _common(found)
    across = [[header, *(row[place] for row in rows)] for place, header in enumerate(headers) if header not in common]
    columns = ("<", *["<~"] * len(rows))
    listed = table(columns, ["", *_labels(found)], [line for line in across if line[0] not in _NAMES])
    parts.append(table(columns, across[0], across[1:], narrow=listed))
    misfits = dict.fromkeys(f"{row.arch}: {row.misfit}" for row in found.rows if row.misfit)
    parts += [sentence(text) for text in misfits if "misfit" not in headers]
    parts += [sentence(note) for note in found.notes]
    console.print(*parts, sep="\n", soft_wrap=False, markup=False, highlight=False, emoji=False)


def _title(found: Comparison) -> str:
    """How many designs, what all of them run, and what was set in all of them."""
    text = plural(len(found.rows), "design")
    if common := _common(found):
        text += f": {', '.join(common.values())}"
    return text + (f", with {', '.join(found.overrides)}" if found.overrides else "")


def _common(found: Comparison) -> dict[str, str]:
    """The workload and the schedule, as far as all of several designs have the same one."""
    names = {"workload": [row.workload for row in found.rows], "schedule": [row.schedule for row in found.rows]}
    several = len(found.rows) > 1
    return {header: values[0] for header, values in names.items() if several and len(set(values)) == 1 and values[0]}


_NAMES = ("arch", "workload", "schedule")
"""What a design is told by."""


def _labels(found: Comparison) -> list[str]:
    """What tells each design from the others, where a figure stands beside its name alone."""
    common = _common(found)
    return [
        ", ".join([row.arch, *(getattr(row, name) for name in _NAMES[1:] if name not in common and getattr(row, name))])
        for row in found.rows
    ]


def _differences(name: str, found: Sequence[Difference]) -> list[RenderableType]:
    if not found:
        return []
    names = list(found[0].values)
    rows = [(one.field, *(one.values[name] for name in names)) for one in found]
    return [heading(name), table(("<", *["<~"] * len(names)), ("field", *names), rows)]
