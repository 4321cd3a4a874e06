"""What a number format is: a width, a stored representation, and the way to and from real numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class NumberFormat(ABC):
    """A number format; its width sets bytes and port cycles, its methods set the arithmetic of the units."""

    name: str
    bits: int

    @abstractmethod
    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Stored zeros of the given shape."""

    @abstractmethod
    def from_real(self, values: npt.NDArray[np.floating]) -> Array:
        """Real numbers of any shape, rounded to this format (same shape, stored representation)."""

    @abstractmethod
    def to_real(self, stored: Array) -> npt.NDArray[np.float64]:
        """The real numbers (float64, same shape) that stored values stand for."""

    def __str__(self) -> str:
        return self.name


class Float32(NumberFormat):
    """IEEE 754 binary32, round to nearest even (IEEE 754-2019, 3.6 and 4.3.1)."""

    name = "float32"
    bits = 32

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape, dtype=np.float32)

    def from_real(self, values: npt.NDArray[np.floating]) -> Array:
        return np.ascontiguousarray(values, dtype=np.float32)

    def to_real(self, stored: Array) -> npt.NDArray[np.float64]:
        return stored.astype(np.float64)


class Bit(NumberFormat):
    """One bit: a write enable."""

    name = "bit"
    bits = 1

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape, dtype=np.uint8)

    def from_real(self, values: npt.NDArray[np.floating]) -> Array:
        bits: Array = (values != 0).astype(np.uint8)
        return bits

    def to_real(self, stored: Array) -> npt.NDArray[np.float64]:
        return stored.astype(np.float64)


FORMATS: tuple[NumberFormat, ...] = (Float32(),)


def parse_format(text: str) -> NumberFormat:
    """The format of that name, e.g. "float32"; ValueError names those that exist."""
    for number_format in FORMATS:
        if number_format.name == text:
            return number_format
    raise ValueError(f"unknown number format {text!r}; allowed: {', '.join(f.name for f in FORMATS)}")
