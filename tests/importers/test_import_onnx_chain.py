"""ONNX operators that feed one another are one workload, equal to onnxruntime and torch; those that do not are said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.importers import find_layers, select
from archsim.importers.onnx.onnx_graph import MAX_DEPTH, Scope
from archsim.importers.onnx.onnx_shapes import Size, declared, forced
from archsim.workload import load_workload
from tests.importers.conftest import Command
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

T, B, I, H = 5, 2, 3, 4

Part = tuple[str, dict[str, np.ndarray], dict[str, Any]]
"""An operator, its weights and its attributes."""
Nodes = tuple[list[Any], list[Any]]
"""Nodes and what they have stored."""
Between = Callable[[str, str], Nodes]
"""What stands between the output of one operator and the input of the next, by their names."""


def stack_nodes(onnx: ModuleType, onnx_parts: Sequence[Part], between: Between) -> Nodes:
    nodes: list[Any] = []
    stored: list[Any] = []
    for number, (op, weights, attributes) in enumerate(onnx_parts):
        x = "X" if number == 0 else f"x{number}"
        nodes.append(onnx_node(onnx, op, weights, str(number), x, **attributes))
        stored += onnx_stored(onnx, weights, str(number))
        if number + 1 < len(onnx_parts):
            more, tensors = between(f"Y{number}", f"x{number + 1}")
            nodes += more
            stored += tensors
    return nodes, stored


def squeeze(onnx: ModuleType) -> Between:
    """As torch exports one direction."""
    return lambda y, x: ([onnx.helper.make_node("Squeeze", [y, f"{x}_axes"], [x])], [ints(onnx, f"{x}_axes", [1])])


def transpose_reshape(onnx: ModuleType) -> Between:
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


def dropout_without_options(onnx: ModuleType) -> Between:
    """A Dropout whose ratio and training mode are left out by empty names."""
    return lambda y, x: (
        [
            onnx.helper.make_node("Squeeze", [y, f"{x}_axes"], [f"{x}_q"]),
            onnx.helper.make_node("Dropout", [f"{x}_q", "", ""], [x]),
        ],
        [ints(onnx, f"{x}_axes", [1])],
    )


def there_and_back(onnx: ModuleType) -> Between:
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


def axes_more_and_fewer(onnx: ModuleType) -> Between:
    """Axes of 1 that come, one of them counted from the end, and go again."""
    make = onnx.helper.make_node
    return lambda y, x: (
        [
            make("Squeeze", [y, f"{x}_axes"], [f"{x}_q"]),
            make("Unsqueeze", [f"{x}_q", f"{x}_more"], [f"{x}_u"]),  # (T, 1, B, H, 1)
            make("Squeeze", [f"{x}_u", f"{x}_more"], [x]),
        ],
        [ints(onnx, f"{x}_axes", [1]), ints(onnx, f"{x}_more", [1, -1])],
    )


@pytest.mark.parametrize(
    ("between", "count"),
    [
        (squeeze, 1),
        (transpose_reshape, 2),
        (dropout_without_options, 1),
        (there_and_back, 1),
        (axes_more_and_fewer, 1),
    ],
)
def test_a_chain_of_operators_is_one_workload(
    onnx: ModuleType,
    onnxruntime: ModuleType,
    tmp_path: Path,
    random: np.random.Generator,
    between: Callable[[ModuleType], Between],
    count: int,
) -> None:
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


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_what_torch_exports_is_one_workload(
    onnx: ModuleType, tmp_path: Path, both: bool, batch_first: bool, dynamic: bool
) -> None:
    """torch's exporter that needs no further package: two layers of an LSTM, then a GRU, then something else."""
    torch = need("torch")
    torch.manual_seed(3)
    low = torch.nn.LSTM(I, H, num_layers=2, bidirectional=both, batch_first=batch_first, dropout=0.1)
    top = torch.nn.GRU(H * (2 if both else 1), 5, batch_first=batch_first)

    class Model(torch.nn.Module):  # type: ignore[name-defined,misc]  # the package is optional
        def __init__(self) -> None:
            super().__init__()
            self.low, self.top, self.head = low, top, torch.nn.Linear(5, 2)

        def forward(self, x: Any) -> Any:
            return self.head(self.top(self.low(x)[0])[0])

    model = Model().eval()
    x = torch.randn((B, T, I) if batch_first else (T, B, I))
    axes = {"X": {0: "first", 1: "second"}} if dynamic else None
    path = tmp_path / "m.onnx"
    torch.onnx.export(model, (x,), str(path), dynamo=False, input_names=["X"], dynamic_axes=axes)
    assert [layer.notes for layer in select(find_layers(path), "all")] == [(), (), ()]
    with torch.no_grad():
        want = top(low(x)[0])[0].numpy()
    assert close(imported(path, x.numpy(), batch_first=batch_first)["output"], want)


