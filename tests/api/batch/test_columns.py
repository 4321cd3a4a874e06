"""Sums and quotients of columns: rounded once, as math.fsum and fractions give them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from archsim.api.batch.columns import (
    EXACT,
    WORTH_ARRAYS,
    WORTH_SORTING,
    Column,
    Picked,
    classes,
    compacted,
    concatenated,
    exact_sums,
    joined,
    numbers,
    quotients,
)

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


def test_some_rows_of_a_column_keep_the_values_that_they_have() -> None:
    picked = Picked(["a", "b", "c"], np.array([2, 0, 2, 1]))
    some = picked.at(np.array([2, 0]))
    assert (list(some.each()), some.values) == (["c", "c"], ["c"])
    assert list(picked.at(np.array([3, 1, 0])).each()) == ["b", "a", "c"]
    assert [picked.of(row) for row in range(4)] == ["c", "a", "c", "b"]
    two = Picked(["a", "b"], np.array([0, 1])).at(np.array([1]))
    assert (list(two.each()), two.values) == (["b"], ["b"])
    one = Picked(["a"], np.zeros(3, np.intp)).at(np.array([1, 2]))
    assert list(one.each()) == ["a", "a"]


def test_columns_of_several_groups_are_one_behind_the_other() -> None:
    whole, floats = Column(np.array([1, 2])), Column(np.array([0.5]))
    words = Column(Picked(["a", None], np.array([1, 0, 1])))
    assert concatenated([whole]) is whole
    assert concatenated([whole, whole]).values() == [1, 2, 1, 2]
    assert not isinstance(concatenated([floats, floats]).of, Picked)
    together = concatenated([whole, words, floats]).values()
    assert together == [1, 2, None, "a", None, 0.5]
    assert type(together[0]) is int


def test_a_part_that_several_values_have_stands_once() -> None:
    """By the object: equal ones that are not the same stay two."""
    shared, other = [1], [1]
    picked = Picked([(shared, 1), (shared, 2), (other, 3)], np.array([2, 1, 0, 2]))
    parts = picked.parts(lambda value: value[0])
    assert len(parts.values) == 2
    assert [each is shared for each in parts.each()] == [False, True, True, False]


@pytest.mark.parametrize(
    ("values", "distinct"),
    [
        ([7], 1),
        ([7.5, 7.5, 7.5], 1),
        ([0.0, -0.0], None),
        ([1, 2, 1], None),
        ([3, 4] * (WORTH_SORTING // 2), 2),
        ([3, 4] * (WORTH_SORTING // 2 - 1), None),
        ([0.0, -0.0] * (WORTH_SORTING // 2), 2),
        ([*range(WORTH_SORTING // 2)] * 2, WORTH_SORTING // 2),
        ([*range(WORTH_SORTING // 2 + 1), *range(WORTH_SORTING // 2 - 1)], None),
    ],
)
def test_a_column_of_few_values_has_each_once(values: list[float], distinct: int | None) -> None:
    """Of many rows half as many values at most; of few rows one. A zero with a sign is another one than 0.0."""
    columns = {
        "it": Column(np.array(values)),
        "others": Column(np.arange(len(values))),
        "text": Column.same("a", len(values)),
    }
    check_compact(columns["it"].compact, values, distinct)
    found = compacted(columns)
    check_compact(found["it"], values, distinct)
    assert {name: column.values() for name, column in found.items()} == {n: c.values() for n, c in columns.items()}


def check_compact(column: Column, values: list[float], distinct: int | None) -> None:
    assert column.values() == values
    assert list(map(str, column.values())) == list(map(str, values))
    assert [column.value(row) for row in (0, -1)] == [values[0], values[-1]]
    assert len(column) == len(values)
    assert (len(column.of.values) if isinstance(column.of, Picked) else None) == distinct
    assert column.at(np.array([len(values) - 1, 0])).values() == [values[-1], values[0]]


def test_a_figure_that_all_share() -> None:
    column = Column.same(None, 3)
    assert (column.values(), len(column), column.value(2)) == ([None] * 3, 3, None)
    assert column.compact is column


def test_designs_that_have_all_codes_in_common() -> None:
    """Five designs in four classes, told apart by any of three columns; a column of one value tells nothing apart."""
    codes = [np.array(each) for each in ([0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [2, 2, 2, 0, 0])]
    first, of = classes(codes, 5)
    assert len(first) == 4
    assert [first[code] for code in of] == [0, 1, 0, 3, 4]
    assert [part.tolist() for part in classes([], 3)] == [[0], [0, 0, 0]]
    assert [part.tolist() for part in classes([], 0)] == [[], []]
    assert [part.tolist() for part in classes([np.zeros(2, np.intp)], 2)] == [[0], [0, 0]]


def test_more_combinations_than_64_bits_count() -> None:
    """Four columns of 2^20 values are 2^80 combinations: 16 of the first column, in which alone the first two designs
    differ, would come to 2^64, which is 0 in 64 bits."""
    first_column, others = np.array([0, 16, 2**20 - 1]), np.array([0, 0, 2**20 - 1])
    first, of = classes([first_column, *[others] * 3], 3)
    assert [first[code] for code in of] == [0, 1, 2]
    first, of = classes([others, *[others] * 3], 3)
    assert [first[code] for code in of] == [0, 0, 2]


@pytest.mark.parametrize(
    ("numerators", "over", "values"),
    [
        ([4, 6], [2, 2], [2, 3]),
        ([3, 5], [2, 2], [1.5, 2.5]),
        ([4, 5], [2, 3], [2, 5 / 3]),
        ([0, 1], [7, 7], [0, 1 / 7]),
    ],
)
def test_quotients_as_figures_show_them(numerators: list[int], over: list[int], values: list[float]) -> None:
    found = numbers(np.array(numerators), Picked(over, np.arange(2))).values()
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


def test_no_columns_sum_to_nothing() -> None:
    assert exact_sums([], 3).tolist() == [0.0, 0.0, 0.0]
    one = np.array([1.0, 2.0])
    assert exact_sums([one], 2).tolist() == [1.0, 2.0]
    assert exact_sums([one, one], 2).tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    ("above", "below"),
    [(EXACT - 1, 3), (EXACT, 3), (EXACT + 1, 3), (1, EXACT - 1), (1, EXACT + 1), (EXACT + 1, EXACT + 3)],
)
def test_quotients_at_the_edge_of_what_doubles_hold(above: int, below: int) -> None:
    """2^53 + 1 is no double: rounded before it is divided, a third of it, or one over it, is the neighbour of the
    number that is right."""
    ones = Picked([Fraction(1)], np.zeros(1, np.intp))
    assert quotients([np.array([above])], [np.array([below])], ones).tolist() == [float(Fraction(above, below))]
