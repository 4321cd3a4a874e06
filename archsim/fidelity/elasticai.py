"""Compares ElasticAI.creator's LSTM cell with its own VHDL, simulated with GHDL: exact."""

from __future__ import annotations

from archsim.api import simulate
from archsim.families.load import load_arch
from archsim.fidelity.row import Row
from archsim.workload import load_workload

SOURCE = "es-ude/elastic-ai.creator 0.67 (PyPI), generated VHDL in GHDL 2.0"
INPUTS = "cycles of each state machine's states; 5 cycles of restart as simulated"
PREDICTED = "what runs beside what, and so a step of any H"

GIVEN = ((20, 6, 5_352), (20, 28, 24_976), (100, 2, 40_824))
"""H, steps, and the cycle in which the last step is done."""

DRAWN = ((3, 5, 210), (5, 5, 410), (13, 4, 1_608), (30, 5, 9_660), (37, 4, 11_592))
"""The same, from runs of sizes that were drawn when the machine stood."""


def elasticai() -> tuple[Row, ...]:
    """The rows of the machine."""
    given = [elasticai_row(*row, drawn=False) for row in GIVEN]
    return (*given, *(elasticai_row(*row, drawn=True) for row in DRAWN))


def elasticai_row(units: int, steps: int, done: int, *, drawn: bool) -> Row:
    """A row of the machine: the cycle in which the last step is done."""
    workload = f"lstm:1,{units},t={steps}"
    cycles = simulate(load_arch("elasticai_lstm"), load_workload(workload), timing_only=True).stats.latency_cycles
    return Row(
        "elasticai_lstm",
        workload,
        "last step done",
        "cycles",
        done,
        cycles,
        0.0,
        SOURCE,
        INPUTS,
        PREDICTED,
        drawn=drawn,
    )
