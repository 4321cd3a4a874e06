"""The way from a model file to simulated outputs, and ONNX, torch and Keras models to begin it with."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from archsim.api import simulate
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.importers import InputSequence, find_layers, select, write_workload
from archsim.report.files.saved import torch_outputs
from archsim.workload import load_workload
from tests.float_machines import FLOAT_16X16

TOLERANCE = 1e-5
"""Relative to the tensor's largest magnitude."""
BIG = ("weight_sram.capacity_bytes=64MiB", "input_buffer.capacity_bytes=1MiB", "state_buffer.capacity_bytes=1MiB")


def close(got: np.ndarray, want: np.ndarray) -> bool:
    """Of one shape, and equal within TOLERANCE of the largest magnitude (at least 1/8)."""
    want = np.asarray(want)
    assert got.shape == want.shape, f"{got.shape} instead of {want.shape}"
    return bool(np.abs(got - want).max() <= TOLERANCE * max(np.abs(want).max(), 0.125))


def run_workload(path: Path, arch: str = FLOAT_16X16) -> dict[str, np.ndarray]:
    """What archsim run puts into outputs.npz; the numbers must agree with the golden model."""
    workload = load_workload(str(path))
    machine = load_arch(arch, [parse_override(text) for text in (*BIG, "accumulators.entries=4096")])
    simulation = simulate(machine, workload)
    assert simulation.validation.passed, simulation.validation
    assert simulation.results is not None
    return torch_outputs(workload, simulation.results)


def imported(
    model: Path, x: np.ndarray, layer: str = "all", batch_first: bool = False, nonlinearity: str | None = None
) -> dict[str, np.ndarray]:
    """The outputs of the model's layer (or stack) for x, through the importer and the simulated machine."""
    found = find_layers(model, nonlinearity)
    assert not found.unsupported, found.unsupported
    axes = (1, 0) if batch_first else (0, 1)
    steps, batch = (x.shape[axes[0]], x.shape[axes[1]]) if x.ndim == 3 else (x.shape[0], 1)
    sequence = InputSequence(steps, batch, batch_first, x.ndim == 3, x=x)
    out = model.with_name("written.yaml")
    write_workload(found, select(found, layer), sequence, out, force=True)
    return run_workload(out)


def onnx_node(onnx: Any, op: str, weights: Collection[str], tag: str = "", x: str = "X", **attributes: Any) -> Any:
    """A recurrent node with inputs W, R, ... (those named in `weights`), named after the tag."""
    order = ["W", "R", "B", "sequence_lens", "initial_h", *(["initial_c", "P"] if op == "LSTM" else [])]
    inputs = [x, *(f"{name}{tag}" if name in weights else "" for name in order)]
    while not inputs[-1]:
        inputs.pop()
    outputs = [f"Y{tag}", f"Y_h{tag}", *([f"Y_c{tag}"] if op == "LSTM" else [])]
    return onnx.helper.make_node(op, inputs, outputs, name=f"node{tag}", **attributes)


def onnx_stored(onnx: Any, weights: dict[str, np.ndarray], tag: str = "") -> list[Any]:
    """The weights as initializers."""
    return [onnx.numpy_helper.from_array(np.ascontiguousarray(w), f"{name}{tag}") for name, w in weights.items()]


def onnx_weights(
    random: np.random.Generator, op: str, inputs: int, hidden: int, directions: int = 1, **more: tuple[int, ...]
) -> dict[str, np.ndarray]:
    """Random W, R and B of an operator, and any more tensors of the given shapes."""
    rows = {"LSTM": 4, "GRU": 3, "RNN": 1}[op] * hidden
    shapes = {"W": (directions, rows, inputs), "R": (directions, rows, hidden), "B": (directions, 2 * rows)} | more
    return {name: (random.standard_normal(shape) / 2).astype(np.float32) for name, shape in shapes.items()}


def onnx_save(
    onnx: Any,
    path: Path,
    nodes: list[Any],
    stored: list[Any],
    x_shape: tuple[Any, ...],
    opset: int = 22,
    outputs_of: Collection[str] | None = None,
    **more: Any,
) -> Path:
    """A model with the input X and, as outputs, all outputs of its nodes, or of the operators `outputs_of` alone."""
    value = onnx.helper.make_tensor_value_info
    shown = [node for node in nodes if outputs_of is None or node.op_type in outputs_of]
    made = [name for node in shown for name in node.output if name]
    outputs = [value(name, onnx.TensorProto.FLOAT, None) for name in made]
    graph = onnx.helper.make_graph(nodes, "g", [value("X", onnx.TensorProto.FLOAT, x_shape)], outputs, stored, **more)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def onnx_run(onnxruntime: Any, path: Path, x: np.ndarray) -> dict[str, np.ndarray]:
    """What onnxruntime computes: every output of every node by name."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"X": x}), strict=True))


def torch_shaped(y: np.ndarray, layout: int = 0) -> np.ndarray:
    """ONNX's Y as torch's output."""
    if layout:
        return y.reshape(*y.shape[:2], -1)
    return np.moveaxis(y, 1, 2).reshape(y.shape[0], y.shape[2], -1)


def ints(onnx: Any, name: str, values: list[int]) -> Any:
    """An initializer of integers."""
    return onnx.numpy_helper.from_array(np.array(values, np.int64), name)
