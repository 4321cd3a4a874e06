"""Reads weights of a file: real numbers, or integer codes with their scales and zero points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from archsim.errors import Fault, WorkloadError
from archsim.workload.files import holds_integers, read_float64, read_integers, read_tensors, tensor_names, tensor_shape

Float32Array = npt.NDArray[np.float32]
Shape = tuple[int, ...]

SCALE, ZERO = "_scale", "_zero"
"""Behind a tensor's name: those of the scale and the zero point of its codes."""

MAX_CODE = 2**31
"""Largest magnitude of a code less its zero point."""


@dataclass(frozen=True, eq=False)
class CodedTensor:
    """A tensor of integer codes: a number is code * scale. `codes` are less the zero point.

    `scales` (rows, 1) of a matrix, (n, 1) of a vector: one for each row.
    """

    codes: npt.NDArray[np.int64]
    scales: npt.NDArray[np.float64]

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """The real numbers."""
        return self.codes * (self.scales if self.codes.ndim > 1 else self.scales[:, 0])

    @property
    def one_scale(self) -> bool:
        """Whether all rows have the same scale."""
        return bool(np.all(self.scales == self.scales[0]))


@dataclass(frozen=True, slots=True)
class Weights:
    """A cell's tensors by name without layer and direction: real numbers, and of those that are codes, these too."""

    real: Mapping[str, Float32Array]
    coded: Mapping[str, CodedTensor] = field(default_factory=dict)


def read_weights(path: Path, shapes: Mapping[str, Shape], gates: int) -> Weights:
    """Read tensors of the given shapes: real numbers as they are, integers with the scales that belong to them.

    `name_scale` is one number, one for each of `gates` equal parts of the rows, or one for each row; `name_zero` the
    same, of integers, 0 if left out. WorkloadError names what is missing or does not fit.
    """
    names = set(tensor_names(path))
    real, coded = {}, {}
    for name, shape in shapes.items():
        if name in names and holds_integers(path, name):
            coded[name] = _coded(path, name, shape, gates, names)
            with np.errstate(over="ignore"):
                real[name] = np.ascontiguousarray(coded[name].values, np.float32)
            if not np.isfinite(real[name]).all():
                raise _fault(path, name, "its codes times their scale are not finite in float32")
        else:
            real |= read_tensors(path, {name: shape})
    return Weights(real, coded)


def _coded(path: Path, name: str, shape: Shape, gates: int, names: set[str]) -> CodedTensor:
    if name + SCALE not in names:
        raise _fault(path, name, f"holds integers, and there is no {name}{SCALE} that says what a code stands for")
    codes = read_integers(path, {name: shape})[name]
    found = tensor_shape(path, name + SCALE)
    scales = _by_row(path, name + SCALE, read_float64(path, {name + SCALE: found})[name + SCALE], shape[0], gates)
    if not np.all(scales > 0):
        raise _fault(path, name + SCALE, "expected scales above 0")
    if name + ZERO in names:
        found = tensor_shape(path, name + ZERO)
        zeros = read_integers(path, {name + ZERO: found})[name + ZERO]
        if zeros.size and max(abs(int(zeros.min())), abs(int(zeros.max()))) > MAX_CODE:
            raise _fault(path, name + ZERO, f"expected zero points of magnitude up to {MAX_CODE:,}")
        rows = _by_row(path, name + ZERO, zeros, shape[0], gates).astype(np.int64)
        codes = codes - rows.reshape(-1, *(1,) * (codes.ndim - 1))
    if codes.size and max(-int(codes.min()), int(codes.max())) > MAX_CODE:
        raise _fault(path, name, f"expected codes of magnitude up to {MAX_CODE:,}, less the zero point")
    return CodedTensor(codes, scales)


def _by_row(path: Path, name: str, given: npt.NDArray[np.generic], rows: int, gates: int) -> npt.NDArray[np.float64]:
    """The numbers given for the tensor, its gates or its rows, as (rows, 1)."""
    flat = given.astype(np.float64).ravel()
    allowed = {(), (1,), (gates,), (rows,), (gates, 1), (rows, 1)}
    if given.shape not in allowed:
        raise _fault(
            path, name, f"expected one number, {gates} (a gate each) or {rows} (a row each), got shape {given.shape}"
        )
    return np.repeat(flat, rows // flat.size)[:, np.newaxis]


def _fault(path: Path, tensor: str, message: str) -> WorkloadError:
    return WorkloadError((Fault(str(path), tensor, message),))
