"""Rescaling by a multiplier and a shift, against whole numbers of any size, at ties above all."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archsim.formats.rounding import WIDE_LIMIT, Conversion, Rounding, multiplied, pair_shifted, shifted, shifter

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


@pytest.mark.parametrize(
    ("value", "quarter", "scaled"),
    [(5, 1, 2), (-5, -1, -2), (6, 2, 2), (2**40 + 5, 2**38 + 1, None), (0, 0, 0)],
)
def test_a_power_of_two_among_other_ratios_is_a_shift(value: int, quarter: int, scaled: int | None) -> None:
    """5 / 4 = 1.25 is 1 by one shift of 2; by gemmlowp's multiplier 2^30 it is 5 / 2 = 3 first, and 3 / 2 = 2 then.

    The others keep their multiplier: 0.3 of 5, 6 and 0 is 1.5, 1.8 and 0. What a ratio makes of a number does not
    depend on the ratios beside it.
    """
    ratios = np.array([[0.25], [0.3], [4.0]])
    values = np.full((3, 1), value, np.int64)
    found = Conversion(ratios, Rounding.GEMMLOWP)(values).ravel().tolist()
    alone = [int(Conversion(float(ratio), Rounding.GEMMLOWP)(values[:1])[0, 0]) for ratio in ratios.ravel()]
    assert found == alone
    assert (found[0], found[2]) == (quarter, 4 * value)
    if scaled is not None:
        assert found[1] == scaled


@given(st.integers(-(2**62) + 1, 2**62 - 1), st.integers(-70, 70), st.sampled_from(list(Rounding)))
@example(3, 1, Rounding.EVEN)
@example(-(2**62) + 1, 61, Rounding.GEMMLOWP)
def test_a_shifter_shifts(value: int, shift: int, rounding: Rounding) -> None:
    values = np.array([value], np.int64)
    assert shifter(shift, rounding)(values).tolist() == shifted(values, shift, rounding).tolist()


@given(st.integers(-(2**30), 2**30), st.floats(2**-40, 2**29), st.sampled_from(list(Rounding)))
@example(2**30, 1.9999999, Rounding.HALF_UP)
@example(-(2**30), 2.0**29 * 0.999, Rounding.EVEN)
def test_a_conversion_in_few_steps_is_that_in_two_words(value: int, ratio: float, rounding: Rounding) -> None:
    """Ratios above 1 too."""
    conversion = Conversion(ratio, rounding)
    (multiplier,), (shift,) = conversion.integers()
    if multiplier == 1:
        return
    values = np.array([value], np.int64)
    plain = multiplied(values, np.array([multiplier]), np.array([31 - shift]), rounding)
    assert conversion(values).tolist() == plain.tolist()


@pytest.mark.parametrize("exponent", [-5, -1, 0, 3])
@pytest.mark.parametrize("rounding", list(Rounding))
def test_a_multiplier_that_rounds_up_to_2_to_the_31_is_a_power_of_two(exponent: int, rounding: Rounding) -> None:
    """(1 - 2^-33) 2^e has the mantissa 1 - 2^-33, times 2^31 that is 2^31 - 1/4, which rounds to 2^31.

    That has no 31 bits: it is 2^30 and twice the power. So numbers of the size of 2^20 become what 2^e makes of them.
    """
    conversion = Conversion((1 - 2.0**-33) * 2.0**exponent, rounding)
    (multiplier,), (shift,) = conversion.integers()
    assert (multiplier, shift) == (1 << 30, 30 - exponent)
    values = np.array([1 << 20, 3 << 20, -(5 << 20)], np.int64)
    wanted = [int(value * 2.0**exponent) for value in values.tolist()]
    assert conversion(values).tolist() == wanted
    assert conversion(values << 20).tolist() == [value << 20 for value in wanted], "beyond 2^30, in two words"


def test_one_ratio_of_several_rounds_up() -> None:
    """Beside it 3/4 keeps its multiplier, 3/4 2^31, and 1/2 is a shift."""
    conversion = Conversion(np.array([[1 - 2.0**-33], [0.75], [0.5]]), Rounding.EVEN)
    assert conversion.integers() == ([1 << 30, 3 << 29, 1], [30, 31, 1])
    assert conversion(np.full((3, 1), 1 << 10, np.int64)).ravel().tolist() == [1024, 768, 512]


@pytest.mark.parametrize("ratio", [0.3, 0.25, 1.0, 4.0])
@pytest.mark.parametrize("how", list(Rounding))
def test_no_numbers_are_converted_to_none(ratio: float, how: Rounding) -> None:
    """As of a layer of which nothing changed."""
    assert Conversion(ratio, how)(np.zeros((0, 2), np.int64)).shape == (0, 2)


def whole(value: Fraction, how: Rounding) -> int:
    """A number rounded, ties as the rounding says: to even, up, or away from 0; truncated is the next one below."""
    match how:
        case Rounding.EVEN:
            return round(value)
        case Rounding.HALF_UP:
            return math.floor(value + Fraction(1, 2))
        case Rounding.TRUNCATE:
            return math.floor(value)
        case Rounding.GEMMLOWP:
            return math.floor(abs(value) + Fraction(1, 2)) * (1 if value >= 0 else -1)


@pytest.mark.parametrize("how", list(Rounding))
@given(st.integers(-(2**40), 2**40), st.integers(-(2**20), 2**20), st.integers(1, 20), st.integers(-20, 60))
@example(3, 1, 4, -2)  # 49 * 4
@example(1, 2, 2, 2)  # 1 and a half
@example(-1, -2, 2, 2)
def test_a_sum_in_two_words_is_shifted_either_way(how: Rounding, high: int, low: int, bits: int, shift: int) -> None:
    """As the whole sum in one word: to the right rounded, to the left multiplied, and limited to 62 bits."""
    found = pair_shifted(np.array([high], np.int64), np.array([low], np.int64), bits, np.array([shift]), how)
    value = Fraction((high << bits) + low) / Fraction(2) ** shift
    assert found.tolist() == [min(max(whole(value, how), -WIDE_LIMIT), WIDE_LIMIT)]


FAR = (1, -1, 2**61, -(2**61), WIDE_LIMIT, -WIDE_LIMIT)


@pytest.mark.parametrize("how", list(Rounding))
def test_shifts_by_all_bits_and_more(how: Rounding) -> None:
    """(2^62 - 1) / 2^62 is nearly 1, / 2^63 nearly a half, and less beyond: only a truncated negative one is not 0."""
    for shift in (61, 62, 63, 64, 65, 200):
        wanted = [whole(Fraction(value, 1 << shift), how) for value in FAR]
        values = np.array(FAR, np.int64)
        assert shifted(values, shift, how).tolist() == wanted, shift
        assert shifter(shift, how)(values).tolist() == wanted, shift
    each = np.array([61, 64, 0, -1, 200, -70])
    values = np.array([WIDE_LIMIT, -1, 7, -3, -WIDE_LIMIT, 1], np.int64)
    wanted = [whole(Fraction(WIDE_LIMIT, 1 << 61), how), whole(Fraction(-1, 1 << 64), how), 7, -6]
    wanted += [whole(Fraction(-WIDE_LIMIT, 1 << 200), how), WIDE_LIMIT]
    assert shifted(values, each, how).tolist() == wanted, "a shift of its own for each number"


@pytest.mark.parametrize("how", list(Rounding))
def test_a_number_of_63_bits_is_less_than_a_half_of_what_is_shifted_away(how: Rounding) -> None:
    """2^62 / 2^63 is a half, and / 2^64 a quarter: what goes in may have a bit more than a wide number."""
    beyond = (1 << 62, 3 << 61, (1 << 63) - 1, -(1 << 62), -(3 << 61), -(1 << 63) + 1)
    for shift in (64, 65, 100):
        wanted = [whole(Fraction(value, 1 << shift), how) for value in beyond]
        assert shifted(np.array(beyond, np.int64), shift, how).tolist() == wanted, shift
    for value in ((1 << 62), -(1 << 62)):
        assert shifted(np.array([value]), 63, how).tolist() == [whole(Fraction(value, 1 << 63), how)]


@pytest.mark.parametrize("how", list(Rounding))
@pytest.mark.parametrize("bits", [1, 31])
def test_a_sum_in_two_words_is_shifted_by_all_its_bits_and_more(how: Rounding, bits: int) -> None:
    """|high| of 62 bits over `bits` more; `low` of either sign, and beyond 2^bits."""
    shifts = [bits - 1, bits, bits + 1, bits + 61, bits + 62, bits + 63, bits + 64, bits + 65, 200]
    for high in (2**61, -(2**61), 2**62 - 2, -(2**62) + 2, 1, -1, 0):
        for low in (0, 1, -1, (1 << bits) + 1, 1 << (bits - 1)):
            found = pair_shifted(np.full(9, high, np.int64), np.full(9, low, np.int64), bits, np.array(shifts), how)
            values = [whole(Fraction((high << bits) + low, 1 << shift), how) for shift in shifts]
            assert found.tolist() == [min(max(value, -WIDE_LIMIT), WIDE_LIMIT) for value in values], (high, low)


@pytest.mark.parametrize("how", list(Rounding))
def test_conversions_of_large_numbers(how: Rounding) -> None:
    """Around 2^30, where few steps end, and near 62 bits: with ratios below 1 the product of a 31-bit multiplier."""
    for ratio in (0.3, 0.75, 5 / 7, 3.0, 2.0**-20 * 1.1):
        conversion = Conversion(ratio, how)
        (multiplier,), (shift,) = conversion.integers()
        assert 1 << 30 <= multiplier < 1 << 31
        assert abs(multiplier / 2.0**shift / ratio - 1) <= 2.0**-31
        for value in (2**30 - 1, 2**30, 2**30 + 1, -(2**30), -(2**30) - 1, 2**45 + 3, -(2**60) + 1, WIDE_LIMIT):
            exact = Fraction(value * multiplier, 1 << shift)
            if how is Rounding.GEMMLOWP and shift > 31:  # rounded twice: first to the nearest, ties up
                exact = Fraction(whole(Fraction(value * multiplier, 1 << 31), Rounding.HALF_UP), 1 << (shift - 31))
            once = how is Rounding.GEMMLOWP and shift <= 31
            wanted = whole(exact, Rounding.HALF_UP if once else how)
            assert conversion(np.array([value], np.int64)).tolist() == [min(max(wanted, -WIDE_LIMIT), WIDE_LIMIT)]
