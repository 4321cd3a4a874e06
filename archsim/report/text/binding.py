"""Says which bound binds a step, how far above it the machine is, and where the cycles between them go."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.metrics import Stats
from archsim.metrics.stacks import BUCKETS
from archsim.report.text.figures_as_text import cycles, part, percent
from archsim.workload import NetworkSpec

NEGLIGIBLE = 0.01
"""A step this little above its largest bound is explained by the bound alone."""

_EXACT = 1e-9
"""Cycles a step below which a difference is rounding."""

_RECURRENCE = "recurrence"
_CHAIN = "the chain of ops from h_0 to h"
_WORK = ("useful", "padding")
_OUTSIDE = ("prologue", "handover", "epilogue", "idle")


def is_alone(spec: NetworkSpec) -> bool:
    """Whether a step is the only one, with no step before it on a machine that is switched on."""
    return spec.steps == 1 and not spec.streaming


def what_binds(stats: Stats, *, alone: bool) -> str:
    """What binds a step: the name of the largest bound; of a step that is alone, in which nothing recurs, its chain."""
    return _CHAIN if alone and stats.binding_bound == _RECURRENCE else stats.binding_bound


def excess(stats: Stats) -> float:
    """The share by which the simulated step is above the largest bound."""
    return stats.cycles_per_step / stats.bounds[stats.binding_bound] - 1


def binding_sentence(stats: Stats, *, alone: bool = False, steps_differ: bool = False) -> str:
    """The sentence on which bound binds, and how far above it the machine is.

    `alone`: whether the step is the only one; `steps_differ`: whether steps take as long as their data let them, as
    those of a delta network do.
    """
    return f"{what_binds(stats, alone=alone)} binds: {_distance(stats, steps_differ)}."


def _distance(stats: Stats, steps_differ: bool) -> str:
    above = stats.cycles_per_step - stats.bounds[stats.binding_bound]
    if abs(above) < _EXACT:
        return "the simulated step is exactly at it"
    by = f"(by {cycles(abs(above))} cycles a step)"
    if above > 0:
        return f"the simulated step is {percent(excess(stats))} above it {by}"
    why = "where other columns change" if steps_differ else "whose last steps load no more x"
    return (
        f"the simulated step is {percent(-excess(stats))} below it {by}, which is a mean over all time steps, while "
        f"the simulated one is measured in their second half, {why}"
    )


def gap_sentence(stats: Stats, multipliers: str, explained: Mapping[str, tuple[str, ...]]) -> str:
    """The sentence on where the cycles above the largest bound go, as far as the multipliers see it.

    `explained`: the losses that follow from a bound where it binds. It is "" if there are next to none.
    """
    if excess(stats) <= NEGLIGIBLE:
        return ""
    seen = (*_WORK, *_OUTSIDE, *explained.get(stats.binding_bound, ()))
    losses = {name: n for name, n in stats.cycle_stack.items() if n and name not in seen}
    if not losses:
        return ""
    worst = max(losses, key=lambda name: losses[name])
    return (
        "What is above the bound comes from the interplay of units, which no single bound sees. Beside what the "
        f"bound explains, the {multipliers} loses most by {worst} ({BUCKETS[worst]}): "
        f"{part(losses[worst], stats.body_cycles)} of the time steps."
    )
