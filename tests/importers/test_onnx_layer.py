"""One recurrent operator of ONNX by hand: gates moved, shapes, options and codes at their edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archsim.importers.found import FoundLayer, Refused
from archsim.importers.onnx.onnx_layer import onnx_layer
from archsim.importers.onnx.onnx_options import layer_options
from archsim.importers.onnx.onnx_quantized import behind_dequantize, input_note, words
from archsim.workload.network import CellKind
from tests.importers.onnx_scopes import node, scope_of

I, H = 3, 2
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def rising(gates: int, columns: int, start: float = 1) -> np.ndarray:
    """(gates H, columns): the number of a gate's rows is its place, from `start`."""
    return (np.repeat(np.arange(gates), H) + start)[:, None] * np.ones((1, columns), np.float32)


def tensors(kind: str = "LSTM", directions: int = 1) -> dict[str, np.ndarray]:
    gates = GATES[kind]
    both = np.concatenate([rising(gates, 1, 21).ravel(), rising(gates, 1, 31).ravel()])
    made = {"W": rising(gates, I), "R": rising(gates, H, 11), "B": both, "P": rising(3, 1, 41).ravel()}
    return {
        name: np.stack([array + 100 * side for side in range(directions)]).astype("f4") for name, array in made.items()
    }


def read(inputs: str, stored: dict[str, Any], kind: str = "LSTM", **attributes: Any) -> FoundLayer:
    made = node(kind, inputs, "Y", **attributes)
    return onnx_layer(scope_of([made], stored, {"X": [5, 2, I]}), made, "a")


def refusal(inputs: str, stored: dict[str, Any], kind: str = "LSTM", **attributes: Any) -> str:
    with pytest.raises(Refused) as caught:
        read(inputs, stored, kind, **attributes)
    return str(caught.value)


def gates_of(tensor: np.ndarray) -> list[float]:
    return [float(gate.flat[0]) for gate in tensor.reshape(-1, H, *tensor.shape[1:])]


@pytest.mark.parametrize(("kind", "order"), [("LSTM", [0, 2, 3, 1]), ("GRU", [1, 0, 2]), ("RNN", [0])])
def test_gates_in_torchs_order(kind: str, order: list[int]) -> None:
    """i, o, f, c are torch's first, last, second and third; z, r, h are its second, first and third."""
    found = read("X W R B", tensors(kind, 2), kind, direction="bidirectional")
    for side, name in ((0, ""), (100, "_reverse")):
        for what, start in (("weight_ih", 1), ("weight_hh", 11), ("bias_ih", 21), ("bias_hh", 31)):
            assert gates_of(found.tensors[f"{what}_l0{name}"]) == [side + start + place for place in order]
    assert (found.input_size, found.config.hidden_size, found.config.bias) == (I, H, True)
    assert not read("X W R", tensors(kind), kind).config.bias


def test_peepholes_are_i_o_f_and_ours_i_f_o() -> None:
    found = read("X W R - - - - P", tensors())
    assert gates_of(found.tensors["peephole_l0"]) == [41, 43, 42]
    assert (found.config.peepholes, found.config.bias) == (True, False)


@pytest.mark.parametrize(
    ("changes", "inputs", "said"),
    [
        ({"W": (1, 8)}, "X W R", "its weights W and R must have three dimensions"),
        ({"R": (1, 8, 2, 1)}, "X W R", "its weights W and R must have three dimensions"),
        ({"W": (1, 6, 3)}, "X W R", "its W has shape [1, 6, 3], expected [1, 8, 3]"),
        ({"W": (2, 8, 3)}, "X W R", "its W has shape [2, 8, 3], expected [1, 8, 3]"),
        ({"R": (1, 8, 3)}, "X W R", "its W has shape [1, 8, 3], expected [1, 12, 3]"),
        ({"B": (1, 8)}, "X W R B", "its B has shape [1, 8], expected [1, 16]"),
        ({"P": (1, 8)}, "X W R - - - - P", "its P has shape [1, 8], expected [1, 6]"),
        ({"W": (1, 8, 0)}, "X W R", "its W has no numbers"),
        ({}, "X W", "its input R is missing"),
        ({}, "X - R", "its input W is missing"),
        ({}, "- W R", "its input X is missing"),
        ({}, "X W R - - - - P P", "has 9 inputs, expected at most 8"),
    ],
)
def test_weights_that_are_refused(changes: dict[str, tuple[int, ...]], inputs: str, said: str) -> None:
    stored = tensors() | {name: np.ones(shape, np.float32) for name, shape in changes.items()}
    assert refusal(inputs, stored) == said


