"""Rescaling by a multiplier and a shift, against whole numbers of any size, at ties above all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archsim.formats.rounding import Rounding, multiplied, shifted

HALF, WHOLE = 1 << 30, 1 << 31


def gemmlowp(value: int, multiplier: int, exponent: int) -> int:
    """The reference code of the library gemmlowp in whole numbers.

    SaturatingRoundingDoublingHighMul adds 2^30 to a product that is not negative and 1 - 2^30 to another, and divides
    by 2^31 towards 0; RoundingDivideByPOT rounds ties away from 0.
    """
    product = value * multiplier
    nudged = product + (HALF if product >= 0 else 1 - HALF)
    high = abs(nudged) // WHOLE * (1 if nudged >= 0 else -1)
    if exponent >= 0:
        return high
    mask = (1 << -exponent) - 1
    return (high >> -exponent) + ((high & mask) > (mask >> 1) + (high < 0))


def found(value: int, multiplier: int, exponent: int, rounding: Rounding) -> int:
    """What archsim's arithmetic makes of them."""
    result = multiplied(np.array([value], np.int64), np.array([multiplier]), np.array([exponent]), rounding)
    return int(result[0])


@given(st.integers(-(2**31), 2**31 - 1), st.integers(HALF, WHOLE - 1), st.integers(-12, 0))
@example(1, HALF, 0)  # 1 * 2^30: the tie itself
@example(-1, HALF, 0)
@example(3, HALF, 0)
@example(-3, HALF, 0)
@example(1, HALF + 1, 0)
@example(2**31 - 1, WHOLE - 1, -1)
def test_gemmlowp_is_the_library_s(value: int, multiplier: int, exponent: int) -> None:
    assert found(value, multiplier, exponent, Rounding.GEMMLOWP) == gemmlowp(value, multiplier, exponent)


@pytest.mark.parametrize(("rounding", "ties"), [(Rounding.HALF_UP, (1, 0)), (Rounding.TRUNCATE, (0, -1))])
def test_a_tie_of_one_rounding(rounding: Rounding, ties: tuple[int, int]) -> None:
    """1 and -1 times 2^30 / 2^31 are 1/2 and -1/2: up, or down to the next whole number."""
    assert tuple(found(value, HALF, 0, rounding) for value in (1, -1)) == ties


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("value", [0, 1, -1, 2**30, 2**59, 2**60, -(2**60), 2**61, -(2**61), 2**62 - 1])
@pytest.mark.parametrize("left", [1, 2, 40])
def test_what_leaves_62_bits_is_at_their_end(value: int, left: int, rounding: Rounding) -> None:
    """2^60 * 2 fits, 2^61 * 2 does not."""
    most = 2**62 - 1
    found = shifted(np.array([value], np.int64), -left, rounding)
    assert found.tolist() == [min(max(value << left, -most), most)]
