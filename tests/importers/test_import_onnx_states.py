"""Learned initial states, one for all sequences, against onnxruntime and torch; states that only a run knows are said."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.importers import InputSequence, find_layers, select, write_workload
from tests.importers.import_runs import close, imported, ints, onnx_node, onnx_run, onnx_save, onnx_stored, onnx_weights

T, B, I, H = 5, 3, 3, 4


def repeated(onnx: ModuleType, how: str, name: str, place: int, count: int) -> tuple[list[Any], list[Any]]:
    """The nodes that give the state `name` of every direction to each sequence, and what they have stored."""
    make = onnx.helper.make_node
    batch = [make("Shape", ["X"], [f"{name}_s"]), make("Slice", [f"{name}_s", "one", "two"], [f"{name}_b"])]
    shape = make("Concat", [f"{name}_d", f"{name}_b", "units"], [f"{name}_to"], axis=0)
    if how == "tile":
        times = make("Concat", ["one", f"{name}_b", "one"], [f"{name}_to"], axis=0)
        return [*batch, times, make("Tile", [f"{name}_0", f"{name}_to"], [name])], []
    if how == "slice":  # all layers' states in one parameter, expanded together
        first, last = ints(onnx, f"{name}_f", [place]), ints(onnx, f"{name}_l", [place + count])
        cut = make("Slice", [f"{name}_all", f"{name}_f", f"{name}_l", "nought"], [name])
        return [*batch, shape, make("Expand", [f"{name}_0", f"{name}_to"], [f"{name}_all"]), cut], [first, last]
    return [*batch, shape, make("Expand", [f"{name}_0", f"{name}_to"], [name])], []


@pytest.mark.parametrize("how", ["expand", "tile", "slice", "units alone"])
@pytest.mark.parametrize("op", ["LSTM", "GRU"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_learned_state_is_that_of_every_sequence(
    onnx: ModuleType,
    onnxruntime: ModuleType,
    tmp_path: Path,
    random: np.random.Generator,
    how: str,
    op: str,
    count: int,
) -> None:
    weights = onnx_weights(random, op, I, H, count)
    states = ("initial_h", "initial_c") if op == "LSTM" else ("initial_h",)
    nodes: list[Any] = []
    stored = [*onnx_stored(onnx, weights), ints(onnx, "nought", [0]), ints(onnx, "one", [1]), ints(onnx, "two", [2])]
    stored.append(ints(onnx, "units", [H]))
    for name in states:
        more, tensors = repeated(onnx, how, name, 1, count)
        nodes += more
        stored += [*tensors, ints(onnx, f"{name}_d", [count + 2 if how == "slice" else count])]
        shape = (H,) if how == "units alone" else (count + 2 if how == "slice" else count, 1, H)
        stored.append(onnx.numpy_helper.from_array(random.standard_normal(shape).astype(np.float32), f"{name}_0"))
    direction = "bidirectional" if count == 2 else "forward"
    nodes.append(onnx_node(onnx, op, weights | dict.fromkeys(states, 0), hidden_size=H, direction=direction))
    x = random.standard_normal((T, B, I)).astype(np.float32)
    path = onnx_save(onnx, tmp_path / "m.onnx", nodes, stored, ("t", "b", I), outputs_of=(op,))
    (layer,) = find_layers(path).layers
    assert layer.notes == ()
    assert "initial state in the file, the same for all sequences" in layer.options()
    ours, theirs = imported(path, x), onnx_run(onnxruntime, path, x)
    assert close(ours["h_n"], theirs["Y_h"])
    assert close(ours["output"], np.moveaxis(theirs["Y"], 1, 2).reshape(T, B, -1))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("bidirectional", [False, True])
def test_what_torch_exports_of_a_learned_state(torch: ModuleType, tmp_path: Path, bidirectional: bool) -> None:
    """Two layers whose h_0 and c_0 are one parameter each, expanded to the batch: the legacy exporter, any sizes."""
    torch.manual_seed(5)
    lstm = torch.nn.LSTM(I, H, 2, bidirectional=bidirectional)

    class Model(torch.nn.Module):  # type: ignore[name-defined,misc]  # the package is optional
        def __init__(self) -> None:
            super().__init__()
            self.lstm = lstm
            cells = 4 if bidirectional else 2
            self.h, self.c = (torch.nn.Parameter(torch.randn(cells, 1, H)) for _ in range(2))

        def forward(self, x: Any) -> Any:
            states = (one.expand(-1, x.shape[1], -1).contiguous() for one in (self.h, self.c))
            return self.lstm(x, tuple(states))[0]

    model, x = Model().eval(), torch.randn(T, B, I)
    path = tmp_path / "m.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = {"x": {0: "t", 1: "b"}}
        torch.onnx.export(model, (x,), str(path), dynamo=False, input_names=["x"], dynamic_axes=axes)
    assert [layer.notes for layer in select(find_layers(path), "all")] == [(), ()]
    with torch.no_grad():
        want = model(x).numpy()
    assert close(imported(path, x.numpy())["output"], want)


def test_a_state_for_some_sequences_is_not_for_others(
    onnx: ModuleType, tmp_path: Path, random: np.random.Generator
) -> None:
    weights = onnx_weights(random, "GRU", I, H, initial_h=(1, 2, H))
    node = onnx_node(onnx, "GRU", weights, hidden_size=H)
    found = find_layers(onnx_save(onnx, tmp_path / "m.onnx", [node], onnx_stored(onnx, weights), (T, 2, I)))
    with pytest.raises(WorkloadError, match="its initial state is for a batch of 2, but the input has 3"):
        write_workload(found, found.layers, InputSequence(4, 3, False, True), tmp_path / "w.yaml")


def test_a_state_that_the_graph_computes_is_said(onnx: ModuleType, tmp_path: Path, random: np.random.Generator) -> None:
    """A product of a learned state and something else is no learned state."""
    weights = onnx_weights(random, "GRU", I, H)
    make = onnx.helper.make_node
    nodes = [make("Mul", ["h", "X"], ["m"], name="times"), make("Expand", ["m", "to"], ["initial_h"])]
    nodes.append(onnx_node(onnx, "GRU", weights | {"initial_h": np.zeros(1)}, hidden_size=H))
    stored = [*onnx_stored(onnx, weights), onnx.numpy_helper.from_array(np.ones((1, 1, H), np.float32), "h")]
    path = onnx_save(onnx, tmp_path / "m.onnx", nodes, [*stored, ints(onnx, "to", [1, B, H])], (T, B, I))
    (layer,) = find_layers(path).layers
    assert layer.notes == ("initial_h is computed by the graph (Mul 'times'): the workload starts at 0",)


def test_zeros_for_other_units_are_refused(onnx: ModuleType, tmp_path: Path, random: np.random.Generator) -> None:
    """As torch's exporter writes an LSTM of 6 units with proj_size=4: weights of 4 units, c of 6, which no runtime takes."""
    weights = onnx_weights(random, "LSTM", I, H)
    zeros = {"initial_h": np.zeros((1, B, H), np.float32), "initial_c": np.zeros((1, B, 6), np.float32)}
    node = onnx_node(onnx, "LSTM", weights | zeros, hidden_size=H)
    path = onnx_save(onnx, tmp_path / "m.onnx", [node], onnx_stored(onnx, weights | zeros), (T, B, I))
    (entry,) = find_layers(path).unsupported
    assert entry.reason.startswith("its initial_c is for 6 units, its R for 4; if it was an LSTM with proj_size")
    zeros["initial_c"] = zeros["initial_h"]
    (layer,) = find_layers(
        onnx_save(onnx, tmp_path / "n.onnx", [node], onnx_stored(onnx, weights | zeros), (T, B, I))
    ).layers
    assert layer.c_0 is None