@pytest.mark.parametrize("axis", ["features", "directions"])
def test_two_directions_as_two_operators(
    onnx: ModuleType, onnxruntime: ModuleType, tmp_path: Path, random: np.random.Generator, axis: str
) -> None:
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


def broken_chain(onnx: ModuleType, random: np.random.Generator, break_with: Between) -> Nodes:
    parts = [("LSTM", onnx_weights(random, "LSTM", I if n == 0 else H, H), {"hidden_size": H}) for n in range(2)]
    return stack_nodes(onnx, parts, break_with)


def test_layers_that_do_not_connect_are_said(onnx: ModuleType, tmp_path: Path, random: np.random.Generator) -> None:
    make = onnx.helper.make_node

    def relu(y: str, x: str) -> Nodes:
        squeezed = make("Squeeze", [y, "axes"], ["q"])
        return [squeezed, make("Relu", ["q"], [x], name="act")], [ints(onnx, "axes", [1])]

    path = onnx_save(onnx, tmp_path / "m.onnx", *broken_chain(onnx, random, relu), (T, B, I))
    with pytest.raises(WorkloadError, match="no single stack: node0 is fed by the graph's input 'X'; node1 is fed by the "
                       "output of Relu 'act'; choose one with --layer NAME"):  # fmt: skip
        select(find_layers(path), "all")

    def swapped(y: str, x: str) -> Nodes:
        more = [make("Squeeze", [y, "axes"], ["q"]), make("Transpose", ["q"], [x], perm=[1, 0, 2])]
        return more, [ints(onnx, "axes", [1])]

    path = onnx_save(onnx, tmp_path / "m.onnx", *broken_chain(onnx, random, swapped), (T, B, I))
    with pytest.raises(
        WorkloadError, match="node1 is fed by the output of node0, but not as a sequence of its features"
    ):
        select(find_layers(path), "all")


def test_one_layer_that_feeds_two_is_no_stack(onnx: ModuleType, tmp_path: Path, random: np.random.Generator) -> None:
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


@pytest.mark.parametrize(("count", "followed"), [(MAX_DEPTH, True), (2 * MAX_DEPTH, False)])
def test_a_chain_is_followed_through_so_many_operators(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator, count: int, followed: bool
) -> None:
    def renamed(y: str, x: str) -> Nodes:
        nodes = [onnx.helper.make_node("Squeeze", [y, "axes"], ["v1"])]
        nodes += [onnx.helper.make_node("Identity", [f"v{n}"], [f"v{n + 1}"]) for n in range(1, count - 1)]
        return [*nodes, onnx.helper.make_node("Identity", [f"v{count - 1}"], [x])], [ints(onnx, "axes", [1])]

    path = onnx_save(onnx, tmp_path / "m.onnx", *broken_chain(onnx, random, renamed), (T, B, I))
    if followed:
        assert len(select(find_layers(path), "all")) == 2
    else:
        with pytest.raises(WorkloadError, match="node1 is fed by the output of Identity"):
            select(find_layers(path), "all")


def reshape_by_constants(onnx: ModuleType) -> Between:
    """As torch's default exporter writes static shapes: (T, D, B, H) to (T, B, D, H) to (T, B, D H)."""
    return lambda y, x: (
        [
            onnx.helper.make_node("Transpose", [y], [f"{x}_t"], perm=[0, 2, 1, 3]),
            onnx.helper.make_node("Reshape", [f"{x}_t", f"{x}_s"], [x]),
        ],
        [ints(onnx, f"{x}_s", [T, B, -1])],
    )


