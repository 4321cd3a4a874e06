"""Random LSTM, GRU and RNN operators of ONNX, their models, and the golden models with the same weights.

The weights are made in ONNX's layout; the tables here bring them into torch's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from archsim.golden import (
    Activation,
    Direction,
    GruOptions,
    GruWeights,
    LstmOptions,
    LstmWeights,
    RnnOptions,
    RnnWeights,
    run_direction,
)

BLOCKS = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2), "RNN": (0,)}
"""Where ONNX keeps torch's blocks of rows: i, f, g, o within iofc, and r, z, n within zrh."""
PEEPHOLES = (0, 2, 1)
"""Where ONNX keeps i, f, o within iof, which despite its name stands for input, output, forget."""
STORED = frozenset("WRBP")
"""The inputs that stand as weights inside the model; the others are fed."""
SPELLING = {
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "relu": "Relu",
    "affine": "Affine",
    "leakyrelu": "LeakyRelu",
    "thresholdedrelu": "ThresholdedRelu",
    "scaledtanh": "ScaledTanh",
    "hardsigmoid": "HardSigmoid",
    "elu": "Elu",
    "softsign": "Softsign",
    "softplus": "Softplus",
}
FUNCTIONS = {"LSTM": ("sigmoid", "tanh", "tanh"), "GRU": ("sigmoid", "tanh"), "RNN": ("tanh",)}
"""The activations of an operator that names none."""


@dataclass(frozen=True)
class OnnxCase:
    """One operator. activations: one direction's after the other's, or None for the defaults.

    spread is the standard deviation of the weights and inputs.
    """

    op: str
    steps: int
    batch: int
    inputs: int
    hidden: int
    direction: str = "forward"
    bias: bool = True
    states: bool = True
    lengths: tuple[int, ...] | None = None
    activations: tuple[Activation, ...] | None = None
    clip: float | None = None
    peepholes: bool = False
    input_forget: bool = False
    linear_before_reset: bool = False
    layout: int = 0
    spread: float = 0.5
    seed: int = 0

    @property
    def directions(self) -> int:
        return 2 if self.direction == "bidirectional" else 1

    def tensors(self) -> dict[str, np.ndarray]:
        """The operator's inputs by ONNX's names, float32, in layout 0; only those that the case has."""
        random = np.random.default_rng([self.seed, 3])
        count, rows = self.directions, len(BLOCKS[self.op]) * self.hidden
        shapes = {
            "X": (self.steps, self.batch, self.inputs),
            "W": (count, rows, self.inputs),
            "R": (count, rows, self.hidden),
            "B": (count, 2 * rows),
            "initial_h": (count, self.batch, self.hidden),
            "initial_c": (count, self.batch, self.hidden),
            "P": (count, 3 * self.hidden),
        }
        drawn = {
            name: (self.spread * random.standard_normal(shape)).astype(np.float32) for name, shape in shapes.items()
        }
        absent = {"B": not self.bias, "initial_h": not self.states, "P": not self.peepholes}
        absent["initial_c"] = self.op != "LSTM" or not self.states
        if self.lengths is not None:
            drawn["sequence_lens"] = np.array(self.lengths, np.int32)
        return {name: tensor for name, tensor in drawn.items() if not absent.get(name)}


def attributes(case: OnnxCase) -> dict[str, Any]:
    """As ONNX says, the functions consume alpha and beta in order; one without the parameter has no place in the list.

    (The RNN operator of older versions of onnxruntime counted by direction instead.)
    """
    given: dict[str, Any] = {"hidden_size": case.hidden, "direction": case.direction, "layout": case.layout}
    if case.clip is not None:
        given["clip"] = case.clip
    if case.op == "LSTM":
        given["input_forget"] = int(case.input_forget)
    if case.op == "GRU":
        given["linear_before_reset"] = int(case.linear_before_reset)
    if case.activations is not None:
        given["activations"] = [SPELLING[function.name] for function in case.activations]
        for name, key in (("activation_alpha", "alpha"), ("activation_beta", "beta")):
            values = [getattr(function, key) for function in case.activations]
            if consumed := [value for value in values if value is not None]:
                given[name] = consumed
    return given


