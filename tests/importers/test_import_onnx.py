"""ONNX models against onnxruntime: every option, chains of operators, and what is refused, by name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from import_runs import (
    close,
    imported,
    onnx_node,
    onnx_run,
    onnx_save,
    onnx_stored,
    onnx_weights,
    torch_shaped,
)
from optional import need

from archsim.errors import WorkloadError
from archsim.importers import find_layers, select

COUNTS = {"LSTM": 3, "GRU": 2, "RNN": 1}
PARAMETERS = {
    "Affine": ((0.25, 0.75), (-0.5, 0.5)),
    "LeakyRelu": ((0.0, 0.5), None),
    "ThresholdedRelu": ((-0.25, 0.5), None),
    "ScaledTanh": ((0.5, 1.5), (0.5, 1.5)),
    "HardSigmoid": ((0.125, 0.5), (0.25, 0.75)),
    "Elu": ((0.5, 1.5), None),
    **dict.fromkeys(("Sigmoid", "Tanh", "Relu", "Softsign", "Softplus"), (None, None)),
}
T, B, I, H = 5, 2, 3, 4


@pytest.fixture(scope="module")
def onnx():
    return need("onnx")


@pytest.fixture(scope="module")
def onnxruntime():
    return need("onnxruntime")


@pytest.fixture
def random():
    return np.random.default_rng(7)


@st.composite
def operators(draw):
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
    attributes = {"direction": direction, "hidden_size": hidden}
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
            ranges = [PARAMETERS[name][place] for name in names if PARAMETERS[name][place] is not None]
            if ranges:
                attributes[key] = [draw(st.integers(int(64 * low), int(64 * high))) / 64 for low, high in ranges]
    return op, steps, batch, weights, attributes


@settings(max_examples=60)
@given(case=operators())
def test_every_option_computes_what_onnxruntime_computes(tmp_path_factory, onnx, onnxruntime, case) -> None:
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
def test_layout_1_is_batch_first(onnx, tmp_path, random, op) -> None:
    """onnxruntime refuses layout 1; onnx's own evaluator is right there."""
    need("onnx.reference")
    weights = onnx_weights(random, op, I, H, 2, initial_h=(B, 2, H))
    node = onnx_node(onnx, op, weights, direction="bidirectional", layout=1, hidden_size=H)
    x = random.standard_normal((B, T, I)).astype(np.float32)
    path = onnx_save(onnx, tmp_path / "m.onnx", [node], onnx_stored(onnx, weights), x.shape)
    (layer,) = find_layers(path).layers
    assert layer.batch_first
    assert layer.h_0.shape == (2, B, H)
    straight = {**weights, "initial_h": weights["initial_h"].swapaxes(0, 1)}
    node = onnx_node(onnx, op, straight, direction="bidirectional", hidden_size=H)
    same = onnx_save(onnx, tmp_path / "s.onnx", [node], onnx_stored(onnx, straight), (T, B, I))
    theirs = onnx_run(need("onnxruntime"), same, x.swapaxes(0, 1))
    ours = imported(path, x, batch_first=True)
    assert close(ours["output"], torch_shaped(theirs["Y"]).swapaxes(0, 1))
    assert close(ours["h_n"], theirs["Y_h"])


def constant_nodes(onnx, weights, tag=""):
    """The weights as Constant nodes behind operators that move numbers."""
    made = onnx.helper.make_node
    nodes = []
    for name, tensor in weights.items():
        moved = onnx.numpy_helper.from_array(tensor.T.copy())
        nodes.append(made("Constant", [], [f"{name}{tag}_t"], value=moved))
        nodes.append(made("Transpose", [f"{name}{tag}_t"], [f"{name}{tag}"]))
    return nodes


def test_weights_in_constant_nodes_behind_moves(onnx, onnxruntime, tmp_path, random) -> None:
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
def test_weights_of_other_types(onnx, tmp_path, random, dtype) -> None:
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


