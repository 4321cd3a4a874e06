"""Compares the NPU on Stratix 10 NX with its authors' C++ model, and with their RTL."""

from __future__ import annotations

from archsim.api import simulate
from archsim.families.load import load_arch
from archsim.fidelity.row import Row

SOURCE = "Boutros et al., FPT 2020; repository intel/fpga-npu, commit 6fead51"
INPUTS = "structure and latencies of the C++ model, chains of a step"
PREDICTED = "when each word passes each unit"

CPP_MODEL = {
    "lstm:512,512,t=1,b=6": 567,
    "lstm:512,512,t=2,b=6": 1055,
    "lstm:512,512,t=4,b=6": 2031,
    "lstm:512,512,t=8,b=6": 3983,
    "rnn:1024,1024,t=8,b=6": 2405,
    "gru:512,512,t=8,b=6": 4158,
}
"""Cycles by running the authors' C++ model."""

RTL = {"lstm:512,512,t=8,b=6": 4545, "rnn:1024,1024,t=8,b=6": 3044, "gru:512,512,t=8,b=6": 5386}
"""Cycles of their RTL, from its published TOPS at 300 MHz; not explained, and held to nothing."""


def npu() -> tuple[Row, ...]:
    """The rows of all workloads whose cycles are known: the C++ model's to the cycle, then the RTL's."""
    rows = []
    arch = load_arch("npu_s10nx")
    for workload, published in CPP_MODEL.items():
        cycles = simulate(arch, workload, timing_only=True).stats.latency_cycles
        rows.append(_row(workload, "cycles, C++ model", published, cycles, 0.0))
        if workload in RTL:
            rows.append(_row(workload, "cycles, RTL", RTL[workload], cycles, None))
    return tuple(rows)


def _row(workload: str, figure: str, published: int, cycles: int, tolerance: float | None) -> Row:
    return Row("npu_s10nx", workload, figure, "cycles", published, cycles, tolerance, SOURCE, INPUTS, PREDICTED)
