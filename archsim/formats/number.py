"""Defines a number format: a width, how numbers are stored, and what rounding and range make of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.formats.rounding import Int, Rounding

Array = npt.NDArray[Any]
Real = npt.NDArray[np.float64]


class NumberFormat(ABC):
    """A number format; its width sets bytes and port cycles, its kind the arithmetic of the units."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name as it is written in an architecture."""

    @property
    @abstractmethod
    def bits(self) -> int:
        """The bits of one number; what a block shares comes on top."""

    def vector_bits(self, count: int) -> int:
        """The bits of `count` consecutive numbers of one vector, with what they share."""
        return count * self.bits

    def __str__(self) -> str:
        return self.name


class FloatFormat(NumberFormat):
    """A format of numbers stored as what they are: float32 arrays that hold only values of the format."""

    @property
    @abstractmethod
    def significand_bits(self) -> int:
        """Bits of the significand, with the leading 1 where it is implied: what a multiplier of two numbers sees."""

    @property
    @abstractmethod
    def largest(self) -> float:
        """The largest finite magnitude."""

    @abstractmethod
    def rounded(self, values: npt.NDArray[np.floating[Any]]) -> tuple[npt.NDArray[np.float32], int]:
        """Round (n, ...) real numbers to the nearest of the format, along the first axis where blocks share.

        Returns them and how many were beyond the range, and saturated.
        """


class IntegerFormat(NumberFormat):
    """A format of numbers stored as integer codes: fixed point, or integers with a scale."""

    @property
    @abstractmethod
    def rounding(self) -> Rounding:
        """The rule by which bits are dropped on the way into this format."""

    @property
    @abstractmethod
    def wraps(self) -> bool:
        """Whether values beyond the range wrap; else they saturate."""

    @property
    def lowest(self) -> int:
        """The smallest code."""
        return -(1 << (self.bits - 1))

    @property
    def highest(self) -> int:
        """The largest code."""
        return (1 << (self.bits - 1)) - 1

    def narrowed(self, wide: Int) -> tuple[Int, int]:
        """Bring wide integers into the range, and count how many were not in it."""
        inside: Int = np.minimum(np.maximum(wide, self.lowest), self.highest)  # np.clip takes four times as long
        overflows = int(np.count_nonzero(inside != wide))
        if overflows and self.wraps:
            span = 1 << self.bits
            inside = ((wide - self.lowest) & (span - 1)) + self.lowest
        return inside, overflows


@dataclass(frozen=True)
class Bit(NumberFormat):
    """The format of one bit: a write enable, stored as 0 or 1 in bytes."""

    @property
    def name(self) -> str:
        return "bit"

    @property
    def bits(self) -> int:
        return 1
