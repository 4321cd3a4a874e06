"""The simple recurrent (Elman) layer in float64, from its definition.

Source: the equation of torch.nn.RNN (PyTorch documentation), after Elman (1990):

    h' = tanh(W_ih x + b_ih + W_hh h + b_hh)

where torch also takes relu, and the ONNX operator RNN (opset 22) any of its functions, with clip on their input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.golden.functions import TANH, Activation, Float, Float64, apply
from archsim.golden.sequence import Inside, Lengths, Record, State, clipped, projected, scan, transposed


@dataclass(frozen=True)
class RnnWeights:
    """One direction's weights: weight_ih (H, I), weight_hh (H, H), bias_ih and bias_hh (H) or None.

    Without weight_hh it is a linear layer (torch.nn.Linear) with a function: nothing passes from step to step.
    """

    weight_ih: Float
    weight_hh: Float | None
    bias_ih: Float | None = None
    bias_hh: Float | None = None


@dataclass(frozen=True)
class RnnOptions:
    """The one activation, and the clip on its input."""

    activation: Activation = TANH
    clip: float | None = None
    reverse: bool = False


def rnn_direction(
    x: Float,
    weights: RnnWeights,
    h_0: Float,
    options: RnnOptions,
    lengths: Lengths | None = None,
    record: Record | None = None,
) -> tuple[Float64, Float64]:
    """Run one direction of one layer over a whole sequence.

    x (T, B, I); h_0 (B, H); lengths (B) or None. Returns output (T, B, H) and h_n (B, H); `record` sees every step.
    """
    recurrent = None if weights.weight_hh is None else transposed(weights.weight_hh)

    def step(from_input: Float64, state: State) -> tuple[State, Inside]:
        (h,) = state
        pre = from_input if recurrent is None else from_input + h @ recurrent
        return (apply(options.activation, clipped(pre, options.clip)),), Inside({}, {"h": pre})

    gates = projected(x, weights.weight_ih, weights.bias_ih, weights.bias_hh)
    state = (np.asarray(h_0, np.float64),)
    output, (h_n,) = scan(step, gates, state, reverse=options.reverse, lengths=lengths, record=record)
    return output, h_n