def test_a_gru_has_six_inputs_and_hidden_size_is_that_of_r() -> None:
    assert refusal("X W R - - - P", tensors("GRU"), "GRU") == "has 7 inputs, expected at most 6"
    assert refusal("X W R", tensors(), hidden_size=3) == "its hidden_size is 3, but R is for 2 units"
    assert read("X W R", tensors(), hidden_size=2).config.hidden_size == 2
    whole = tensors() | {"W": np.ones((1, 8, 3), np.int32)}
    assert refusal("X W R", whole) == "its weights W are int32, expected floating-point numbers"
    assert refusal("X X R", tensors()).startswith("its weights W are the graph's input 'X', not constants")


@pytest.mark.parametrize("lengths", [[0, 1], [[1, 2]], [1.0], []])
def test_lengths_that_are_refused(lengths: Any) -> None:
    given = np.array(lengths, np.float32 if lengths == [1.0] else np.int32)
    assert refusal("X W R - n", tensors() | {"n": given}).endswith("are not one whole number above 0 each")


def test_lengths_and_states_are_for_one_batch() -> None:
    stored: dict[str, Any] = tensors() | {"n": np.array([1, 5], np.int32)}
    found = read("X W R - n", stored)
    assert (found.sequence_lens, found.notes) == ((1, 5), ())
    for batch, fits in ((2, True), (1, False), (3, False)):
        stored["h"] = np.ones((1, batch, H), np.float32)
        if fits:
            assert read("X W R - n h", stored).h_0 is not None
        else:
            said = "its sequence_lens and its initial state are for different numbers of sequences"
            assert refusal("X W R - n h", stored) == said
    noted = read("X W R - X", tensors())
    assert noted.sequence_lens is None
    assert noted.notes == ("sequence_lens is the graph's input 'X': the workload runs all sequences to the end",)


