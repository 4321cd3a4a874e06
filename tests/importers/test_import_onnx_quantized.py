"""Quantized ONNX models: codes stay codes, what they stand for agrees with onnxruntime, and the rest is said."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from archsim.api import Simulation, simulate
from archsim.cli.options import load_inputs
from archsim.errors import WorkloadError
from archsim.families.registry import build_units
from archsim.importers import InputSequence, find_layers, select, write_workload
from tests.optional import need
from tests.present import present

onnx = need("onnx")
ort = need("onnxruntime")
helper, numpy_helper = onnx.helper, onnx.numpy_helper

Array = npt.NDArray[Any]
T, B, INPUTS, H = 5, 2, 3, 4
FLOAT = ("formats=float32", "activation.method=exact")
INT8 = ("formats=tflite_int8", "activation.method=table", "activation.table.entries=512")


def saved(path: Path, nodes: list[Any], constants: dict[str, Array], size: int = INPUTS) -> Path:
    graph = helper.make_graph(
        nodes,
        "quantized",
        [helper.make_tensor_value_info("X", onnx.TensorProto.FLOAT, [T, B, size])],
        [helper.make_tensor_value_info("Y", onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid("", 14), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def given(path: Path, x: Array) -> Array:
    """onnxruntime's Y as (T, B, D H)."""
    y: Array = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(["Y"], {"X": x})[0]
    return np.concatenate([y[:, place] for place in range(y.shape[1])], axis=2)


def imported(path: Path, x: Array, *sets: str) -> Simulation:
    found = find_layers(path)
    out = path.with_suffix(".yaml")
    write_workload(found, select(found, "all"), InputSequence(T, B, False, True, x=x), out, force=True)
    more = ("accumulators.entries=64", "input_buffer.capacity_bytes=1KiB", "weight_sram.capacity_bytes=16KiB")
    return simulate(*load_inputs("tiny_2x2", str(out), [*more, *sets]))


def drawn(seed: int, directions: int = 1, kind: type = np.int8) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    info = np.iinfo(kind)
    return {
        "W": random.integers(info.min, info.max, (directions, 4 * H, INPUTS), endpoint=True).astype(kind),
        "R": random.integers(info.min, info.max, (directions, 4 * H, H), endpoint=True).astype(kind),
        "B": random.normal(0, 0.3, (directions, 8 * H)).astype(np.float32),
        "X": random.normal(0, 1, (T, B, INPUTS)).astype(np.float32),
    }


SCALES = {
    "matrix": (np.array(0.007, np.float32), np.array(3, np.int8), {}),
    "row": (np.linspace(0.004, 0.009, 4 * H).astype(np.float32), np.arange(4 * H, dtype=np.int8), {"axis": 1}),
}


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("each", SCALES)
def test_weights_behind_dequantize_linear(each: str, directions: int, tmp_path: Path) -> None:
    """The float reading is onnxruntime's; on integers the array's codes are the file's, gates in torch's order."""
    scale, zero, axis = SCALES[each]
    t = drawn(1, directions)
    nodes = [helper.make_node("DequantizeLinear", [f"{key}q", "s", "z"], [key], **axis) for key in "WR"]
    way = {"direction": "bidirectional"} if directions == 2 else {}
    nodes.append(helper.make_node("LSTM", ["X", "W", "R", "B"], ["Y"], name="lstm", hidden_size=H, **way))
    path = saved(tmp_path / "m.onnx", nodes, {"Wq": t["W"], "Rq": t["R"], "B": t["B"], "s": scale, "z": zero})
    run = imported(path, t["X"], *FLOAT)
    assert np.abs(present(run.results).output - given(path, t["X"])).max() < 2e-6
    (layer,) = find_layers(path).layers
    assert layer.notes[0].startswith(f"weights are int8 with a scale for each {each}, and stay so")
    coded = imported(path, t["X"], *INT8, "formats.weight=int9/row/gemmlowp")
    assert coded.validation.passed
    numbers = present(coded.numbers)
    state = numbers.begin(build_units(coded.arch.config)).state
    buffers = {buffer.name: buffer for buffer in numbers.program.buffers}
    order = np.arange(4 * H).reshape(4, H)[[0, 2, 3, 1]].ravel()  # iofc to ifgo
    wide = t["W"].astype(np.int64) - (zero if each == "matrix" else zero[:, None])
    for place, prefix in enumerate([""] if directions == 1 else ["l0.", "l0r."]):
        assert np.array_equal(state.array(buffers[f"{prefix}dram.W_ih"])[0], wide[place][order])


