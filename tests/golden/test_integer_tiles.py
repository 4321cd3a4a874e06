"""What the MAC tile is put together of: codes at the edges, parts side by side, chunks of x, changes, biases."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from archsim.golden.integer import Coded, Grid, Target
from archsim.golden.integer_tiles import (
    Array,
    MixedTile,
    coded,
    coded_matrix,
    one_accumulation,
    rows_of,
    side_by_side,
    total_bias,
)


def q(bits: int, fraction: int, **options: Any) -> Grid:
    return Grid(bits, 2.0**-fraction, fixed=True, **options)


DATA, SUMS = q(8, 2), q(32, 4)


def array(columns: int = 8, accumulator: Grid = SUMS, **options: Any) -> Array:
    overflows: Counter[str] = Counter()
    return Array(
        columns, False, Target("accumulator", accumulator, overflows), Target("gate", q(16, 4), overflows), **options
    )


@pytest.mark.parametrize(("value", "code"), [(122, 127), (123, None), (0, 5), (-133, -128), (-134, None)])
def test_codes_that_are_given_less_the_zero_point(value: int, code: int | None) -> None:
    """With a zero point of 5 the 8 bits hold -133 .. 122."""
    target = Target("input", Grid(8, 0.5, zero=5), Counter())
    given = np.array([0, value])
    if code is None:
        with pytest.raises(ValueError, match="codes beyond 8 bits"):
            coded(given, target)
    else:
        assert coded(given, target).codes.tolist() == [5, code]
        assert coded(given * 0.5, target).codes.tolist() == [5, code], "as the real numbers that they stand for"


@pytest.mark.parametrize(
    ("bits", "kind"), [(8, np.int8), (9, np.int16), (16, np.int16), (17, np.int32), (33, np.int64)]
)
def test_a_matrix_is_kept_in_the_narrowest_type(bits: int, kind: type) -> None:
    target = Target("weight", Grid(bits, 1.0), Counter())
    most = 2 ** (bits - 1)
    found = coded_matrix(np.array([[-most, most - 1]]), target)
    assert found.codes.dtype == kind
    assert found.codes.tolist() == [[-most, most - 1]]


def test_no_codes_are_within_any_range() -> None:
    assert coded(np.zeros(0, np.int64), Target("input", Grid(8, 0.5, zero=5), Counter())).codes.tolist() == []


def test_some_rows_take_their_scales_along() -> None:
    matrix = Coded(np.array([[1, 2], [3, 4], [5, 6]]), Grid(8, np.array([0.5, 0.25, 0.125])))
    found = rows_of(matrix, np.array([2, 0]))
    assert (found.codes.tolist(), np.asarray(found.grid.scale).tolist()) == ([[5, 6], [1, 2]], [0.125, 0.5])
    assert rows_of(matrix, np.arange(3)) is matrix
    first = rows_of(replace(matrix, grid=Grid(8, 0.5)), np.arange(2))
    assert (first.codes.tolist(), first.grid.scale) == ([[1, 2], [3, 4]], 0.5)


@pytest.mark.parametrize(
    ("other", "one"),
    [
        (DATA, True),
        (q(9, 2), False),
        (q(8, 3), False),
        (replace(DATA, rounding="truncate"), False),
        (replace(DATA, wrap=True), False),
        (replace(DATA, fixed=False), False),
    ],
)
def test_parts_are_one_accumulation_only_in_the_same_fixed_point(other: Grid, one: bool) -> None:
    matrix = Coded(np.ones((1, 2), np.int64), q(4, 1))
    assert one_accumulation([(matrix, DATA), (matrix, other)]) is one
    assert not one_accumulation([(matrix, DATA), (Coded(matrix.codes, Grid(4, 0.5)), DATA)])


def test_each_part_but_the_last_is_filled_up_to_whole_groups() -> None:
    """Of 3, 4 and 2 columns in groups of 4 the first gets one of zeros; in groups of 3 the second two."""
    parts = [np.full((1, width), width) for width in (3, 4, 2)]
    assert side_by_side(parts, 1).tolist() == [[3, 3, 3, 4, 4, 4, 4, 2, 2]]
    assert side_by_side(parts, 4).tolist() == [[3, 3, 3, 0, 4, 4, 4, 4, 2, 2]]
    assert side_by_side(parts, 3).tolist() == [[3, 3, 3, 4, 4, 4, 4, 0, 0, 2, 2]]


@pytest.mark.parametrize("thresholds", [None, (0.0, 0.0)])
@pytest.mark.parametrize(
    ("x_columns", "parts", "of_x", "want"),
    [
        (None, 1, False, 0),
        (None, 2, False, 0),
        (3, 1, False, 0),
        (3, 1, True, 7),
        (3, 2, False, 7),
    ],
)
def test_chunks_of_x(
    x_columns: int | None, parts: int, of_x: bool, want: int, thresholds: tuple[float, float] | None
) -> None:
    """4 bits hold -8 .. 7. Input by input 7, 7 + 7 -> 7 and 7 - 7 = 0 are left; of three at once, 7.

    Where x has columns of its own, those are its chunks; h, and a part that is none of x, go on one by one. So it is of
    a delta network, of which all changes in its first step.
    """
    whole = Grid(4, 1.0, fixed=True)
    part = Coded(np.array([[1, 1, 1]]), whole), whole
    vector = Coded(np.array([[7, 7, -7]]), whole)
    made = replace(
        array(1, whole, x_columns=x_columns, thresholds=thresholds), to_gate=Target("gate", Grid(16, 1.0), Counter())
    )
    tile = made.tile([part] * parts, of_x=of_x)
    assert tile.joined is (parts == 2 and x_columns is None and thresholds is None)
    assert tile.run(*[vector] * parts).codes.tolist() == [[want]]


def test_rows_that_are_split_are_tiles_apart_and_come_back_in_order() -> None:
    """Rows 4 .. 7, of which 5 and 7 are split: each row's sum is its weight times 1 (x) and 2 (h)."""
    weights = Coded(np.array([[1], [2], [3], [4]]), DATA)
    rows, parts = np.array([4, 5, 6, 7]), [(weights, DATA), (weights, DATA)]
    bias = Coded(np.array([16, 32, 48, 64]), q(32, 4))
    found = array(split_rows=frozenset({5, 7, 9})).rows_tile(rows, parts, bias)
    assert isinstance(found, MixedTile)
    assert [(places.tolist(), tile.joined) for places, tile in found.tiles] == [([1, 3], False), ([0, 2], True)]
    x, h = Coded(np.array([[4]]), DATA), Coded(np.array([[8]]), DATA)
    # In 16ths: code w of quarters times 4 and 8 quarters is 12 w, and the bias is 16 w.
    assert found.run(x, h).codes.tolist() == [[28, 56, 84, 112]]
    without = array(split_rows=frozenset({5, 7})).rows_tile(rows, parts)
    assert without.run(x, h).codes.tolist() == [[12, 24, 36, 48]]
    none, every = (array(split_rows=frozenset(split)).rows_tile(rows, parts) for split in ({9}, {4, 5, 6, 7}))
    assert (none.joined, every.joined) == (True, False)  # type: ignore[union-attr]
    for split in ((), (5,)):
        apart = array(split_rows=frozenset(split)).rows_tile(rows, parts, apart=True)
        assert not apart.joined  # type: ignore[union-attr]


