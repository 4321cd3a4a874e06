"""Statistics that other packages declare, in a section of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.report.text.figures_as_text import percent, significant
from archsim.report.text.layout import heading, table

if TYPE_CHECKING:
    from rich.console import RenderableType

SHARE = "1"
"""The unit of a figure that is shown in per cent."""


def further(simulation: Simulation) -> list[RenderableType]:
    """Each statistic with its unit and meaning; of one with several entries a line each. Nothing if there is none."""
    rows = []
    for found in simulation.further:
        about, value = found.statistic, found.value
        entries = value.items() if isinstance(value, Mapping) else [("", value)]
        meaning = about.meaning
        for entry, number in entries:
            name = f"{about.name}.{entry}" if entry else about.name
            rows.append(
                (name, percent(number) if about.unit == SHARE else significant(number), _unit(about.unit), meaning)
            )
            meaning = "the same" if entry else meaning
    if not rows:
        return []
    note = "declared by other installed packages, or by the caller"
    return [heading("Further statistics", note), table(("<", ">", "<", "<~"), None, rows)]


def _unit(unit: str) -> str:
    return "" if unit == SHARE else unit
