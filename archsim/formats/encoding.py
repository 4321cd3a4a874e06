"""Encodes and decodes numbers: a number format together with scale and zero point."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from archsim.formats.number import Array, Bit, FloatFormat, IntegerFormat, NumberFormat, Real
from archsim.formats.rounding import Int, limited, rounded

Scale = float | npt.NDArray[np.float64]
"""A number, or one for each entry, as (entries, 1)."""

_FEW_BITS = 32
"""Bits of a format whose codes, and their neighbours outside, float64 holds exactly; it holds those of up to 53."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """How a buffer's numbers are stored: a code c of an integer format stands for (c - zero) * scale.

    Floating-point numbers are stored as themselves, in float32; `scale` is 1 and means nothing.
    """

    format: NumberFormat
    scale: Scale = 1.0
    zero: int = 0

    @property
    def is_integer(self) -> bool:
        """Whether the stored numbers are integer codes."""
        return isinstance(self.format, IntegerFormat)

    @property
    def stored_type(self) -> npt.DTypeLike:
        """The narrowest type that holds what is stored: what memory traffic costs the simulator, too."""
        if isinstance(self.format, IntegerFormat):
            return next(
                kind for kind in (np.int8, np.int16, np.int32, np.int64) if self.format.bits <= 8 * kind(0).nbytes
            )
        return np.float32 if isinstance(self.format, FloatFormat) else np.uint8

    def rows(self, start: int, stop: int) -> Encoding:
        """The encoding of some entries of the buffer."""
        return self if isinstance(self.scale, float) else replace(self, scale=self.scale[start:stop])

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """An array of stored numbers of value 0."""
        match self.format:
            case IntegerFormat():
                return np.full(shape, self.zero, self.stored_type)
            case FloatFormat():
                return np.zeros(shape, np.float32)
            case _:
                return np.zeros(shape, np.uint8)

    def encoded(self, values: npt.NDArray[np.floating]) -> tuple[Array, int]:
        """Encode real numbers (entries, ...), and count how many were beyond the range."""
        match self.format:
            case IntegerFormat() as integer:
                whole = rounded(np.asarray(values, np.float64) / self.scale, integer.rounding)
                if integer.bits <= _FEW_BITS and not integer.wraps:
                    return self._saturated(whole, integer)
                wide = np.clip(whole, -(2.0**62), 2.0**62).astype(np.int64)
                return integer.narrowed(limited(wide) + self.zero)
            case FloatFormat() as floating:
                return floating.rounded(values)
            case _:
                assert isinstance(self.format, Bit)
                return (np.asarray(values) != 0).astype(np.uint8), 0

    def _saturated(self, whole: Real, integer: IntegerFormat) -> tuple[Int, int]:
        """The codes of whole real numbers, and how many were beyond the range.

        As `narrowed`, but for the order: of few bits the range is exact in float64, and what is beyond it stays so.
        """
        coded = whole + self.zero if self.zero else whole
        inside = np.minimum(np.maximum(coded, integer.lowest), integer.highest)
        return inside.astype(np.int64), int(np.count_nonzero(inside != coded))

    def decoded(self, stored: Array) -> Real:
        """The values of stored numbers, in float64."""
        values = stored.astype(np.float64)
        return (values - self.zero) * self.scale if self.is_integer else values

    def narrowed(self, wide: Int) -> tuple[Int, int]:
        """The codes of wide integers of this scale, with the zero point; and how many were beyond the range."""
        assert isinstance(self.format, IntegerFormat)
        return self.format.narrowed(wide + self.zero)
