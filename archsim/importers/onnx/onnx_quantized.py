"""Reads quantized weights of ONNX: codes behind DequantizeLinear, and those of onnxruntime's DynamicQuantizeLSTM.

Source: the operators DequantizeLinear, versions 10 to 21, and com.microsoft DynamicQuantizeLSTM version 1 (contrib
operators of onnxruntime): W (directions, I, 4H) and R (directions, H, 4H) are codes, transposed against those of LSTM;
inputs 8 to 11 are W_scale, W_zero_point, R_scale and R_zero_point, a number for each direction, or each of its columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsim.importers.codes import Codes
from archsim.importers.found import Refused
from archsim.importers.onnx.onnx_dequantize import dequantized
from archsim.importers.onnx.onnx_graph import MAX_DEPTH, STANDARD_DOMAINS, Proto, Scope, attributes
from archsim.importers.onnx.onnx_values import Array, NotConstant, constant

DOMAIN, OPERATOR = "com.microsoft", "DynamicQuantizeLSTM"
QUANTIZED_INPUTS = ("W_scale", "W_zero_point", "R_scale", "R_zero_point")
"""Inputs 8 to 11, behind those of LSTM."""

DYNAMIC_NOTE = (
    "onnxruntime quantizes x and h to uint8 at run time, with a scale from the values of each call and step; here they "
    "have the machine's format with one scale, or are real numbers, so that its outputs are not reproduced in every bit"
)


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedWeight:
    """A weight (directions, rows, K): the real numbers, and the codes (of all directions together) if it has any."""

    real: Array
    codes: tuple[Codes, ...] = ()


def is_dynamic(node: Proto) -> bool:
    """Whether a node is onnxruntime's LSTM with weights in 8 bits."""
    return bool(node.domain == DOMAIN and node.op_type == OPERATOR)


def behind_dequantize(scope: Scope, value: str) -> QuantizedWeight | None:
    """The weight of a value that DequantizeLinear makes of constants; None if it is anything else.

    Its codes are kept if a scale belongs to whole rows.
    """
    node = _producer(scope, value)
    if node is None or node.op_type != "DequantizeLinear":
        return None
    home = scope.home(value)
    assert home is not None
    codes = constant(home, node.input[0])
    scale = constant(home, node.input[1])
    zero = constant(home, node.input[2]) if len(node.input) > 2 and node.input[2] else np.zeros(scale.shape, np.int64)
    attrs = attributes(node)
    real = dequantized(home.budget, attrs, codes, scale, zero)
    if codes.dtype.kind not in "iu" or codes.ndim != 3:
        return QuantizedWeight(real)
    scales, zeros = _along(codes, scale, attrs), _along(codes, zero, attrs)
    if scales is None or zeros is None:
        return QuantizedWeight(real)
    return QuantizedWeight(real, tuple(map(_row_codes, codes, scales, zeros)))


def dynamic_weights(scope: Scope, inputs: Mapping[str, str]) -> dict[str, QuantizedWeight]:
    """The weights W and R of a DynamicQuantizeLSTM, in LSTM's layout."""
    found = {}
    for key in ("W", "R"):
        codes, scale = (_given(scope, name, inputs) for name in (key, f"{key}_scale"))
        has_zero = f"{key}_zero_point" in inputs
        zero = _given(scope, f"{key}_zero_point", inputs) if has_zero else np.zeros(scale.shape, np.int64)
        if codes.dtype.kind not in "iu" or codes.dtype.itemsize != 1 or codes.ndim != 3:
            raise Refused(f"its {key} is {codes.dtype} of {codes.ndim} dimensions, expected three of 8-bit integers")
        directions, columns = codes.shape[0], codes.shape[2]
        if scale.shape not in ((directions,), (directions, columns)) or scale.dtype.kind != "f":
            raise Refused(f"its {key}_scale has shape {list(scale.shape)}, expected {[directions]} or one a column")
        if zero.shape != scale.shape or zero.dtype.kind not in "iu":
            raise Refused(f"its {key}_zero_point has shape {list(zero.shape)}, expected that of the scale")
        scope.budget.take(codes.size * 9)
        parts = tuple(
            _row_codes(matrix.T, one_scale, one_zero)
            for matrix, one_scale, one_zero in zip(codes, scale, zero, strict=True)
        )
        found[key] = QuantizedWeight(np.stack([part.real() for part in parts]).astype(np.float32), parts)
    return found


def words(codes: Mapping[str, Codes]) -> str:
    """The note on a layer's codes."""
    kinds = ", ".join(dict.fromkeys(str(found.values.dtype) for found in codes.values()))
    each = "row" if any(found.scale.ndim for found in codes.values()) else "matrix"
    return f"weights are {kinds} with a scale for each {each}, and stay so on a machine whose weights are intN"


def input_note(scope: Scope, value: str) -> str:
    """The note on an input that the model rounds itself, by QuantizeLinear and DequantizeLinear; "" if it does not."""
    back = _producer(scope, value)
    if back is None or back.op_type != "DequantizeLinear":
        return ""
    home = scope.home(value)
    there = None if home is None else _producer(home, back.input[0])
    if there is None or there.op_type != "QuantizeLinear" or home is None:
        return ""
    try:
        scale = constant(home, there.input[1]).ravel()
        zero = constant(home, there.input[2]).ravel() if len(there.input) > 2 else np.zeros(1, np.uint8)
    except NotConstant:
        return "its input is rounded in the model (QuantizeLinear); here it has the machine's format for x"
    if not scale.size or not zero.size:
        raise Refused("its input goes through a QuantizeLinear without a scale")
    return (
        f"its input is rounded to {zero.dtype} in the model (QuantizeLinear, scale {float(scale[0]):.6g}, zero point "
        f"{int(zero[0])}); here it has the machine's format for x, or is a real number"
    )


def _given(scope: Scope, key: str, inputs: Mapping[str, str]) -> Array:
    if key not in inputs:
        raise Refused(f"its input {key} is missing")
    try:
        return constant(scope, inputs[key])
    except NotConstant as error:
        raise Refused(f"its {key} is {error}, not a constant") from error


def _along(codes: Array, numbers: Array, attrs: Mapping[str, Any]) -> list[Array] | None:
    """The numbers of each direction's rows: () or (rows,); None if they are for columns."""
    if numbers.size == 1:
        return [numbers.reshape(())] * len(codes)
    axis = range(codes.ndim)[attrs.get("axis", 1)]
    if axis == 0:
        return [number.reshape(()) for number in numbers]
    return [numbers] * len(codes) if axis == 1 else None


def _row_codes(codes: Array, scale: Array, zero: Array) -> Codes:
    if not np.all(np.isfinite(scale)) or not np.all(scale > 0):
        raise Refused("a scale of its weights is not above 0")
    return Codes(np.ascontiguousarray(codes), np.asarray(scale, np.float64), np.asarray(zero).astype(np.int64))


def _producer(scope: Scope, value: str) -> Proto | None:
    """The node that gives a value, past those that only rename it; None of the graph's inputs and constants."""
    for _ in range(MAX_DEPTH):
        home = scope.home(value)
        if home is None or value not in home.producers:
            return None
        node, output = home.producers[value]
        if node.domain not in STANDARD_DOMAINS or output:
            return None
        if node.op_type != "Identity" or not node.input:
            return node
        scope, value = home, node.input[0]
    return None
