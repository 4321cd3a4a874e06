"""What accumulators hold on the way, by hand: ranges, shifts, groups of columns, and precisions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from archsim.formats import Encoding, NumberFormat, parse_format
from archsim.hardware.numerics import Numerics
from archsim.hardware.products import ACCUMULATOR, TileShape, product_kernel
from archsim.program.ir import Buffer, DataKind, Region

INT8, INT16, SINGLE, HALF = map(parse_format, ("int8", "int16", "float32", "float16"))
Array = npt.NDArray[Any]


def region(name: str, entries: int, width: int, number_format: NumberFormat) -> Region:
    return Region(Buffer(name, "m", DataKind.H, entries, width, number_format), 0, entries)


def tile(
    inputs: tuple[int, ...],
    columns: int,
    accumulator: NumberFormat,
    *,
    number_format: NumberFormat = INT8,
    sums: NumberFormat = INT16,
    bias: bool = False,
    group: int = 1,
    one: bool = True,
    rows: int = 1,
) -> TileShape:
    """One row of products of vectors with so many inputs, and sums of so many rows."""
    return TileShape(
        tuple(region(f"w{place}", 1, count, number_format) for place, count in enumerate(inputs)),
        tuple(region(f"v{place}", count, 1, number_format) for place, count in enumerate(inputs)),
        region("bias", rows, 1, sums) if bias else None,
        region("sums", rows, 1, sums),
        True,
        (columns,) * len(inputs),
        one,
        accumulator,
        group=group,
    )


def summed(shape: TileShape, *rows: list[float], bias: list[float] | None = None, scale: float = 1.0) -> list[float]:
    """The sums of rows of weights times ones; codes have that scale, bias and sums their own."""
    names = [region.buffer.name for region in (*shape.weights, *shape.vectors)]
    whole = shape.sums.buffer.number_format == INT16
    encodings = {name: Encoding(shape.weights[0].buffer.number_format, scale) for name in names} if whole else {}
    if whole:
        encodings |= {name: Encoding(INT16, 1.0) for name in ("sums", "bias")}
    dtype: Any = np.int64 if whole else np.float32
    operands = [np.array([row], dtype) for row in rows] + [np.ones((len(row), 1), dtype) for row in rows]
    if bias is not None:
        operands.append(np.array(bias, dtype).reshape(-1, 1))
    (found,) = product_kernel(shape, Numerics(encodings)).effect(operands)
    return found.ravel().tolist()


@pytest.mark.parametrize(
    ("row", "sums"),
    [
        ([100, 100, -100], 27),  # 100, then 127 for 200
        ([-100, -100, 100], -28),  # -128 for -200
        ([100, 27, 1], 127),  # 127 is still one, 128 is not
        ([100, 28, -1], 126),  # so 128 loses its 1
        ([-100, -28, 1], -127),  # -128 is one
        ([-100, -29, 1], -127),
    ],
)
def test_each_addition_saturates(row: list[float], sums: int) -> None:
    assert summed(tile((3,), 1, INT8), row) == [sums]


@pytest.mark.parametrize(("row", "sums"), [([100, 100, -100], 100), ([100, 100, 0], -56), ([-100, -100, 0], 56)])
def test_accumulators_that_wrap_are_right_in_the_end_or_off_by_their_range(row: list[float], sums: int) -> None:
    assert summed(tile((3,), 1, parse_format("int8/wrap")), row) == [sums]
    assert summed(tile((3,), 2, parse_format("int8/wrap")), row) == [sums]


@pytest.mark.parametrize(("bias", "sums"), [(100, 106), (121, 127), (122, 127), (-134, -124)])
def test_a_bias_may_be_what_takes_small_products_beyond_the_range(bias: int, sums: int) -> None:
    """Three times 2 on a bias, one after the other: on 122 that is 124, 126 and 127 for 128.

    On -134 it is -128 for -132, then -126 and -124.
    """
    assert summed(tile((3,), 1, INT8, number_format=parse_format("int4"), bias=True), [2, 2, 2], bias=[bias]) == [sums]


def test_the_largest_bias_of_all_rows_counts() -> None:
    """Of two rows one begins near the end of the range, on either side."""
    four = parse_format("int4")
    shape = TileShape(
        (region("w0", 2, 3, four),),
        (region("v0", 3, 1, four),),
        region("bias", 2, 1, INT16),
        region("sums", 2, 1, INT16),
        True,
        (1,),
        True,
        INT8,
    )
    encodings = {name: Encoding(four, 1.0) for name in ("w0", "v0")}
    encodings |= {name: Encoding(INT16, 1.0) for name in ("sums", "bias")}
    kernel = product_kernel(shape, Numerics(encodings))
    weights, ones = np.array([[7, 7, 7], [-7, -7, -7]]), np.ones((3, 1), np.int64)
    for bias, sums in (([120, 0], [127, -21]), ([0, -120], [21, -128]), ([100, -100], [121, -121])):
        (found,) = kernel.effect([weights, ones, np.array(bias).reshape(2, 1)])
        assert found.ravel().tolist() == sums


def test_vectors_behind_others_begin_with_a_new_group_of_columns() -> None:
    """x of one input, h of two, in groups of 2: 100, and then 100 - 100; without groups 200 is 127, and 27 is left."""
    assert summed(tile((1, 2), 2, INT8, group=2), [100], [100, -100]) == [100]
    assert summed(tile((1, 2), 2, INT8), [100], [100, -100]) == [27]
    assert summed(tile((2, 2), 2, INT8, group=2), [60, 60], [100, -100]) == [120], "a whole group has no idle place"
    assert summed(tile((1, 1, 1), 2, INT8, group=2), [100], [100], [-100]) == [27]


@pytest.mark.parametrize(("columns", "sums"), [(1, 6), (2, 5), (3, 4)])
def test_chunks_are_shifted_into_a_q_accumulators_place(columns: int, sums: int) -> None:
    """Codes of 1/2, whose products with ones of 1/2 are quarters: 6, 6 and 6 of them in whole numbers, ties to even.

    One by one 1.5 is 2: 6. Two at a time 3 and 2: 5. All at once 4.5 is 4.
    """
    assert summed(tile((3,), columns, parse_format("q8.0")), [6, 6, 6], scale=0.5) == [sums]


TINY = 2.0**-11
"""Half of the last place of 1 in float16."""


@pytest.mark.parametrize(
    ("one", "columns", "sums"),
    [
        (True, 1, 1.0),
        (True, 2, 1.0),  # 1 and TINY, then TINY: both are ties, which go to even
        (True, 3, 1.0 + 2 * TINY),
        (False, 2, 1.0 + 2 * TINY),  # the second vector's by themselves
        (False, 1, 1.0 + 2 * TINY),
    ],
)
def test_chunks_of_two_vectors_in_half_precision(one: bool, columns: int, sums: float) -> None:
    shape = tile((1, 2), columns, HALF, number_format=SINGLE, sums=SINGLE, one=one)
    assert summed(shape, [1.0], [TINY, TINY]) == [sums]


def test_a_bias_in_half_precision_comes_first_and_further_rows_have_it_alone() -> None:
    for columns, sums in ((1, 1.0), (2, 1.0 + 2 * TINY)):
        shape = tile((2,), columns, HALF, number_format=SINGLE, sums=SINGLE, bias=True, rows=3)
        assert summed(shape, [TINY, TINY], bias=[1.0, 0.5, 2.0]) == [sums, 0.5, 2.0]
    two = tile((1, 2), 2, HALF, number_format=SINGLE, sums=SINGLE, bias=True, rows=2, one=False)
    assert summed(two, [3.0], [0.25, 0.5], bias=[1.0, -1.0]) == [4.75, -1.0], "the bias counts once"


def test_what_is_beyond_half_precision_is_counted() -> None:
    """40,000 twice is the largest number, 65,504; 2,049 lies between two and goes to the even one: no overflow."""
    shape = tile((2,), 1, HALF, number_format=SINGLE, sums=SINGLE)
    numerics = Numerics()
    kernel = product_kernel(shape, numerics)
    (found,) = kernel.effect([np.array([[40_000.0, 40_000.0]], np.float32), np.ones((2, 1), np.float32)])
    assert found.tolist() == [[65_504]]
    assert numerics.overflows.overflowed[ACCUMULATOR] == 1
    kernel.effect([np.array([[2048.0, 1.0]], np.float32), np.ones((2, 1), np.float32)])
    assert numerics.overflows.overflowed[ACCUMULATOR] == 1
    assert summed(shape, [2048.0, 1.0]) == [2048.0]


def test_single_precision_adds_the_products_of_all_vectors() -> None:
    shape = tile((2, 1, 1), 1, SINGLE, number_format=SINGLE, sums=SINGLE, bias=True, rows=2)
    assert summed(shape, [1.0, 2.0], [10.0], [100.0], bias=[0.5, 7.0]) == [113.5, 7.0]
