"""Sums and quotients of columns: rounded once, as math.fsum and fractions give them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from archsim.api.batch.columns import WORTH_ARRAYS, Picked, exact_sums, joined, numbers, quotients

MANY = 4 * WORTH_ARRAYS


def bits(numbers: object) -> list[int]:
    found: list[int] = np.asarray(numbers, np.float64).view(np.int64).tolist()
    return found


@pytest.mark.parametrize("spread", [0, 3, 40, 200, 600])
@pytest.mark.parametrize("columns", [1, 2, 3, 14])
def test_sums_are_those_of_fsum(spread: int, columns: int) -> None:
    """Numbers as large as 2 ** spread times others; some of a column are 0, some take back what others gave."""
    random = np.random.default_rng(spread * 100 + columns)
    made = [random.normal(size=MANY) * 2.0 ** random.integers(-spread, spread + 1, MANY) for _ in range(columns)]
    made[0][::7] = 0.0
    if columns > 2:
        made[2][::5] = -made[0][::5]
        made[1][::10] = 0.0
    assert bits(exact_sums(made, MANY)) == bits([math.fsum(row) for row in zip(*made, strict=True)])
    few = [column[:9] for column in made]
    assert bits(exact_sums(few, 9)) == bits(exact_sums(made, MANY)[:9])


def test_half_a_unit_is_rounded_by_what_lies_far_below() -> None:
    """1 + 2**-53 is a tie, which goes down to 1; with 2**-200 more it is above, and goes up. A wrong sum is 1.0."""
    rows = [[1.0, 2.0**-53, 2.0**-200], [1.0, 2.0**-53, 0.0], [1.0, 2.0**-53, -(2.0**-200)]]
    columns = [np.array(column * WORTH_ARRAYS) for column in map(list, zip(*rows, strict=True))]
    found = exact_sums(columns, 3 * WORTH_ARRAYS)
    assert found[:3].tolist() == [1 + 2.0**-52, 1.0, 1.0]
    assert bits(found[:3]) == bits(found[-3:])


def test_zero_has_no_sign_and_too_large_sums_are_refused() -> None:
    zeros = [np.full(WORTH_ARRAYS, -0.0) for _ in range(3)]
    assert bits(exact_sums(zeros, WORTH_ARRAYS)) == bits([0.0] * WORTH_ARRAYS)
    with pytest.raises(OverflowError):
        exact_sums([np.full(WORTH_ARRAYS, 1.7e308) for _ in range(3)], WORTH_ARRAYS)


def test_quotients_are_rounded_once_whatever_their_size() -> None:
    """7 * 10 / 3 / 1,000 is 7 / 300; 2**62 (2**62 + 2) / 3 / 2**62 cannot be had by dividing doubles."""
    picked = Picked([Fraction(10, 3), Fraction(1, 3)], np.array([0, 1]))
    found = quotients([np.array([7, 5])], [np.array([1000, 7])], picked)
    assert found.tolist() == [7 / 300, 5 / 21]
    large = np.array([2**62, 2**62])
    found = quotients([large, large + 2], [large], picked)
    assert found.tolist() == [float(Fraction((2**62 + 2) * 10, 3)), float(Fraction(2**62 + 2, 3))]


@pytest.mark.parametrize("size", [3, (1 << 40) + 1])
def test_a_quotient_is_rounded_once(size: int) -> None:
    """5 a b / (3 c): with factors of 40 bits the products have 80, beyond the 53 of a double."""
    a, b, c = (np.array([size, size + 2, 7]), np.array([size + 4, 9, size]), np.array([size + 6, 11, size + 10]))
    found = quotients([a, b], [c], Picked([Fraction(5, 3)], np.zeros(3, np.intp)))
    wanted = [float(Fraction(5 * x * y, 3 * z)) for x, y, z in zip(a.tolist(), b.tolist(), c.tolist(), strict=True)]
    assert found.tolist() == wanted


def test_numbers_that_are_whole_stay_whole() -> None:
    over = Picked([2, 3], np.array([0, 0, 1]))
    values = numbers(np.array([4, 5, 9]), over).values()
    assert values == [2, 2.5, 3]
    assert list(map(type, values)) == [int, float, int]


def test_groups_of_designs_are_joined_by_what_they_share() -> None:
    shared, own, other = object(), object(), object()
    found = joined([Picked([shared, own], np.array([1, 0, 1])), Picked([other, shared], np.array([0, 1]))])
    assert list(found.each()) == [own, shared, own, other, shared]
    assert len(found.values) == 3
