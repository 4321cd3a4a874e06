"""Layers on top of each other, each in one or two directions.

Source: torch.nn.LSTM, GRU and RNN (PyTorch documentation): the input of a layer is the output of the one below, the two
directions side by side; h_n and c_n hold layer 0 forward, layer 0 reverse, layer 1 forward, and so on. The sum, product
or mean of two directions: keras.layers.Bidirectional, merge_mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsim.golden.functions import Float, Float64
from archsim.golden.gru import GruOptions, GruWeights, gru_direction
from archsim.golden.lstm import LstmOptions, LstmWeights, lstm_direction
from archsim.golden.rnn import RnnOptions, RnnWeights, rnn_direction
from archsim.golden.sequence import Lengths, Record


@dataclass(frozen=True)
class Direction:
    """One direction of one layer: weights and options of one kind, h_0 (B, P) and, of the LSTM alone, c_0 (B, H)."""

    weights: LstmWeights | GruWeights | RnnWeights
    options: LstmOptions | GruOptions | RnnOptions
    h_0: Float
    c_0: Float | None = None


def merged(outputs: Sequence[Float64], mode: str = "concat") -> Float64:
    """The output of a layer from those of its directions, each (T, B, P)."""
    if mode == "concat":
        return np.concatenate(outputs, axis=2)
    forward, backward = outputs
    match mode:
        case "sum":
            return forward + backward
        case "mul":
            return forward * backward
        case "ave":
            return (forward + backward) / 2
    raise ValueError(f"unknown merge mode {mode!r}: one of concat, sum, mul, ave")


def run_stack(
    x: Float, layers: Sequence[Sequence[Direction]], lengths: Lengths | None = None, modes: Sequence[str] = ()
) -> tuple[Float64, Float64, Float64 | None]:
    """Run all layers, each 1 or 2 directions (D), all of one kind, over x (T, B, I).

    `modes`: for each layer how its directions are merged; side by side if left out. Returns output (T, B, D * P), or
    (T, B, P) of a last layer whose directions are merged, h_n (L * D, B, P) and, of the LSTM alone, c_n (L * D, B, H).
    A direction goes the way its options say.
    """
    output = np.asarray(x, np.float64)
    h_n: list[Float64] = []
    c_n: list[Float64] = []
    for number, layer in enumerate(layers):
        results = [run_direction(output, direction, lengths) for direction in layer]
        output = merged([sequence for sequence, _, _ in results], modes[number] if modes else "concat")
        h_n += [h for _, h, _ in results]
        c_n += [c for _, _, c in results if c is not None]
    if c_n and len(c_n) != len(h_n):
        raise ValueError("some layers have a cell state and others have none: all must be of one kind")
    return output, np.stack(h_n), np.stack(c_n) if c_n else None


def run_direction(
    x: Float, direction: Direction, lengths: Lengths | None = None, record: Record | None = None
) -> tuple[Float64, Float64, Float64 | None]:
    """Output (T, B, P), h_n (B, P), c_n (B, H) or None of one direction over x (T, B, I); `record` sees each step."""
    match direction:
        case Direction(LstmWeights() as lstm, LstmOptions() as options, h_0, c_0) if c_0 is not None:
            return lstm_direction(x, lstm, h_0, c_0, options, lengths, record)
        case Direction(GruWeights() as gru, GruOptions() as options, h_0, None):
            return (*gru_direction(x, gru, h_0, options, lengths, record), None)
        case Direction(RnnWeights() as rnn, RnnOptions() as options, h_0, None):
            return (*rnn_direction(x, rnn, h_0, options, lengths, record), None)
    weights, options_ = type(direction.weights).__name__, type(direction.options).__name__
    cell = "no c_0" if direction.c_0 is None else "a c_0"
    raise TypeError(f"{weights}, {options_} and {cell} do not make one kind of layer")
