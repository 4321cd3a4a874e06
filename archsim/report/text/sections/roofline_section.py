"""Writes the ceilings of the machine, the workload's place below them, and which of them binds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.metrics import Stats
from archsim.metrics.roofline import PEAK
from archsim.report.text.binding import is_alone, what_binds
from archsim.report.text.figures_as_text import percent, significant
from archsim.report.text.layout import heading, sentence, table

if TYPE_CHECKING:
    from rich.console import RenderableType

NEAR = 0.9
"""A run that reaches so much of its roof is bound by it."""


def roofline(simulation: Simulation) -> list[RenderableType]:
    """The section on the roofline: a row a ceiling for steady state and run, and a sentence on each."""
    found = simulation.stats.roofline
    rows = [(PEAK, "-", "-", significant(found.peak_gops), "-", significant(found.peak_gops))]
    rows += [
        (
            memory,
            significant(ceiling.bandwidth_gb_per_s),
            _intensity(ceiling.step_ops_per_byte),
            significant(ceiling.step_roof_gops),
            _intensity(ceiling.run_ops_per_byte),
            significant(ceiling.run_roof_gops),
        )
        for memory, ceiling in found.ceilings.items()
    ]
    rows.append(("reached", "", "", significant(found.step_gops), "", significant(found.run_gops)))
    return [
        heading("Roofline", "time steps: in the steady state; run: with prologue and epilogue"),
        table(
            ("<", ">", ">", ">", ">", ">"),
            ("ceiling", "GB/s", "steps ops/byte", "roof GOPS", "run ops/byte", "roof GOPS"),
            rows,
            strong=(len(rows) - 1,),
        ),
        sentence(roof_sentence(simulation.stats, alone=is_alone(simulation.workload.spec))),
    ]


def roof_sentence(stats: Stats, *, alone: bool = False) -> str:
    """The sentence on which ceilings bind, and what the distance of the run below them means."""
    found = stats.roofline
    steps = f"Time steps: the roof is {_name(found.step_binding)}, of which {percent(found.step_roof_share)} is reached"
    if found.step_roof_share < NEAR:
        binds = f"{what_binds(stats, alone=alone)} binds a step"
        steps += (
            f". The rest is lost where a roofline does not look: {binds} (see One time step), and the cycle stack has "
            "every cycle"
        )
    run = f"Whole run: the roof is {_name(found.run_binding)}, of which {percent(found.run_roof_share)} is reached"
    return f"{steps}. {run}."


def _name(binding: str) -> str:
    return "the peak of the multipliers" if binding == PEAK else f"the bandwidth of {binding}"


def _intensity(value: float | None) -> str:
    return "-" if value is None else significant(value)
