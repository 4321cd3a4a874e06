"""Compares Brainwave BW_S10, whose figures are second-hand and held to nothing, with a machine of its size."""

from __future__ import annotations

from archsim.api import simulate
from archsim.families.load import load_arch
from archsim.fidelity.row import Row
from archsim.workload import load_workload

SOURCE = "Fowers et al., ISCA 2018, from notes on it; cycles of a step are inferred from ms at 250 MHz"
INPUTS = (
    "6 tile engines x 40 lanes x native dimension 400, as one MAC array of 400 rows x 240 columns; the pipelines' "
    "depths are assumed"
)


def brainwave() -> tuple[Row, ...]:
    """The row on cycles of a step in the steady state."""
    arch = load_arch("brainwave_s10")
    rows = []
    for workload, published in (
        ("lstm:2048,2048,t=25", 740),
        ("lstm:1024,1024,t=25", 740),
        ("gru:2816,2816,t=25", 662),
        ("gru:2048,2048,t=25", 636),
    ):
        stats = simulate(arch, load_workload(workload), "fused_gate_major", timing_only=True).stats
        simulated = stats.cycles_per_step
        rows.append(
            Row(
                "brainwave_s10",
                workload,
                "cycles of a step",
                "cycles",
                published,
                simulated,
                None,
                SOURCE,
                INPUTS,
                "cycles of the array, and what follows them",
                second_hand=True,
            )
        )
    return tuple(rows)
