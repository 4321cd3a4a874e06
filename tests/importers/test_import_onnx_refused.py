"""What of an ONNX file is not supported is named; what is broken or too large is one line."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.importers import find_layers, select
from tests.importers.import_runs import (
    onnx_node,
    onnx_save,
    onnx_stored,
    onnx_weights,
)

T, B, I, H = 5, 2, 3, 4


def changed(
    onnx: ModuleType, weights: dict[str, np.ndarray], op: str = "LSTM", **attributes: Any
) -> tuple[list[Any], list[Any]]:
    options: dict[str, Any] = {"hidden_size": H, **attributes}
    return [onnx_node(onnx, op, weights, **options)], onnx_stored(onnx, weights)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "clip": ({"clip": -1.0}, "its clip is -1, expected a number above 0"),
    "direction": ({"direction": "sideways"}, "its direction is 'sideways', expected forward, reverse or bidirectional"),
    "hidden_size": ({"hidden_size": 5}, "its hidden_size is 5, but R is for 4 units"),
    "layout": ({"layout": 2}, "its layout is 2, expected 0 or 1"),
    "attribute": ({"output_sequence": 1}, "its attribute 'output_sequence' is not known"),
    "type": ({"clip": 1}, "its attribute clip has the wrong type"),
    "function": ({"activations": ["Sigmoid", "Tanh", "Sine"]}, "its activation 'sine' is not known"),
    "functions": ({"activations": ["Sigmoid"]}, "has 1 activations, expected 3"),
    "no default": ({"activations": ["Sigmoid", "Tanh", "ScaledTanh"]}, "its activation ScaledTanh has no alpha"),
    "alphas": (
        {"activations": ["HardSigmoid", "Tanh", "Tanh"], "activation_alpha": [0.1, 0.2]},
        "its activation_alpha has more numbers than there are functions that take one",
    ),
    "huge": (
        {"activations": ["HardSigmoid", "Tanh", "Tanh"], "activation_alpha": [1e30]},
        "its activation hardsigmoid has the parameter 1e\\+30, beyond 1e6",
    ),
    "both": ({"direction": "bidirectional"}, r"its W has shape \[1, 16, 3\], expected \[2, 16, 3\]"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_unsupported_option_is_named(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator, case: str
) -> None:
    attributes, message = REFUSED[case]
    nodes, stored = changed(onnx, onnx_weights(random, "LSTM", I, H), **attributes)
    found = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I)))
    (entry,) = found.unsupported
    assert entry.name == "node (LSTM)"
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(entry.reason)
    with pytest.raises(WorkloadError, match="node: not supported: "):
        select(found, "node")
    with pytest.raises(WorkloadError, match="not all layers are supported"):
        select(found, "all")


BROKEN: dict[str, tuple[dict[str, tuple[int, ...]], str]] = {
    "shape": ({"R": (1, 16, 5)}, r"its hidden_size is 4, but R is for 5 units"),
    "bias": ({"B": (1, 16)}, r"its B has shape \[1, 16\], expected \[1, 32\]"),
    "dimensions": ({"W": (16, 3)}, "its weights W and R must have three dimensions"),
    "lengths": (
        {"sequence_lens": (2,)},
        r"its sequence_lens '\[.*' are not one whole number|not one whole number above 0",
    ),
    "state": ({"initial_h": (1, 2, 5)}, "its initial_h is for 1 directions of 5 units"),
    "states": ({"initial_h": (1, 2, 4), "initial_c": (1, 3, 4)}, "its initial_h and initial_c have different shapes"),
    "batch": ({"initial_h": (1, 2, 4), "lengths": (3,)}, "for different numbers of sequences"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_weights_are_named(onnx: ModuleType, tmp_path: Path, random: np.random.Generator, case: str) -> None:
    shapes, message = BROKEN[case]
    weights = onnx_weights(random, "LSTM", I, H)
    for name, shape in shapes.items():
        weights[name] = random.standard_normal(shape).astype(np.float32)
    if "lengths" in weights:
        weights["sequence_lens"] = np.ones(weights.pop("lengths").shape, np.int64)
    nodes, stored = changed(onnx, weights)
    (entry,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I))).unsupported
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(entry.reason)


@pytest.mark.parametrize("lengths", [[T, 0], [0, T], [T, -1]])
def test_a_sequence_without_a_step_is_named(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator, lengths: list[int]
) -> None:
    """One of two is enough: the shortest counts."""
    weights = onnx_weights(random, "LSTM", I, H) | {"sequence_lens": np.array(lengths, np.int64)}
    nodes, stored = changed(onnx, weights)
    (entry,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I))).unsupported
    assert entry.reason == f"its sequence_lens {lengths} are not one whole number above 0 each"


def test_numbers_that_are_not_finite_are_named(onnx: ModuleType, tmp_path: Path, random: np.random.Generator) -> None:
    weights = onnx_weights(random, "RNN", I, H)
    weights["R"][0, 0, 0] = np.nan
    nodes, stored = changed(onnx, weights, "RNN")
    (entry,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I))).unsupported
    assert entry.reason == "weight_hh: 1 of 16 numbers are not finite in float32"


def test_weights_that_the_graph_computes_are_named(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator
) -> None:
    weights = onnx_weights(random, "GRU", I, H)
    nodes = [onnx.helper.make_node("Neg", ["V"], ["W"], name="minus"), onnx_node(onnx, "GRU", weights, hidden_size=H)]
    stored = onnx_stored(onnx, weights)
    stored[0].name = "V"
    (entry,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I))).unsupported
    assert entry.reason == "its weights W are computed by the graph (Neg 'minus'), not constants"


def test_a_second_output_that_its_operator_does_not_have_is_no_constant(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator
) -> None:
    weights = onnx_weights(random, "GRU", I, H)
    copy = onnx.helper.make_node("Identity", ["V"], ["first", "W"], name="copy")
    stored = onnx_stored(onnx, weights)
    stored[0].name = "V"
    nodes = [copy, onnx_node(onnx, "GRU", weights, hidden_size=H)]
    (entry,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I))).unsupported
    assert entry.reason == "its weights W are computed by the graph (Identity 'copy'), not constants"


def test_other_recurrent_operators_old_opsets_functions_and_loops_are_named(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator
) -> None:
    weights = onnx_weights(random, "LSTM", I, H)
    nodes, stored = changed(onnx, weights)
    (old,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I), opset=3)).unsupported
    assert old.reason == "the model has opset 3, before 7, when LSTM had other inputs"
    nodes[0].op_type, nodes[0].domain = "AttnLSTM", "com.microsoft"
    (other,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I))).unsupported
    assert other.reason == "the operator 'com.microsoft.AttnLSTM' is not one of ONNX's LSTM, GRU, RNN"
    make, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    steps = [make("MatMul", ["h", "m"], ["a"]), make("Tanh", ["a"], ["b"])]
    body = onnx.helper.make_graph(steps, "b", [value("h", 1, None)], [value("b", 1, None)])
    scan = make("Scan", ["X"], ["out"], name="loop", body=body, num_scan_inputs=1)
    (loop,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", [scan], [], (T, B, I))).unsupported
    assert (loop.name, loop.reason[:40]) == ("loop (Scan)", "a recurrence written out in elementary o")
    path = onnx_save(onnx, tmp_path / "m.onnx", [scan], [], (T, B, I))
    model = onnx.load(path)
    model.functions.append(onnx.helper.make_function("own", "cell", [], [], nodes, [onnx.helper.make_opsetid("", 22)]))
    path.write_bytes(model.SerializeToString())
    names = [entry.name for entry in find_layers(path).unsupported]
    assert names == ["cell/AttnLSTM", "loop (Scan)"]


def test_a_graph_that_doubles_its_constants_is_refused(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator
) -> None:
    make = onnx.helper.make_node
    nodes = [make("Concat", [f"w{n}", f"w{n}"], [f"w{n + 1}"], axis=0) for n in range(40)]
    zeros = [make("Concat", [f"z{n}", f"z{n}"], [f"z{n + 1}"], axis=0) for n in range(90)]
    nodes += [*zeros, onnx_node(onnx, "LSTM", {"W": 0, "R": 0, "initial_h": 0}, hidden_size=H)]
    nodes[-1].input[1], nodes[-1].input[2], nodes[-1].input[5] = "w40", "R", "z90"
    stored = [onnx.numpy_helper.from_array(np.ones((1, 16, 4), np.float32), name) for name in ("w0", "R")]
    stored.append(onnx.numpy_helper.from_array(np.zeros((1, 2, 4), np.float32), "z0"))
    (entry,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I))).unsupported
    assert entry.reason == "its constants are larger than the file's size allows"


def test_no_onnx_and_nothing_recurrent(onnx: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    for content in (b"", b"nonsense" * 40, b"\x08\x09"):
        path.write_bytes(content)
        with pytest.raises(WorkloadError, match="m.onnx: not a valid ONNX file: "):
            find_layers(path)
    onnx_save(onnx, path, [onnx.helper.make_node("Relu", ["X"], ["Y"])], [], (T, B, I))
    with pytest.raises(
        WorkloadError, match=r"m.onnx: has no LSTM, GRU or RNN operator, only 1 other operators \(Relu\)($|[^;])"
    ):
        find_layers(path)


@pytest.mark.parametrize("shape", [(-1, 16, -3), (1,) * 7 + (16, 3)])
def test_an_impossible_shape_is_refused(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator, shape: tuple[int, ...]
) -> None:
    """Two negative sizes multiply to the 48 numbers that are there, nine sizes of one, too."""
    nodes, stored = changed(onnx, onnx_weights(random, "LSTM", I, H))
    del stored[0].dims[:]
    stored[0].dims.extend(shape)
    (entry,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I))).unsupported
    assert entry.reason == "tensor 'W' has an impossible shape"
