"""Cells that graphs write out in elementary operators, step by step or in a Loop or a Scan, against torch and onnxruntime."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.importers import find_layers, select
from archsim.importers.onnx.onnx_written import Weights
from tests.importers.import_runs import imported, ints, onnx_run, onnx_save

T, B, I, H = 5, 2, 3, 4
Builder = Callable[[ModuleType], Any]


def per_step(torch: ModuleType, cells: list[Any], reverse: bool = False) -> Any:
    """A module that goes through time with cells on top of one another."""

    class Loop(torch.nn.Module):  # type: ignore[name-defined,misc]  # the package is optional
        def __init__(self) -> None:
            super().__init__()
            self.cells = torch.nn.ModuleList(cells)

        def forward(self, x: Any) -> Any:
            states: list[Any] = [None] * len(cells)
            outputs = []
            for t in range(T - 1, -1, -1) if reverse else range(T):
                value = x[t]
                for place, cell in enumerate(self.cells):
                    states[place] = cell(value, states[place])
                    value = states[place][0] if isinstance(states[place], tuple) else states[place]
                outputs.append(value)
            return torch.stack(outputs[::-1] if reverse else outputs)

    return Loop()


def lstm_cells(torch: ModuleType) -> Any:
    return per_step(torch, [torch.nn.LSTMCell(I, H)])


def two_lstm_cells(torch: ModuleType) -> Any:
    return per_step(torch, [torch.nn.LSTMCell(I, H), torch.nn.LSTMCell(H, H)])


def gru_cells(torch: ModuleType) -> Any:
    return per_step(torch, [torch.nn.GRUCell(I, H), torch.nn.GRUCell(H, H, bias=False)])


def rnn_cells(torch: ModuleType) -> Any:
    return per_step(torch, [torch.nn.RNNCell(I, H), torch.nn.RNNCell(H, H)])


def relu_cells(torch: ModuleType) -> Any:
    return per_step(torch, [torch.nn.RNNCell(I, H, nonlinearity="relu")])


def backwards(torch: ModuleType) -> Any:
    return per_step(torch, [torch.nn.LSTMCell(I, H)], reverse=True)


def from_scratch(torch: ModuleType, step: Callable[..., Any], layers: dict[str, tuple[int, int]]) -> Any:
    class Scratch(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            for name, sizes in layers.items():
                setattr(self, name, torch.nn.Linear(*sizes))
            self.h0, self.c0 = (torch.nn.Parameter(torch.randn(1, H)) for _ in range(2))

        def forward(self, x: Any) -> Any:
            h, c = self.h0.expand(x.shape[1], H), self.c0.expand(x.shape[1], H)
            outputs = []
            for t in range(T):
                h, c = step(self, x[t], h, c)
                outputs.append(h)
            return torch.stack(outputs)

    return Scratch()


def gates_from_scratch(torch: ModuleType) -> Any:
    """A Linear for each gate and each of x and h, with learned states."""
    names = [f"{side}{gate}" for side in "xh" for gate in "ofgi"]

    def step(m: Any, x: Any, h: Any, c: Any) -> Any:
        i, f, o = (torch.sigmoid(getattr(m, f"h{g}")(h) + getattr(m, f"x{g}")(x)) for g in "ifo")
        g = torch.tanh(m.xg(x) + m.hg(h))
        c = g * i + c * f
        return torch.tanh(c) * o, c

    return from_scratch(torch, step, {name: (I if name[0] == "x" else H, H) for name in names})


def gru_from_scratch(torch: ModuleType) -> Any:
    """The textbook's GRU: h is reset before the product, h' = z h + (1 - z) n."""

    def step(m: Any, x: Any, h: Any, c: Any) -> Any:
        z, r = torch.sigmoid(m.xz(x) + m.hz(h)), torch.sigmoid(m.xr(x) + m.hr(h))
        n = torch.tanh(m.xn(x) + m.hn(r * h))
        return (1 - z) * n + z * h, c

    return from_scratch(torch, step, {f"{s}{g}": (I if s == "x" else H, H) for s in "xh" for g in "zrn"})


BUILDERS = [
    lstm_cells,
    two_lstm_cells,
    gru_cells,
    rnn_cells,
    relu_cells,
    backwards,
    gates_from_scratch,
    gru_from_scratch,
]


def export(torch: ModuleType, model: Any, x: Any, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (x,), str(path), dynamo=False, input_names=["X"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("build", BUILDERS)
def test_steps_of_a_cell_are_a_layer(torch: ModuleType, tmp_path: Path, build: Builder) -> None:
    torch.manual_seed(1)
    model, x = build(torch).eval(), torch.randn(T, B, I)
    export(torch, model, x, tmp_path / "m.onnx")
    found = find_layers(tmp_path / "m.onnx")
    assert all(f"written out in {T} steps of elementary operators" in layer.notes[-1] for layer in found.layers)
    with torch.no_grad():
        want = model(x).numpy()
    np.testing.assert_allclose(imported(tmp_path / "m.onnx", x.numpy())["output"], want, rtol=0, atol=1e-6)


def lstm_step(onnx: ModuleType) -> list[Any]:
    """The nodes of a step of an LSTM in TensorFlow's order i, j, f, o, from x, h and c to h_new, c_new and y."""
    make = onnx.helper.make_node
    names = ("i", "j", "f", "o")
    return [
        make("MatMul", ["x", "K"], ["kx"]),
        make("MatMul", ["h", "R"], ["rh"]),
        make("Add", ["kx", "rh"], ["sum"]),
        make("Add", ["sum", "b"], ["all"]),
        make("Split", ["all"], [f"{n}_" for n in names], axis=1, num_outputs=4),
        *(make("Tanh" if n == "j" else "Sigmoid", [f"{n}_"], [n]) for n in names),
        make("Mul", ["f", "c"], ["fc"]),
        make("Mul", ["i", "j"], ["ij"]),
        make("Add", ["fc", "ij"], ["c_new"]),
        make("Tanh", ["c_new"], ["squashed"]),
        make("Mul", ["squashed", "o"], ["h_new"]),
        make("Identity", ["h_new"], ["y"]),
    ]


