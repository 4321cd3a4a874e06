"""The activation functions against their definitions, their defaults, and at the ends of the number range."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from archsim.golden import Activation, apply

X = [-3.0, -1.0, -0.25, 0.0, 0.25, 1.0, 3.0]

DEFINITIONS: dict[Activation, Callable[[float], float]] = {
    Activation("sigmoid"): lambda x: 1 / (1 + math.exp(-x)),
    Activation("tanh"): lambda x: (1 - math.exp(-2 * x)) / (1 + math.exp(-2 * x)),
    Activation("relu"): lambda x: max(0.0, x),
    Activation("affine"): lambda x: x,
    Activation("affine", alpha=2.0): lambda x: 2 * x,
    Activation("affine", alpha=-0.5, beta=3.0): lambda x: -0.5 * x + 3,
    Activation("leakyrelu"): lambda x: x if x >= 0 else 0.01 * x,
    Activation("leakyrelu", alpha=0.5): lambda x: x if x >= 0 else 0.5 * x,
    Activation("thresholdedrelu"): lambda x: x if x >= 1 else 0.0,
    Activation("thresholdedrelu", alpha=-0.25): lambda x: x if x >= -0.25 else 0.0,
    Activation("scaledtanh", alpha=1.5, beta=0.5): lambda x: 1.5 * math.tanh(0.5 * x),
    Activation("hardsigmoid"): lambda x: min(max(0.2 * x + 0.5, 0), 1),
    Activation("hardsigmoid", alpha=0.5): lambda x: min(max(0.5 * x + 0.5, 0), 1),
    Activation("hardsigmoid", beta=0.0): lambda x: min(max(0.2 * x, 0), 1),
    Activation("elu"): lambda x: x if x >= 0 else math.exp(x) - 1,
    Activation("elu", alpha=2.0): lambda x: x if x >= 0 else 2 * (math.exp(x) - 1),
    Activation("softsign"): lambda x: x / (1 + abs(x)),
    Activation("softplus"): lambda x: math.log(1 + math.exp(x)),
}


@pytest.mark.parametrize("activation", DEFINITIONS, ids=str)
def test_definition(activation: Activation) -> None:
    want = [DEFINITIONS[activation](x) for x in X]
    got = apply(activation, np.array(X, np.float32).reshape(-1, 1))
    assert got.dtype == np.float64
    assert got.shape == (len(X), 1)
    np.testing.assert_allclose(got[:, 0], want, rtol=1e-15, atol=1e-16)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("sigmoid", 0.0, 1.0),
        ("tanh", -1.0, 1.0),
        ("relu", 0.0, 1e6),
        ("hardsigmoid", 0.0, 1.0),
        ("elu", -1.0, 1e6),
        ("softplus", 0.0, 1e6),
    ],
)
def test_far_out(name: str, low: float, high: float) -> None:
    """No overflow on the way (every warning is an error here)."""
    assert apply(Activation(name), np.array([-1e6, 1e6])).tolist() == [low, high]


def test_small_differences_survive() -> None:
    """exp(x) - 1 and log(1 + exp(x)) lose no digits where the result is small."""
    tiny = np.array([-1e-12])
    assert apply(Activation("elu"), tiny)[0] == pytest.approx(-1e-12 + 5e-25, rel=1e-15)
    assert apply(Activation("softplus"), np.array([-40.0]))[0] == pytest.approx(math.exp(-40.0), rel=1e-15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "Sigmoid"}, "unknown activation 'Sigmoid'"),
        ({"name": "tanh", "alpha": 1.0}, "tanh has no alpha"),
        ({"name": "leakyrelu", "beta": 1.0}, "leakyrelu has no beta"),
        ({"name": "scaledtanh", "beta": 1.0}, "scaledtanh has no default alpha"),
    ],
)
def test_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Activation(**arguments)