def reshape_by_shape(onnx: ModuleType) -> Between:
    """As it writes dynamic ones: the new shape is computed from the Shape of what is reshaped."""
    make = onnx.helper.make_node

    def between(y: str, x: str) -> Nodes:
        cuts = [make("Slice", [f"{x}_h", f"{x}_{n}", f"{x}_{n + 1}"], [f"{x}_c{n}"]) for n in range(4)]
        nodes = [
            make("Transpose", [y], [f"{x}_t"], perm=[0, 2, 1, 3]),
            make("Shape", [f"{x}_t"], [f"{x}_h"], start=0),
            *cuts,
            make("Mul", [f"{x}_c2", f"{x}_c3"], [f"{x}_m"]),
            make("Reshape", [f"{x}_m", f"{x}_one"], [f"{x}_f"]),
            make("Concat", [f"{x}_c0", f"{x}_c1", f"{x}_f"], [f"{x}_s"], axis=0),
            make("Reshape", [f"{x}_t", f"{x}_s"], [x]),
        ]
        return nodes, [ints(onnx, f"{x}_one", [-1]), *(ints(onnx, f"{x}_{n}", [n]) for n in range(5))]

    return between


def halves(onnx: ModuleType) -> Between:
    """As tf2onnx writes two directions: each is cut out of Y, and both are put side by side."""
    make = onnx.helper.make_node

    def between(y: str, x: str) -> Nodes:
        nodes, parts = [], []
        for place, side in enumerate(("f", "r")):
            cut, plain, first = f"{x}_{side}", f"{x}_{side}_q", f"{x}_{side}_b"
            nodes.append(make("Slice", [y, f"{x}_{place}", f"{x}_{place + 1}", f"{x}_1"], [cut]))
            nodes.append(make("Squeeze", [cut, f"{x}_1"], [plain]))
            nodes.append(make("Transpose", [plain], [first], perm=[1, 0, 2]))
            parts.append(first)
        nodes += [make("Concat", parts, [f"{x}_c"], axis=-1), make("Transpose", [f"{x}_c"], [x], perm=[1, 0, 2])]
        return nodes, [ints(onnx, f"{x}_{n}", [n]) for n in range(3)]

    return between


@pytest.mark.parametrize("sizes", [(T, B, I), ("t", "b", I), (None, None, I)])
@pytest.mark.parametrize(("between", "count"), [(reshape_by_constants, 2), (reshape_by_shape, 2), (halves, 2),
                                                (reshape_by_constants, 1), (reshape_by_shape, 1)])  # fmt: skip
def test_reshapes_that_keep_the_sequence(
    onnx: ModuleType,
    onnxruntime: ModuleType,
    tmp_path: Path,
    random: np.random.Generator,
    between: Callable[[ModuleType], Between],
    count: int,
    sizes: tuple[int | str | None, ...],
) -> None:
    """A Reshape to constants needs known sizes: without them nothing says which of the constants is the time."""
    direction = {"direction": "bidirectional"} if count == 2 else {}
    weights = [onnx_weights(random, "LSTM", I, H, count), onnx_weights(random, "GRU", H * count, H, count)]
    parts = [(op, w, {"hidden_size": H, **direction}) for op, w in zip(("LSTM", "GRU"), weights, strict=True)]
    x = random.standard_normal((T, B, I)).astype(np.float32)
    nodes, stored = stack_nodes(onnx, parts, between(onnx))
    path = onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, sizes, outputs_of=("LSTM", "GRU"))
    if between is reshape_by_constants and sizes[0] != T:
        with pytest.raises(WorkloadError, match="node1 is fed by the output of Reshape"):
            select(find_layers(path), "all")
        return
    assert close(imported(path, x)["output"], torch_shaped(onnx_run(onnxruntime, path, x)["Y1"]))


def bound_chain(onnx: ModuleType, onnx_parts: Sequence[Part], sizes: Sequence[int]) -> Nodes:
    def between(y: str, x: str) -> Nodes:
        nodes = [
            onnx.helper.make_node("Transpose", [y], ["t"], perm=[0, 2, 1, 3]),
            onnx.helper.make_node("Reshape", ["t", "s"], [x], name="bound"),
        ]
        return nodes, [ints(onnx, "s", list(sizes))]

    return stack_nodes(onnx, onnx_parts, between)


