"""Defines floating-point formats: float32, float16, bfloat16, and blocks that share an exponent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.formats.number import FloatFormat

EXPONENT_BITS = 8
"""Of a block's shared exponent, as in the block formats of Brainwave (Fowers et al., ISCA 2018, section IV)."""

_SMALLEST_EXPONENT = -126
"""Of a block, as of a normal float32: smaller numbers keep this exponent."""


@dataclass(frozen=True)
class Float32(FloatFormat):
    """The format IEEE 754 binary32, round to nearest even (IEEE 754-2019, 3.6, table 3.5, and 4.3.1)."""

    @property
    def name(self) -> str:
        return "float32"

    @property
    def bits(self) -> int:
        return 32

    @property
    def significand_bits(self) -> int:
        return 24

    @property
    def largest(self) -> float:
        return float(np.finfo(np.float32).max)

    def rounded(self, values: npt.NDArray[np.floating[Any]]) -> tuple[npt.NDArray[np.float32], int]:
        with np.errstate(over="ignore"):
            result = np.ascontiguousarray(values, np.float32)
        return (result, 0) if result is values else _saturated(result, self.largest)


@dataclass(frozen=True)
class Float16(FloatFormat):
    """The format IEEE 754 binary16, round to nearest even, with subnormal numbers."""

    @property
    def name(self) -> str:
        return "float16"

    @property
    def bits(self) -> int:
        return 16

    @property
    def significand_bits(self) -> int:
        return 11

    @property
    def largest(self) -> float:
        return float(np.finfo(np.float16).max)

    def rounded(self, values: npt.NDArray[np.floating[Any]]) -> tuple[npt.NDArray[np.float32], int]:
        with np.errstate(over="ignore"):
            return _saturated(values.astype(np.float16).astype(np.float32), self.largest)


@dataclass(frozen=True)
class Bfloat16(FloatFormat):
    """The format of a float32's upper half: its 8 exponent bits and 7 fraction bits, round to nearest even."""

    @property
    def name(self) -> str:
        return "bfloat16"

    @property
    def bits(self) -> int:
        return 16

    @property
    def significand_bits(self) -> int:
        return 8

    @property
    def largest(self) -> float:
        return float(2.0**127 * (2 - 2.0**-7))

    def rounded(self, values: npt.NDArray[np.floating[Any]]) -> tuple[npt.NDArray[np.float32], int]:
        """Round through float32, to odd, so that the second rounding is the only one."""
        with np.errstate(over="ignore"):
            single = np.ascontiguousarray(values, np.float32)
        if values.dtype != np.float32:
            single = _to_odd(np.asarray(values, np.float64), single)
        word = single.view(np.uint32)
        word = (word + np.uint32(0x7FFF) + ((word >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
        return _saturated(word.view(np.float32), self.largest)


@dataclass(frozen=True)
class BlockFloat(FloatFormat):
    """The format of two's complement mantissas with one exponent for each block of consecutive numbers."""

    mantissa_bits: int
    block: int = 16

    @property
    def name(self) -> str:
        return f"bfp{self.mantissa_bits}" + ("" if self.block == 16 else f"/block{self.block}")

    @property
    def bits(self) -> int:
        return self.mantissa_bits

    @property
    def significand_bits(self) -> int:
        """The mantissa, with its sign; no 1 is implied."""
        return self.mantissa_bits

    def vector_bits(self, count: int) -> int:
        """The bits of a vector: the mantissas, and an exponent for each block begun."""
        return count * self.mantissa_bits + -(-count // self.block) * EXPONENT_BITS

    @property
    def largest(self) -> float:
        return float(2.0**127 * (2 - 2.0 ** (2 - self.mantissa_bits)))

    def rounded(self, values: npt.NDArray[np.floating[Any]]) -> tuple[npt.NDArray[np.float32], int]:
        """Round in blocks along the first axis, from its first number on."""
        count = len(values)
        padded = np.zeros((-(-count // self.block) * self.block, *values.shape[1:]))
        padded[:count] = values
        limited = np.clip(padded, -self.largest, self.largest)
        blocks = limited.reshape(-1, self.block, *values.shape[1:])
        # The largest magnitude lies in [2^(e-1), 2^e); mantissas of n bits cover that with a last place 2^(e-n+1).
        _, exponent = np.frexp(np.abs(blocks).max(axis=1, keepdims=True))
        place = np.ldexp(1.0, np.maximum(exponent, _SMALLEST_EXPONENT) - self.mantissa_bits + 1)
        most = 2.0 ** (self.mantissa_bits - 1)
        mantissas = np.clip(np.rint(blocks / place), -most, most - 1)
        result = (mantissas * place).reshape(padded.shape)[:count].astype(np.float32)
        return result, int(np.count_nonzero(limited != padded))


def _saturated(values: npt.NDArray[np.float32], largest: float) -> tuple[npt.NDArray[np.float32], int]:
    beyond = int(np.count_nonzero(np.abs(values) > largest))
    if beyond:
        values = np.clip(values, np.float32(-largest), np.float32(largest))
    return values, beyond


def _to_odd(exact: npt.NDArray[np.float64], single: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Round `exact` to float32 toward zero, with the last bit set where anything was lost."""
    away = np.abs(single.astype(np.float64)) > np.abs(exact)
    toward = np.where(away, np.nextafter(single, np.float32(0)), single)
    lost = toward.astype(np.float64) != exact
    word = toward.view(np.uint32) | lost.astype(np.uint32)
    odd: npt.NDArray[np.float32] = word.view(np.float32)
    return odd
