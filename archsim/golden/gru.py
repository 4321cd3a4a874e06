"""The GRU layer in float64, from its definition.

Source: the equations of torch.nn.GRU (PyTorch documentation), after Cho et al. (2014):

    r = sigma(W_ir x + b_ir + W_hr h + b_hr)      z = sigma(W_iz x + b_iz + W_hz h + b_hz)
    n = tanh (W_in x + b_in + r * (W_hn h + b_hn))
    h' = (1 - z) * n + z * h

and those of the ONNX operator GRU (opset 22), where this n has linear_before_reset = 1 and the other form is

    n = tanh (W_in x + b_in + W_hn (r * h) + b_hn)

with clip on the input of the three activations and any two functions in place of sigma and tanh.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.golden.functions import SIGMOID, TANH, Activation, Float, Float64, apply
from archsim.golden.sequence import Inside, Lengths, Record, State, clipped, projected, scan, transposed


@dataclass(frozen=True)
class GruWeights:
    """One direction's weights; the rows of the three gates in the order r, z, n.

    weight_ih (3H, I), weight_hh (3H, H), bias_ih and bias_hh (3H) or None.
    """

    weight_ih: Float
    weight_hh: Float
    bias_ih: Float | None = None
    bias_hh: Float | None = None


@dataclass(frozen=True)
class GruOptions:
    """The options of a GRU: activations of the gates r, z and of the candidate n, clip, and direction.

    linear_before_reset is torch's form, not ONNX's default.
    """

    activations: tuple[Activation, Activation] = (SIGMOID, TANH)
    clip: float | None = None
    linear_before_reset: bool = True
    reverse: bool = False


def gru_direction(
    x: Float,
    weights: GruWeights,
    h_0: Float,
    options: GruOptions,
    lengths: Lengths | None = None,
    record: Record | None = None,
) -> tuple[Float64, Float64]:
    """Run one direction of one layer over a whole sequence.

    x (T, B, I); h_0 (B, H); lengths (B) or None. Returns output (T, B, H) and h_n (B, H); `record` sees every step.
    """
    hidden = weights.weight_hh.shape[1]
    to_gates = transposed(weights.weight_hh[: 2 * hidden])
    to_candidate = transposed(weights.weight_hh[2 * hidden :])
    bias = np.zeros(3 * hidden) if weights.bias_hh is None else np.asarray(weights.bias_hh, np.float64)
    if bias.shape != (3 * hidden,):
        raise ValueError(f"bias_hh must have the shape {(3 * hidden,)}, not {bias.shape}")
    gate, candidate = options.activations
    clip = options.clip

    def step(from_input: Float64, state: State) -> tuple[State, Inside]:
        (h,) = state
        both = from_input[:, : 2 * hidden] + h @ to_gates + bias[: 2 * hidden]
        r, z = np.split(apply(gate, clipped(both, clip)), 2, axis=1)
        pre = {"r": both[:, :hidden], "z": both[:, hidden:]}
        vector = None
        if options.linear_before_reset:
            pre |= {"n_x": from_input[:, 2 * hidden :], "n_h": h @ to_candidate + bias[2 * hidden :]}
            from_state = r * pre["n_h"]
        else:
            vector = r * h
            from_state = vector @ to_candidate + bias[2 * hidden :]
        pre["n"] = from_input[:, 2 * hidden :] + from_state
        n = apply(candidate, clipped(pre["n"], clip))
        return ((1.0 - z) * n + z * h,), Inside({"r": r, "z": z, "n": n}, pre, vector)

    gates = projected(x, weights.weight_ih, weights.bias_ih)
    state = (np.asarray(h_0, np.float64),)
    output, (h_n,) = scan(step, gates, state, reverse=options.reverse, lengths=lengths, record=record)
    return output, h_n
