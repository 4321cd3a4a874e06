"""Compares Brainwave BW_S10, whose figures are second-hand and held to nothing, with a machine of its size."""

from __future__ import annotations

from archsim.api import simulate
from archsim.families.load import load_arch
from archsim.fidelity.row import Row

SOURCE = "Fowers et al., ISCA 2018, from notes on it; cycles of a step are inferred from ms at 250 MHz"
INPUTS = (
    "6 tile engines x 40 lanes x native dimension 400, two multi-function units; their width and all depths are assumed"
)

CYCLES_PER_STEP = {
    "lstm:2048,2048,t=25": 740,
    "lstm:1024,1024,t=25": 740,
    "gru:2816,2816,t=25": 662,
    "gru:2048,2048,t=25": 636,
}
"""Published (second-hand); T is 750 and 375 of the GRUs there, in the steady state here."""


def brainwave() -> tuple[Row, ...]:
    """The rows on cycles of a step in the steady state."""
    arch = load_arch("brainwave_s10")
    return tuple(
        Row(
            "brainwave_s10",
            workload,
            "cycles of a step",
            "cycles",
            published,
            simulate(arch, workload, timing_only=True).stats.cycles_per_step,
            None,
            SOURCE,
            INPUTS,
            "when each word passes each unit",
            second_hand=True,
        )
        for workload, published in CYCLES_PER_STEP.items()
    )
