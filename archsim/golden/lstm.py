"""One LSTM layer in float64, from its definition.

Source: the equations of torch.nn.LSTM (PyTorch documentation), after Hochreiter and Schmidhuber (1997) with the forget
gate of Gers, Schmidhuber and Cummins (2000):

    i = sigma(W_ii x + b_ii + W_hi h + b_hi)      f = sigma(W_if x + b_if + W_hf h + b_hf)
    g = tanh (W_ig x + b_ig + W_hg h + b_hg)      o = sigma(W_io x + b_io + W_ho h + b_ho)
    c' = f * c + i * g                            h' = o * tanh(c')
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.floating]
Float64 = npt.NDArray[np.float64]


def lstm(
    x: Float, weight_ih: Float, weight_hh: Float, bias_ih: Float, bias_hh: Float, h_0: Float, c_0: Float
) -> tuple[Float64, Float64, Float64]:
    """Run one layer over a whole sequence.

    x (T, B, I); weight_ih (4H, I), weight_hh (4H, H), bias_ih and bias_hh (4H) with the gates in the order i, f, g, o;
    h_0 and c_0 (1, B, H). Returns output (T, B, H), h_n (1, B, H) and c_n (1, B, H).
    """
    steps, batch, _ = x.shape
    hidden = weight_hh.shape[1]
    recurrent = np.ascontiguousarray(np.transpose(weight_hh), np.float64)
    from_input = np.asarray(x, np.float64) @ np.asarray(weight_ih, np.float64).T
    from_input += np.asarray(bias_ih, np.float64) + np.asarray(bias_hh, np.float64)
    h = np.asarray(h_0[0], np.float64)
    c = np.asarray(c_0[0], np.float64)
    output = np.empty((steps, batch, hidden), np.float64)
    for t in range(steps):
        i, f, g, o = np.split(from_input[t] + h @ recurrent, 4, axis=1)
        c = logistic(f) * c + logistic(i) * np.tanh(g)
        h = logistic(o) * np.tanh(c)
        output[t] = h
    return output, h[None], c[None]


def logistic(z: Float64) -> Float64:
    """1 / (1 + exp(-z)), written with tanh so that no z overflows."""
    half: Float64 = 0.5 * (1.0 + np.tanh(0.5 * z))
    return half
