"""Between a workload's tensors (torch's layout) and the program's DRAM buffers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.formats import Formats
from archsim.formats.number import Array, Bit
from archsim.program.ir import Buffer, Program
from archsim.program.state import State
from archsim.schedules.network import VALID, cell_prefixes
from archsim.workload.network import CellKind, CellSpec, NetworkSpec
from archsim.workload.tensors import CellTensors, NetworkTensors

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Results:
    """What a run computed: output (T, B, D P); for each cell h_n (B, P) and, of an LSTM, c_n (B, H); float64 values."""

    output: Float64
    h_n: tuple[Float64, ...]
    c_n: tuple[Float64 | None, ...]


def dram_image(tensors: NetworkTensors, spec: NetworkSpec, formats: Formats) -> dict[str, Array]:
    """The input buffers' contents, (slots, entries, width)."""
    image: dict[str, Array] = {} if spec.lengths is None else {VALID: Bit().from_real(_valid_steps(spec))}
    image |= {"dram.x": formats.format("input").from_real(tensors.x.transpose(0, 2, 1))}
    for numbers, cell, prefix in zip(tensors.cells, spec.cells, cell_prefixes(spec), strict=True):
        image |= {f"{prefix}dram.{name}": array for name, array in _cell_image(numbers, cell, formats).items()}
    return image


def results(program: Program, state: State, spec: NetworkSpec) -> Results:
    """Read output, h_n and c_n from DRAM after a run; outputs beyond a sequence's end are 0."""
    buffers = {buffer.name: buffer for buffer in program.buffers}
    prefixes = cell_prefixes(spec)
    c_n = [buffers.get(f"{prefix}dram.c_n") for prefix in prefixes]
    output = _real(buffers["dram.output"], state)
    if spec.lengths is not None:
        output *= _valid_steps(spec).transpose(0, 2, 1)
    return Results(
        output=output,
        h_n=tuple(_real(buffers[f"{prefix}dram.h_n"], state)[0] for prefix in prefixes),
        c_n=tuple(None if buffer is None else _real(buffer, state)[0] for buffer in c_n),
    )


def _valid_steps(spec: NetworkSpec) -> Float64:
    """(T, 1, B): 1 where a sequence has that time step."""
    lengths = np.array(spec.lengths)
    return (np.arange(spec.steps)[:, None, None] < lengths[None, None, :]).astype(np.float64)


def _cell_image(numbers: CellTensors, cell: CellSpec, formats: Formats) -> dict[str, Array]:
    weight, accumulator = formats.format("weight"), formats.format("accumulator")
    image = {
        "W_ih": weight.from_real(numbers.weight_ih[None]),
        "W_hh": weight.from_real(numbers.weight_hh[None]),
        "h_0": formats.format("hidden").from_real(numbers.h_0.T[None]),
    }
    if numbers.bias_ih is not None and numbers.bias_hh is not None:
        image["bias"] = accumulator.from_real(_joined_bias(numbers.bias_ih, numbers.bias_hh, cell)[None, :, None])
    if numbers.weight_hr is not None:
        image["W_hr"] = weight.from_real(numbers.weight_hr[None])
    if numbers.peephole is not None:
        image["peephole"] = accumulator.from_real(numbers.peephole[None, :, None])
    if numbers.c_0 is not None:
        image["c_0"] = formats.format("cell").from_real(numbers.c_0.T[None])
    return image


def _joined_bias(bias_ih: Array, bias_hh: Array, cell: CellSpec) -> Float64:
    """b_ih + b_hh; a GRU that resets after the product keeps the candidate's two apart, b_hn behind the others."""
    both: Float64 = bias_ih.astype(np.float64) + bias_hh
    if cell.kind is CellKind.GRU and cell.linear_before_reset:
        candidate = slice(2 * cell.hidden_size, None)
        return np.concatenate([both[: 2 * cell.hidden_size], bias_ih[candidate], bias_hh[candidate]])
    return both


def _real(buffer: Buffer, state: State) -> Float64:
    """(slots, B, entries) as real numbers."""
    stored = state.array(buffer).transpose(0, 2, 1)
    return np.ascontiguousarray(buffer.number_format.to_real(stored))
