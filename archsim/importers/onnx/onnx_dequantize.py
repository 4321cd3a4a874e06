"""Computes ONNX's DequantizeLinear of constants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.importers.found import Refused
from archsim.importers.onnx.onnx_graph import Budget

Array = npt.NDArray[Any]


def dequantized(
    budget: Budget, attrs: Mapping[str, Any], codes: Array, scale: Array, zero: Array | None = None
) -> Array:
    """The result of DequantizeLinear: (codes - zero) * scale, in float32."""
    if attrs.get("block_size", 0):
        raise Refused("a DequantizeLinear with blocks (block_size), which is not read")
    if scale.dtype.kind != "f" or codes.dtype.kind not in "iu":
        raise Refused("a DequantizeLinear of something else than integers with a real scale")
    zero = np.zeros(scale.shape, np.int64) if zero is None else zero
    shape: tuple[int, ...] = ()
    if scale.size > 1:
        axis = attrs.get("axis", 1)
        if not isinstance(axis, int):
            raise Refused("a DequantizeLinear whose axis is no number")
        if not -codes.ndim <= axis < codes.ndim:
            raise Refused(f"a DequantizeLinear along axis {axis} of codes with {codes.ndim} dimensions")
        axis %= codes.ndim
        if scale.shape != (codes.shape[axis],):
            raise Refused(f"a DequantizeLinear with {scale.size:,} scales for {codes.shape[axis]:,} parts")
        shape = tuple(-1 if place == axis else 1 for place in range(codes.ndim))
    elif scale.ndim > 1:
        raise Refused("a DequantizeLinear whose scale is no number or list")
    if zero.size != scale.size or zero.dtype.kind not in "iu":
        raise Refused("a DequantizeLinear whose zero points do not match its scales")
    budget.take(codes.size * 16)
    whole = codes.astype(np.int64) - zero.astype(np.int64).reshape(shape)
    return np.asarray(whole.astype(np.float32) * scale.astype(np.float32).reshape(shape), np.float32)
