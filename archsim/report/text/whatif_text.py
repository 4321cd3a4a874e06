"""Writes what changing one thing of a design brings, best first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from archsim.api.change import Change, Measured
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
CHEAPER_SHOWN = 5
"""Changes that save something and cost nothing of which the same holds."""
TIES = "what takes as much: least energy first, then least area, then by name"


def print_what_if(found: WhatIf, console: Console, shown: int | None = SHOWN) -> None:
    """Print the best `shown` changes (None: all); colours and width are the console's."""
    name = f"{found.workload.name} on {found.arch.name}, schedule {found.schedule}"
    before = found.before
    of_frame = " a frame" if found.workload.spec.streaming else ""
    as_it_is = f"{before.latency_cycles:,} cycles{of_frame}" if before else "does not fit"
    parts: list[RenderableType] = [title(f"{name}: {as_it_is}")]
    if found.misfit:
        parts.append(sentence(found.misfit))
    parts += [*_best(found, shown), *_cheaper(found, shown)]
    if found.left_out:
        parts.append(heading("Not possible"))
        parts.append(table(("<~", "<~"), None, _left_out(found)))
    console.print(*parts, sep="\n", soft_wrap=False, markup=False, highlight=False, emoji=False)


def _left_out(found: WhatIf) -> list[tuple[str, str]]:
    """The changes that cannot be made, those with the same reason together; schedules by their names alone."""
    by_reason: dict[str, list[Change]] = {}
    for change, reason in found.left_out:
        by_reason.setdefault(reason, []).append(change)
    rows = []
    for reason, changes in by_reason.items():
        schedules = [change.schedule for change in changes if change.schedule and not change.settings]
        others = [str(change) for change in changes if change.settings]
        named = [f"--schedule {', '.join(schedules)}"] if schedules else []
        rows.append(("; ".join([*named, *others]), reason))
    return rows


def _best(found: WhatIf, shown: int | None) -> Iterator[RenderableType]:
    """The changes by what they bring, but those of `_cheaper`."""
    before, streams = found.before, found.workload.spec.streaming
    rest = [measured for measured in found.changes if measured not in found.cheaper]
    changes = rest if shown is None else rest[:shown]
    rows = [_row(measured, found) for measured in changes]
    if before is not None:
        rows.insert(0, ("as it is", "", f"{before.latency_cycles:,}", *_figures(before)))
    interval = "interval" if streams else "cycles a step"
    headers: tuple[str, ...] = ("change", _WHAT[found.by], "cycles", interval, "energy, uJ", "area, mm2")
    if before is None:
        headers, rows = _without_brings(headers), [_without_brings(row) for row in rows]
        yield heading("What makes it fit", "each simulated; best first")
    else:
        of_what = "a frame on a machine that is on; " if streams else ""
        yield heading("What if", f"{of_what}one change at a time, each simulated; best first")
    if rows:
        columns = ("<~", *(">" for _ in headers[1:]))
        yield table(columns, headers, rows, strong=(0,) if before else ())
    else:
        yield sentence("none of the changes that were tried")
    yield from _notes(found, changes, len(rest) - len(changes))


def _without_brings(row: tuple[str, ...]) -> tuple[str, ...]:
    """A row without its second cell."""
    return row[:1] + row[2:]


def _notes(found: WhatIf, changes: Sequence[Measured], left: int) -> Iterator[RenderableType]:
    """What stands in no row."""
    if left:
        less = "brings less or costs" if left == 1 else "bring less or cost"
        yield sentence(f"and {plural(left, 'change')} that {less} cycles (--all)")
    amounts = [measured.outcome.amount(found.by) for measured in changes]
    if len(set(amounts)) < len(amounts):
        yield sentence(TIES)
    if any(measured.change.is_sooner for measured in changes):
        yield sentence(
            "a latency a cycle shorter is a pipeline stage less, or a faster part; whether there is one at "
            f"{significant(found.arch.config.clock_mhz)} MHz is not checked"
        )
    if found.alike:
        alone = "comes" if found.alike == 1 else "come"
        yield sentence(
            f"{plural(found.alike, 'schedule')} {alone} to the figures of the design as it is, or of another schedule "
            "that is first by name"
        )
    if found.still_short:
        yield sentence(f"{plural(found.still_short, 'other change')} tried: with none of them it fits")


def _cheaper(found: WhatIf, shown: int | None) -> Iterator[RenderableType]:
    """The changes that save energy or area at no cost; of several at once first."""
    before, cheaper = found.before, found.cheaper
    if before is None or not cheaper:
        return
    yield heading("Cheaper, and nothing slower", "each simulated; what saves most energy first, then most area")
    changes = cheaper if shown is None else cheaper[:CHEAPER_SHOWN]
    rows = [
        (
            str(measured.change),
            _percent(measured.outcome.energy_uj, before.energy_uj),
            _percent(measured.outcome.area_mm2, before.area_mm2),
            f"{measured.outcome.latency_cycles:,}",
            *_figures(measured.outcome)[1:],
        )
        for measured in changes
    ]
    headers = ("change", "energy", "area", "cycles", "energy, uJ", "area, mm2")
    yield table(("<~", ">", ">", ">", ">", ">"), headers, rows)
    left = len(cheaper) - len(changes)
    if left:
        yield sentence(f"and {plural(left, 'change')} that {'saves' if left == 1 else 'save'} less (--all)")


def _percent(after: float | None, before: float | None) -> str:
    return "-" if after is None or not before else f"{100 * (after - before) / before:+.1f} %"


def _row(measured: Measured, found: WhatIf) -> tuple[str, ...]:
    brings = ""
    if found.before is not None:
        brings = _percent(measured.outcome.amount(found.by), found.before.amount(found.by))
    return str(measured.change), brings, f"{measured.outcome.latency_cycles:,}", *_figures(measured.outcome)


def _figures(outcome: Outcome) -> tuple[str, str, str]:
    energy = "-" if outcome.energy_uj is None else significant(outcome.energy_uj)
    area = "-" if outcome.area_mm2 is None else significant(outcome.area_mm2)
    return significant(outcome.cycles_per_step), energy, area