def onnx_model(onnx: ModuleType, case: OnnxCase) -> bytes:
    """A checked model of the one operator, its weights stored inside, its X and states fed."""
    order = ["X", "W", "R", "B", "sequence_lens", "initial_h", *(["initial_c", "P"] if case.op == "LSTM" else [])]
    tensors = case.tensors()
    outputs = ["Y", "Y_h", *(["Y_c"] if case.op == "LSTM" else [])]
    node = onnx.helper.make_node(
        case.op, [name if name in tensors else "" for name in order], outputs, **attributes(case)
    )
    stored = [onnx.numpy_helper.from_array(tensor, name) for name, tensor in tensors.items() if name in STORED]
    value = onnx.helper.make_tensor_value_info
    kind = onnx.helper.np_dtype_to_tensor_dtype
    inputs = [value(name, kind(tensor.dtype), tensor.shape) for name, tensor in fed(case).items()]
    results = [value(name, onnx.TensorProto.FLOAT, [None] * (4 if name == "Y" else 3)) for name in outputs]
    graph = onnx.helper.make_graph([node], "one", inputs, results, stored)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)], ir_version=10)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def fed(case: OnnxCase) -> dict[str, np.ndarray]:
    """The inputs that are not stored; with layout 1 the batch stands first."""
    given = {name: tensor for name, tensor in case.tensors().items() if name not in STORED}
    if case.layout:
        given = {name: t if name == "sequence_lens" else np.swapaxes(t, 0, 1).copy() for name, t in given.items()}
    return given


def run_onnxruntime(onnx: ModuleType, onnxruntime: ModuleType, case: OnnxCase) -> list[np.ndarray]:
    return run_model(onnxruntime, onnx_model(onnx, case), case)


def run_model(onnxruntime: ModuleType, model: bytes, case: OnnxCase) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return list(session.run(None, fed(case)))


def run_reference(onnx: ModuleType, case: OnnxCase) -> list[np.ndarray]:
    """onnx's own evaluator: no witness for sequence_lens, clip, input_forget or activations, which it ignores."""
    return list(onnx.reference.ReferenceEvaluator(onnx_model(onnx, case)).run(None, fed(case)))


def golden_directions(case: OnnxCase) -> list[Direction]:
    tensors = case.tensors()
    zeros = np.zeros((case.directions, case.batch, case.hidden))
    per_direction = len(FUNCTIONS[case.op])
    default = tuple(Activation(name) for name in FUNCTIONS[case.op]) * case.directions
    functions = default if case.activations is None else case.activations
    made = []
    for index in range(case.directions):
        reverse = case.direction == "reverse" or index == 1
        own = functions[per_direction * index : per_direction * (index + 1)]
        h_0 = tensors.get("initial_h", zeros)[index]
        w, r = (in_torch_order(case.op, tensors[name][index]) for name in "WR")
        biases = np.split(tensors["B"][index], 2) if case.bias else []
        b_w, b_r = (in_torch_order(case.op, bias) for bias in biases) if case.bias else (None, None)
        if case.op == "LSTM":
            p = np.concatenate([np.split(tensors["P"][index], 3)[k] for k in PEEPHOLES]) if case.peepholes else None
            lstm = LstmWeights(w, r, b_w, b_r, peephole=p)
            options = LstmOptions((own[0], own[1], own[2]), case.clip, case.input_forget, reverse)
            made.append(Direction(lstm, options, h_0, tensors.get("initial_c", zeros)[index]))
        elif case.op == "GRU":
            gru = GruOptions((own[0], own[1]), case.clip, case.linear_before_reset, reverse)
            made.append(Direction(GruWeights(w, r, b_w, b_r), gru, h_0))
        else:
            made.append(Direction(RnnWeights(w, r, b_w, b_r), RnnOptions(own[0], case.clip, reverse), h_0))
    return made


def in_torch_order(op: str, rows: np.ndarray) -> np.ndarray:
    """The blocks of rows of W, R, Wb or Rb in torch's order."""
    blocks = np.split(rows, len(BLOCKS[op]))
    return np.concatenate([blocks[block] for block in BLOCKS[op]])


def run_golden(
    case: OnnxCase, directions: list[Direction] | None = None, run: Callable[..., Any] = run_direction
) -> list[np.ndarray]:
    """Y, Y_h and, of the LSTM, Y_c in the operator's layout; given other directions or another model, of those."""
    lengths = None if case.lengths is None else np.array(case.lengths)
    x = case.tensors()["X"]
    results = [run(x, each, lengths) for each in directions or golden_directions(case)]
    y = np.stack([output for output, _, _ in results], axis=1)
    last = [np.stack([h for _, h, _ in results])]
    if case.op == "LSTM":
        last.append(np.stack([c for _, _, c in results if c is not None]))
    if case.layout:
        return [np.moveaxis(y, 2, 0), *(np.swapaxes(state, 0, 1) for state in last)]
    return [y, *last]
