"""Delta networks in float64, from their definition.

Source: Neil et al., "Delta Networks for Optimized Recurrent Network Computation" (ICML 2017), in the form of EdgeDRNN
(Gao et al., JETCAS 2020). Of every element v of x_t and h_{t-1} the value v^ that was sent last is kept. It is sent
again, and v^ becomes v, only if v differs from v^ by at least the threshold. Sums keep what was sent: M_t = M_{t-1} +
W (v^_t - v^_{t-1}); the bias is an element that is 1 from the first step on. All v^ and M begin with 0. Gates and
states follow from M as in the ordinary cell from its sums. With thresholds 0 it is the ordinary cell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from archsim.golden.functions import Float, Float64, apply
from archsim.golden.gru import GruOptions, GruWeights
from archsim.golden.lstm import LstmOptions, LstmWeights
from archsim.golden.rnn import RnnOptions, RnnWeights
from archsim.golden.stack import Direction


@dataclass(frozen=True)
class DeltaResult:
    """The results of a direction of a layer: output (T, B, P), h_n (B, P), c_n (B, H) of an LSTM; P is H or projected.

    `sent_x` (T, B, I) and `sent_h` (T, B, P): whether each element was sent, of h to the step that makes that output.
    """

    output: Float64
    h_n: Float64
    c_n: Float64 | None
    sent_x: Float64
    sent_h: Float64


def delta_direction(x: Float, direction: Direction, threshold_x: float, threshold_h: float) -> DeltaResult:
    """Run one direction of a layer over x (T, B, I); one in reverse from the last time to the first."""
    if direction.options.reverse:
        forward = replace(direction, options=replace(direction.options, reverse=False))
        found = delta_direction(x[::-1], forward, threshold_x, threshold_h)
        return replace(found, output=found.output[::-1], sent_x=found.sent_x[::-1], sent_h=found.sent_h[::-1])
    x = np.asarray(x, np.float64)
    weights = direction.weights
    w_ih, w_hh = np.asarray(weights.weight_ih, np.float64), np.asarray(weights.weight_hh, np.float64)
    h = np.asarray(direction.h_0, np.float64)
    c = None if direction.c_0 is None else np.asarray(direction.c_0, np.float64)
    from_x = np.zeros((len(h), len(w_ih))) + _bias(weights.bias_ih, len(w_ih))
    from_h = np.zeros((len(h), len(w_hh))) + _bias(weights.bias_hh, len(w_hh))
    last_x, last_h = np.zeros(x.shape[1:]), np.zeros(h.shape)
    output, sent_x, sent_h = np.zeros((len(x), *h.shape)), np.zeros(x.shape), np.zeros((len(x), *h.shape))
    for t, given in enumerate(x):
        delta_x, delta_h = _delta(given, last_x, threshold_x), _delta(h, last_h, threshold_h)
        last_x, last_h = last_x + delta_x, last_h + delta_h
        from_x, from_h = from_x + delta_x @ w_ih.T, from_h + delta_h @ w_hh.T
        h, c = _cell(direction, from_x, from_h, h, c)
        output[t], sent_x[t], sent_h[t] = h, delta_x != 0, delta_h != 0
    return DeltaResult(output, h, c, sent_x, sent_h)


def _delta(now: Float64, sent: Float64, threshold: float) -> Float64:
    """What is sent of each element: its change, if it is at least the threshold, else 0."""
    change = now - sent
    return np.where(np.abs(change) >= threshold, change, 0.0)


def _bias(bias: Float | None, rows: int) -> Float64:
    return np.zeros(rows) if bias is None else np.asarray(bias, np.float64)


def _cell(
    direction: Direction, from_x: Float64, from_h: Float64, h: Float64, c: Float64 | None
) -> tuple[Float64, Float64 | None]:
    """The new states from the sums of x and of h."""
    match direction:
        case Direction(GruWeights(), GruOptions() as gru):
            parts_x, parts_h = np.split(from_x, 3, axis=1), np.split(from_h, 3, axis=1)
            gate, candidate = gru.activations
            r, z = (apply(gate, a + b) for a, b in zip(parts_x[:2], parts_h[:2], strict=True))
            n = apply(candidate, parts_x[2] + r * parts_h[2])
            return (1.0 - z) * n + z * h, None
        case Direction(LstmWeights() as lstm_weights, LstmOptions() as lstm):
            assert c is not None
            gate, candidate, cell = lstm.activations
            i, f, g, o = np.split(from_x + from_h, 4, axis=1)
            c = apply(gate, f) * c + apply(gate, i) * apply(candidate, g)
            h = apply(gate, o) * apply(cell, c)
            return h if lstm_weights.weight_hr is None else h @ np.asarray(lstm_weights.weight_hr, np.float64).T, c
        case Direction(RnnWeights(), RnnOptions() as rnn):
            return apply(rnn.activation, from_x + from_h), None
    raise TypeError("weights and options do not make one kind of layer")
