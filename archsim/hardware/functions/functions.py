"""The activation functions that the activation unit evaluates, element by element, in the number format's own type.

Source: the ONNX specification of the recurrent operators (LSTM, GRU, RNN: "activations"), whose ThresholdedRelu lets
x = alpha pass (the operator of that name does not); sigmoid and tanh are PyTorch's too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from archsim.formats.number import Array
from archsim.workload.network import FunctionSpec


def _sigmoid(x: Array, _alpha: float, _beta: float) -> Array:
    """1 / (1 + exp(-x)) without overflow and without losing the small values of negative x."""
    small = np.exp(-np.abs(x))
    one = x.dtype.type(1)
    result: Array = np.where(x >= 0, one / (one + small), small / (one + small))
    return result


def _elu(x: Array, alpha: float, _beta: float) -> Array:
    result: Array = np.where(x >= 0, x, x.dtype.type(alpha) * np.expm1(np.minimum(x, 0)))
    return result


def _leaky_relu(x: Array, alpha: float, _beta: float) -> Array:
    result: Array = np.where(x >= 0, x, x.dtype.type(alpha) * x)
    return result


def _thresholded_relu(x: Array, alpha: float, _beta: float) -> Array:
    result: Array = np.where(x >= x.dtype.type(alpha), x, x.dtype.type(0))
    return result


def _hard_sigmoid(x: Array, alpha: float, beta: float) -> Array:
    line: Array = x.dtype.type(alpha) * x + x.dtype.type(beta)
    bounded: Array = np.clip(line, x.dtype.type(0), x.dtype.type(1))
    return bounded


def _affine(x: Array, alpha: float, beta: float) -> Array:
    line: Array = x.dtype.type(alpha) * x + x.dtype.type(beta)
    return line


def _scaled_tanh(x: Array, alpha: float, beta: float) -> Array:
    result: Array = x.dtype.type(alpha) * np.tanh(x.dtype.type(beta) * x)
    return result


def _softplus(x: Array, _alpha: float, _beta: float) -> Array:
    result: Array = np.logaddexp(x, x.dtype.type(0))
    return result


def _softsign(x: Array, _alpha: float, _beta: float) -> Array:
    result: Array = x / (x.dtype.type(1) + np.abs(x))
    return result


EVALUATE: Mapping[str, Callable[[Array, float, float], Array]] = {
    "sigmoid": _sigmoid,
    "tanh": lambda x, _a, _b: np.tanh(x),
    "relu": lambda x, _a, _b: np.maximum(x, x.dtype.type(0)),
    "affine": _affine,
    "leakyrelu": _leaky_relu,
    "thresholdedrelu": _thresholded_relu,
    "scaledtanh": _scaled_tanh,
    "hardsigmoid": _hard_sigmoid,
    "elu": _elu,
    "softsign": _softsign,
    "softplus": _softplus,
    "identity": lambda x, _a, _b: x.copy(),
}
"""By name; `identity` only moves values past the unit (a projection's sums into h)."""


def evaluate(function: FunctionSpec, x: Array) -> Array:
    """The function of every element of x, in x's own type; a parameter that it does not have is not used."""
    return EVALUATE[function.name](x, function.alpha or 0.0, function.beta or 0.0)
