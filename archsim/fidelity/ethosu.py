"""Compares Ethos-U55-128 with the estimate of Arm's compiler Vela: a compiler's figures, not a chip's."""

from __future__ import annotations

from archsim.api import simulate
from archsim.families.load import load_arch
from archsim.fidelity.row import Row
from archsim.workload import load_workload

SOURCE = "Arm Vela 5.2.0 (PyPI ethos-u-vela), an estimate of a compiler: not silicon, not RTL"
INPUTS = "operators of a step, rules of the estimate, rules of the weights' code"
PREDICTED = "blocks, transfers and weight stream of any I and H"
TOLERANCE = 3.0

GIVEN = ((32, 64, 1, 33_080), (32, 64, 2, 65_480), (32, 64, 4, 130_280), (128, 128, 1, 147_504))
"""I, H, T, and the cycles that Vela prints."""

DRAWN = (
    (162, 36, 3, 115_607),
    (36, 73, 3, 142_457),
    (37, 211, 3, 793_683),
    (145, 246, 3, 1_390_458),
    (176, 140, 3, 656_031),
    (188, 254, 3, 1_520_244),
    (134, 212, 3, 1_076_409),
    (5, 213, 3, 710_031),
    (94, 141, 3, 503_013),
    (89, 147, 3, 526_755),
    (104, 99, 3, 317_339),
    (189, 106, 3, 467_288),
)
"""The same, of sizes that `archsim fidelity --live` drew (seeds 3 to 6) when the rules stood."""


def ethosu() -> tuple[Row, ...]:
    """The rows of the machine."""
    given = [ethosu_row(*row, drawn=False) for row in GIVEN]
    return (*given, *(ethosu_row(*row, drawn=True) for row in DRAWN))


def ethosu_row(inputs: int, units: int, steps: int, total: int, *, drawn: bool) -> Row:
    """A row of the machine: all cycles of a run. Below 16 hidden units it is held to nothing."""
    workload = f"lstm:{inputs},{units},t={steps}"
    cycles = simulate(load_arch("ethos_u55_128"), load_workload(workload), timing_only=True).stats.latency_cycles
    return Row(
        "ethos_u55_128",
        workload,
        "cycles, estimate",
        "cycles",
        total,
        cycles,
        TOLERANCE if units >= 16 else None,
        SOURCE,
        INPUTS,
        PREDICTED,
        drawn=drawn,
    )