def scan(onnx: ModuleType, reverse: bool) -> Any:
    value = onnx.helper.make_tensor_value_info
    inner = [value(name, 1, (B, size)) for name, size in (("h", H), ("c", H), ("x", I))]
    outer = [value(name, 1, (B, H)) for name in ("h_new", "c_new", "y")]
    body = onnx.helper.make_graph(lstm_step(onnx), "body", inner, outer)
    way: dict[str, Any] = {"scan_input_directions": [int(reverse)], "scan_output_directions": [int(reverse)]}
    made = ["hn", "cn", "Y"]
    return onnx.helper.make_node("Scan", ["h0", "c0", "X"], made, name="s", body=body, num_scan_inputs=1, **way)


def loop(onnx: ModuleType, _reverse: bool) -> Any:
    value, make = onnx.helper.make_tensor_value_info, onnx.helper.make_node
    states = [value(name, 1, (B, H)) for name in ("h", "c")]
    inner = [value("step", 7, ()), value("on", 9, ()), *states]
    outer = [value("still", 9, ()), *(value(name, 1, (B, H)) for name in ("h_new", "c_new", "y"))]
    first = [make("Gather", ["X", "step"], ["x"], axis=0), make("Identity", ["on"], ["still"])]
    body = onnx.helper.make_graph([*first, *lstm_step(onnx)], "body", inner, outer)
    return make("Loop", ["steps", "", "h0", "c0"], ["hn", "cn", "Y"], name="s", body=body)


