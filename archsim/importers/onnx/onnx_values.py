"""Evaluates the constants of an ONNX graph, also behind operators that only move numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.config.text import shown
from archsim.importers.found import Refused
from archsim.importers.onnx.onnx_dequantize import dequantized
from archsim.importers.onnx.onnx_external import ExternalData, is_external
from archsim.importers.onnx.onnx_graph import MAX_DEPTH, STANDARD_DOMAINS, Budget, Proto, Scope, attributes

Array = npt.NDArray[Any]

_BFLOAT16 = 16
_DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    2: np.dtype("u1"),
    3: np.dtype("i1"),
    4: np.dtype("<u2"),
    5: np.dtype("<i2"),
    6: np.dtype("<i4"),
    7: np.dtype("<i8"),
    9: np.dtype("?"),
    10: np.dtype("<f2"),
    11: np.dtype("<f8"),
}
_TYPED_FIELDS = {1: "float_data", 6: "int32_data", 7: "int64_data", 10: "int32_data", 11: "double_data"}


class NotConstant(Refused):
    """The error of a value that is known only when the model runs; `str()` says where it comes from."""


def tensor_array(tensor: Proto, external: ExternalData) -> Array:
    """The numbers of a TensorProto; its size is checked against its data before anything is allocated."""
    shape = tuple(tensor.dims)
    if len(shape) > 8 or any(size < 0 for size in shape):
        raise Refused(f"tensor {shown(tensor.name)} has an impossible shape")
    dtype: np.dtype[Any] | None = np.dtype("<u2") if tensor.data_type == _BFLOAT16 else _DTYPES.get(tensor.data_type)
    if dtype is None:
        raise Refused(f"tensor {shown(tensor.name)} has data type {tensor.data_type}, expected a float or integer type")
    count = math.prod(shape)
    raw = external.read(tensor, count * dtype.itemsize) if is_external(tensor) else tensor.raw_data
    if raw:
        found, left = divmod(len(raw), dtype.itemsize)
    else:
        found, left = len(_typed(tensor)), 0
    if found != count or left:
        raise Refused(f"tensor {shown(tensor.name)} has shape {list(shape)}, but {found:,} numbers")
    flat = np.frombuffer(raw, dtype) if raw else _from_typed(tensor, dtype)
    if tensor.data_type == _BFLOAT16:
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    return flat.reshape(shape)


def _typed(tensor: Proto) -> Sequence[Any]:
    data: Sequence[Any] = getattr(tensor, _TYPED_FIELDS.get(tensor.data_type, "int32_data"))
    return data


def _from_typed(tensor: Proto, dtype: np.dtype[Any]) -> Array:
    data = _typed(tensor)
    if dtype.itemsize == 2:  # float16 and bfloat16 stand as the bits of a uint16 in int32_data
        return np.array([int(bits) & 0xFFFF for bits in data], np.uint16).view(dtype)
    if dtype.itemsize == 1:
        return np.array([int(bits) & 0xFF for bits in data], np.uint8).view(dtype)
    return np.array(data, dtype)


def constant(scope: Scope, value: str, depth: int = 0) -> Array:
    """The value of a constant; NotConstant if it depends on the input, Refused if it is broken."""
    home = scope.home(value)
    if home is None:
        raise NotConstant(f"{shown(value)}, which nothing in the file defines")
    if value not in home.known:
        home.known[value] = _constant(home, value, depth)
        home.budget.take(home.known[value].nbytes)
    return home.known[value]


def _constant(scope: Scope, value: str, depth: int) -> Array:
    if value in scope.initializers:
        return tensor_array(scope.initializers[value], scope.budget.external)
    if value in scope.inputs:
        raise NotConstant(f"the graph's input {shown(value)}")
    node, output = scope.producers[value]
    if output or not moves(node):
        raise NotConstant(f"computed by the graph ({node.op_type} {shown(node.name)})")
    if depth > MAX_DEPTH:
        raise NotConstant(f"computed by the graph (more than {MAX_DEPTH} operators)")
    return moved(scope, node, [constant(scope, name, depth + 1) if name else None for name in node.input])


def moves(node: Proto) -> bool:
    """Whether an operator only moves numbers and computes nothing."""
    return node.domain in STANDARD_DOMAINS and node.op_type in _MOVERS


def moved(scope: Scope, node: Proto, inputs: Sequence[Array | None]) -> Array:
    """What an operator that only moves numbers makes of its inputs."""
    try:
        return _MOVERS[node.op_type](scope.budget, attributes(node), *inputs)
    except Refused:
        raise
    except (ValueError, IndexError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise Refused(f"{node.op_type} {shown(node.name)} before its weights is not valid") from error


def _node_constant(budget: Budget, attrs: dict[str, Any]) -> Array:
    if "value" in attrs:
        return tensor_array(attrs["value"], budget.external)
    for name, dtype in (("value_float", "<f4"), ("value_floats", "<f4"), ("value_int", "<i8"), ("value_ints", "<i8")):
        if name in attrs:
            return np.array(attrs[name], dtype)
    raise Refused("a Constant holds no numbers")


def _concat(budget: Budget, attrs: dict[str, Any], *parts: Array) -> Array:
    budget.take(sum(part.nbytes for part in parts))
    return np.concatenate(parts, axis=attrs["axis"])


def _axes(attrs: dict[str, Any], given: Array | None) -> tuple[int, ...] | None:
    """The axes of Squeeze and Unsqueeze: an attribute before opset 13, then an input."""
    if given is not None:
        return tuple(int(axis) for axis in given.ravel()[:16])
    return tuple(attrs["axes"]) if "axes" in attrs else None


def _unsqueeze(_budget: Budget, attrs: dict[str, Any], data: Array, given: Array | None = None) -> Array:
    axes = _axes(attrs, given) or ()
    if data.ndim + len(axes) > 16:
        raise Refused("a tensor of more than 16 dimensions")
    return np.expand_dims(data, axes)


def _slice(
    _budget: Budget,
    attrs: dict[str, Any],
    data: Array,
    starts: Array | None = None,
    ends: Array | None = None,
    axes: Array | None = None,
    steps: Array | None = None,
) -> Array:
    first = attrs["starts"] if starts is None else starts.tolist()
    last = attrs["ends"] if ends is None else ends.tolist()
    along = attrs.get("axes", range(len(first))) if axes is None else axes.tolist()
    by = [1] * len(first) if steps is None else steps.tolist()
    index = [slice(None)] * data.ndim
    for axis, start, end, step in zip(along, first, last, by, strict=True):
        if step < 0:
            raise Refused("a Slice that goes backwards")
        index[axis] = slice(start, end, step)
    return data[tuple(index)]


def _reshape(budget: Budget, attrs: dict[str, Any], data: Array, shape: Array) -> Array:
    sizes = [int(size) for size in shape.ravel()[:16]]
    if not attrs.get("allowzero", 0):
        sizes = [data.shape[axis] if size == 0 else size for axis, size in enumerate(sizes)]
    budget.take(data.nbytes)  # a transposed array is copied
    return data.reshape(sizes)


def _cast(budget: Budget, attrs: dict[str, Any], data: Array) -> Array:
    dtype = _DTYPES.get(attrs["to"])
    if dtype is None:
        raise Refused(f"a Cast to data type {attrs['to']}")
    budget.take(data.size * dtype.itemsize)
    with np.errstate(all="ignore"):
        return data.astype(dtype)


_MOVERS: dict[str, Callable[..., Array]] = {
    "Constant": _node_constant,
    "Identity": lambda _budget, _attrs, data: data,
    "Concat": _concat,
    "Squeeze": lambda _budget, attrs, data, given=None: np.squeeze(data, _axes(attrs, given)),
    "Unsqueeze": _unsqueeze,
    "Transpose": lambda _budget, attrs, data: np.transpose(data, attrs.get("perm")),
    "Slice": _slice,
    "Reshape": _reshape,
    "Cast": _cast,
    "DequantizeLinear": dequantized,
}
"""Operators that move numbers, or say what codes stand for: (budget, attributes, inputs) -> output."""


def is_zero(scope: Scope, value: str, depth: int = 0) -> bool:
    """Whether a value is 0 whatever its shape.

    Exporters write such initial states for a batch of any size.
    """
    home = scope.home(value)
    if home is None or depth > MAX_DEPTH or value in home.inputs:
        return False
    if value not in home.zeros:
        home.zeros[value] = _is_zero(home, value, depth)
    return home.zeros[value]


def _is_zero(scope: Scope, value: str, depth: int) -> bool:
    if value in scope.initializers:
        return not np.any(constant(scope, value))
    node, output = scope.producers[value]
    if node.domain not in STANDARD_DOMAINS or output != 0:
        return False
    if node.op_type == "ConstantOfShape":
        fill = attributes(node).get("value")
        return fill is None or not np.any(tensor_array(fill, scope.budget.external))
    if node.op_type == "Constant":
        return not np.any(constant(scope, value))
    counted = node.input if node.op_type == "Concat" else node.input[:1]
    moves = node.op_type in ("Expand", "Tile", *_MOVERS)
    return moves and bool(counted) and all(is_zero(scope, name, depth + 1) for name in counted)
