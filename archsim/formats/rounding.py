"""Rounds integers as a datapath does: shifts, multipliers and ranges (docs/numerics.md).

All values are int64 arrays; a *wide* value is limited to 62 bits, so that no step here overflows. What goes in may
have a bit more: 1 - i of 33 bits times c of 32.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from math import frexp

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

WIDE_LIMIT = 2**62 - 1
"""Largest magnitude of a wide value."""

_PART_BITS = 31
"""A product with a 31-bit multiplier is kept as high * 2^31 + low."""


class Rounding(StrEnum):
    """What becomes of the bits that a shift drops."""

    EVEN = "even"
    HALF_UP = "half_up"
    TRUNCATE = "truncate"
    GEMMLOWP = "gemmlowp"
    """Ties away from zero; products with a multiplier are rounded twice (the library gemmlowp, TensorFlow Lite)."""


def limited(values: Int) -> Int:
    """The values as wide integers, limited to 62 bits."""
    return between(values, -WIDE_LIMIT, WIDE_LIMIT)


def between(values: Int, lowest: Int | int, highest: Int | int) -> Int:
    """The values, limited to a range; np.clip takes four times as long for few of them."""
    found: Int = np.minimum(np.maximum(values, lowest), highest)
    return found


def shifter(shift: int, rounding: Rounding) -> Callable[[Int], Int]:
    """The function that `shifted` is for one shift, in few steps where that is possible."""
    return _quick(np.asarray(shift, np.int64), rounding) or (lambda values: shifted(values, shift, rounding))


def shifted(values: Int, shift: Int | int, rounding: Rounding) -> Int:
    """The quotient values / 2^shift, rounded; a negative shift multiplies, limited to 62 bits.

    `shift` broadcasts.
    """
    shift = np.asarray(shift, np.int64)
    if not shift.any():
        return values
    right = between(shift, 0, 63)
    floor = values >> right
    rest = values - (floor << right)
    half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 1)
    up = _goes_up(floor, rest > half, rest == half, values < 0, rounding)
    # Beyond 63 bits to the right nothing but the sign is left: less than a half.
    beyond = shift > 63
    if beyond.any():
        floor = np.where(beyond, np.where((values < 0) & (rounding is Rounding.TRUNCATE), -1, 0), floor)
        up = up & ~beyond
    result: Int = floor + up
    if (shift < 0).any():
        left = np.minimum(np.maximum(-shift, 0), 62)
        most = WIDE_LIMIT >> left
        result = between(result, -most - 1, most) << left
        result = np.where(values > most, WIDE_LIMIT, np.where(values < -most, -WIDE_LIMIT, result))
    return result


def multiplied(values: Int, multiplier: Int, exponent: Int, rounding: Rounding) -> Int:
    """The product values * multiplier * 2^(exponent - 31), rounded and limited to 62 bits.

    The multiplier is in [2^30, 2^31).

    Source of `gemmlowp`: SaturatingRoundingDoublingHighMul and RoundingDivideByPOT of the library of that name, put
    together as in TensorFlow Lite's MultiplyByQuantizedMultiplier.
    """
    # The product's up to 94 bits in two words.
    high = (values >> _PART_BITS) * multiplier
    low = (values & ((1 << _PART_BITS) - 1)) * multiplier
    if rounding is not Rounding.GEMMLOWP:
        return pair_shifted(high, low, _PART_BITS, _PART_BITS - exponent, rounding)
    first = high + ((low + (1 << (_PART_BITS - 1))) >> _PART_BITS)
    if (exponent > 0).any():
        larger = pair_shifted(high, low, _PART_BITS, _PART_BITS - np.maximum(exponent, 0), Rounding.HALF_UP)
        first = np.where(exponent > 0, larger, first)
    return limited(shifted(first, np.maximum(-exponent, 0), rounding))


def pair_shifted(high: Int, low: Int, bits: int, shift: Int | int, rounding: Rounding) -> Int:
    """The quotient (high * 2^bits + low) / 2^shift, rounded and limited to 62 bits.

    |high| + |low| / 2^bits is below 2^63.
    """
    shift = np.asarray(shift, np.int64)
    mask = (1 << bits) - 1
    high = high + (low >> bits)
    low = low & mask
    # Split at the shift: floor of the quotient, then how the rest stands to a half.
    above = between(shift - bits, 0, 63)
    below = between(shift, 0, bits)
    top = high >> above
    top_rest = high - (top << above)
    floor = _joined(top, low >> below, bits - below)
    rest_high = np.where(above > 0, top_rest, 0)
    rest_low = np.where(above > 0, low, low & ((np.int64(1) << below) - 1))
    half_high = np.where(above > 0, np.int64(1) << np.maximum(above - 1, 0), 0)
    half_low = np.where((above == 0) & (below > 0), np.int64(1) << np.maximum(below - 1, 0), 0)
    equal = (rest_high == half_high) & (rest_low == half_low) & (shift > 0)
    more = (rest_high > half_high) | ((rest_high == half_high) & (rest_low > half_low))
    negative = high < 0
    up = _goes_up(floor, more & (shift > 0), equal, negative, rounding)
    result: Int = limited(floor + up)
    beyond = shift > bits + 63
    if beyond.any():  # nothing is left but the sign
        result = np.where(beyond, np.where(negative & (rounding is Rounding.TRUNCATE), -1, 0), result)
    return shifted(result, np.minimum(shift, 0), rounding) if (shift < 0).any() else result


def _joined(top: Int, rest: Int, bits: Int) -> Int:
    """The sum top * 2^bits + rest; beyond 62 bits one more than the limit, so that rounding cannot bring it back."""
    most = WIDE_LIMIT >> bits
    joined = (between(top, -most - 1, most) << bits) + rest
    return np.where(top > most, WIDE_LIMIT + 1, np.where(top < -most - 1, -WIDE_LIMIT - 1, joined))


def _goes_up(floor: Int, more: Bool, tie: Bool, negative: Bool, rounding: Rounding) -> Bool:
    """Whether to round up from the floor: `more` than a half is left, or exactly a half (`tie`)."""
    result: Bool
    match rounding:
        case Rounding.EVEN:
            result = more | (tie & ((floor & 1) == 1))
        case Rounding.HALF_UP:
            result = more | tie
        case Rounding.TRUNCATE:
            result = np.zeros_like(more)
        case Rounding.GEMMLOWP:
            result = more | (tie & ~negative)
    return result


class Conversion:
    """Multiplies integers by fixed positive ratios, a number or an array that broadcasts, and rounds."""

    def __init__(self, ratio: npt.NDArray[np.float64] | float, rounding: Rounding) -> None:
        ratios = np.asarray(ratio, np.float64)
        mantissa, exponent = np.frexp(ratios)
        self.rounding = rounding
        self._power = mantissa == 0.5
        self._all_powers = bool(self._power.all())
        self._shift = np.asarray(1 - exponent, np.int64)
        self._nothing = self._all_powers and not self._shift.any()
        self._multiplier = np.floor(mantissa * 2.0**31 + 0.5).astype(np.int64)
        carried = self._multiplier == 1 << 31
        self._multiplier = np.where(carried, 1 << 30, self._multiplier)
        self._exponent = exponent.astype(np.int64) + carried
        self._quick_shift = _quick(self._shift, rounding) if self._all_powers else None
        self._quick_product = None if self._power.any() else _quick_product(self._multiplier, self._exponent, rounding)

    def __call__(self, values: Int) -> Int:
        """The converted values, wide."""
        if self._nothing:
            return limited(values)
        if self._all_powers:
            quick = self._quick_shift
            return shifted(values, self._shift, self.rounding) if quick is None else quick(values)
        if self._quick_product is not None and values.size and values.max() <= _SMALL and values.min() >= -_SMALL:
            return self._quick_product(values)
        scaled = multiplied(values, self._multiplier, self._exponent, self.rounding)
        if not self._power.any():
            return scaled
        return np.where(self._power, shifted(values, self._shift, self.rounding), scaled)

    def integers(self) -> tuple[list[int], list[int]]:
        """The multiplier and the shift of each ratio: v becomes v * multiplier / 2^shift, rounded.

        A power of two has multiplier 1, any other ratio one of 31 bits.
        """
        multipliers = np.where(self._power, 1, self._multiplier)
        shifts = np.where(self._power, self._shift, _PART_BITS - self._exponent)
        return multipliers.ravel().tolist(), shifts.ravel().tolist()


_SMALL = 2**30
"""Magnitude up to which a product with a 31-bit multiplier and its rounding fit into 62 bits."""


def _quick(shift: Int, rounding: Rounding) -> Callable[[Int], Int] | None:
    """The result of `shifted` in few steps, for shifts from 1 to 61; None for others."""
    if shift.min() < 1 or shift.max() > 61:
        return None
    # Half of the last place is added after a shift by one place less, or below the floor: values may have 64 bits.
    less, one = shift - 1, np.int64(1)
    match rounding:
        case Rounding.TRUNCATE:
            return lambda values: values >> shift
        case Rounding.HALF_UP:
            return lambda values: ((values >> less) + 1) >> 1
        case Rounding.GEMMLOWP:
            return lambda values: (((values - (values < 0)) >> less) + 1) >> 1
        case Rounding.EVEN:
            below, half_less = (one << shift) - 1, (one << less) - 1

            def even(values: Int) -> Int:
                # A half and more carries over, and exactly a half only to an odd floor.
                floor = values >> shift
                result: Int = floor + (((values & below) + half_less + (floor & 1)) >> shift)
                return result

            return even


def _quick_product(multiplier: Int, exponent: Int, rounding: Rounding) -> Callable[[Int], Int] | None:
    """The result of `multiplied` in few steps, for values up to _SMALL; None where there are none such.

    There are for ratios below 2^30, below 1 where it is rounded twice.
    """
    if rounding is not Rounding.GEMMLOWP:
        at_once = _quick(_PART_BITS - exponent, rounding)
        return None if at_once is None else lambda values: at_once(values * multiplier)
    if exponent.max() > 0:
        return None
    first = _quick(np.full_like(exponent, _PART_BITS), Rounding.HALF_UP)
    assert first is not None
    if not exponent.any():
        return lambda values: first(values * multiplier)
    then = _quick(-exponent, rounding)
    return None if then is None else lambda values: then(first(values * multiplier))


def rounded(values: npt.NDArray[np.float64], rounding: Rounding) -> npt.NDArray[np.float64]:
    """Round real numbers to whole ones."""
    result: npt.NDArray[np.float64]
    match rounding:
        case Rounding.EVEN:
            result = np.rint(values)
        case Rounding.HALF_UP:
            # Not floor(v + 1/2), which rounds 0.49999999999999994 to 1.
            floor = np.floor(values)
            result = floor + (values - floor >= 0.5)
        case Rounding.TRUNCATE:
            result = np.floor(values)
        case Rounding.GEMMLOWP:
            magnitude = np.abs(values)
            floor = np.floor(magnitude)
            result = np.copysign(floor + (magnitude - floor >= 0.5), values)
    return result


def power_of_two(value: float) -> int | None:
    """The exponent log2 of an exact power of two, else None."""
    mantissa, exponent = frexp(value)
    return exponent - 1 if mantissa == 0.5 else None