@pytest.mark.parametrize(("axis", "valid"), [(6, True), ("one", False)])
def test_an_axis_that_the_codes_do_not_have(axis: Any, valid: bool, tmp_path: Path) -> None:
    """Found by tests/fuzz: both ended in an exception of Python's."""
    scale, zero, _ = SCALES["row"]
    t = drawn(1)
    nodes = [helper.make_node("DequantizeLinear", [f"{key}q", "s", "z"], [key], axis=axis) for key in "WR"]
    nodes.append(helper.make_node("LSTM", ["X", "W", "R"], ["Y"], hidden_size=H))
    path = saved(tmp_path / "m.onnx", nodes, {"Wq": t["W"], "Rq": t["R"], "s": scale, "z": zero})
    if not valid:
        with pytest.raises(
            WorkloadError, match="axis of an operator DequantizeLinear is of another kind than ONNX's int"
        ):
            find_layers(path)
        return
    (entry,) = find_layers(path).unsupported
    assert "a DequantizeLinear along axis 6 of codes with 3 dimensions" in entry.reason


@pytest.mark.parametrize(("kind", "columns"), [(np.int8, False), (np.uint8, False), (np.int8, True)])
def test_dynamic_quantize_lstm(kind: type, columns: bool, tmp_path: Path) -> None:
    """W = ((q - zero) * scale) transposed: with real weights of these values an LSTM gives what archsim gives.

    onnxruntime's own operator rounds x and h to 8 bits besides: a step of x's range of 5 is 0.02, times weights of up to
    0.9 and a slope of 1/4 in a cell that forgets; 0.1 is far from what a wrong order of gates gives, above 0.4.
    """
    t = drawn(2, kind=kind)
    shape = (1, 4 * H) if columns else (1,)
    random = np.random.default_rng(3)
    scales = {f"{key}s": random.uniform(0.004, 0.007, shape).astype(np.float32) for key in "WR"}
    zeros: dict[str, Array] = {f"{key}z": random.integers(0, 1 if columns else 100, shape).astype(kind) for key in "WR"}
    codes = {f"{key}q": np.ascontiguousarray(t[key].transpose(0, 2, 1)) for key in "WR"}
    names = ["X", "Wq", "Rq", "B", "", "", "", "", "Ws", "Wz", "Rs", "Rz"]
    node = helper.make_node("DynamicQuantizeLSTM", names, ["Y"], domain="com.microsoft", name="lstm", hidden_size=H)
    path = saved(tmp_path / "m.onnx", [node], {**codes, **scales, **zeros, "B": t["B"]})
    real = {}
    for key in "WR":
        behind = codes[f"{key}q"].astype(np.int64) - zeros[f"{key}z"][:, None].astype(np.int64).reshape(1, 1, -1)
        real[key] = (behind * scales[f"{key}s"].reshape(1, 1, -1)).astype(np.float32).transpose(0, 2, 1)
    plain = helper.make_node("LSTM", ["X", "W", "R", "B"], ["Y"], hidden_size=H)
    exact = saved(tmp_path / "plain.onnx", [plain], {**real, "B": t["B"]})
    output = present(imported(path, t["X"], *FLOAT).results).output
    assert np.abs(output - given(exact, t["X"])).max() < 2e-6
    assert np.abs(output - given(path, t["X"])).max() < 0.1
    (layer,) = find_layers(path).layers
    assert "onnxruntime quantizes x and h to uint8 at run time" in layer.notes[-1]
    assert imported(path, t["X"], *INT8, "formats.weight=int9/row/gemmlowp").validation.passed


def test_quantize_dynamic_of_a_float_model(tmp_path: Path) -> None:
    """What onnxruntime's tool makes of a stack of two is read as one, each layer with its codes."""
    quantization = need("onnxruntime.quantization")
    t, second = drawn(4), drawn(5)
    constants = {"W": t["W"] * np.float32(0.007), "R": t["R"] * np.float32(0.007), "B": t["B"]}
    constants |= {"W1": second["R"] * np.float32(0.006), "R1": second["R"] * np.float32(0.005), "B1": second["B"]}
    constants |= {"axis": np.array([1])}
    nodes = [
        helper.make_node("LSTM", ["X", "W", "R", "B"], ["Y0"], name="first", hidden_size=H),
        helper.make_node("Squeeze", ["Y0", "axis"], ["X1"]),
        helper.make_node("LSTM", ["X1", "W1", "R1", "B1"], ["Y"], name="second", hidden_size=H),
    ]
    path = saved(tmp_path / "float.onnx", nodes, constants)
    quantization.quantize_dynamic(str(path), str(tmp_path / "q.onnx"))
    run = imported(tmp_path / "q.onnx", t["X"], *FLOAT)
    assert [bool(layer.codes) for layer in find_layers(tmp_path / "q.onnx").layers] == [True, True]
    assert np.abs(present(run.results).output - given(tmp_path / "q.onnx", t["X"])).max() < 0.05


