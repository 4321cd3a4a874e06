"""The activation functions that the activation unit evaluates, element by element, in the number format's own type.

Source: the ONNX specification of the recurrent operators (LSTM, GRU, RNN: "activations") with the default parameters
of the operators of the same names (HardSigmoid, LeakyRelu, Elu, ThresholdedRelu); sigmoid and tanh are PyTorch's too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from archsim.formats.number import Array
from archsim.workload.network import FunctionSpec


@dataclass(frozen=True, slots=True)
class Function:
    """A function and the values its parameters have when none are given (None: it has no such parameter)."""

    evaluate: Callable[[Array, float, float], Array]
    alpha: float | None = None
    beta: float | None = None


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
    result: Array = np.where(x > x.dtype.type(alpha), x, x.dtype.type(0))
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


FUNCTIONS: dict[str, Function] = {
    "sigmoid": Function(_sigmoid),
    "tanh": Function(lambda x, _a, _b: np.tanh(x)),
    "relu": Function(lambda x, _a, _b: np.maximum(x, x.dtype.type(0))),
    "affine": Function(_affine, 1.0, 0.0),
    "leakyrelu": Function(_leaky_relu, 0.01),
    "thresholdedrelu": Function(_thresholded_relu, 1.0),
    "scaledtanh": Function(_scaled_tanh, 1.0, 1.0),
    "hardsigmoid": Function(_hard_sigmoid, 0.2, 0.5),
    "elu": Function(_elu, 1.0),
    "softsign": Function(_softsign),
    "softplus": Function(_softplus),
    "identity": Function(lambda x, _a, _b: x.copy()),
}
"""By name; `identity` only moves values past the unit (a projection's sums into h)."""


def evaluate(spec: FunctionSpec, x: Array) -> Array:
    """The function of every element of x, in x's own type."""
    function = FUNCTIONS[spec.name]
    alpha = spec.alpha if spec.alpha is not None else function.alpha
    beta = spec.beta if spec.beta is not None else function.beta
    return function.evaluate(x, alpha or 0.0, beta or 0.0)
