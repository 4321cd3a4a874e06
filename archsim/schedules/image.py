"""Between a workload's tensors (torch's layout) and the program's DRAM buffers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.formats import Formats
from archsim.formats.number import Array
from archsim.program.ir import Buffer, Program
from archsim.program.state import State
from archsim.workload import LstmTensors


@dataclass(frozen=True, slots=True)
class LstmResults:
    """What a run computed, in torch's shapes: output (T, B, H), h_n and c_n (1, B, H), float64 values."""

    output: npt.NDArray[np.float64]
    h_n: npt.NDArray[np.float64]
    c_n: npt.NDArray[np.float64]


def dram_image(tensors: LstmTensors, formats: Formats) -> dict[str, Array]:
    """The input buffers' contents, (slots, entries, width). The two biases are one: b = b_ih + b_hh."""
    weight, accumulator = formats.format("weight"), formats.format("accumulator")
    hidden, cell = formats.format("hidden"), formats.format("cell")
    bias = (tensors.bias_ih.astype(np.float64) + tensors.bias_hh)[None, :, None]
    return {
        "dram.W_ih": weight.from_real(tensors.weight_ih[None]),
        "dram.W_hh": weight.from_real(tensors.weight_hh[None]),
        "dram.bias": accumulator.from_real(bias),
        "dram.x": formats.format("input").from_real(tensors.x.transpose(0, 2, 1)),
        "dram.h_0": hidden.from_real(tensors.h_0.transpose(0, 2, 1)),
        "dram.c_0": cell.from_real(tensors.c_0.transpose(0, 2, 1)),
    }


def results(program: Program, state: State) -> LstmResults:
    """Read output, h_n and c_n from DRAM after a run."""
    return LstmResults(*(_real(program, state, name) for name in ("dram.output", "dram.h_n", "dram.c_n")))


def _real(program: Program, state: State, name: str) -> npt.NDArray[np.float64]:
    buffer = _buffer(program, name)
    stored = state.array(buffer).transpose(0, 2, 1)
    return np.ascontiguousarray(buffer.number_format.to_real(stored))


def _buffer(program: Program, name: str) -> Buffer:
    return next(buffer for buffer in program.buffers if buffer.name == name)
