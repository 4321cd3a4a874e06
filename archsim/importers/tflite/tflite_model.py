"""Walks a .tflite file through its schema: subgraphs, operators and constant tensors, all sizes checked.

Source: tensorflow/lite/schema/schema.fbs, version 3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.importers.faults import fault, file_bytes, first_line, most_tensor_bytes
from archsim.importers.found import Refused

Array = npt.NDArray[Any]
Table = Any
"""A table of the schema: Model, SubGraph, Operator, Tensor."""
Schema = Any
"""The schema's classes: the package tflite, or that of ai-edge-litert; both are made by the same compiler."""

IDENTIFIER = b"TFL3"
MAX_OPERATORS = 100_000
MAX_TENSOR_BYTES = 1 << 31

DTYPES: dict[int, np.dtype[Any]] = {
    0: np.dtype("<f4"),
    1: np.dtype("<f2"),
    2: np.dtype("<i4"),
    3: np.dtype("u1"),
    4: np.dtype("<i8"),
    7: np.dtype("<i2"),
    9: np.dtype("i1"),
}
"""The tensor types that are read, by their number in the schema."""

BROKEN = (
    struct.error,
    ValueError,
    IndexError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    AssertionError,
    MemoryError,
)
"""What the schema's classes raise for bytes that are no model."""


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator: its number in the schema, and the numbers of the tensors that it takes, gives, and keeps inside."""

    place: int
    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    intermediates: tuple[int, ...]
    table: Table


@dataclass(frozen=True, slots=True)
class Quantization:
    """The scales and zero points of a tensor, and the axis that they are along."""

    scales: npt.NDArray[np.float64]
    zeros: npt.NDArray[np.int64]
    axis: int


@dataclass(frozen=True, eq=False)
class Graph:
    """A subgraph: operators, and its tensors by number."""

    number: int
    table: Table
    model: Table
    operators: tuple[Operator, ...]
    budget: list[int]
    producers: dict[int, Operator] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for operator in self.operators:
            for output in operator.outputs:
                self.producers.setdefault(output, operator)

    def tensor(self, number: int) -> Table:
        """The tensor of that number; Refused if there is none."""
        if not 0 <= number < self.table.TensorsLength():
            raise Refused(f"names a tensor {number}, and the graph has {self.table.TensorsLength():,}")
        return self.table.Tensors(number)

    def shape(self, number: int) -> tuple[int, ...]:
        """The shape of a tensor."""
        tensor = self.tensor(number)
        if tensor.ShapeLength() > 8:
            raise Refused("has a tensor of more than 8 dimensions")
        return tuple(int(tensor.Shape(axis)) for axis in range(tensor.ShapeLength()))

    def type(self, number: int) -> int:
        """The type of a tensor, as the schema numbers them."""
        return int(self.tensor(number).Type())

    def name(self, number: int) -> str:
        """The name of a tensor."""
        return (self.tensor(number).Name() or b"").decode("utf-8", errors="replace")

    def is_constant(self, number: int) -> bool:
        """Whether the file has the numbers of a tensor."""
        place = int(self.tensor(number).Buffer())
        if not 0 < place < self.model.BuffersLength():
            return False
        buffer = self.model.Buffers(place)
        return bool(buffer.DataLength()) or (getattr(buffer, "Offset", None) is not None and int(buffer.Offset()) > 1)

    def constant(self, number: int) -> Array | None:
        """The numbers of a constant tensor; None if it has none in the file."""
        tensor = self.tensor(number)
        place = int(tensor.Buffer())
        if not 0 < place < self.model.BuffersLength():
            return None
        buffer = self.model.Buffers(place)
        size = int(buffer.DataLength())
        if not size:
            if getattr(buffer, "Offset", None) is not None and int(buffer.Offset()) > 1:
                raise Refused("its weights lie behind the model in the file (of more than 2 GB), which is not read")
            return None
        dtype, shape = DTYPES.get(int(tensor.Type())), self.shape(number)
        if dtype is None:
            raise Refused(f"the tensor {self.name(number)[:80]} has the type {int(tensor.Type())}, which is not read")
        if tensor.Sparsity() is not None:
            raise Refused(f"the tensor {self.name(number)[:80]} is sparse, which is not read")
        count = 1
        for length in shape:
            count *= max(length, 0)
        if count * dtype.itemsize != size:
            raise Refused(f"the tensor {self.name(number)[:80]} has shape {list(shape)}, but {size:,} bytes")
        self.take(count * 8)
        raw = np.asarray(buffer.DataAsNumpy(), np.uint8)
        if raw.size != size:
            raise Refused("a buffer reaches beyond the file")
        numbers: Array = np.frombuffer(raw.tobytes(), dtype).reshape(shape)
        return numbers

    def quantization(self, number: int) -> Quantization | None:
        """The scales of a tensor; None if it has none."""
        found = self.tensor(number).Quantization()
        if found is None or not found.ScaleLength():
            return None
        count = int(found.ScaleLength())
        self.take(count * 16)
        scales = np.asarray(found.ScaleAsNumpy(), np.float64)
        zeros = np.asarray(found.ZeroPointAsNumpy(), np.int64) if found.ZeroPointLength() else np.zeros(count, np.int64)
        if not np.all(np.isfinite(scales)) or not np.all(scales > 0) or zeros.shape != scales.shape:
            raise Refused(f"the tensor {self.name(number)[:80]} has scales that are not above 0, or other zero points")
        return Quantization(scales, zeros, int(found.QuantizedDimension()))

    def take(self, size: int) -> None:
        """Count bytes that numbers of the file become; Refused if the file's size does not allow so many."""
        self.budget[0] -= size
        if self.budget[0] < 0:
            raise Refused("its tensors are larger than the file's size allows")


