"""ONNX operators against onnxruntime: every option, and weights and states however the graph holds them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.importers import find_layers, select
from tests.importers.import_runs import (
    close,
    imported,
    ints,
    onnx_node,
    onnx_run,
    onnx_save,
    onnx_stored,
    onnx_weights,
    torch_shaped,
)
from tests.optional import need
from tests.present import present
from tests.rings import examples

Limits = tuple[float, float]

COUNTS = {"LSTM": 3, "GRU": 2, "RNN": 1}
PARAMETERS: dict[str, tuple[Limits | None, Limits | None]] = {
    "Affine": ((0.25, 0.75), (-0.5, 0.5)),
    "LeakyRelu": ((0.0, 0.5), None),
    "ThresholdedRelu": ((-0.25, 0.5), None),
    "ScaledTanh": ((0.5, 1.5), (0.5, 1.5)),
    "HardSigmoid": ((0.125, 0.5), (0.25, 0.75)),
    "Elu": ((0.5, 1.5), None),
    **dict.fromkeys(("Sigmoid", "Tanh", "Relu", "Softsign", "Softplus"), (None, None)),
}
T, B, I, H = 5, 2, 3, 4

Operator = tuple[str, int, int, dict[str, np.ndarray], dict[str, Any]]
"""(op, steps, batch, weights, attributes)."""


@st.composite
def operators(draw: st.DrawFn) -> Operator:
    """(op, steps, batch, weights, attributes)."""
    op = draw(st.sampled_from(sorted(COUNTS)))
    direction = draw(st.sampled_from(["forward", "reverse", "bidirectional"]))
    count = 2 if direction == "bidirectional" else 1
    steps, batch, inputs, hidden = (draw(st.integers(1, most)) for most in (4, 3, 5, 6))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    state = (count, batch, hidden)
    more = {"initial_h": state, "initial_c": state, "P": (count, 3 * hidden)}
    chosen = {
        name: shape for name, shape in more.items() if (op == "LSTM" or name == "initial_h") and draw(st.booleans())
    }
    weights = onnx_weights(random, op, inputs, hidden, count, **chosen)
    if draw(st.booleans()):
        del weights["B"]
    if draw(st.booleans()):
        lengths = draw(st.lists(st.integers(1, steps), min_size=batch, max_size=batch))
        weights["sequence_lens"] = np.array(lengths, np.int32)
    attributes: dict[str, Any] = {"direction": direction, "hidden_size": hidden}
    if op == "LSTM" and draw(st.booleans()):
        attributes["input_forget"] = 1
    if op == "GRU" and draw(st.booleans()):
        attributes["linear_before_reset"] = 1
    if draw(st.booleans()):
        attributes["clip"] = draw(st.integers(8, 64)) / 64
    if draw(st.booleans()):
        names = draw(
            st.lists(st.sampled_from(sorted(PARAMETERS)), min_size=COUNTS[op] * count, max_size=COUNTS[op] * count)
        )
        attributes["activations"] = names
        for place, key in enumerate(("activation_alpha", "activation_beta")):
            ranges = [limits for name in names if (limits := PARAMETERS[name][place]) is not None]
            if ranges:
                attributes[key] = [draw(st.integers(int(64 * low), int(64 * high))) / 64 for low, high in ranges]
    return op, steps, batch, weights, attributes


@settings(max_examples=examples(60))
@given(case=operators())
def test_every_option_computes_what_onnxruntime_computes(
    tmp_path_factory: pytest.TempPathFactory, onnx: ModuleType, onnxruntime: ModuleType, case: Operator
) -> None:
    op, steps, batch, weights, attributes = case
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    inputs = weights["W"].shape[2]
    x = np.random.default_rng(1).standard_normal((steps, batch, inputs)).astype(np.float32)
    node = onnx_node(onnx, op, weights, **attributes)
    onnx_save(onnx, path, [node], onnx_stored(onnx, weights), x.shape)
    theirs = onnx_run(onnxruntime, path, x)
    ours = imported(path, x)
    assert close(ours["output"], torch_shaped(theirs["Y"]))
    assert close(ours["h_n"], theirs["Y_h"])
    if op == "LSTM":
        assert close(ours["c_n"], theirs["Y_c"])


@pytest.mark.parametrize("op", sorted(COUNTS))
def test_layout_1_is_batch_first(onnx: ModuleType, tmp_path: Path, random: np.random.Generator, op: str) -> None:
    """onnxruntime refuses layout 1; onnx's own evaluator is right there."""
    need("onnx.reference")
    weights = onnx_weights(random, op, I, H, 2, initial_h=(B, 2, H))
    node = onnx_node(onnx, op, weights, direction="bidirectional", layout=1, hidden_size=H)
    x = random.standard_normal((B, T, I)).astype(np.float32)
    path = onnx_save(onnx, tmp_path / "m.onnx", [node], onnx_stored(onnx, weights), x.shape)
    (layer,) = find_layers(path).layers
    assert layer.batch_first
    assert present(layer.h_0).shape == (2, B, H)
    straight = {**weights, "initial_h": weights["initial_h"].swapaxes(0, 1)}
    node = onnx_node(onnx, op, straight, direction="bidirectional", hidden_size=H)
    same = onnx_save(onnx, tmp_path / "s.onnx", [node], onnx_stored(onnx, straight), (T, B, I))
    theirs = onnx_run(need("onnxruntime"), same, x.swapaxes(0, 1))
    ours = imported(path, x, batch_first=True)
    assert close(ours["output"], torch_shaped(theirs["Y"]).swapaxes(0, 1))
    assert close(ours["h_n"], theirs["Y_h"])


