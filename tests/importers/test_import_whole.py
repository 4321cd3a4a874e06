"""archsim import --whole: linear layers before, between and behind recurrent ones; the rest is named for the host."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.importers import InputSequence, find_layers, select, write_workload
from tests.importers.conftest import Command
from tests.importers.import_runs import close, run_workload
from tests.optional import need
from tests.rings import exhaustive

T, B, I, H = 5, 2, 3, 4


def constants(onnx: ModuleType, random: np.random.Generator, **shapes: tuple[int, ...]) -> list[Any]:
    return [
        onnx.numpy_helper.from_array((random.standard_normal(shape) / 2).astype(np.float32), name)
        for name, shape in shapes.items()
    ]


def model(onnx: ModuleType, random: np.random.Generator, path: Path, batch_first: bool, conv: bool = False) -> Path:
    """Dense, relu, LSTM, Dense, GRU both ways, Dense, sigmoid; before all, if asked for, a Conv; behind all a Softmax."""
    make, value, floats = onnx.helper.make_node, onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    nodes = [make("Conv", ["X", "K"], ["X0"], name="front")] if conv else []
    nodes += [
        make("MatMul", ["X0" if conv else "X", "W0"], ["a"], name="before"),
        make("Add", ["B0", "a"], ["b"]),
        make("Relu", ["b"], ["c"]),
        make("Transpose", ["c"], ["d"], perm=[1, 0, 2]) if batch_first else make("Identity", ["c"], ["d"]),
        make("LSTM", ["d", "W", "R", "BB"], ["e"], name="lstm", hidden_size=H),
        make("Squeeze", ["e", "one"], ["f"]),
        make("MatMul", ["f", "W1"], ["g"], name="between"),
        make(
            "GRU", ["g", "V", "S"], ["h"], name="gru", hidden_size=H, direction="bidirectional", linear_before_reset=1
        ),
        make("Transpose", ["h"], ["i"], perm=[2, 0, 1, 3] if batch_first else [0, 2, 1, 3]),
        make("Reshape", ["i", "joined"], ["j"]),
        make("MatMul", ["j", "W2"], ["k"], name="behind"),
        make("Add", ["k", "B2"], ["l"]),
        make("Sigmoid", ["l"], ["Z"]),
        make("Softmax", ["Z"], ["Y"], name="scores"),
    ]
    shapes: dict[str, tuple[int, ...]] = {"W0": (I, 6), "B0": (6,), "W1": (H, 5), "W2": (2 * H, 2), "B2": (2,)}
    shapes |= {"W": (1, 4 * H, 6), "R": (1, 4 * H, H), "BB": (1, 8 * H), "V": (2, 3 * H, 5), "S": (2, 3 * H, H)}
    stored = constants(onnx, random, **shapes, **({"K": (T, T, 1)} if conv else {}))
    stored += [
        onnx.numpy_helper.from_array(np.array(v), name) for name, v in {"one": [1], "joined": [0, 0, -1]}.items()
    ]
    shape = (B, T, I) if batch_first else (T, B, I)
    outputs = [value("Z", floats, None), value("Y", floats, None)]
    graph = onnx.helper.make_graph(nodes, "g", [value("X", floats, shape)], outputs, stored)
    path.write_bytes(
        onnx.helper.make_model(
            graph, opset_imports=[onnx.helper.make_opsetid("", 14)], ir_version=8
        ).SerializeToString()
    )
    return path


@pytest.mark.parametrize("batch_first", [False, True])
def test_the_network_is_onnxruntimes(
    onnx: ModuleType, random: np.random.Generator, tmp_path: Path, batch_first: bool
) -> None:
    ort = need("onnxruntime")
    path = model(onnx, random, tmp_path / "m.onnx", batch_first)
    found = find_layers(path, whole=True)
    assert found.unsupported == ()
    layers = select(found, "all")
    assert [layer.name for layer in layers] == ["before", "lstm", "between", "gru", "behind"]
    assert [str(layer) for layer in layers[:2]] == ["LINEAR(3, 6)", "LSTM(6, 4)"]
    assert found.host == ("1 Softmax",)
    x = random.standard_normal((B, T, I) if batch_first else (T, B, I)).astype(np.float32)
    out = tmp_path / "w.yaml"
    write_workload(found, layers, InputSequence(T, B, batch_first, True, x=x), out)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert close(run_workload(out)["output"], session.run(["Z"], {"X": x})[0])


def test_what_is_left_to_the_host_is_named(onnx: ModuleType, random: np.random.Generator, tmp_path: Path) -> None:
    """Of a Conv in front the weights and the products of one position: T x T x 1 = 25."""
    found = find_layers(model(onnx, random, tmp_path / "m.onnx", False, conv=True), whole=True)
    assert found.host == ("Conv front: weights 5 x 5 x 1, 25 MACs a position", "1 Softmax")
    assert found.layers[2].input_from == "the output of Conv 'front'"
    assert select(found, "all")[0].name == "before"


def test_without_it_nothing_changes(onnx: ModuleType, random: np.random.Generator, tmp_path: Path) -> None:
    found = find_layers(model(onnx, random, tmp_path / "m.onnx", False))
    assert [layer.name for layer in found.layers] == ["lstm", "gru"]
    assert found.host == ()


def test_a_dense_layer_that_no_chain_joins_is_left_to_the_host(
    onnx: ModuleType, random: np.random.Generator, tmp_path: Path
) -> None:
    make, value, floats = onnx.helper.make_node, onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    nodes = [
        make("LSTM", ["X", "W", "R"], ["Y"], name="lstm", hidden_size=H),
        make("MatMul", ["X", "A"], ["Z"], name="aside"),
    ]
    stored = constants(onnx, random, W=(1, 4 * H, I), R=(1, 4 * H, H), A=(I, 7))
    outputs = [value("Y", floats, None), value("Z", floats, None)]
    graph = onnx.helper.make_graph(nodes, "g", [value("X", floats, (T, B, I))], outputs, stored)
    path = tmp_path / "m.onnx"
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
    found = find_layers(path, whole=True)
    assert [layer.name for layer in found.layers] == ["lstm"]
    assert found.host == ("MatMul aside: weights 3 x 7, 21 MACs a position",)


@exhaustive
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dynamo", [False, True])
def test_a_torch_model(tmp_path: Path, dynamo: bool) -> None:
    """Linear, LSTM of two layers, Linear and Tanh, batch first, as torch exports it in both ways."""
    torch = need("torch")
    need("onnx")
    if dynamo:
        need("onnxscript")

    class Net(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.front = torch.nn.Linear(I, 6)
            self.lstm = torch.nn.LSTM(6, H, num_layers=2, batch_first=True)
            self.head = torch.nn.Linear(H, 2)

        def forward(self, x: Any) -> Any:
            return torch.tanh(self.head(self.lstm(torch.relu(self.front(x)))[0]))

    torch.manual_seed(1)
    net, x = Net().eval(), torch.randn(B, T, I)
    path = tmp_path / "m.onnx"
    torch.onnx.export(net, (x,), str(path), dynamo=dynamo)
    found = find_layers(path, whole=True)
    out = tmp_path / "w.yaml"
    layers = select(found, "all")
    assert [layer.config.kind for layer in layers] == ["linear", "lstm", "lstm", "linear"]
    write_workload(found, layers, InputSequence(T, B, True, True, x=x.numpy()), out)
    with torch.no_grad():
        assert close(run_workload(out)["output"], net(x).numpy())


def test_the_command_says_what_it_took_and_left(
    onnx: ModuleType, random: np.random.Generator, tmp_path: Path, archsim: Command
) -> None:
    path = model(onnx, random, tmp_path / "m.onnx", False)
    text = archsim("import", str(path), "--whole").out
    assert text.startswith(f"{path}: 2 recurrent layers, 3 linear\n")
    assert text.endswith("left to the host:\n  1 Softmax\n")
    written = json.loads(archsim("import", str(path), "--whole", "--out", str(tmp_path / "w.yaml"), "--json").out)
    assert written["host"] == ["1 Softmax"]
    assert written["written"]["left_out"] == ["to the host: 1 Softmax"]
    np.savez(tmp_path / "m.npz", weight_ih_l0=np.zeros((16, 3), np.float32))
    with pytest.raises(WorkloadError, match="--whole reads the graph of ONNX files alone"):
        find_layers(tmp_path / "m.npz", whole=True)