def test_inputs_and_outputs_through_qdq(tmp_path: Path) -> None:
    """Two layers with QuantizeLinear and DequantizeLinear around both are one stack, and x's scale is said."""
    t, second = drawn(6), drawn(7)
    constants = {key: t[key].astype(np.float32) * np.float32(0.007) for key in "WR"} | {"B": t["B"]}
    constants |= {f"{key}1": second["R"].astype(np.float32) * np.float32(0.006) for key in "WR"}
    constants |= {"B1": second["B"], "axis": np.array([1])}
    constants |= {"s": np.array(0.02, np.float32), "z": np.array(128, np.uint8)}
    constants |= {"s1": np.array(1 / 128, np.float32), "z1": np.array(0, np.int8)}

    def around(value: str, scale: str, zero: str) -> list[Any]:
        return [
            helper.make_node("QuantizeLinear", [value, scale, zero], [f"{value}_q"]),
            helper.make_node("DequantizeLinear", [f"{value}_q", scale, zero], [f"{value}_dq"]),
        ]

    nodes = [
        *around("X", "s", "z"),
        helper.make_node("LSTM", ["X_dq", "W", "R", "B"], ["Y0"], name="first", hidden_size=H),
        helper.make_node("Squeeze", ["Y0", "axis"], ["H0"]),
        *around("H0", "s1", "z1"),
        helper.make_node("LSTM", ["H0_dq", "W1", "R1", "B1"], ["Y"], name="second", hidden_size=H),
    ]
    path = saved(tmp_path / "m.onnx", nodes, constants)
    first, second_layer = find_layers(path).layers
    assert second_layer.fed_by == ("first",)
    assert first.notes == (
        "its input is rounded to uint8 in the model (QuantizeLinear, scale 0.02, zero point 128); here it has the machine's "
        "format for x, or is a real number",
    )
    assert np.abs(present(imported(path, t["X"], *FLOAT).results).output - given(path, t["X"])).max() < 0.05


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Ws": np.ones(3, np.float32)}, r"its W_scale has shape \[3\], expected \[1\] or one a column"),
        ({"Wz": np.zeros((1, 2), np.int8)}, r"its W_zero_point has shape \[1, 2\], expected that of the scale"),
        ({"Rs": np.zeros(1, np.float32)}, "a scale of its weights is not above 0"),
        ({"Rs": np.full(1, np.nan, np.float32)}, "a scale of its weights is not above 0"),
        ({"Wq": np.zeros((1, INPUTS, 4 * H), np.float32)}, "its W is float32 of 3 dimensions, expected three of 8-bit"),
        ({"Wq": np.zeros((1, INPUTS, 4 * H + 1), np.int8)}, r"its W has shape \[1, 17, 3\], expected \[1, 16, 3\]"),
        ({"Rq": None}, "its R is 'Rq', which nothing in the file defines, not a constant"),
    ],
)  # fmt: skip
def test_dynamic_quantize_lstm_that_is_wrong(change: dict[str, Array | None], message: str, tmp_path: Path) -> None:
    t = drawn(8)
    constants: dict[str, Array] = {f"{key}q": np.ascontiguousarray(t[key].transpose(0, 2, 1)) for key in "WR"}
    for key in "WR":
        constants |= {f"{key}s": np.full(1, 0.01, np.float32), f"{key}z": np.zeros(1, np.int8)}
    constants = {name: array for name, array in ({**constants, "B": t["B"]} | change).items() if array is not None}
    names = ["X", "Wq", "Rq", "B", "", "", "", "", "Ws", "Wz", "Rs", "Rz"]
    node = helper.make_node("DynamicQuantizeLSTM", names, ["Y"], domain="com.microsoft", name="lstm", hidden_size=H)
    found = find_layers(saved(tmp_path / "m.onnx", [node], constants))
    assert not found.layers
    assert re.search(message, found.unsupported[0].reason), found.unsupported[0].reason
