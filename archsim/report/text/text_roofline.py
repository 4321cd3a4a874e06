"""Writes the ceilings of the machine, the workload's place below them, and which of them binds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.metrics import Stats
from archsim.metrics.roofline import PEAK, Roofline
from archsim.report.text.figures_as_text import percent, significant
from archsim.report.text.layout import heading, sentence, table

if TYPE_CHECKING:
    from rich.console import RenderableType

NEAR = 0.9
"""A run that reaches so much of its roof is bound by it."""
FAR = 0.1
"""A run that reaches less than so much of its roof is not bound by it at all."""


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
        sentence(roof_sentence(simulation.stats)),
    ]


def roof_sentence(stats: Stats) -> str:
    """The sentence on which ceilings bind, and what the distance of the run below them means."""
    found = stats.roofline
    steps = f"Time steps: the roof is {_name(found.step_binding)}, of which {percent(found.step_roof_share)} is reached"
    if found.step_roof_share < NEAR:
        steps += (
            f". The rest is lost where a roofline does not look: {stats.binding_bound} binds a step (see One time "
            "step), and the cycle stack has every cycle"
        )
    run = f"Whole run: the roof is {_name(found.run_binding)}, of which {percent(found.run_roof_share)} is reached"
    return f"{steps}. {run}. {_advice(found)}"


def _name(binding: str) -> str:
    return "the peak of the multipliers" if binding == PEAK else f"the bandwidth of {binding}"


def _advice(found: Roofline) -> str:
    """The sentence on what would raise the roof of the whole run."""
    if found.run_roof_share < FAR:
        return "That roof is so far above that raising it would change little."
    if found.run_binding == PEAK:
        return "Only more multipliers, or a higher clock, raise that roof."
    if found.step_binding == PEAK:
        return (
            f"What {found.run_binding} moves once weighs on a short run: more time steps or a larger batch for one "
            "load of the weights raise its intensity, a narrower weight format too."
        )
    return (
        f"More bandwidth of {found.run_binding} raises that roof, as does moving less: a larger batch, narrower "
        "formats, or more of the weights kept on the chip."
    )


def _intensity(value: float | None) -> str:
    return "-" if value is None else significant(value)