def schema_of(path: Path) -> Schema:
    """The package with the schema's classes; a fault that says how to get it if there is none."""
    try:
        import tflite
    except ModuleNotFoundError:
        pass
    else:
        return tflite
    try:
        from ai_edge_litert import schema_py_generated
    except ModuleNotFoundError:
        raise fault(path, 'needs the package tflite to be read: pip install "archsim[tflite]"') from None
    return schema_py_generated


def read_graphs(path: Path) -> tuple[Graph, ...]:
    """All subgraphs of the file; WorkloadError if it is no model."""
    size = file_bytes(path)
    schema = schema_of(path)
    data = path.read_bytes()
    if data[4:8] != IDENTIFIER:
        raise fault(path, "is no .tflite file (TFL3): its first bytes do not say so")
    try:
        return tuple(_graphs(path, schema.Model.GetRootAs(data, 0), [8 * most_tensor_bytes(size)]))
    except BROKEN as error:
        raise fault(path, f"not a valid .tflite file: {first_line(error)}") from error


def _graphs(path: Path, model: Table, budget: list[int]) -> Iterator[Graph]:
    codes = [_code(model.OperatorCodes(place)) for place in range(_few(path, model.OperatorCodesLength()))]
    left = MAX_OPERATORS
    for number in range(_few(path, model.SubgraphsLength())):
        table = model.Subgraphs(number)
        count = table.OperatorsLength()
        left -= count
        if left < 0:
            raise fault(path, f"has more than {MAX_OPERATORS:,} operators")
        operators = tuple(_operator(table.Operators(place), place, codes) for place in range(count))
        yield Graph(number, table, model, operators, budget)


def _few(path: Path, count: int) -> int:
    if count > MAX_OPERATORS:
        raise fault(path, f"has more than {MAX_OPERATORS:,} graphs or kinds of operators")
    return count


def _code(code: Table) -> int:
    """The operator's number: in a byte of its own, where it fits, in files before 2020."""
    return max(int(code.BuiltinCode()), int(code.DeprecatedBuiltinCode()))


def _operator(table: Table, place: int, codes: list[int]) -> Operator:
    def numbers(found: Array | int) -> tuple[int, ...]:
        return tuple(int(number) for number in found[:256]) if isinstance(found, np.ndarray) else ()

    return Operator(
        place,
        codes[int(table.OpcodeIndex())],
        numbers(table.InputsAsNumpy()),
        numbers(table.OutputsAsNumpy()),
        numbers(table.IntermediatesAsNumpy()),
        table,
    )
