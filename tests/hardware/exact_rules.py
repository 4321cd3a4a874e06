"""The integer rules of docs/numerics.md once more, in Python's unlimited integers and fractions."""

from __future__ import annotations

from fractions import Fraction
from math import floor, frexp

from archsim.formats import Encoding, IntegerFormat, Rounding, Scaled
from archsim.formats.integer import Fixed

WIDE = 2**62 - 1


def whole(value: Fraction, rounding: Rounding) -> int:
    """A fraction to an integer."""
    below = floor(value)
    rest = value - below
    match rounding:
        case Rounding.EVEN:
            return below + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and below % 2 == 1))
        case Rounding.HALF_UP:
            return floor(value + Fraction(1, 2))
        case Rounding.TRUNCATE:
            return below
        case Rounding.GEMMLOWP:
            magnitude = floor(abs(value) + Fraction(1, 2))
            return magnitude if value >= 0 else -magnitude


def convert(value: int, ratio: float, rounding: Rounding) -> int:
    """value * ratio as the page's Conversion, wide."""
    mantissa, exponent = frexp(ratio)
    if mantissa == 0.5:
        result = whole(value * Fraction(ratio), rounding)
        return max(-WIDE, min(WIDE, result))
    multiplier = floor(Fraction(mantissa) * 2**31 + Fraction(1, 2))
    if multiplier == 2**31:
        multiplier, exponent = 2**30, exponent + 1
    if rounding is Rounding.GEMMLOWP:
        high = whole(Fraction(value * 2 ** max(exponent, 0) * multiplier, 2**31), Rounding.HALF_UP)
        result = whole(Fraction(high, 2 ** max(-exponent, 0)), rounding)
    else:
        result = whole(Fraction(value * multiplier) / Fraction(2) ** (31 - exponent), rounding)
    return max(-WIDE, min(WIDE, result))


def narrow(value: int, target: Encoding) -> int:
    """Zero point, then the range."""
    assert isinstance(target.format, IntegerFormat)
    value += target.zero
    bits = target.format.bits
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    if target.format.wraps:
        return (value - low) % (1 << bits) + low
    return max(low, min(high, value))


def q(integer: int, fraction: int, rounding: Rounding = Rounding.EVEN, wraps: bool = False) -> Encoding:
    """The encoding of a q format."""
    number_format = Fixed(integer, fraction, rounding, wraps)
    return Encoding(number_format, number_format.scale)


def int_(bits: int, scale: float, zero: int = 0, rounding: Rounding = Rounding.EVEN, wraps: bool = False) -> Encoding:
    """The encoding of an int format."""
    return Encoding(Scaled(bits, asymmetric=zero != 0, rounding=rounding, wraps=wraps), scale, zero)
