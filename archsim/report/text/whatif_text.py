"""Writes what changing one thing of a design brings, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.api.change import Measured
from archsim.api.outcome import Outcome
from archsim.api.whatif import WhatIf
from archsim.config.aims import By
from archsim.report.text.figures_as_text import plural, significant
from archsim.report.text.layout import heading, sentence, table, title

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_WHAT = {By.LATENCY: "latency", By.STEP: "step", By.ENERGY: "energy"}

SHOWN = 12
"""Changes that are shown, unless all are asked for."""


def print_what_if(found: WhatIf, console: Console, shown: int | None = SHOWN) -> None:
    """Print the best `shown` changes (None: all); colours and width are the console's."""
    name = f"{found.workload.name} on {found.arch.name}, schedule {found.schedule}"
    before = found.before
    streams = found.workload.spec.streaming
    of_frame = " a frame" if streams else ""
    as_it_is = f"{before.latency_cycles:,} cycles{of_frame}" if before else "does not fit"
    parts: list[RenderableType] = [title(f"{name}: {as_it_is}")]
    if found.misfit:
        parts.append(sentence(found.misfit))
    changes = found.changes if shown is None else found.changes[:shown]
    rows = [_row(measured, found) for measured in changes]
    if before is not None:
        rows.insert(0, ("as it is", "", f"{before.latency_cycles:,}", *_figures(before)))
    headers = (
        "change",
        _WHAT[found.by],
        "cycles",
        "interval" if streams else "cycles a step",
        "energy, uJ",
        "area, mm2",
    )
    of_what = "a frame on a machine that is on; " if streams else ""
    parts.append(heading("What if", f"{of_what}one change at a time, each simulated; best first"))
    parts.append(table(("<~", ">", ">", ">", ">", ">"), headers, rows, strong=(0,) if before else ()))
    left = len(found.changes) - len(changes)
    if left:
        parts.append(sentence(f"and {plural(left, 'change')} that bring less or cost cycles (--all)"))
    if found.left_out:
        parts.append(heading("Not possible"))
        parts.append(table(("<~", "<~"), None, [(str(change), reason) for change, reason in found.left_out]))
    console.print(*parts, sep="\n", soft_wrap=False, markup=False, highlight=False, emoji=False)


def _row(measured: Measured, found: WhatIf) -> tuple[str, ...]:
    brings = ""
    if found.before is not None:
        before = found.before.amount(found.by)
        brings = f"{100 * (measured.outcome.amount(found.by) - before) / before:+.1f} %"
    return str(measured.change), brings, f"{measured.outcome.latency_cycles:,}", *_figures(measured.outcome)


def _figures(outcome: Outcome) -> tuple[str, str, str]:
    energy = "-" if outcome.energy_uj is None else significant(outcome.energy_uj)
    area = "-" if outcome.area_mm2 is None else significant(outcome.area_mm2)
    return significant(outcome.cycles_per_step), energy, area
