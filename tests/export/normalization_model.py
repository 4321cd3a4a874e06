"""Layer normalization in integers, from docs/numerics.md alone: Python's whole numbers and fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

HALF = Fraction(1, 2)


def normalized(u: Sequence[int], gamma: Sequence[int], bias: Sequence[int], places: int, least: int) -> list[int]:
    """v of the page's steps for the sums of a gate; 1,024 there is 2^places."""
    n = len(u)
    mean = int(Fraction(sum(u) << places, n))
    variance = int(Fraction(sum(value**2 for value in u) * (4**places // n) - mean**2, 4**places))
    m, s = inverse_root(variance if variance >= 1 else least)
    d = [away(Fraction(o((value << places) - mean, m), 2**s)) for value in u]
    return [away(Fraction(x * g + b, 2**places)) for x, g, b in zip(d, gamma, bias, strict=True)]


def inverse_root(variance: int) -> tuple[int, int]:
    """m and s with 1 / sqrt(variance) = m 2^-31 2^-s."""
    if variance == 1:
        return 2**31 - 1, 0
    k = next(k for k in range(-2, 15) if 2**27 <= Fraction(variance) * Fraction(4) ** k < 2**29)
    a = floor(floor(variance * Fraction(4) ** k) * HALF)
    h, x = (a + 1) // 2, 2**28
    for _ in range(5):
        x = sat32((o(3 * 2**27, x) - o(h, sat32(o(o(x, x), x) * 2**6))) * 2**3)
    m, s = o(x, 1518500250), 11 - k
    return (m * 2**-s, 0) if s < 0 else (m, s)


def o(a: int, b: int) -> int:
    return floor(Fraction(a * b, 2**31) + HALF)


def away(v: Fraction) -> int:
    """To the nearest, ties away from zero."""
    return floor(v + HALF) if v >= 0 else ceil(v - HALF)


def sat32(v: int) -> int:
    return max(-(2**31), min(2**31 - 1, v))