def constant_nodes(onnx: ModuleType, weights: dict[str, np.ndarray], tag: str = "") -> list[Any]:
    """The weights as Constant nodes behind operators that move numbers."""
    made = onnx.helper.make_node
    nodes = []
    for name, tensor in weights.items():
        moved = onnx.numpy_helper.from_array(tensor.T.copy())
        nodes.append(made("Constant", [], [f"{name}{tag}_t"], value=moved))
        nodes.append(made("Transpose", [f"{name}{tag}_t"], [f"{name}{tag}"]))
    return nodes


def test_weights_in_constant_nodes_behind_moves(
    onnx: ModuleType, onnxruntime: ModuleType, tmp_path: Path, random: np.random.Generator
) -> None:
    weights = onnx_weights(random, "LSTM", I, H)
    made = onnx.helper.make_node
    w, r = weights.pop("W"), weights.pop("R")
    stored = [
        onnx.numpy_helper.from_array(w[0][:8], "W_top"),
        onnx.numpy_helper.from_array(w[0][8:].astype(np.float64), "W_bottom"),
        onnx.numpy_helper.from_array(np.concatenate([r[0], r[0]]), "R_twice"),
        *(onnx.numpy_helper.from_array(np.array(v, np.int64), n) for n, v in
          {"zero": [0], "sixteen": [16], "shape": [1, -1, 0]}.items()),
    ]  # fmt: skip
    nodes = [
        made("Cast", ["W_bottom"], ["W_cast"], to=1),
        made("Concat", ["W_top", "W_cast"], ["W_2d"], axis=0),
        made("Unsqueeze", ["W_2d", "zero"], ["W"]),
        made("Slice", ["R_twice", "zero", "sixteen", "zero"], ["R_once"]),
        made("Identity", ["R_once"], ["R_same"]),
        made("Unsqueeze", ["R_same", "zero"], ["R"]),
        *constant_nodes(onnx, weights),
        onnx_node(onnx, "LSTM", {"W": w, "R": r, **weights}, hidden_size=H),
    ]
    x = random.standard_normal((T, B, I)).astype(np.float32)
    path = onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, x.shape)
    assert close(imported(path, x)["output"], torch_shaped(onnx_run(onnxruntime, path, x)["Y"]))