@pytest.mark.parametrize(
    ("kind", "attributes", "said"),
    [
        (CellKind.LSTM, {"clip": 0.0}, "its clip is 0, expected a number above 0"),
        (CellKind.LSTM, {"clip": -1.0}, "its clip is -1, expected a number above 0"),
        (CellKind.LSTM, {"clip": float("inf")}, "its clip is inf, expected a number above 0"),
        (CellKind.LSTM, {"layout": 2}, "its layout is 2, expected 0 or 1"),
        (CellKind.LSTM, {"layout": -1}, "its layout is -1, expected 0 or 1"),
        (CellKind.LSTM, {"linear_before_reset": 1}, "its attribute 'linear_before_reset' is not known"),
        (CellKind.GRU, {"input_forget": 1}, "its attribute 'input_forget' is not known"),
        (CellKind.RNN, {"hidden_size": 2.0}, "its attribute hidden_size has the wrong type"),
        (CellKind.RNN, {"direction": b"both"}, "its direction is 'both', expected forward, reverse or bidirectional"),
        (CellKind.RNN, {"activations": [b"Tanh", b"Tanh"]}, "has 2 activations, expected 1"),
        (CellKind.RNN, {"activations": [b"Cosh"]}, "its activation 'cosh' is not known"),
        (CellKind.RNN, {"activations": [b"Elu"], "activation_alpha": [1.0, 2.0]},
         "its activation_alpha has more numbers than there are functions that take one"),
        (CellKind.RNN, {"activations": [b"Elu"], "activation_beta": [1.0]},
         "its activation_beta has more numbers than there are functions that take one"),
        (CellKind.RNN, {"activations": [b"Elu"], "activation_alpha": [1.1e6]},
         "its activation elu has the parameter 1.1e+06, beyond 1e6"),
        (CellKind.RNN, {"activations": [b"Affine"], "activation_beta": [-1.1e6]},
         "its activation affine has the parameter -1.1e+06, beyond 1e6"),
        (CellKind.RNN, {"activations": [b"ScaledTanh"], "activation_alpha": [1.0]},
         "its activation ScaledTanh has no alpha or no beta, and ONNX names no default"),
        (CellKind.RNN, {"activations": [b"ScaledTanh"], "activation_beta": [1.0]},
         "its activation ScaledTanh has no alpha or no beta, and ONNX names no default"),
    ],
)  # fmt: skip
def test_options_that_are_refused(kind: CellKind, attributes: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as caught:
        layer_options(kind, attributes)
    assert str(caught.value) == said


def test_options_at_the_edge() -> None:
    """The largest float stands for no clip; 1e6 is the largest parameter; what is not 0 is true."""
    largest = float(np.finfo(np.float32).max)
    assert "clip" not in layer_options(CellKind.LSTM, {"clip": largest})[0]
    assert layer_options(CellKind.LSTM, {"clip": 1e-3})[0]["clip"] == 1e-3
    (elu,) = layer_options(CellKind.RNN, {"activations": [b"Elu"], "activation_alpha": [1e6]})[0]["activations"]
    assert (elu.alpha, elu.beta) == (1e6, None)
    (affine,) = layer_options(CellKind.RNN, {"activations": [b"Affine"], "activation_beta": [-1e6]})[0]["activations"]
    assert affine.beta == -1e6
    assert layer_options(CellKind.GRU, {}) == ({"linear_before_reset": False}, 0)
    assert layer_options(CellKind.LSTM, {"input_forget": 2})[0] == {"input_forget": True}
    assert layer_options(CellKind.RNN, {"activations": [b"RELU"]})[0] == {"nonlinearity": "relu"}
    assert layer_options(CellKind.RNN, {"activations": [b"Tanh"], "hidden_size": 7})[0] == {"hidden_size": 7}
    assert "nonlinearity" not in layer_options(CellKind.GRU, {"activations": [b"Relu", b"Relu"]})[0]


CODES = np.arange(16, dtype=np.int8).reshape(2, 4, 2)


def weight(scale: Any, zero: Any = None, codes: np.ndarray = CODES, **attributes: Any) -> Any:
    made = node("DequantizeLinear", "c s" + ("" if zero is None else " z"), "w", **attributes)
    stored = {"c": codes, "s": np.asarray(scale, np.float32)} | (
        {} if zero is None else {"z": np.asarray(zero, np.int8)}
    )
    return behind_dequantize(scope_of([made], stored), "w")


def test_codes_behind_dequantize_keep_scales_of_rows() -> None:
    """One for all; along axis 0 one for each direction; along 1, the default, one a row; along 2 they are no codes."""
    whole = weight(0.5, 3)
    assert [(one.scale.tolist(), one.zero.tolist()) for one in whole.codes] == [(0.5, 3)] * 2
    sides = weight([0.5, 2.0], [1, 2], axis=0)
    assert [(one.scale.tolist(), one.zero.tolist()) for one in sides.codes] == [(0.5, 1), (2.0, 2)]
    ways: tuple[dict[str, Any], ...] = ({}, {"axis": 1}, {"axis": -2})
    for attributes in ways:
        rows = weight([1.0, 2.0, 3.0, 4.0], [0, 0, 0, 1], **attributes)
        assert [(one.scale.tolist(), one.zero.tolist()) for one in rows.codes] == [([1, 2, 3, 4], [0, 0, 0, 1])] * 2
        assert rows.codes[1].values.tolist() == CODES[1].tolist()
        assert rows.real[1, 3].tolist() == [52, 56], "4 (14 - 1), 4 (15 - 1)"
    bare = weight([1.0, 2.0, 3.0, 4.0])
    assert [one.zero.tolist() for one in bare.codes] == [[0] * 4] * 2, "without zero points they are 0"
    columns = weight([1.0, 2.0], axis=2)
    assert (columns.codes, columns.real.shape) == ((), (2, 4, 2))
    assert weight(0.5, codes=CODES[0]).codes == ()
    with pytest.raises(Refused, match="a scale of its weights is not above 0"):
        weight(0.0)
    assert behind_dequantize(scope_of([node("Identity", "c")], {"c": CODES}), "y") is None


def test_what_is_said_of_a_rounded_input() -> None:
    """QuantizeLinear and back, with the first scale and the type of the zero point, uint8 if there is none."""
    back = node("DequantizeLinear", "q s z", "x")
    stored = {"s": np.float32(0.25), "z": np.int8(-3)}

    def note(*nodes: Any, value: str = "x") -> str:
        return input_note(scope_of(nodes, stored, {"X": [5, 2, I]}), value)

    there = node("QuantizeLinear", "X s z", "q")
    assert note(there, back).startswith(
        "its input is rounded to int8 in the model (QuantizeLinear, scale 0.25, zero point -3)"
    )
    assert note(node("QuantizeLinear", "X s", "q"), back).startswith(
        "its input is rounded to uint8 in the model (Quant"
    )
    assert note(node("QuantizeLinear", "X X", "q"), back).endswith("here it has the machine's format for x")
    assert note(there, back, node("Identity", "x", "i"), value="i") == note(there, back)
    for nodes in ([node("Relu", "X", "q"), back], [there, node("Relu", "q", "x")], []):
        assert note(*nodes, value="x" if nodes else "X") == ""
    row, matrix = (weight(scale, codes=CODES).codes[0] for scale in ([1.0] * 4, 1.0))
    stay = "and stay so on a machine whose weights are intN"
    assert words({"a": matrix}) == f"weights are int8 with a scale for each matrix, {stay}"
    assert words({"a": matrix, "b": row}) == f"weights are int8 with a scale for each row, {stay}"
