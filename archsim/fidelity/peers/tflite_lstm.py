"""Writes a TFLite model of one LSTM in 8-bit integers, with the schema's own classes (package ai-edge-litert)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.fidelity.peers.missing import module

INT32, INT16, INT8 = 2, 7, 9
UNIDIRECTIONAL_SEQUENCE_LSTM = 44
TANH = 4
PLACES = 24
"""Inputs of the operator: x at 0, W x from 1, W h from 5, biases from 12, h and c at 18 and 19."""


@dataclass(frozen=True, slots=True)
class _Tensor:
    shape: tuple[int, ...]
    kind: int
    scale: float
    zero: int = 0
    values: npt.NDArray[Any] | None = None
    variable: bool = False


def random_lstm(inputs: int, units: int, steps: int, seed: int) -> bytes:
    """A model file whose weights are drawn evenly from -127 to 127, so that no code can shorten them."""
    random = np.random.default_rng(seed)
    x_scale, h = 0.0213, (0.0071, 9)
    tensors = {
        0: _Tensor((1, steps, inputs), INT8, x_scale, -7),
        18: _Tensor((1, units), INT8, *h, variable=True),
        19: _Tensor((1, units), INT16, 2.0**-11, variable=True),
    }
    for gate in range(4):
        x, recurrent = (float(np.float32(scale)) for scale in random.uniform(0.003, 0.009, 2))
        for place, width, scale in ((1 + gate, inputs, x), (5 + gate, units, recurrent)):
            values = random.integers(-127, 127, (units, width), endpoint=True).astype(np.int8)
            tensors[place] = _Tensor(values.shape, INT8, scale, values=values)
        bias = random.integers(-3000, 3000, units).astype(np.int32)
        tensors[12 + gate] = _Tensor(bias.shape, INT32, float(np.float32(x) * np.float32(x_scale)), values=bias)
    inside = [*(_Tensor((1,), INT16, 0.001) for _ in range(4)), _Tensor((1,), INT8, *h)]
    return _file(tensors, _Tensor((1, steps, units), INT8, *h), inside)


def _file(inputs: dict[int, _Tensor], output: _Tensor, inside: list[_Tensor]) -> bytes:
    flatbuffers: Any = module("flatbuffers", "flatbuffers")
    s: Any = module("ai_edge_litert.schema_py_generated", "ai-edge-litert")
    buffers, made = [s.BufferT()], []

    def add(tensor: _Tensor, name: str) -> int:
        found = s.TensorT()
        found.name, found.shape, found.type = name.encode(), list(tensor.shape), tensor.kind
        found.isVariable, found.buffer = tensor.variable, 0
        if tensor.values is not None:
            buffer = s.BufferT()
            buffer.data = np.frombuffer(tensor.values.tobytes(), np.uint8)
            buffers.append(buffer)
            found.buffer = len(buffers) - 1
        found.quantization = s.QuantizationParametersT()
        found.quantization.scale = np.array([tensor.scale], np.float32)
        found.quantization.zeroPoint = np.array([tensor.zero], np.int64)
        made.append(found)
        return len(made) - 1

    operator = s.OperatorT()
    operator.opcodeIndex = 0
    operator.inputs = [add(inputs[place], f"in{place}") if place in inputs else -1 for place in range(PLACES)]
    operator.outputs = [add(output, "out")]
    operator.intermediates = [add(tensor, f"inside{place}") for place, tensor in enumerate(inside)]
    operator.builtinOptionsType = s.BuiltinOptions.UnidirectionalSequenceLSTMOptions
    options = s.UnidirectionalSequenceLSTMOptionsT()
    options.fusedActivationFunction, options.timeMajor = TANH, False
    operator.builtinOptions = options
    code = s.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = UNIDIRECTIONAL_SEQUENCE_LSTM
    code.version = 1
    graph, model = s.SubGraphT(), s.ModelT()
    graph.tensors, graph.operators = made, [operator]
    graph.inputs, graph.outputs = [operator.inputs[0]], operator.outputs
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], buffers
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
