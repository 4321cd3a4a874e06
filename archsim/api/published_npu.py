"""What is published of the Intel NPU on Stratix 10 NX, as rows to be set beside a simulation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedCycles:
    """Cycles of a whole run that someone published.

    `tolerance`: largest relative error that the simulation may have; None: shown, not judged. `inputs`: what the
    preset was given; `predicted`: what comes out of it.
    """

    arch: str
    workload: str
    published_cycles: int
    tolerance: float | None
    source: str
    inputs: str
    predicted: str


_MODEL = "C++ model of the authors, run (repository intel/fpga-npu, commit 6fead51)"
_RTL = "RTL of the authors, from published TOPS at 300 MHz (Boutros et al., FPT 2020); no cause of the gap is published"
_INPUTS = "sizes and latencies of the C++ model, its issue rules; nothing fitted"
_PREDICTED = "every cycle"

NPU_S10NX: tuple[PublishedCycles, ...] = (
    *(
        PublishedCycles("npu_s10nx", f"lstm:512,512,t={steps},b=6", cycles, 0.03, _MODEL, _INPUTS, _PREDICTED)
        for steps, cycles in ((1, 567), (2, 1055), (4, 2031), (8, 3983))
    ),
    PublishedCycles("npu_s10nx", "lstm:512,512,t=8,b=6", 4545, None, _RTL, _INPUTS, _PREDICTED),
)
"""LSTM 512, batch 6."""