def stack_nodes(onnx, onnx_parts, between):
    nodes, stored = [], []
    for number, (op, weights, attributes) in enumerate(onnx_parts):
        x = "X" if number == 0 else f"x{number}"
        nodes.append(onnx_node(onnx, op, weights, str(number), x, **attributes))
        stored += onnx_stored(onnx, weights, str(number))
        if number + 1 < len(onnx_parts):
            more, tensors = between(f"Y{number}", f"x{number + 1}")
            nodes += more
            stored += tensors
    return nodes, stored


def ints(onnx, name, values):
    return onnx.numpy_helper.from_array(np.array(values, np.int64), name)


def squeeze(onnx):
    """As torch exports one direction."""
    return lambda y, x: ([onnx.helper.make_node("Squeeze", [y, f"{x}_axes"], [x])], [ints(onnx, f"{x}_axes", [1])])


def transpose_reshape(onnx):
    """As torch exports two directions."""
    return lambda y, x: (
        [
            onnx.helper.make_node("Transpose", [y], [f"{x}_t"], perm=[0, 2, 1, 3]),
            onnx.helper.make_node("Reshape", [f"{x}_t", f"{x}_s"], [f"{x}_r"]),
            onnx.helper.make_node("Dropout", [f"{x}_r"], [f"{x}_d"]),
            onnx.helper.make_node("Identity", [f"{x}_d"], [x]),
        ],
        [ints(onnx, f"{x}_s", [0, 0, -1])],
    )


def there_and_back(onnx):
    """As torch exports batch_first layers one after the other."""
    make = onnx.helper.make_node
    return lambda y, x: (
        [
            make("Squeeze", [y, f"{x}_axes"], [f"{x}_q"]),
            make("Transpose", [f"{x}_q"], [f"{x}_b"], perm=[1, 0, 2]),
            make("Cast", [f"{x}_b"], [f"{x}_c"], to=1),
            make("Transpose", [f"{x}_c"], [x], perm=[1, 0, 2]),
        ],
        [ints(onnx, f"{x}_axes", [1])],
    )


@pytest.mark.parametrize(("between", "count"), [(squeeze, 1), (transpose_reshape, 2), (there_and_back, 1)])
def test_a_chain_of_operators_is_one_workload(onnx, onnxruntime, tmp_path, random, between, count) -> None:
    direction = {"direction": "bidirectional"} if count == 2 else {}
    parts = []
    size = I
    for op, hidden in (("LSTM", 4), ("LSTM", 4), ("GRU", 3), ("RNN", 5)):
        parts.append((op, onnx_weights(random, op, size, hidden, count), {"hidden_size": hidden, **direction}))
        size = hidden * count
    nodes, stored = stack_nodes(onnx, parts, between(onnx))
    x = random.standard_normal((T, B, I)).astype(np.float32)
    path = onnx_save(
        onnx, tmp_path / "m.onnx", nodes[::-1], stored, x.shape
    )  # ONNX wants an order; the importer needs none
    layers = select(find_layers(path), "all")
    assert [layer.name for layer in layers] == ["node0", "node1", "node2", "node3"]
    onnx_save(onnx, path, nodes, stored, x.shape)
    assert close(imported(path, x)["output"], torch_shaped(onnx_run(onnxruntime, path, x)["Y3"]))


@pytest.mark.parametrize("axis", ["features", "directions"])
def test_two_directions_as_two_operators(onnx, onnxruntime, tmp_path, random, axis) -> None:
    """Forward and reverse over one input, put side by side by Concat, are one bidirectional layer."""
    make = onnx.helper.make_node
    one, two = (onnx_weights(random, "LSTM", I, H) for _ in range(2))
    top = onnx_weights(random, "GRU", 2 * H, 3)
    nodes = [
        make("Identity", ["X"], ["X2"]),
        onnx_node(onnx, "LSTM", one, "f", hidden_size=H, activations=["Sigmoid", "Tanh", "Tanh"]),
        onnx_node(
            onnx, "LSTM", two, "r", "X2", hidden_size=H, direction="reverse", activations=["Sigmoid", "Relu", "Tanh"]
        ),
    ]
    stored = [*onnx_stored(onnx, one, "f"), *onnx_stored(onnx, two, "r"), *onnx_stored(onnx, top, "t")]
    stored += [ints(onnx, "axes", [1]), ints(onnx, "shape", [0, 0, 2 * H])]
    if axis == "features":
        nodes += [make("Squeeze", ["Yf", "axes"], ["f"]), make("Squeeze", ["Yr", "axes"], ["r"])]
        nodes += [make("Concat", ["f", "r"], ["both"], axis=-1)]
    else:
        nodes += [make("Concat", ["Yf", "Yr"], ["c"], axis=1), make("Transpose", ["c"], ["ct"], perm=[0, 2, 1, 3])]
        nodes += [make("Reshape", ["ct", "shape"], ["both"])]
    nodes += [onnx_node(onnx, "GRU", top, "t", "both", hidden_size=3)]
    x = random.standard_normal((T, B, I)).astype(np.float32)
    path = onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, x.shape)
    layers = select(find_layers(path), "all")
    assert [str(layer) for layer in layers] == ["LSTM(3, 4), bidirectional", "GRU(8, 3)"]
    assert close(imported(path, x)["output"], torch_shaped(onnx_run(onnxruntime, path, x)["Yt"]))


