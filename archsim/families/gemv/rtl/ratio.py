"""Writes the ratio of a conversion as the integers that a converter multiplies with and shifts by."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, frexp

from archsim.formats.rounding import Rounding

MODES = {Rounding.EVEN: 0, Rounding.HALF_UP: 1, Rounding.TRUNCATE: 2, Rounding.GEMMLOWP: 3}
"""The code of each rounding in scale_round.sv."""

_MOST_SHIFT = 255


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio m / 2^s; m is 1 where it is a power of two, else in [2^30, 2^31)."""

    m: int
    s: int

    @property
    def word(self) -> int:
        """The ratio in 40 bits: m in 31, s in 9."""
        return self.m << 9 | self.s & 511


NOTHING = Ratio(1, 0)


def ratio(value: float) -> Ratio:
    """The integers of a positive ratio (docs/numerics.md, "Integer arithmetic")."""
    mantissa, exponent = frexp(float(value))
    if mantissa == 0.5:
        return Ratio(1, _limited(1 - exponent))
    m = floor(mantissa * 2.0**31 + 0.5)
    if m == 1 << 31:
        m, exponent = 1 << 30, exponent + 1
    return Ratio(m, _limited(31 - exponent))


def _limited(shift: int) -> int:
    """A shift that the field holds; beyond that nothing is left of a number, or all of it is beyond the limit."""
    return max(-_MOST_SHIFT, min(_MOST_SHIFT, shift))
