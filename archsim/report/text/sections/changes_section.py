"""Writes what small changes of a run's machine bring, as they were measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from archsim.api.change import Measured
from archsim.api.near_changes import NearChanges
from archsim.report.text.figures_as_text import significant
from archsim.report.text.layout import heading, sentence, table

if TYPE_CHECKING:
    from rich.console import RenderableType

SHOWN = 5
"""Changes in the whole report."""
BEST = 2
"""Changes on one screen."""


def measured_changes(changes: NearChanges) -> list[RenderableType]:
    """The section on changes: the best of those that leave the program as it is, each simulated."""
    head = heading("Changes", "one at a time, each simulated; the program stays as it is")
    others = "archsim whatif measures other schedules and programs, too, with the same arguments."
    if changes.left_out:
        return [head, sentence(f"not measured here: {changes.left_out}. {others}")]
    if not changes.better:
        return [head, sentence(f"No number of the machine, changed by a notch, makes it faster. {others}")]
    rows = [_row(measured, changes) for measured in changes.better[:SHOWN]]
    headers = ("change", "latency", "cycles", "energy, uJ", "area, mm2")
    shown = [head, table(("<~", ">", ">", ">", ">"), headers, rows), sentence(others)]
    if any(measured.change.is_sooner for measured in changes.better[:SHOWN]):
        shown.append(
            sentence("A shorter latency is a pipeline stage less; that the clock is still reached is not checked.")
        )
    return shown


def best_changes(changes: NearChanges) -> Iterator[str]:
    """The best changes, two lines each: what is changed, and what comes of it."""
    for measured in changes.better[:BEST]:
        change, brings, cycles, energy, area = _row(measured, changes)
        yield change
        costs = "" if measured.outcome.energy_uj is None else f", {energy} uJ"
        costs += "" if measured.outcome.area_mm2 is None else f", {area} mm2"
        unchecked = "; clock not checked" if measured.change.is_sooner else ""
        yield f"{brings}: {cycles} cycles{costs}{unchecked}"


def _row(measured: Measured, changes: NearChanges) -> tuple[str, str, str, str, str]:
    before, outcome = changes.before.latency_cycles, measured.outcome
    brings = f"{100 * (outcome.latency_cycles - before) / before:+.1f} %"
    energy = "-" if outcome.energy_uj is None else significant(outcome.energy_uj)
    area = "-" if outcome.area_mm2 is None else significant(outcome.area_mm2)
    return str(measured.change), brings, f"{outcome.latency_cycles:,}", energy, area
