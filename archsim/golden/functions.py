"""Defines the activation functions of the recurrent layers, in float64.

Source: the list under "Activation functions" of the ONNX operators LSTM, GRU and RNN (opset 22), whose attributes
activation_alpha and activation_beta say "default values are the same as of corresponding ONNX operators". The layers of
torch use sigmoid, tanh and relu alone. The defaults:

    leakyrelu        alpha 0.01              LeakyRelu-16
    thresholdedrelu  alpha 1.0               ThresholdedRelu-22
    hardsigmoid      alpha 0.2, beta 0.5     HardSigmoid-22
    elu              alpha 1.0               Elu-22
    affine           alpha 1.0, beta 0.0     Affine-1, an experimental operator that ONNX has withdrawn
    scaledtanh       none: ScaledTanh-1, also withdrawn, named no default, so that both must be given

At x = alpha, ThresholdedRelu gives x in the recurrent operators ("x if x >= alpha else 0") and 0 in the operator of its
own name ("x > alpha"). The recurrent operators' own text holds here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.floating[Any]]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Activation:
    """A function by its lower-case ONNX name; alpha and beta only where the function has them, None for the default."""

    name: str
    alpha: float | None = None
    beta: float | None = None

    def __post_init__(self) -> None:
        if self.name not in _FUNCTIONS:
            raise ValueError(f"unknown activation {self.name!r}: one of {', '.join(_FUNCTIONS)}")
        _, defaults = _FUNCTIONS[self.name]
        for parameter, given in (("alpha", self.alpha), ("beta", self.beta)):
            if parameter not in defaults and given is not None:
                raise ValueError(f"{self.name} has no {parameter}")
            if parameter in defaults and given is None and defaults[parameter] is None:
                raise ValueError(f"{self.name} has no default {parameter}: give one")


def apply(activation: Activation, x: Float) -> Float64:
    """The activation of every element of x (any shape)."""
    function, defaults = _FUNCTIONS[activation.name]
    given = {"alpha": activation.alpha, "beta": activation.beta}
    parameters = {name: default if given[name] is None else given[name] for name, default in defaults.items()}
    return function(np.asarray(x, np.float64), **parameters)


def _sigmoid(x: Float64) -> Float64:
    """The function 1 / (1 + exp(-x)); the exponential is taken of -|x|, so that no x overflows."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0.0, 1.0, small) / (1.0 + small)


def _tanh(x: Float64) -> Float64:
    return np.tanh(x)


def _relu(x: Float64) -> Float64:
    return np.maximum(x, 0.0)


def _affine(x: Float64, alpha: float, beta: float) -> Float64:
    return alpha * x + beta


def _leakyrelu(x: Float64, alpha: float) -> Float64:
    return np.where(x >= 0.0, x, alpha * x)


def _thresholdedrelu(x: Float64, alpha: float) -> Float64:
    return np.where(x >= alpha, x, 0.0)


def _scaledtanh(x: Float64, alpha: float, beta: float) -> Float64:
    scaled: Float64 = alpha * np.tanh(beta * x)
    return scaled


def _hardsigmoid(x: Float64, alpha: float, beta: float) -> Float64:
    return np.minimum(np.maximum(alpha * x + beta, 0.0), 1.0)


def _elu(x: Float64, alpha: float) -> Float64:
    """The function x if x >= 0 else alpha (exp(x) - 1).

    The exponential is taken of the negative x alone, so none overflows.
    """
    return np.where(x >= 0.0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def _softsign(x: Float64) -> Float64:
    return x / (1.0 + np.abs(x))


def _softplus(x: Float64) -> Float64:
    """The function log(1 + exp(x)), as log(exp(0) + exp(x))."""
    return np.logaddexp(0.0, x)


def _identity(x: Float64) -> Float64:
    """The function of a linear layer that has none; no ONNX operator names it."""
    return x


_FUNCTIONS: dict[str, tuple[Callable[..., Float64], dict[str, float | None]]] = {
    "sigmoid": (_sigmoid, {}),
    "tanh": (_tanh, {}),
    "relu": (_relu, {}),
    "affine": (_affine, {"alpha": 1.0, "beta": 0.0}),
    "leakyrelu": (_leakyrelu, {"alpha": 0.01}),
    "thresholdedrelu": (_thresholdedrelu, {"alpha": 1.0}),
    "scaledtanh": (_scaledtanh, {"alpha": None, "beta": None}),
    "hardsigmoid": (_hardsigmoid, {"alpha": 0.2, "beta": 0.5}),
    "elu": (_elu, {"alpha": 1.0}),
    "softsign": (_softsign, {}),
    "softplus": (_softplus, {}),
    "identity": (_identity, {}),
}
"""Each function and the defaults of its parameters: None where ONNX names no default."""

SIGMOID = Activation("sigmoid")
TANH = Activation("tanh")
