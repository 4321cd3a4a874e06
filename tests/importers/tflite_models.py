"""Makes .tflite models with one LSTM operator, by the schema's own classes, and runs them in LiteRT's interpreter."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.optional import need

Array = npt.NDArray[Any]
TYPES = {"float32": 0, "int32": 2, "int8": 9, "int16": 7, "uint8": 3}
GATES = "ifco"


@dataclass
class Tensor:
    """A tensor of a model: its numbers (None: none in the file), or its shape and type; scale and zero point."""

    values: Array | None = None
    shape: tuple[int, ...] = ()
    kind: str = "float32"
    scale: float | None = None
    zero: int = 0
    variable: bool = False

    @staticmethod
    def of(values: Array, scale: float | None = None, zero: int = 0) -> Tensor:
        return Tensor(values, values.shape, str(values.dtype), scale, zero)


@dataclass
class Lstm:
    """An operator's tensors by their place among its inputs; x at 0."""

    inputs: dict[int, Tensor]
    output: Tensor
    intermediates: list[Tensor] = field(default_factory=list)
    both: bool = False
    cell_clip: float = 0.0
    proj_clip: float = 0.0
    time_major: bool = True
    asymmetric: bool = False
    activation: int = 4


def tflite_bytes(lstm: Lstm) -> bytes:
    """The model file."""
    flatbuffers = need("flatbuffers")
    s = need("ai_edge_litert.schema_py_generated")
    buffers, tensors = [s.BufferT()], []

    def add(tensor: Tensor, name: str) -> int:
        made = s.TensorT()
        made.name, made.shape, made.type = name.encode(), list(tensor.shape), TYPES[tensor.kind]
        made.isVariable = tensor.variable
        made.buffer = 0
        if tensor.values is not None:
            buffer = s.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(tensor.values).tobytes(), np.uint8)
            buffers.append(buffer)
            made.buffer = len(buffers) - 1
        if tensor.scale is not None:
            made.quantization = s.QuantizationParametersT()
            made.quantization.scale = np.array([tensor.scale], np.float32)
            made.quantization.zeroPoint = np.array([tensor.zero], np.int64)
        tensors.append(made)
        return len(tensors) - 1

    count = 48 if lstm.both else 24
    inputs = [add(lstm.inputs[place], f"in{place}") if place in lstm.inputs else -1 for place in range(count)]
    output = add(lstm.output, "lstm_out")
    operator = s.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, inputs, [output]
    operator.intermediates = [add(tensor, f"inside{place}") for place, tensor in enumerate(lstm.intermediates)]
    if lstm.both:
        options = s.BidirectionalSequenceLSTMOptionsT()
        options.mergeOutputs = True
        operator.builtinOptionsType = s.BuiltinOptions.BidirectionalSequenceLSTMOptions
    else:
        options = s.UnidirectionalSequenceLSTMOptionsT()
        operator.builtinOptionsType = s.BuiltinOptions.UnidirectionalSequenceLSTMOptions
    options.fusedActivationFunction, options.cellClip, options.projClip = (
        lstm.activation,
        lstm.cell_clip,
        lstm.proj_clip,
    )
    options.timeMajor, options.asymmetricQuantizeInputs = lstm.time_major, lstm.asymmetric
    operator.builtinOptions = options
    code = s.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = 52 if lstm.both else 44
    code.version = 3 if lstm.asymmetric and not lstm.intermediates else 1
    graph = s.SubGraphT()
    graph.tensors, graph.inputs, graph.outputs, graph.operators = tensors, [inputs[0]], [output], [operator]
    model = s.ModelT()
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], buffers
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def litert(path: Path, x: Array) -> Array:
    """What LiteRT's interpreter gives, by its built-in kernels alone."""
    interpreter = need("ai_edge_litert.interpreter")
    resolver = interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    run = interpreter.Interpreter(str(path), experimental_op_resolver_type=resolver)
    run.allocate_tensors()
    run.set_tensor(run.get_input_details()[0]["index"], x)
    run.invoke()
    found: Array = run.get_tensor(run.get_output_details()[0]["index"])
    return found
