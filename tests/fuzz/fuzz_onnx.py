"""Valid ONNX files with quantized weights, and with weights in a file beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

T, B, I, H = 5, 2, 3, 4  # noqa: E741

BESIDE = "weights.data"
"""The file beside the model; it stays as it is while the model is changed."""


def quantized_seeds() -> Iterator[bytes]:
    """Weights behind DequantizeLinear, a scale for each row; DynamicQuantizeLSTM; QDQ around x and the output."""
    import onnx

    make = onnx.helper.make_node
    random = np.random.default_rng(1)
    codes = {"Wq": (1, 4 * H, I), "Rq": (1, 4 * H, H), "Wt": (1, I, 4 * H), "Rt": (1, H, 4 * H)}
    stored = {name: random.integers(-128, 128, shape).astype(np.int8) for name, shape in codes.items()}
    stored["B"] = random.normal(0, 0.3, (1, 8 * H)).astype(np.float32)
    rows: dict[str, np.ndarray] = {
        "rows": np.linspace(0.004, 0.009, 4 * H).astype(np.float32),
        "zeros": np.arange(4 * H, dtype=np.int8),
        "s": np.array(0.01, np.float32),
        "z": np.array(3, np.uint8),
    }
    nodes = [
        make("QuantizeLinear", ["X", "s", "z"], ["Xq"]),
        make("DequantizeLinear", ["Xq", "s", "z"], ["Xd"]),
        *(make("DequantizeLinear", [f"{key}q", "rows", "zeros"], [key], axis=1) for key in "WR"),
        make("LSTM", ["Xd", "W", "R", "B"], ["Yd"], name="qdq", hidden_size=H),
        make("QuantizeLinear", ["Yd", "s", "z"], ["Yq"]),
        make("DequantizeLinear", ["Yq", "s", "z"], ["Y"]),
    ]
    yield _model(nodes, {name: stored[name] for name in ("Wq", "Rq", "B")} | rows).SerializeToString()
    scales: dict[str, np.ndarray] = {f"{key}s": np.array([0.006], np.float32) for key in "WR"}
    scales |= {f"{key}z": np.array([2], np.int8) for key in "WR"}
    names = ["X", "Wt", "Rt", "B", "", "", "", "", "Ws", "Wz", "Rs", "Rz"]
    dynamic = make("DynamicQuantizeLSTM", names, ["Y"], domain="com.microsoft", name="dynamic", hidden_size=H)
    yield _model([dynamic], {name: stored[name] for name in ("Wt", "Rt", "B")} | scales).SerializeToString()


def external_seeds(folder: Path) -> Iterator[bytes]:
    """An LSTM all of whose weights are in a file beside it."""
    import onnx

    random = np.random.default_rng(2)
    shapes = {"W": (1, 4 * H, I), "R": (1, 4 * H, H), "B": (1, 8 * H)}
    stored = {name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    node = onnx.helper.make_node("LSTM", ["X", "W", "R", "B"], ["Y"], name="outside", hidden_size=H)
    path = folder / "external.onnx"
    onnx.save(_model([node], stored), path, save_as_external_data=True, location=BESIDE, size_threshold=0)
    yield path.read_bytes()


def _model(nodes: list[Any], stored: dict[str, np.ndarray]) -> Any:
    import onnx

    value, floats = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    initializers = [onnx.numpy_helper.from_array(array, name) for name, array in stored.items()]
    graph = onnx.helper.make_graph(
        nodes, "g", [value("X", floats, (T, B, I))], [value("Y", floats, None)], initializers
    )
    opsets = [onnx.helper.make_opsetid("", 14), onnx.helper.make_opsetid("com.microsoft", 1)]
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