def broken_chain(onnx, random, break_with):
    parts = [("LSTM", onnx_weights(random, "LSTM", I if n == 0 else H, H), {"hidden_size": H}) for n in range(2)]
    return stack_nodes(onnx, parts, break_with)


def test_layers_that_do_not_connect_are_said(onnx, tmp_path, random) -> None:
    make = onnx.helper.make_node

    def relu(y, x):
        squeezed = make("Squeeze", [y, "axes"], ["q"])
        return [squeezed, make("Relu", ["q"], [x], name="act")], [ints(onnx, "axes", [1])]

    path = onnx_save(onnx, tmp_path / "m.onnx", *broken_chain(onnx, random, relu), (T, B, I))
    with pytest.raises(WorkloadError, match="no single stack: node0 is fed by the graph's input 'X'; node1 is fed by the "
                       "output of Relu 'act'; choose one with --layer NAME"):  # fmt: skip
        select(find_layers(path), "all")

    def swapped(y, x):
        more = [make("Squeeze", [y, "axes"], ["q"]), make("Transpose", ["q"], [x], perm=[1, 0, 2])]
        return more, [ints(onnx, "axes", [1])]

    path = onnx_save(onnx, tmp_path / "m.onnx", *broken_chain(onnx, random, swapped), (T, B, I))
    with pytest.raises(
        WorkloadError, match="node1 is fed by the output of node0, but not as a sequence of its features"
    ):
        select(find_layers(path), "all")


def test_one_layer_that_feeds_two_is_no_stack(onnx, tmp_path, random) -> None:
    low, left, right = (onnx_weights(random, "LSTM", size, H) for size in (I, H, H))
    nodes = [
        onnx_node(onnx, "LSTM", low, "0", hidden_size=H),
        onnx.helper.make_node("Squeeze", ["Y0", "axes"], ["x"]),
        onnx_node(onnx, "LSTM", left, "1", "x", hidden_size=H),
        onnx_node(onnx, "LSTM", right, "2", "x", hidden_size=H),
    ]
    stored = [*onnx_stored(onnx, low, "0"), *onnx_stored(onnx, left, "1"), *onnx_stored(onnx, right, "2")]
    path = onnx_save(onnx, tmp_path / "m.onnx", nodes, [*stored, ints(onnx, "axes", [1])], (T, B, I))
    with pytest.raises(WorkloadError, match="node2 and node1 are both fed by node0"):
        select(find_layers(path), "all")


def in_if(onnx, node, stored, outputs=("Y",)):
    value = onnx.helper.make_tensor_value_info
    body = onnx.helper.make_graph([node], "body", [], [value(name, 1, None) for name in outputs], stored)
    other = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["X"], ["same"])], "other", [], [value("same", 1, None)]
    )
    return onnx.helper.make_node("If", ["yes"], ["out"], name="choice", then_branch=body, else_branch=other)


def test_a_layer_inside_if_is_found_under_its_path(onnx, tmp_path, random) -> None:
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


def test_zero_initial_states_of_any_batch_need_no_note(onnx, tmp_path, random) -> None:
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


def test_what_is_known_only_at_run_time_is_noted(onnx, tmp_path, random) -> None:
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


