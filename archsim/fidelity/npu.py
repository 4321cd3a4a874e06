"""Compares the NPU on Stratix 10 NX with its authors' C++ model, and with their RTL."""

from __future__ import annotations

from archsim.api import simulate
from archsim.families.load import load_arch
from archsim.fidelity.row import Row
from archsim.workload import load_workload

SOURCE = "Boutros et al., FPT 2020; repository intel/fpga-npu, commit 6fead51"
INPUTS = "structure and latencies of the C++ model, chains of a step"
PREDICTED = "when each word passes each unit"


def npu() -> tuple[Row, ...]:
    """The rows of LSTM 512: 1, 2, 4 and 8 steps against the model; 8 against the RTL (not explained)."""
    rows = []
    arch = load_arch("npu_s10nx")
    for steps, published in ((1, 567), (2, 1055), (4, 2031), (8, 3983)):
        workload = f"lstm:512,512,t={steps},b=6"
        cycles = simulate(arch, load_workload(workload), timing_only=True).stats.latency_cycles
        rows.append(_row(workload, "cycles, C++ model", published, cycles, 3.0))
        if steps == 8:
            rows.append(_row(workload, "cycles, RTL", 4545, cycles, None))
    return tuple(rows)


def _row(workload: str, figure: str, published: int, cycles: int, tolerance: float | None) -> Row:
    return Row("npu_s10nx", workload, figure, "cycles", published, cycles, tolerance, SOURCE, INPUTS, PREDICTED)
