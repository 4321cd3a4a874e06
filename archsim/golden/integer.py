"""Integers with a scale: rounding, conversion, narrowing and products, each from its definition and exact.

Source: docs/numerics.md, "Integer arithmetic" and "Element-wise unit". The conversion by a multiplier is that of
TensorFlow Lite (QuantizeMultiplier, MultiplyByQuantizedMultiplier), with the rounding of gemmlowp's fixedpoint.h
(SaturatingRoundingDoublingHighMul, RoundingDivideByPOT).

All is plain int64 as long as no intermediate can leave 62 bits. Where one could, by a bound that depends on the formats
alone and never on the data, the same expressions run over Python's integers of any size (arrays of dtype object).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from archsim.golden.functions import Float, Float64

Codes = npt.NDArray[np.int64]
Integers = npt.NDArray[Any]
"""Whole numbers as int64 or, where they may be larger, as Python integers (dtype object)."""

LIMIT = 2**62 - 1
"""The largest magnitude of a wide integer: what a conversion gives before it is narrowed."""
ROUNDINGS = ("even", "half_up", "truncate", "gemmlowp")


@dataclass(frozen=True)
class Grid:
    """The grid of integers with a scale: code c stands for (c - zero) * scale.

    scale is a number, or one for each row (G,) of a weight matrix; of an integer accumulator it is not used (the
    products' scale takes its place). Without wrap a value beyond the range saturates. fixed marks qM.N: scale is 2^-N.
    """

    bits: int
    scale: float | Float64
    zero: int = 0
    rounding: str = "even"
    wrap: bool = False
    fixed: bool = False

    def __post_init__(self) -> None:
        if self.rounding not in ROUNDINGS:
            raise ValueError(f"unknown rounding {self.rounding!r}: one of {', '.join(ROUNDINGS)}")

    @property
    def low(self) -> int:
        """The smallest code."""
        return -(1 << (self.bits - 1))

    @property
    def high(self) -> int:
        """The largest code."""
        return (1 << (self.bits - 1)) - 1

    @property
    def magnitude(self) -> int:
        """No code less the zero point is larger than this."""
        return -self.low + abs(self.zero)


@dataclass(frozen=True)
class Coded:
    """Codes (any shape) and the grid they lie on."""

    codes: Codes
    grid: Grid

    @property
    def integers(self) -> Codes:
        """The codes less the zero point: the values in units of the scale."""
        return np.subtract(self.codes, self.grid.zero, dtype=np.int64)

    @property
    def values(self) -> Float64:
        """The real numbers that the codes stand for."""
        return real_of(self.codes, self.grid)

    def split(self, sections: int) -> list[Coded]:
        """Equal sections of the last axis."""
        scale = np.asarray(self.grid.scale)
        if not scale.ndim:
            return [Coded(part, self.grid) for part in np.split(self.codes, sections, axis=-1)]
        scales = np.split(scale, sections)
        parts = np.split(self.codes, sections, axis=-1)
        return [Coded(part, replace(self.grid, scale=own)) for part, own in zip(parts, scales, strict=True)]


@dataclass(frozen=True)
class Target:
    """A grid as the place that values go to: they are rounded its way and narrowed, and what overflows is counted.

    overflows is shared by all targets of a run and counts by kind of data.
    """

    kind: str
    grid: Grid
    overflows: Counter[str]

    def narrow(self, wide: Integers) -> Coded:
        """Wide integers in units of the grid's scale, zero point not yet added, narrowed to codes."""
        codes, changed = narrow(wide, self.grid)
        self.overflows[self.kind] += changed
        return Coded(codes, self.grid)

    def encode(self, values: Float) -> Coded:
        """Real numbers to codes."""
        return self.narrow(wide_of(values, self.grid))

    def convert(self, source: Coded) -> Codes:
        """The codes of another grid as wide integers of this one."""
        ratio = np.divide(source.grid.scale, self.grid.scale)
        return convert(source.integers, source.grid.magnitude, ratio, self.grid.rounding)

    def product(self, a: Coded, b: Coded) -> Codes:
        """P(a, b): the product of two values, rounded to this grid's scale on its own; wide integers."""
        bound = a.grid.magnitude * b.grid.magnitude
        ratio = np.divide(np.multiply(a.grid.scale, b.grid.scale), self.grid.scale)
        return convert(times(a.integers, b.integers, bound), bound, ratio, self.grid.rounding)


def times(a: Integers, b: Integers, bound: int) -> Integers:
    """The exact element-wise product, of no larger magnitude than bound."""
    product: Integers = a * b if bound <= LIMIT else a.astype(object) * b.astype(object)
    return product


def rounded(v: Integers, shift: int | Integers, rounding: str) -> Integers:
    """The quotient v / 2^shift as integers; a negative shift is the exact left shift.

    shift: a number or an array along with v. int64 needs |v| < 2^62, also after the left shift, and shift <= 62.
    """
    shift = np.atleast_1d(np.asarray(shift, v.dtype))  # no scalar: NumPy would take one out of dtype object
    v = v << np.maximum(-shift, 0)
    right = np.maximum(shift, 0)
    floor: Integers = v >> right
    if rounding == "truncate":
        return floor
    whole = 1 << right
    twice = 2 * (v - (floor << right))  # what lies above the floor, doubled to be compared with a half
    match rounding:
        case "half_up":
            up = twice >= whole
        case "even":
            up = twice + (floor & 1) > whole  # exactly a half goes up from an odd floor
        case "gemmlowp":
            up = twice + (v >= 0) > whole  # exactly a half goes up from zero on
        case _:
            raise ValueError(f"unknown rounding {rounding!r}: one of {', '.join(ROUNDINGS)}")
    return floor + up


def multiplier(ratio: Float64) -> tuple[Codes, Codes, npt.NDArray[np.bool_]]:
    """The m, e of ratio = m 2^(e - 31), and whether ratio is a power of two (then m is exactly 2^30).

    Else m has 31 bits, rounded half up (QuantizeMultiplier).
    """
    fraction, exponent = np.frexp(ratio)
    m = np.floor(fraction * 2.0**31 + 0.5).astype(np.int64)
    full = m == 2**31  # the fraction has been rounded up to 1
    m, e = np.where(full, 2**30, m), np.where(full, exponent + 1, exponent).astype(np.int64)
    return m, e, fraction == 0.5


class Scaling(NamedTuple):
    """The way to a product with a ratio: multiply by m, then shift to the right, one after the other, each rounded.

    most: the largest multiplier; left and right: the most places of any shift in either direction.
    """

    m: Codes
    shifts: tuple[tuple[Codes, str], ...]
    most: int
    left: int
    right: int


@lru_cache(maxsize=1024)
def _scaling(ratio: float, rounding: str) -> Scaling:
    """The way to a product with a single ratio, which each step of a sequence asks for again."""
    return _scaling_of(np.array([ratio]), rounding)


def _scaling_of(ratio: Float64, rounding: str) -> Scaling:
    if not np.all((ratio > 0.0) & np.isfinite(ratio)):
        raise ValueError(f"a ratio of scales must be positive and finite: {ratio}")
    m, e, power = multiplier(ratio)
    m = np.where(power, 1, m)
    once = np.where(power, 1 - e, 31 - e)
    shifts: tuple[tuple[Codes, str], ...] = ((once, rounding),)
    if rounding == "gemmlowp":  # twice, but for a power of two: of it the first division is one by 1
        first, then = np.where(power, 0, 31 - np.maximum(e, 0)), np.where(power, once, np.maximum(-e, 0))
        shifts = ((first, "half_up"), (then, "gemmlowp"))
    left = max(0, -min(int(shift.min()) for shift, _ in shifts))
    return Scaling(m, shifts, int(m.max()), left, max(int(shift.max()) for shift, _ in shifts))


def convert(v: Integers, bound: int, ratio: float | Float64, rounding: str) -> Codes:
    """The product v * ratio as wide integers.

    ratio: a number, or one for each element of v's last axis; bound: |v| <= bound.
    """
    ratio = np.asarray(ratio, np.float64)
    scaling = _scaling_of(ratio, rounding) if ratio.ndim else _scaling(float(ratio), rounding)
    m = scaling.m
    if (bound * scaling.most) << scaling.left > LIMIT or scaling.right > 62:
        v, m = v.astype(object), m.astype(object)
    v = v * m
    for shift, how in scaling.shifts:
        v = rounded(v, shift, how)
    return limited(v)


def _between(v: Integers, low: int, high: int) -> Integers:
    """v limited to a range; np.clip takes four times as long for few of them."""
    found: Integers = np.minimum(np.maximum(v, low), high)
    return found


def limited(v: Integers) -> Codes:
    """Wide integers: v limited to 62 bits."""
    return _between(v, -LIMIT, LIMIT).astype(np.int64)


def narrow(wide: Integers, grid: Grid) -> tuple[Codes, int]:
    """Wide integers to the grid's codes, the zero point added first, and how many had to change.

    The range is moved instead of the values, as a sum of two wide integers has no room for a zero point in int64.
    """
    low, high = grid.low - grid.zero, grid.high - grid.zero
    # wide - low may go round in int64, which makes no difference modulo 2^bits.
    kept = (wide - low) % 2**grid.bits + low if grid.wrap else _between(wide, low, high)
    changed = int(np.count_nonzero(kept != wide))
    codes: Codes = kept.astype(np.int64, copy=False)
    return codes + grid.zero if grid.zero else codes, changed


def wide_of(values: Float, grid: Grid) -> Codes:
    """The real numbers (any shape; with a scale for each row: rows first) in units of the scale.

    They are rounded, not narrowed.
    """
    values = np.asarray(values, np.float64)
    scale = np.asarray(grid.scale, np.float64)
    if scale.ndim:
        scale = scale.reshape(scale.shape + (1,) * (values.ndim - 1))
    return whole_of(values / scale, grid.rounding)


def whole_of(numbers: Float64, rounding: str) -> Codes:
    """Real numbers rounded to wide integers."""
    match rounding:
        case "truncate":
            whole = np.floor(numbers)
        case "half_up":
            floor = np.floor(numbers)
            whole = floor + (numbers - floor >= 0.5)  # numbers + 1/2 might be rounded itself
        case "even":
            whole = np.rint(numbers)
        case "gemmlowp":
            floor = np.floor(numbers)
            above = numbers - floor
            whole = floor + np.where(numbers >= 0.0, above >= 0.5, above > 0.5)
        case _:
            raise ValueError(f"unknown rounding {rounding!r}: one of {', '.join(ROUNDINGS)}")
    if whole.size and whole.min() > -(2.0**53) and whole.max() < 2.0**53:  # as nearly all are: no limit is near
        return whole.astype(np.int64)
    return limited(np.clip(whole, -(2.0**62), 2.0**62).astype(np.int64))


def codes_of(values: Float, grid: Grid) -> tuple[Codes, int]:
    """Real numbers to codes, and how many of them lay beyond the range."""
    return narrow(wide_of(values, grid), grid)


def real_of(codes: Codes, grid: Grid) -> Float64:
    """The real numbers that codes stand for; one scale for all."""
    return np.asarray((codes - grid.zero) * np.asarray(grid.scale, np.float64), np.float64)
