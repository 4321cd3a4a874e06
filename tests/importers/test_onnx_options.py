"""Activations of ONNX's operators, by hand: in order of the directions, alphas and betas to those that take them."""

from __future__ import annotations

from typing import Any

import pytest

from archsim.importers.onnx.onnx_options import layer_options
from archsim.workload import CellKind


def functions(kind: CellKind, names: str, alphas: tuple[float, ...] = (), betas: tuple[float, ...] = ()) -> list[Any]:
    """What becomes of the functions of a bidirectional operator: (name, alpha, beta) each."""
    attrs = {"direction": b"bidirectional", "activations": [name.encode() for name in names.split()]}
    fields, _ = layer_options(kind, attrs | {"activation_alpha": list(alphas), "activation_beta": list(betas)})
    assert fields["bidirectional"] is True
    return [(one.name, one.alpha, one.beta) for one in fields["activations"]]


def test_a_backward_lstm_has_its_own() -> None:
    """HardSigmoid takes both, Elu and LeakyRelu an alpha, Affine both, Tanh and Relu nothing."""
    found = functions(CellKind.LSTM, "HardSigmoid Tanh Elu Affine Relu LeakyRelu", (0.25, 1.5, 2.0, 0.125), (0.5, -1.0))
    assert [name for name, _, _ in found] == ["hardsigmoid", "tanh", "elu", "affine", "relu", "leakyrelu"]
    assert (found[0][1:], found[2][1]) == ((0.25, 0.5), 1.5)
    assert (found[3][1:], found[5][1]) == ((2.0, -1.0), 0.125)


@pytest.mark.parametrize(
    ("kind", "names"),
    [(CellKind.GRU, "Sigmoid Relu HardSigmoid Tanh"), (CellKind.GRU, "HardSigmoid Tanh Sigmoid Relu"),
     (CellKind.RNN, "Relu Tanh"), (CellKind.RNN, "Tanh Relu")],
)  # fmt: skip
def test_functions_stay_with_their_direction(kind: CellKind, names: str) -> None:
    assert [name for name, _, _ in functions(kind, names)] == names.lower().split()


def test_only_where_both_are_relu_it_is_an_option_of_the_layer() -> None:
    attrs = {"direction": b"bidirectional", "activations": [b"Relu", b"Relu"]}
    fields, _ = layer_options(CellKind.RNN, attrs)
    assert fields["nonlinearity"] == "relu"
    assert "activations" not in fields


@pytest.mark.parametrize(
    ("direction", "fields"),
    [(b"forward", {}), (b"reverse", {"reverse": True}), (b"bidirectional", {"bidirectional": True})],
)
def test_directions(direction: bytes, fields: dict[str, Any]) -> None:
    found, layout = layer_options(CellKind.GRU, {"direction": direction, "linear_before_reset": 1, "layout": 1})
    assert {name: found[name] for name in ("reverse", "bidirectional") if name in found} == fields
    assert (found["linear_before_reset"], layout) == (True, 1)
