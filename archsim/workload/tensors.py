"""The numbers of a workload: weights, input and initial state, as float32 arrays in torch's layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.errors import Fault, WorkloadError
from archsim.workload.config import Source
from archsim.workload.files import read_tensors
from archsim.workload.spec import LstmSpec, Workload

Float32Array = npt.NDArray[np.float32]

MAX_TENSOR_BYTES = 1 << 33
"""Most bytes of numbers that a run holds (8 GiB); larger workloads can still be timed without arithmetic."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Results of another implementation: output (T, B, H), h_n and c_n (1, B, H)."""

    output: Float32Array
    h_n: Float32Array
    c_n: Float32Array


@dataclass(frozen=True, slots=True)
class LstmTensors:
    """All numbers of one LSTM layer, float32.

    weight_ih (4H, I), weight_hh (4H, H), bias_ih and bias_hh (4H), rows in torch's gate order i, f, g, o;
    x (T, B, I); h_0 and c_0 (1, B, H).
    """

    weight_ih: Float32Array
    weight_hh: Float32Array
    bias_ih: Float32Array
    bias_hh: Float32Array
    x: Float32Array
    h_0: Float32Array
    c_0: Float32Array
    expected: Expected | None


def load_tensors(workload: Workload) -> LstmTensors:
    """Draw or read all numbers; WorkloadError for a missing tensor, a wrong shape, or a number that is not finite."""
    spec, config = workload.spec, workload.config
    _refuse_huge(workload, spec)
    weights = _weights(workload, config.weights, spec)
    x = _input(workload, spec)
    state_shape = (1, spec.batch, spec.hidden_size)
    h_0, c_0 = np.zeros(state_shape, np.float32), np.zeros(state_shape, np.float32)
    if config.initial_state is not None:
        state = config.initial_state
        names = {state.h_0: state_shape, state.c_0: state_shape}
        read = read_tensors(workload.folder / state.file, names)
        h_0, c_0 = read[state.h_0], read[state.c_0]
    expected = None
    if config.expected is not None:
        shapes = {"output": (spec.steps, spec.batch, spec.hidden_size), "h_n": state_shape, "c_n": state_shape}
        read = read_tensors(workload.folder / config.expected.file, shapes)
        expected = Expected(read["output"], read["h_n"], read["c_n"])
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    return LstmTensors(weight_ih, weight_hh, bias_ih, bias_hh, x, h_0, c_0, expected)


def weight_shapes(spec: LstmSpec) -> dict[str, tuple[int, ...]]:
    """torch's names and shapes of the weights of one layer."""
    rows = 4 * spec.hidden_size
    return {
        "weight_ih_l0": (rows, spec.input_size),
        "weight_hh_l0": (rows, spec.hidden_size),
        "bias_ih_l0": (rows,),
        "bias_hh_l0": (rows,),
    }


def _weights(workload: Workload, source: Source, spec: LstmSpec) -> list[Float32Array]:
    shapes = weight_shapes(spec)
    if source.file is None:
        random = np.random.default_rng(source.seed)
        return [_uniform(random, shape, spec) for shape in shapes.values()]
    read = read_tensors(workload.folder / source.file, shapes)
    return [read[name] for name in shapes]


def _input(workload: Workload, spec: LstmSpec) -> Float32Array:
    source = workload.config.input
    shape = (spec.steps, spec.batch, spec.input_size)
    if source.file is None:
        return _uniform(np.random.default_rng(source.seed), shape, spec)
    return read_tensors(workload.folder / source.file, {source.tensor: shape})[source.tensor]


def _uniform(random: np.random.Generator, shape: tuple[int, ...], spec: LstmSpec) -> Float32Array:
    """U(-1/sqrt(H), 1/sqrt(H)), torch's default initialization (torch.nn.LSTM, "Variables")."""
    bound = np.float32(1 / np.sqrt(spec.hidden_size))
    drawn: Float32Array = (random.random(shape, dtype=np.float32) * np.float32(2) - np.float32(1)) * bound
    return drawn


def _refuse_huge(workload: Workload, spec: LstmSpec) -> None:
    width = spec.input_size + spec.hidden_size
    needed = 4 * (4 * spec.hidden_size * width + spec.steps * spec.batch * width)
    if needed > MAX_TENSOR_BYTES:
        message = (
            f"its weights, input and output are {needed:,} bytes, more than the {MAX_TENSOR_BYTES:,} that a run "
            "with arithmetic holds; time it with --timing-only"
        )
        raise WorkloadError((Fault(workload.source, "", message),))
