"""The LSTM layer in float64, from its definition.

Source: the equations of torch.nn.LSTM (PyTorch documentation), after Hochreiter and Schmidhuber (1997) with the forget
gate of Gers, Schmidhuber and Cummins (2000):

    i = sigma(W_ii x + b_ii + W_hi h + b_hi)      f = sigma(W_if x + b_if + W_hf h + b_hf)
    g = tanh (W_ig x + b_ig + W_hg h + b_hg)      o = sigma(W_io x + b_io + W_ho h + b_ho)
    c' = f * c + i * g                            h' = o * tanh(c')          with proj_size: h' = W_hr (o * tanh(c'))

and those of the ONNX operator LSTM (opset 22) for what torch has not: peepholes p_i * c and p_f * c (the old cell) and
p_o * c' (the new one) before the activation of i, f and o; clip on the input of those of i, f, g and o;
input_forget, f = 1 - i; and any three activation functions in place of sigma, the tanh of g and the tanh of c'.

Layer normalization is that of TensorFlow Lite's LSTM (lstm_eval.cc, tensor_utils MeanStddevNormalization), after Ba,
Kiros and Hinton (2016): of each gate the sums u of all hidden units, peepholes included and biases not, become

    gamma (u - mean(u)) / sqrt(mean((u - mean(u))^2) + 1e-8) + b
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from archsim.golden.functions import SIGMOID, TANH, Activation, Float, Float64, apply
from archsim.golden.sequence import Inside, Lengths, Record, State, clipped, projected, scan, transposed


@dataclass(frozen=True)
class LstmWeights:
    """One direction's weights; the rows of the four gates in the order i, f, g, o. P is H unless there is a projection.

    weight_ih (4H, I), weight_hh (4H, P), bias_ih and bias_hh (4H) or None, weight_hr (P, H) the projection or None,
    peephole (3H) in the order i, f, o or None. layer_norm (4H), gamma, or None: then nothing is normalized.
    """

    weight_ih: Float
    weight_hh: Float
    bias_ih: Float | None = None
    bias_hh: Float | None = None
    weight_hr: Float | None = None
    peephole: Float | None = None
    layer_norm: Float | None = None


@dataclass(frozen=True)
class LstmOptions:
    """The options of an LSTM: activations (of the gates i, f, o; candidate g; new cell), clip, coupling, direction.

    clip bounds the inputs of i, f, g and o.
    """

    activations: tuple[Activation, Activation, Activation] = (SIGMOID, TANH, TANH)
    clip: float | None = None
    input_forget: bool = False
    reverse: bool = False


def lstm_direction(
    x: Float,
    weights: LstmWeights,
    h_0: Float,
    c_0: Float,
    options: LstmOptions,
    lengths: Lengths | None = None,
    record: Record | None = None,
) -> tuple[Float64, Float64, Float64]:
    """Run one direction of one layer over a whole sequence.

    x (T, B, I); h_0 (B, P) and c_0 (B, H); lengths (B) or None. Returns output (T, B, P), h_n (B, P), c_n (B, H);
    `record` sees every step.
    """
    recurrent = transposed(weights.weight_hh)
    projection = None if weights.weight_hr is None else transposed(weights.weight_hr)
    p_i, p_f, p_o = _peepholes(weights)
    if c_0.shape[1:] != p_i.shape:
        raise ValueError(f"c_0 must be (B, {p_i.size}), not {c_0.shape}")
    gate, candidate, hidden = options.activations
    clip = options.clip
    i_norm, f_norm, g_norm, o_norm = _norms(weights)
    late = weights.layer_norm is not None  # then the biases come behind the normalization

    def step(from_input: Float64, state: State) -> tuple[State, Inside]:
        h, c = state
        i_sum, f_sum, g_sum, o_sum = np.split(from_input + h @ recurrent, 4, axis=1)
        u = {"i": i_sum + p_i * c, "f": f_sum + p_f * c, "g": g_sum}
        pre = {"i": i_norm(u["i"]), "f": f_norm(u["f"]), "g": g_norm(g_sum)}
        i = apply(gate, clipped(pre["i"], clip))
        f = 1.0 - i if options.input_forget else apply(gate, clipped(pre["f"], clip))
        g = apply(candidate, clipped(pre["g"], clip))
        c = f * c + i * g
        u["o"] = o_sum + p_o * c
        pre["o"] = o_norm(u["o"])
        o = apply(gate, clipped(pre["o"], clip))
        tanh_c = apply(hidden, c)
        h = o * tanh_c
        vector = None if projection is None else h
        sums = u if late else {}
        if weights.peephole is not None:
            before = {"i_sum": i_sum, "f_sum": f_sum, "o_sum": o_sum}
            sums, pre = (sums | before, pre) if late else (sums, pre | before)
        inside = Inside({"i": i, "f": f, "g": g, "o": o}, pre, vector, tanh_c, sums)
        return (h if projection is None else h @ projection, c), inside

    gates = projected(x, weights.weight_ih, None if late else weights.bias_ih, None if late else weights.bias_hh)
    state = (np.asarray(h_0, np.float64), np.asarray(c_0, np.float64))
    output, (h_n, c_n) = scan(step, gates, state, reverse=options.reverse, lengths=lengths, record=record)
    return output, h_n, c_n


def _peepholes(weights: LstmWeights) -> tuple[Float64, Float64, Float64]:
    """The weights (H) from the cell to i, f and o; zero where there are none."""
    hidden = weights.weight_ih.shape[0] // 4
    if weights.peephole is None:
        none = np.zeros(hidden)
        return none, none, none
    if weights.peephole.shape != (3 * hidden,):
        raise ValueError(f"peephole must have the shape {(3 * hidden,)}, not {weights.peephole.shape}")
    p_i, p_f, p_o = np.split(np.asarray(weights.peephole, np.float64), 3)
    return p_i, p_f, p_o


Norm = Callable[[Float64], Float64]
"""What becomes of a gate's sums (B, H) before its activation."""