def test_changes_that_a_delta_network_passes_on() -> None:
    """In quarters, weight 1: x is sent if it changes by 1/2 or more since it was sent, h if it changes by 1 or more.

    x 2, 3, 4, 4 quarters: 2 is sent; 3 is 1 more, not sent; 4 is 2 more than 2, sent; then no change.
    h 3, 4, 5, 0: 3 is less than 1; 4 is 4 more than 0, sent; 5 is not; 0 is 4 less than 4. A quarter is 4 sixteenths.
    """
    one = Coded(np.array([[4]]), DATA)
    tile = array(thresholds=(0.5, 1.0)).tile([(one, DATA), (one, DATA)])
    steps = [
        tile.run(*(Coded(np.array([[code]]), DATA) for code in pair)).codes.item() // 4
        for pair in ((2, 3), (3, 4), (4, 5), (4, 0))
    ]
    assert steps == [2, 2 + 4, 4 + 4, 4 + 0]


@pytest.mark.parametrize(("of_x", "sent"), [(True, 3), (False, 0)])
def test_a_part_alone_has_the_threshold_of_what_it_multiplies(of_x: bool, sent: int) -> None:
    """3 quarters are at least 1/2, the threshold of x, and less than 1, that of h."""
    one = Coded(np.array([[4]]), DATA)
    tile = array(thresholds=(0.5, 1.0)).tile([(one, DATA)], of_x=of_x)
    assert tile.run(Coded(np.array([[3]]), DATA)).codes.tolist() == [[4 * sent]]


def test_a_change_of_the_whole_range_has_a_bit_more() -> None:
    """From -128 to 127 an input of 8 bits changes by 255: times 1 that is -32 and then 31.75."""
    one = Coded(np.array([[4]]), DATA)
    tile = array(thresholds=(0.0, 0.0)).tile([(one, DATA)])
    assert [tile.run(Coded(np.array([[code]]), DATA)).codes.item() for code in (-128, 127)] == [-32 * 16, 127 * 4]


@pytest.mark.parametrize(("late", "held", "want"), [(False, False, 7), (True, False, 11), (True, True, 7)])
def test_the_bias_of_a_delta_network(late: bool, held: bool, want: int) -> None:
    """Sums of 5 bits, up to 15, from a bias of 10: 10 + 9 -> 15, and then 15 - 8 = 7. Late: 9, then 1; each with the
    bias, of which 19 is cut to 15 and 11 is not."""
    whole = Grid(8, 1.0, fixed=True)
    one, bias = Coded(np.array([[1]]), whole), Coded(np.array([10]), whole)
    made = replace(
        array(1, whole, thresholds=(0.0, 0.0), late_bias=late),
        to_gate=Target("gate", Grid(5, 1.0, fixed=True), Counter()),
    )
    tile = made.tile([(one, whole)], bias, held=held)
    found = [tile.run(Coded(np.array([[code]]), whole)).codes.item() for code in (9, 1)]
    assert found == [15, want]


def test_the_sum_of_biases() -> None:
    """Codes are added and narrowed; real numbers are added before they are rounded: 0.3 and 0.35 are 3 quarters, not 1
    and 1."""
    overflows: Counter[str] = Counter()
    target = Target("accumulator", q(8, 2), overflows)
    codes = total_bias([np.array([100, -3]), None, np.array([100, 1])], target, (2,))
    assert codes is not None
    assert codes.codes.tolist() == [127, -2]
    assert overflows == {"accumulator": 1}
    real = total_bias([np.array([0.3, 1.0]), np.array([0.35, 0.25])], target, (2,))
    assert real is not None
    assert real.codes.tolist() == [3, 5]
    assert total_bias([None, None], target, (2,)) is None
    with pytest.raises(ValueError, match=r"a bias must have the shape \(2,\), not \[\(2,\), \(3,\)\]"):
        total_bias([np.zeros(2), np.zeros(3)], target, (2,))