@pytest.mark.parametrize("dtype", ["float16", "float64", "bfloat16", "typed"])
def test_weights_of_other_types(onnx: ModuleType, tmp_path: Path, random: np.random.Generator, dtype: str) -> None:
    weights = onnx_weights(random, "GRU", I, H)
    stored = onnx_stored(onnx, weights)
    wanted = weights["W"]
    if dtype == "typed":
        stored[0] = onnx.helper.make_tensor(
            "W", onnx.TensorProto.FLOAT, weights["W"].shape, weights["W"].ravel().tolist()
        )
    elif dtype == "bfloat16":
        bits = (weights["W"].view(np.uint32) >> 16).astype(np.uint16)
        stored[0] = onnx.helper.make_tensor("W", onnx.TensorProto.BFLOAT16, bits.shape, bits.tobytes(), raw=True)
        wanted = (bits.astype(np.uint32) << 16).view(np.float32)
    else:
        wanted = weights["W"].astype(dtype)
        stored[0] = onnx.numpy_helper.from_array(wanted, "W")
    path = onnx_save(onnx, tmp_path / "m.onnx", [onnx_node(onnx, "GRU", weights, hidden_size=H)], stored, (T, B, I))
    (layer,) = find_layers(path).layers
    z, r, n = np.split(wanted[0].astype(np.float32), 3)
    np.testing.assert_array_equal(layer.tensors["weight_ih_l0"], np.concatenate([r, z, n]))


def in_if(onnx: ModuleType, node: Any, stored: list[Any], outputs: Sequence[str] = ("Y",)) -> Any:
    value = onnx.helper.make_tensor_value_info
    body = onnx.helper.make_graph([node], "body", [], [value(name, 1, None) for name in outputs], stored)
    other = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["X"], ["same"])], "other", [], [value("same", 1, None)]
    )
    return onnx.helper.make_node("If", ["yes"], ["out"], name="choice", then_branch=body, else_branch=other)


def test_a_layer_inside_if_is_found_under_its_path(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator
) -> None:
    weights = onnx_weights(random, "LSTM", I, H)
    outside, inside = onnx_stored(onnx, weights)[:1], onnx_stored(onnx, weights)[1:]
    node = in_if(onnx, onnx_node(onnx, "LSTM", weights, hidden_size=H), inside)
    yes = onnx.numpy_helper.from_array(np.array(True), "yes")
    path = onnx_save(onnx, tmp_path / "m.onnx", [node], [*outside, yes], (T, B, I))
    found = find_layers(path)
    (layer,) = found.layers
    assert layer.name == "choice.then_branch/node"
    assert select(found, "node") == (layer,)
    assert layer.input_from == "the graph's input 'X'"


def test_zero_initial_states_of_any_batch_need_no_note(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator
) -> None:
    """What torch exports for a missing (h_0, c_0) with a batch of any size."""
    weights = onnx_weights(random, "LSTM", I, H)
    make = onnx.helper.make_node
    nodes = [
        make("Shape", ["X"], ["shape"]),
        make("ConstantOfShape", ["shape"], ["zeros"]),
        make("Slice", ["zeros", "start", "end"], ["initial_h"]),
        make("Expand", ["nothing", "shape"], ["initial_c"]),
        onnx_node(onnx, "LSTM", {**weights, "initial_h": 0, "initial_c": 0}, hidden_size=H),
    ]
    stored = [*onnx_stored(onnx, weights), ints(onnx, "start", [0]), ints(onnx, "end", [1])]
    stored.append(onnx.numpy_helper.from_array(np.zeros((1, 1, 1), np.float32), "nothing"))
    (layer,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (None, None, I))).layers
    assert layer.notes == ()
    assert layer.h_0 is None


def test_what_is_known_only_at_run_time_is_noted(onnx: ModuleType, tmp_path: Path, random: np.random.Generator) -> None:
    weights = onnx_weights(random, "LSTM", I, H)
    nodes = [
        onnx.helper.make_node("Abs", ["X"], ["initial_h"], name="some"),
        onnx_node(onnx, "LSTM", {**weights, "initial_h": 0, "initial_c": 0, "sequence_lens": 0}, hidden_size=H),
    ]
    nodes[1].input[6] = nodes[1].input[4] = "X"
    (layer,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, onnx_stored(onnx, weights), (T, B, I))).layers
    assert layer.notes == (
        "initial_h is computed by the graph (Abs 'some'): the workload starts at 0",
        "initial_c is the graph's input 'X': the workload starts at 0",
        "sequence_lens is the graph's input 'X': the workload runs all sequences to the end",
    )
