"""Writes which schedules there were to choose from, where the best one was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.api.outcome import Outcome
from archsim.config.aims import By
from archsim.report.text.figures_as_text import cycles, plural, significant
from archsim.report.text.layout import heading, sentence, table

if TYPE_CHECKING:
    from rich.console import RenderableType

_LEAST = {By.LATENCY: "cycles", By.STEP: "cycles a step", By.ENERGY: "energy"}


def schedules(simulation: Simulation) -> list[RenderableType]:
    """The section on schedules; nothing if one was asked for by its name."""
    ranking = simulation.ranking
    if ranking is None:
        return []
    streams = simulation.workload.spec.streaming
    alike: dict[Outcome, list[str]] = {}
    for schedule, outcome in ranking.ranked:
        alike.setdefault(outcome, []).append(schedule.name)
    rows = [
        (
            names[0],
            f"{outcome.latency_cycles:,}",
            cycles(outcome.cycles_per_step),
            "-" if outcome.energy_uj is None else significant(outcome.energy_uj),
            f"and {len(names) - 1} more" if len(names) > 1 else "",
        )
        for outcome, names in alike.items()
    ]
    headers = (
        "schedule",
        "cycles a frame" if streams else "cycles",
        "interval" if streams else "a step",
        "energy, uJ",
        "alike",
    )
    found = [
        heading("Schedules", f"all that can run this; least {_LEAST[ranking.by]} first, which is the one of this run"),
        table(("<", ">", ">", ">", "<~"), headers, rows, strong=(0,)),
    ]
    if ranking.tied:
        others = plural(len(ranking.tied), "other schedule")
        verb = "takes" if len(ranking.tied) == 1 else "take"
        found.append(sentence(f"{others} {verb} as little: least energy first, then by name"))
    if ranking.left_out:
        reasons: dict[str, list[str]] = {}
        for name, why in ranking.left_out:
            reasons.setdefault(why, []).append(name)
        found += [sentence(f"not possible: {', '.join(names)}: {why}") for why, names in reasons.items()]
    return found