@pytest.mark.parametrize(("build", "reverse"), [(scan, False), (scan, True), (loop, False)])
def test_a_scan_or_a_loop_is_a_layer(
    onnx: ModuleType,
    onnxruntime: ModuleType,
    tmp_path: Path,
    random: np.random.Generator,
    build: Callable[[ModuleType, bool], Any],
    reverse: bool,
) -> None:
    """The weights and initial states are constants of the graph around the body."""
    shapes = {"K": (I, 4 * H), "R": (H, 4 * H), "b": (4 * H,), "h0": (B, H), "c0": (B, H)}
    stored = [onnx.numpy_helper.from_array(random.standard_normal(s).astype("f4") / 2, n) for n, s in shapes.items()]
    stored.append(onnx.numpy_helper.from_array(np.array(T), "steps"))
    path = onnx_save(onnx, tmp_path / "m.onnx", [build(onnx, reverse)], stored, (T, B, I))
    (layer,) = find_layers(path).layers
    assert (layer.name, layer.config.reverse) == ("s", reverse)
    x = random.standard_normal((T, B, I)).astype(np.float32)
    theirs, ours = onnx_run(onnxruntime, path, x), imported(path, x)
    for name, want in (("output", theirs["Y"]), ("h_n", theirs["hn"][None]), ("c_n", theirs["cn"][None])):
        np.testing.assert_allclose(ours[name], want, rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_what_is_no_cell_is_explained(torch: ModuleType, tmp_path: Path) -> None:
    """Steps in another order than time's, weights that change, and a network of other layers."""
    torch.manual_seed(1)
    cells = [torch.nn.LSTMCell(I, H) for _ in range(2)]

    class Mixed(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self, order: tuple[int, ...], cells: list[Any]) -> None:
            super().__init__()
            self.order, self.cells = order, torch.nn.ModuleList(cells)

        def forward(self, x: Any) -> Any:
            state: Any = None
            for place, t in enumerate(self.order):
                state = self.cells[place % len(self.cells)](x[t], state)
            return state[0]

    x = torch.randn(T, B, I)
    for model, reason in (
        (Mixed((0, 2, 1, 3), cells[:1]), "4 steps of a cell in elementary operators: its steps do not take the time"),
        (Mixed((0, 1, 2, 3), cells), "4 steps of a cell in elementary operators: its steps have different weights"),
    ):
        export(torch, model.eval(), x, tmp_path / "m.onnx")
        (entry,) = find_layers(tmp_path / "m.onnx").unsupported
        assert entry.reason.startswith(reason)
        assert "write the model with nn.LSTM" in entry.reason
    dense = torch.nn.Sequential(torch.nn.Linear(I, H), torch.nn.Tanh(), torch.nn.Linear(H, H), torch.nn.Tanh())
    export(torch, dense.eval(), x, tmp_path / "m.onnx")
    with pytest.raises(WorkloadError, match="has no LSTM, GRU or RNN operator, nor one written out, only 6 other"):
        find_layers(tmp_path / "m.onnx")


def test_an_operator_without_its_second_input_is_refused(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator
) -> None:
    """Found by fuzzing: a product of one thing among the products of a step."""
    nodes = lstm_step(onnx)
    for node in nodes:
        if node.op_type == "Mul":
            del node.input[1:]
    path = onnx_save(onnx, tmp_path / "m.onnx", nodes, [], (T, B, I))
    with pytest.raises(WorkloadError, match="not a valid ONNX file: an operator Mul has 1 of at least 2 inputs"):
        find_layers(path)


@pytest.mark.parametrize(
    ("kind", "attribute", "message"),
    [
        ("Scan", ("num_scan_inputs", b""), "num_scan_inputs of an operator Scan is of another kind than ONNX's int"),
        ("Split", ("axis", 1.0), "axis of an operator Split is of another kind than ONNX's int"),
        ("Split", ("axes", 1.0), None),
        ("Thing", ("axis", 1.0), None),
    ],
)
def test_an_attribute_of_another_kind_is_refused(
    onnx: ModuleType, tmp_path: Path, kind: str, attribute: tuple[str, object], message: str | None
) -> None:
    """Found by guided fuzzing: the number of a Scan's inputs as a text; ONNX does not know other names."""
    node = onnx.helper.make_node(kind, ["X"], ["Y"], name="n", **{attribute[0]: attribute[1]})
    path = onnx_save(onnx, tmp_path / "m.onnx", [node], [], (T, B, I))
    with pytest.raises(WorkloadError, match=message or "has no LSTM, GRU or RNN operator"):
        find_layers(path)


@pytest.mark.parametrize(("kind", "least"), [("DequantizeLinear", 2), ("Identity", 1), ("Transpose", 1)])
def test_an_operator_before_a_weight_without_inputs_is_refused(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator, kind: str, least: int
) -> None:
    """Found by guided fuzzing: a DequantizeLinear without a scale makes the weight of an LSTM."""
    make = onnx.helper.make_node
    weight = onnx.numpy_helper.from_array(random.standard_normal((1, 16, 4)).astype(np.float32), "W0")
    nodes = [make(kind, ["W0"][: least - 1], ["W"]), make("LSTM", ["X", "W", "W0"], ["Y"], hidden_size=4)]
    path = onnx_save(onnx, tmp_path / "m.onnx", nodes, [weight], (T, B, 4))
    with pytest.raises(WorkloadError, match=f"operator {kind} has {least - 1} of at least {least} inputs"):
        find_layers(path)


def test_a_matrix_that_only_looks_like_a_step_is_none(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator
) -> None:
    """Two layers with a skip are no RNN of two steps: their matrices differ."""
    make = onnx.helper.make_node
    nodes = []
    for n, below in ((1, "X"), (2, "h1")):
        nodes += [make("MatMul", [below, f"A{n}"], [f"a{n}"]), make("MatMul", ["X", f"B{n}"], [f"b{n}"])]
        nodes += [make("Add", [f"a{n}", f"b{n}"], [f"s{n}"]), make("Tanh", [f"s{n}"], [f"h{n}"])]
    stored = [
        onnx.numpy_helper.from_array(random.standard_normal((I, I)).astype("f4"), f"{name}{n}")
        for name in "AB" for n in (1, 2)
    ]  # fmt: skip
    path = onnx_save(onnx, tmp_path / "m.onnx", nodes, [*stored, ints(onnx, "unused", [1])], (T, B, I))
    with pytest.raises(WorkloadError, match="nor one written out"):
        select(find_layers(path), "all")


@pytest.mark.parametrize("name", ["weight_ih", "weight_hh", "bias_ih", "bias_hh"])
def test_steps_of_one_layer_have_the_same_weights(name: str) -> None:
    """One number that differs in one of the four makes another layer, and so does a bias that is not there."""
    arrays = {"weight_ih": np.ones((4, 3)), "weight_hh": np.ones((4, 1)), "bias_ih": np.ones(4), "bias_hh": np.ones(4)}
    weights = Weights(**arrays)
    assert weights.same(Weights(**{key: array.copy() for key, array in arrays.items()}))
    other = arrays[name].copy()
    other.flat[-1] = 2
    assert not weights.same(Weights(**(arrays | {name: other})))
    if name.startswith("bias"):
        assert not weights.same(Weights(**(arrays | {name: None})))  # type: ignore[arg-type]