def declare(onnx: ModuleType, path: Path, value: str, sizes: Sequence[int | str]) -> None:
    model = onnx.load(path)
    model.graph.value_info.append(onnx.helper.make_tensor_value_info(value, onnx.TensorProto.FLOAT, sizes))
    onnx.save(model, path)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    ("x_sizes", "first", "declared"),
    [
        (("time", B), (T, B), None),  # time x 2 = 5 x 2
        ((T, "batch"), (T, B), None),  # 5 x batch = 5 x 2
        (("time", B), (T, -1), (T, B)),
        (("time", "batch"), (T, -1), (T, "batch")),  # time x batch = 5 x batch
        (("time", "batch"), (-1, B), ("time", B)),
    ],
)
def test_a_reshape_to_the_size_that_a_dynamic_axis_had_in_the_example(
    onnx: ModuleType,
    onnxruntime: ModuleType,
    tmp_path: Path,
    random: np.random.Generator,
    count: int,
    x_sizes: tuple[int | str, ...],
    first: tuple[int, ...],
    declared: tuple[int | str, ...] | None,
) -> None:
    """torch's default exporter writes such: the Reshape is possible for that size alone, and then keeps the order."""
    direction = {"direction": "bidirectional"} if count == 2 else {}
    weights = [onnx_weights(random, "LSTM", I, H, count), onnx_weights(random, "GRU", H * count, H, count)]
    parts = [(op, w, {"hidden_size": H, **direction}) for op, w in zip(("LSTM", "GRU"), weights, strict=True)]
    nodes, stored = bound_chain(onnx, parts, [*first, H * count])
    path = onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, (*x_sizes, I), outputs_of=("LSTM", "GRU"))
    if declared is not None:
        declare(onnx, path, "x1", (*declared, H * count))
    x = random.standard_normal((T, B, I)).astype(np.float32)
    assert close(imported(path, x)["output"], torch_shaped(onnx_run(onnxruntime, path, x)["Y1"]))


@pytest.mark.parametrize(
    ("x_sizes", "sizes", "declared"),
    [
        (("time", B), (B, T, H), None),  # time is 5, but then time steps and sequences are exchanged
        (("time", B), (1, T * B, H), None),
        (("time", "batch"), (T, B, H), None),  # any two sizes whose product is 10
        (("time", "batch"), (T, -1, H), None),
        (("time", "batch"), (T, -1, H), (T, "other", H)),
        (("time", "batch"), (T, -1, H), (T + 1, "batch", H)),  # the file contradicts itself
        (("time", "batch"), (T, -1, H), ("batch", H)),
        (("time", 3), (T, 2, H), None),  # 3 x time is never 10
        (("time", "time"), (T, T, H), None),
    ],
)
def test_a_reshape_of_dynamic_axes_that_may_mix_the_sequence_is_said(
    onnx: ModuleType,
    tmp_path: Path,
    random: np.random.Generator,
    x_sizes: tuple[int | str, ...],
    sizes: tuple[int, ...],
    declared: tuple[int | str, ...] | None,
) -> None:
    parts = [("LSTM", onnx_weights(random, "LSTM", I if n == 0 else H, H), {"hidden_size": H}) for n in range(2)]
    path = onnx_save(onnx, tmp_path / "m.onnx", *bound_chain(onnx, parts, sizes), (*x_sizes, I))
    if declared is not None:
        declare(onnx, path, "x1", declared)
    with pytest.raises(WorkloadError, match="node1 is fed by the output of Reshape 'bound'"):
        select(find_layers(path), "all")