def _norms(weights: LstmWeights) -> tuple[Norm, Norm, Norm, Norm]:
    """The normalization of i, f, g and o, with their biases; nothing where there is none."""
    if weights.layer_norm is None:
        return (lambda u: u,) * 4
    gamma = np.asarray(weights.layer_norm, np.float64)
    bias = np.zeros(gamma.shape)
    for part in (weights.bias_ih, weights.bias_hh):
        bias = bias if part is None else bias + np.asarray(part, np.float64)
    if gamma.shape != weights.weight_ih.shape[:1]:
        raise ValueError(f"layer_norm must have the shape {weights.weight_ih.shape[:1]}, not {gamma.shape}")
    i, f, g, o = (_norm(*of) for of in zip(np.split(gamma, 4), np.split(bias, 4), strict=True))
    return i, f, g, o


def _norm(gamma: Float64, bias: Float64) -> Norm:
    def normalized(u: Float64) -> Float64:
        deviation = u - u.mean(axis=1, keepdims=True)
        variance = (deviation * deviation).mean(axis=1, keepdims=True)
        made: Float64 = gamma * deviation / np.sqrt(variance + 1e-8) + bias
        return made

    return normalized


def lstm(
    x: Float, weight_ih: Float, weight_hh: Float, bias_ih: Float, bias_hh: Float, h_0: Float, c_0: Float
) -> tuple[Float64, Float64, Float64]:
    """Run one layer in one direction, in the shapes of torch.nn.LSTM.

    x (T, B, I); weight_ih (4H, I), weight_hh (4H, H), bias_ih and bias_hh (4H) with the gates in the order i, f, g, o;
    h_0 and c_0 (1, B, H). Returns output (T, B, H), h_n (1, B, H) and c_n (1, B, H).
    """
    weights = LstmWeights(weight_ih, weight_hh, bias_ih, bias_hh)
    output, h_n, c_n = lstm_direction(x, weights, h_0[0], c_0[0], LstmOptions())
    return output, h_n[np.newaxis], c_n[np.newaxis]
