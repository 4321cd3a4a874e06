"""Keras' activations as ONNX functions, by hand: hard_sigmoid of each version, and each direction with its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archsim.importers.found import Refused
from archsim.importers.keras.keras_config import KerasLayer
from archsim.importers.keras.keras_layer import KerasCell, keras_layer

OLD, NEW = {"name": "hardsigmoid", "alpha": 0.2, "beta": 0.5}, {"name": "hardsigmoid", "alpha": 1 / 6, "beta": 0.5}
TANH, RELU, SIGMOID = {"name": "tanh"}, {"name": "relu"}, {"name": "sigmoid"}


def cell(gates: int, bias_rows: int = 1) -> KerasCell:
    """Three inputs, two units."""
    bias = np.ones((bias_rows, 2 * gates) if bias_rows > 1 else 2 * gates, np.float32)
    return KerasCell(np.ones((3, 2 * gates), np.float32), np.ones((2, 2 * gates), np.float32), bias)


def functions(version: str, kind: str, *directions: dict[str, Any], bias_rows: int = 1) -> list[dict[str, Any]]:
    """The functions of a layer's directions, those that are given of each."""
    gates = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}[kind]
    words = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}[kind]
    layer = KerasLayer("a", words, directions[0], directions[1] if len(directions) > 1 else None)
    found = keras_layer("a", [cell(gates, bias_rows)] * len(directions), layer, version, None)
    given = found.config.activations or ()
    return [{k: v for k, v in one.model_dump().items() if v is not None} for one in given]


@pytest.mark.parametrize(
    ("version", "gate"), [("1.2.2", OLD), ("2.2.4-tf", OLD), ("2.15.0", OLD), ("3.0.0", NEW), ("3.13.1", NEW)]
)
@pytest.mark.parametrize(("kind", "cells"), [("LSTM", 2), ("GRU", 1)])
def test_hard_sigmoid_is_that_of_the_version(version: str, gate: dict[str, Any], kind: str, cells: int) -> None:
    """0.2 x + 0.5 before Keras 3, relu6(x + 3) / 6 = x / 6 + 0.5 in it."""
    found = functions(version, kind, {"recurrent_activation": "hard_sigmoid", "activation": "tanh"})
    assert found == [gate, *[TANH] * cells]


def test_without_a_version_it_is_refused() -> None:
    with pytest.raises(Refused, match="depends on Keras' version"):
        functions("", "LSTM", {"recurrent_activation": "hard_sigmoid"})


def test_a_backward_layer_has_functions_of_its_own() -> None:
    forward = {"activation": "relu", "recurrent_activation": "sigmoid"}
    backward = {"activation": "tanh", "recurrent_activation": "hard_sigmoid"}
    assert functions("3.1.0", "LSTM", forward, backward) == [SIGMOID, RELU, RELU, NEW, TANH, TANH]
    assert functions("3.1.0", "LSTM", backward, forward) == [NEW, TANH, TANH, SIGMOID, RELU, RELU]
    assert functions("2.1.0", "GRU", forward, backward) == [SIGMOID, RELU, OLD, TANH]
    assert functions("3.1.0", "SimpleRNN", {"activation": "relu"}, {"activation": "tanh"}) == [RELU, TANH]


def test_what_a_backward_layer_leaves_out_is_the_default_and_not_the_forward_layer_s() -> None:
    assert functions("3.1.0", "LSTM", {"activation": "relu"}, {}) == [SIGMOID, RELU, RELU, SIGMOID, TANH, TANH]


@pytest.mark.parametrize("wrong", [{"units": 3}, {"use_bias": False}])
def test_options_that_contradict_the_weights_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="contradict each other|units in the configuration"):
        functions("3.1.0", "LSTM", wrong)


def test_directions_that_reset_differently_are_refused() -> None:
    """The bias of one row says nothing of reset_after; only the options do."""
    with pytest.raises(Refused, match="reset_after"):
        functions("3.1.0", "GRU", {"reset_after": False}, {"reset_after": True})
