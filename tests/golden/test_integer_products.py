"""Sums of products over all columns at once, in floating point, are those of Python's integers."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from archsim.golden import integer_products
from archsim.golden.integer import Coded, Grid, Target
from archsim.golden.integer_products import Accumulation, product_grid
from archsim.golden.integer_tiles import coded, coded_matrix


def exact(weights: np.ndarray, vector: np.ndarray, start: int, grid: Grid, columns: int) -> list[int]:
    """The accumulators after chunk by chunk in Python's integers, limited to their range after each."""
    found = []
    for row in weights.tolist():
        total = start
        for first in range(0, len(row), columns):
            pairs = zip(row[first : first + columns], vector[first : first + columns].tolist(), strict=True)
            total += sum(w * v for w, v in pairs)
            total = min(max(total, grid.low), grid.high)
        found.append(total)
    return found


@pytest.mark.parametrize("held", [0, 1 << 25])
@pytest.mark.parametrize(("weight_bits", "vector_bits"), [(8, 8), (8, 16), (16, 16), (4, 31), (24, 28)])
def test_at_once(held: int, weight_bits: int, vector_bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest codes of all, of which 600 products need more than the 24 bits of float32 if they have 16.

    Of 24 and 28 bits one product is almost 2^51: no more than seven at once fit the 53 bits of float64.
    """
    monkeypatch.setattr(integer_products, "_HELD_WEIGHTS", held)
    monkeypatch.setattr(integer_products, "_ROWS_OF_WEIGHTS", 1500)  # two rows, and one alone
    random = np.random.default_rng(3)
    weight, vector = Grid(weight_bits, 0.5), Grid(vector_bits, 0.25, zero=-3)
    codes = random.integers(weight.low, weight.high + 1, (5, 600))
    codes[0], codes[1] = weight.low, weight.high
    x = random.integers(vector.low, vector.high + 1, (2, 600))
    x[0] = vector.low
    grid = Grid(62, 1.0)
    made = Accumulation((Coded(codes, weight), vector), Target("accumulator", grid, Counter()), 7)
    got = made.run(Coded(x, vector), np.full(5, 11)).codes
    for row, one in zip(got, x, strict=True):
        assert row.tolist() == exact(codes, one + 3, 11, grid, 7)


@pytest.mark.parametrize("start", [15, 16, -17])
def test_only_where_no_chunk_can_overflow(start: int) -> None:
    """An accumulator of 6 bits ends at 31: two products of at most 2 x 4 leave room for a start of 15, and no more.

    16 + 8 + 8 is beyond it and saturates; from -17 chunks go one by one, too, and none overflows: -17 - 6 - 6 = -29.
    """
    weight, vector, grid = Grid(2, 1.0), Grid(3, 1.0), Grid(6, 1.0)
    overflows: Counter[str] = Counter()
    made = Accumulation((Coded(np.array([[-2, -2]]), weight), vector), Target("accumulator", grid, overflows), 1)
    for x in ([[-4, -4]], [[3, 3]], [[-4, 3]]):
        got = made.run(Coded(np.array(x), vector), np.array([start])).codes
        assert got.tolist() == [exact(np.array([[-2, -2]]), np.array(x[0]), start, grid, 1)]
    assert bool(overflows["accumulator"]) == (start == 16)


def test_sums_of_chunks_that_saturate_are_never_added_at_once() -> None:
    """Four products of 8 may be 32, one more than 6 bits hold: 8, 16, 24 and 31; and then 31 - 6 = 25, not 26."""
    weight, vector, grid = Grid(2, 1.0), Grid(3, 1.0), Grid(6, 1.0)
    for x, want in (([-4, -4, -4, -4], 31), ([-4, -4, -4, -4, 3], 25)):
        overflows: Counter[str] = Counter()
        part = Coded(np.full((1, len(x)), -2), weight), vector
        made = Accumulation(part, Target("accumulator", grid, overflows), 1)
        assert made.run(Coded(np.array([x]), vector), None).codes.tolist() == [[want]]
        assert overflows["accumulator"] == 1


def test_a_chunk_whose_sum_no_double_holds() -> None:
    """m = 2^26 - 1: 3 m^2 + 2 is odd and above 2^53, so that it lies between two doubles.

    In 55 bits four products of 2^52 might overflow, so that chunks are narrowed one by one.
    """
    m, grid = 2**26 - 1, Grid(27, 1.0)
    target = Target("accumulator", Grid(55, 1.0), Counter())
    made = Accumulation((Coded(np.array([[m, m, m, 2]]), grid), grid), target, 4)
    assert made.run(Coded(np.array([[m, m, m, 1]]), grid), None).codes.tolist() == [[3 * m * m + 2]]


def test_a_product_that_no_double_holds() -> None:
    """(2^27 - 1) (2^26 + 3) is odd and above 2^53."""
    weight, vector = Grid(28, 1.0), Grid(27, 1.0, zero=-4)
    target = Target("accumulator", Grid(62, 1.0), Counter())
    made = Accumulation((Coded(np.array([[2**27 - 1, 0]]), weight), vector), target, 2)
    got = made.run(Coded(np.array([[2**26 - 1, 5]]), vector), None).codes.tolist()
    assert got == [[(2**27 - 1) * (2**26 + 3)]]


def test_a_sum_that_no_float32_holds() -> None:
    """127 x 129 = 16,383, and 1,501 times that is 24,590,883: odd and above 2^24, though 600 columns are far below."""
    weight, vector = Grid(8, 1.0), Grid(8, 1.0, zero=-3)
    target = Target("accumulator", Grid(32, 1.0), Counter())
    made = Accumulation((Coded(np.full((1, 1501), 127), weight), vector), target, 8)
    assert made.run(Coded(np.full((1, 1501), 126), vector), None).codes.tolist() == [[24_590_883]]


def test_a_sum_that_a_shift_takes_beyond_64_bits() -> None:
    """Four products of 2^40 are 2^42, and 2^63 with 21 fraction bits more: they saturate, and do not come round."""
    data, accumulator = Grid(21, 1.0, fixed=True), Grid(48, 2.0**-21, fixed=True)
    target = Target("accumulator", accumulator, Counter())
    made = Accumulation((Coded(np.full((1, 4), -(2**20)), data), data), target, 4)
    assert made.run(Coded(np.full((1, 4), -(2**20)), data), None).codes.tolist() == [[2**47 - 1]]


@pytest.mark.parametrize("fixed", [(True, False), (False, True), (False, False)])
def test_fixed_point_sums_are_of_fixed_point_products(fixed: tuple[bool, bool]) -> None:
    """Integers with a scale have sums with the scale of their products, row by row; q formats have their own."""
    weight, vector = (Grid(8, scale, fixed=one) for scale, one in zip((0.5, 0.25), fixed, strict=True))
    with pytest.raises(ValueError, match="a fixed-point accumulator needs weights and vectors in fixed point"):
        product_grid(Grid(32, 0.125, fixed=True), weight, vector)
    assert product_grid(Grid(32, 7.0), weight, vector).scale == 0.125
    own = Grid(32, 2.0**-9, fixed=True)
    assert product_grid(own, Grid(8, 0.5, fixed=True), Grid(8, 0.5, fixed=True)) is own


def test_rows_are_coded_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a scale for each row, and numbers beyond the range: codes and what is counted are those of one pass."""
    values = np.random.default_rng(5).normal(size=(11, 7)).astype(np.float32)
    grid = Grid(8, np.linspace(0.01, 0.05, 11), rounding="gemmlowp")
    at_once, by_rows = Target("weight", grid, Counter()), Target("weight", grid, Counter())
    monkeypatch.setattr("archsim.golden.integer_tiles._CODES_AT_ONCE", 21)
    got = coded_matrix(values, by_rows)
    assert np.array_equal(got.codes, coded(values, at_once).codes)
    assert got.codes.dtype == np.int8
    assert by_rows.overflows == at_once.overflows
    assert by_rows.overflows["weight"] > 0