@pytest.mark.parametrize("sizes", [[B, T, H], [T * B, 1, H], [T, B * 2, H // 2], [1, T * B, H]])
def test_a_reshape_that_mixes_the_sequence_is_said(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator, sizes: list[int]
) -> None:
    def mixed(y: str, x: str) -> Nodes:
        return [onnx.helper.make_node("Reshape", [y, "s"], [x], name="mix")], [ints(onnx, "s", sizes)]

    path = onnx_save(onnx, tmp_path / "m.onnx", *broken_chain(onnx, random, mixed), (T, B, I))
    with pytest.raises(WorkloadError, match="node1 is fed by the output of Reshape 'mix'"):
        select(find_layers(path), "all")


def test_directions_in_the_other_order_are_no_sequence_of_the_layer(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator
) -> None:
    make = onnx.helper.make_node

    def swapped(y: str, x: str) -> Nodes:
        nodes = [make("Split", [y, "lengths"], ["f", "r"], axis=1), make("Concat", ["r", "f"], ["c"], axis=1)]
        nodes += [make("Transpose", ["c"], ["t"], perm=[0, 2, 1, 3]), make("Reshape", ["t", "s"], [x])]
        return nodes, [ints(onnx, "lengths", [1, 1]), ints(onnx, "s", [0, 0, -1])]

    weights = [onnx_weights(random, "LSTM", size, H, 2) for size in (I, 2 * H)]
    parts: list[Part] = [("LSTM", w, {"hidden_size": H, "direction": "bidirectional"}) for w in weights]
    path = onnx_save(onnx, tmp_path / "m.onnx", *stack_nodes(onnx, parts, swapped), (T, B, I))
    with pytest.raises(WorkloadError, match="the output of node0, but not as a sequence of its features"):
        select(find_layers(path), "all")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (Size(2, ("T",)), Size(6), ("T", 3)),
        (Size(2, ("B", "T")), Size(6, ("B",)), ("T", 3)),
        (Size(1, ("T",)), Size(1), ("T", 1)),
        (Size(2, ("T",)), Size(7), None),
        (Size(2, ("T",)), Size(0), None),
        (Size(0, ("T",)), Size(6), None),
        (Size(2, ("B", "T")), Size(6), None),
        (Size(2, ("T",)), Size(6, ("B",)), None),
        (Size(2), Size(2), None),
    ],
)
def test_one_unknown_axis_has_the_size_that_makes_both_as_many(
    old: Size, new: Size, found: tuple[str, int] | None
) -> None:
    """2 T = 6: T is 3. Not where it is no whole number above 0, and not where two are unknown."""
    assert forced(old, new) == found


@pytest.mark.parametrize(("axes", "seen"), [(3, 3), (16, 16), (17, 17), (40, 17)])
def test_a_value_of_too_many_axes_is_not_taken_for_one_of_few(onnx: ModuleType, axes: int, seen: int) -> None:
    """Up to 16 axes are read, and one more, so that none with more looks like one with 16."""
    info = onnx.helper.make_tensor_value_info("v", 1, [2] * axes)
    sizes = declared(cast(Scope, SimpleNamespace(declared={"v": info})), "v")
    assert [size.count for size in present(sizes)] == [2] * seen


@pytest.mark.parametrize(
    ("lengths", "attributes", "whole"),
    [
        ([2, 0], {}, ["f"]),
        (None, {"split": [2, 0]}, ["f"]),
        (None, {}, ["f", "r"]),
        (None, {"num_outputs": 2}, ["f", "r"]),
    ],
)
def test_directions_that_are_split_and_joined_are_a_sequence_of_the_layer(
    onnx: ModuleType,
    tmp_path: Path,
    random: np.random.Generator,
    lengths: list[int] | None,
    attributes: dict[str, Any],
    whole: list[str],
) -> None:
    """Without lengths both parts are equally long: one direction each. With [2, 0] the first part is all there is."""
    make = onnx.helper.make_node

    def split(y: str, x: str) -> Nodes:
        given = [y] if lengths is None else [y, "lengths"]
        nodes = [make("Split", given, ["f", "r"], axis=1, **attributes), make("Concat", whole, ["c"], axis=1)]
        nodes += [make("Transpose", ["c"], ["t"], perm=[0, 2, 1, 3]), make("Reshape", ["t", "s"], [x])]
        return nodes, [*([] if lengths is None else [ints(onnx, "lengths", lengths)]), ints(onnx, "s", [0, 0, -1])]

    weights = [onnx_weights(random, "LSTM", size, H, 2) for size in (I, 2 * H)]
    parts: list[Part] = [("LSTM", w, {"hidden_size": H, "direction": "bidirectional"}) for w in weights]
    path = onnx_save(onnx, tmp_path / "m.onnx", *stack_nodes(onnx, parts, split), (T, B, I))
    assert [layer.fed_by for layer in select(find_layers(path), "all")] == [(), ("node0",)]


@pytest.mark.parametrize("turned", [False, True])
def test_a_model_that_takes_its_input_batch_first_is_imported_so(
    archsim: Command, onnx: ModuleType, random: np.random.Generator, turned: bool
) -> None:
    """The exporters turn the input round before the operator, which knows time first alone."""
    weights = onnx_weights(random, "LSTM", I, H)
    nodes = [onnx.helper.make_node("Transpose", ["X"], ["x"], perm=[1, 0, 2])] if turned else []
    nodes.append(onnx_node(onnx, "LSTM", weights, "", "x" if turned else "X", hidden_size=H))
    onnx_save(onnx, Path("m.onnx"), nodes, onnx_stored(onnx, weights), (B, T, I))
    assert archsim("import", "m.onnx", "--out", "my.yaml").code == 0
    assert load_workload("my.yaml").config.batch_first == turned