def changed(onnx, weights, op="LSTM", **attributes):
    return [onnx_node(onnx, op, weights, **{"hidden_size": H, **attributes})], onnx_stored(onnx, weights)


REFUSED = {
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
def test_an_unsupported_option_is_named(onnx, tmp_path, random, case) -> None:
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


BROKEN = {
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
def test_broken_weights_are_named(onnx, tmp_path, random, case) -> None:
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


def test_numbers_that_are_not_finite_are_named(onnx, tmp_path, random) -> None:
    weights = onnx_weights(random, "RNN", I, H)
    weights["R"][0, 0, 0] = np.nan
    nodes, stored = changed(onnx, weights, "RNN")
    (entry,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I))).unsupported
    assert entry.reason == "weight_hh: 1 of 16 numbers are not finite in float32"


def test_weights_that_the_graph_computes_are_named(onnx, tmp_path, random) -> None:
    weights = onnx_weights(random, "GRU", I, H)
    nodes = [onnx.helper.make_node("Neg", ["V"], ["W"], name="minus"), onnx_node(onnx, "GRU", weights, hidden_size=H)]
    stored = onnx_stored(onnx, weights)
    stored[0].name = "V"
    (entry,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I))).unsupported
    assert entry.reason == "its weights W are computed by the graph (Neg 'minus'), not constants"


def test_other_recurrent_operators_old_opsets_functions_and_loops_are_named(onnx, tmp_path, random) -> None:
    weights = onnx_weights(random, "LSTM", I, H)
    nodes, stored = changed(onnx, weights)
    (old,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I), opset=3)).unsupported
    assert old.reason == "the model has opset 3, before 7, when LSTM had other inputs"
    nodes[0].op_type, nodes[0].domain = "DynamicQuantizeLSTM", "com.microsoft"
    (other,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I))).unsupported
    assert other.reason == "the operator 'com.microsoft.DynamicQuantizeLSTM' is not one of ONNX's LSTM, GRU, RNN"
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
    assert names == ["cell/DynamicQuantizeLSTM", "loop (Scan)"]


def test_external_data_is_refused(onnx, tmp_path, random) -> None:
    nodes, stored = changed(onnx, onnx_weights(random, "LSTM", I, H))
    path = onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I))
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(WorkloadError, match=r"m.onnx: its weights are in another file \(external data, tensor 'W'\)"):
        find_layers(path)


def test_a_graph_that_doubles_its_constants_is_refused(onnx, tmp_path, random) -> None:
    make = onnx.helper.make_node
    nodes = [make("Concat", [f"w{n}", f"w{n}"], [f"w{n + 1}"], axis=0) for n in range(40)]
    zeros = [make("Concat", [f"z{n}", f"z{n}"], [f"z{n + 1}"], axis=0) for n in range(90)]
    nodes += [*zeros, onnx_node(onnx, "LSTM", {"W": 0, "R": 0, "initial_h": 0}, hidden_size=H)]
    nodes[-1].input[1], nodes[-1].input[2], nodes[-1].input[5] = "w40", "R", "z90"
    stored = [onnx.numpy_helper.from_array(np.ones((1, 16, 4), np.float32), name) for name in ("w0", "R")]
    stored.append(onnx.numpy_helper.from_array(np.zeros((1, 2, 4), np.float32), "z0"))
    (entry,) = find_layers(onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (T, B, I))).unsupported
    assert entry.reason == "its constants are larger than the file's size allows"


def test_no_onnx_and_nothing_recurrent(onnx, tmp_path) -> None:
    path = tmp_path / "m.onnx"
    for content in (b"", b"nonsense" * 40, b"\x08\x09"):
        path.write_bytes(content)
        with pytest.raises(WorkloadError, match="m.onnx: not a valid ONNX file: "):
            find_layers(path)
    onnx_save(onnx, path, [onnx.helper.make_node("Relu", ["X"], ["Y"])], [], (T, B, I))
    with pytest.raises(
        WorkloadError, match=r"m.onnx: has no LSTM, GRU or RNN operator, only 1 other operators \(Relu\)"
    ):
        find_layers(path)
