"""Every activation function against its closed form, evaluated one number at a time with Python's own float64 math."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from archsim.hardware.functions.functions import EVALUATE, evaluate
from archsim.workload.config import FunctionConfig
from archsim.workload.network import FUNCTIONS

POINTS = (-1000.0, -88.0, -20.0, -2.5, -1.0, -0.3, -1e-6, 0.0, 1e-6, 0.3, 0.5, 1.0, 2.5, 20.0, 88.0, 1000.0)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


CLOSED_FORMS: dict[str, tuple[dict[str, float], Callable[[float], float]]] = {
    # ONNX's defaults, from the operators of the same names: LeakyRelu 0.01, ThresholdedRelu 1, HardSigmoid 0.2 and 0.5,
    # Elu 1; Affine is 1 x + 0 (the text of the recurrent operators).
    "sigmoid": ({}, sigmoid),
    "tanh": ({}, math.tanh),
    "relu": ({}, lambda x: x if x > 0 else 0.0),
    "affine": ({}, lambda x: x),
    "leakyrelu": ({}, lambda x: x if x >= 0 else 0.01 * x),
    "thresholdedrelu": ({}, lambda x: x if x >= 1 else 0.0),
    "hardsigmoid": ({}, lambda x: max(0.0, min(1.0, 0.2 * x + 0.5))),
    "elu": ({}, lambda x: x if x >= 0 else math.exp(x) - 1),
    "softsign": ({}, lambda x: x / (1 + abs(x))),
    "softplus": ({}, lambda x: math.log1p(math.exp(x)) if x < 30 else x),
    # With parameters of one's own; ScaledTanh has no defaults.
    "affine 3 -2": ({"alpha": 3.0, "beta": -2.0}, lambda x: 3 * x - 2),
    "leakyrelu 0.25": ({"alpha": 0.25}, lambda x: x if x >= 0 else x / 4),
    "thresholdedrelu 0.5": ({"alpha": 0.5}, lambda x: x if x >= 0.5 else 0.0),
    "thresholdedrelu 0": ({"alpha": 0.0}, lambda x: x if x >= 0 else 0.0),
    "scaledtanh 2 0.5": ({"alpha": 2.0, "beta": 0.5}, lambda x: 2 * math.tanh(x / 2)),
    "hardsigmoid 0.5 0.25": ({"alpha": 0.5, "beta": 0.25}, lambda x: max(0.0, min(1.0, x / 2 + 0.25))),
    "hardsigmoid 0 0": ({"alpha": 0.0, "beta": 0.0}, lambda _: 0.0),
    "elu 2": ({"alpha": 2.0}, lambda x: x if x >= 0 else 2 * (math.exp(x) - 1)),
}


@pytest.mark.parametrize("form", CLOSED_FORMS)
def test_closed_form(form: str) -> None:
    """To a few roundings of float32 (2^-24 each), and without a warning where exp would overflow."""
    parameters, function = CLOSED_FORMS[form]
    spec = FunctionConfig(name=form.split()[0], **parameters).spec()
    x = np.array([POINTS], np.float32)
    found = evaluate(spec, x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[function(float(value)) for value in x[0]]], rtol=4 * 2**-24, atol=1e-37)


@pytest.mark.parametrize("name", sorted(EVALUATE))
def test_the_operand_is_left_alone(name: str) -> None:
    parameters = {"alpha": 2.0, "beta": 0.5} if name == "scaledtanh" else {}
    if name == "identity":  # no activation function of a workload: it only moves values
        assert name not in FUNCTIONS
        return
    x = np.array([POINTS], np.float32)
    before = x.copy()
    result = evaluate(FunctionConfig(name=name, **parameters).spec(), x)
    assert not np.shares_memory(result, x)
    np.testing.assert_array_equal(x, before)


def test_every_function_of_a_workload_is_evaluated_and_tested() -> None:
    assert {*FUNCTIONS, "identity"} == set(EVALUATE)
    assert set(FUNCTIONS) == {form.split()[0] for form in CLOSED_FORMS}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": "swish"}, "unknown activation function 'swish'"),
        ({"name": "Tanh"}, "unknown activation function 'Tanh'"),
        ({"name": "identity"}, "unknown activation function 'identity'"),
        ({"name": "tanh", "alpha": 1.0}, "tanh has no alpha"),
        ({"name": "elu", "beta": 1.0}, "elu has no beta"),
        ({"name": "scaledtanh"}, "scaledtanh needs alpha"),
        ({"name": "scaledtanh", "alpha": 1.0}, "scaledtanh needs beta"),
    ],
)
def test_what_is_no_function(fields: dict[str, object], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        FunctionConfig.model_validate(fields)
