"""Runs the golden model on a workload's tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from archsim.golden.functions import Activation
from archsim.golden.gru import GruOptions, GruWeights
from archsim.golden.lstm import LstmOptions, LstmWeights
from archsim.golden.rnn import RnnOptions, RnnWeights
from archsim.golden.stack import Direction, run_stack
from archsim.golden.trajectory import Traces, trace_stack
from archsim.workload import CellKind, CellSpec, CellTensors, NetworkSpec, NetworkTensors

Float64 = npt.NDArray[np.float64]


def golden_results(tensors: NetworkTensors, spec: NetworkSpec) -> Mapping[str, Sequence[Float64]]:
    """The golden model's output (T, B, D P), h_n (B, P) of each cell and c_n (B, H) of each LSTM cell."""
    sequence = np.asarray(tensors.x, np.float64)
    h_n: list[Float64] = []
    c_n: list[Float64] = []
    for number, layer in enumerate(directions(tensors, spec)):  # one by one: run_stack takes layers of one kind
        sequence, h, c = run_stack(sequence, [layer], _lengths(spec), [spec.merge_mode(number)])
        h_n += list(h)
        c_n += [] if c is None else list(c)
    return {"output": [sequence], "h_n": h_n, "c_n": c_n}


def golden_traces(tensors: NetworkTensors, spec: NetworkSpec) -> Traces:
    """What the golden model's run passes through in each layer and direction.

    Holds some 16 float64 numbers for each hidden unit, time step and sequence.
    """
    return trace_stack(np.asarray(tensors.x, np.float64), directions(tensors, spec), _lengths(spec), spec.merge_modes)


def directions(tensors: NetworkTensors, spec: NetworkSpec) -> list[list[Direction]]:
    """The golden model's layers, each with its directions."""
    numbers = iter(tensors.cells)
    return [[_direction(cell, next(numbers)) for cell in layer] for layer in spec.layers]


def _lengths(spec: NetworkSpec) -> npt.NDArray[np.int64] | None:
    return None if spec.lengths is None else np.array(spec.lengths)


def _present(weight_hh: npt.NDArray[np.float32] | None) -> npt.NDArray[np.float32]:
    """The W_hh of a cell that has one."""
    assert weight_hh is not None
    return weight_hh


def _direction(cell: CellSpec, t: CellTensors) -> Direction:
    functions = tuple(Activation(f.name, f.alpha, f.beta) for f in cell.functions)
    match cell.kind:
        case CellKind.LSTM:
            return Direction(
                LstmWeights(
                    t.weight_ih, _present(t.weight_hh), t.bias_ih, t.bias_hh, t.weight_hr, t.peephole, t.layer_norm
                ),
                LstmOptions(
                    activations=(functions[0], functions[1], functions[2]),
                    clip=cell.clip,
                    input_forget=cell.input_forget,
                    reverse=cell.reverse,
                ),
                t.h_0,
                t.c_0,
            )
        case CellKind.GRU:
            return Direction(
                GruWeights(t.weight_ih, _present(t.weight_hh), t.bias_ih, t.bias_hh),
                GruOptions(
                    activations=(functions[0], functions[1]),
                    clip=cell.clip,
                    linear_before_reset=cell.linear_before_reset,
                    reverse=cell.reverse,
                ),
                t.h_0,
            )
        case CellKind.RNN | CellKind.LINEAR:
            return Direction(
                RnnWeights(t.weight_ih, t.weight_hh, t.bias_ih, t.bias_hh),
                RnnOptions(activation=functions[0], clip=cell.clip, reverse=cell.reverse),
                t.h_0,
            )
