"""Tiles of products in numbers that a reader can follow: bias, chunks, further rows, several scales, saturation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from archsim.errors import SimulatorBug
from archsim.formats import Encoding, NumberFormat, parse_format
from archsim.hardware.constants import NoConstants, Rescale, TileConstants
from archsim.hardware.numerics import Numerics
from archsim.hardware.products import ACCUMULATOR, TileShape, bias_adder, product_kernel, tile_constants
from archsim.program.ir import Buffer, DataKind, Region

INT8, INT16, INT32, SINGLE = map(parse_format, ("int8", "int16", "int32", "float32"))
Array = npt.NDArray[Any]


def region(name: str, entries: int, width: int, number_format: NumberFormat = INT8, kind: str = "") -> Region:
    return Region(Buffer(name, "m", DataKind.H, entries, width, number_format, format_kind=kind), 0, entries)


W, V = region("w", 2, 3), region("v", 3, 1)
OTHER_W, OTHER_V = region("other w", 2, 2), region("other v", 2, 1)
SUMS, BIAS = region("sums", 2, 1, INT16, "gate"), region("bias", 2, 1, INT32)
ENCODINGS = {
    "w": Encoding(INT8, 0.25),
    "v": Encoding(parse_format("int8/asymmetric"), 0.5, 1),
    "other w": Encoding(INT8, 0.5),
    "other v": Encoding(INT8, 0.5),
    "sums": Encoding(INT16, 0.0625),
    "bias": Encoding(INT32, 0.125),
}
"""A product of w and v is eighths, as the bias is; of the others quarters; sums are sixteenths. v has zero point 1."""

TILE = TileShape((W,), (V,), BIAS, SUMS, True, (2,), True, INT32)
WEIGHTS, VECTOR, BIASES = np.array([[1, 2, 3], [-1, 0, 4]]), np.array([[3], [2], [0]]), np.array([[10], [-5]])
"""Less the zero point the vector is 2, 1 and -1: products 2 + 2 - 3 = 1, and -2 + 0 - 4 = -6."""


def computed(tile: TileShape, *operands: Array, numerics: Numerics | None = None) -> list[list[float]]:
    (found,) = product_kernel(tile, numerics or Numerics(ENCODINGS)).effect(operands)
    return found.tolist()  # type: ignore[no-any-return]


def test_sums_begin_with_the_bias() -> None:
    """(10 + 1) and (-5 - 6) eighths, in sixteenths; of 3 columns, 2 a chunk, two sums a row are brought into range."""
    numerics = Numerics(ENCODINGS)
    assert computed(TILE, WEIGHTS, VECTOR, BIASES, numerics=numerics) == [[22], [-22]]
    assert numerics.overflows.values == {ACCUMULATOR: 2 * 2, "gate": 2}
    assert computed(replace(TILE, bias=None), WEIGHTS, VECTOR) == [[2], [-12]]


def test_rows_without_a_product_hold_their_bias() -> None:
    """The third row's -3 eighths are -6 sixteenths, and 0 without a bias."""
    sums, bias = replace(SUMS, buffer=region("sums", 3, 1, INT16).buffer, stop=3), region("bias", 3, 1, INT32)
    tile = replace(TILE, sums=sums, bias=bias)
    assert computed(tile, WEIGHTS, VECTOR, np.array([[10], [-5], [-3]])) == [[22], [-22], [-6]]
    assert computed(replace(tile, bias=None), WEIGHTS, VECTOR) == [[2], [-12], [0]]


def test_products_of_other_scales_are_added_in_the_sums_own() -> None:
    """The second pair's products, 1 * 3 + 2 * 5 = 13 and 4 * 3 - 5 = 7 quarters, are 52 and 28 sixteenths."""
    tile = replace(TILE, weights=(W, OTHER_W), vectors=(V, OTHER_V), columns=(2, 2), one_accumulation=False)
    other_w, other_v = np.array([[1, 2], [4, -1]]), np.array([[3], [5]])
    assert computed(tile, WEIGHTS, other_w, VECTOR, other_v, BIASES) == [[22 + 52], [-22 + 28]]
    found = tile_constants(tile, Numerics(ENCODINGS))
    assert isinstance(found, TileConstants)
    assert [(one.operands, one.columns, one.vector_zero, one.chunk_shift) for one in found.accumulations] == [
        ((0,), 2, 1, 0),
        ((1,), 2, 0, 0),
    ]
    shifts = [one.to_sums for one in found.accumulations] + [found.bias_to_sums]
    assert shifts == [Rescale((1,), (shift,), INT16.rounding) for shift in (-1, -2, -1)]  # type: ignore[attr-defined]


def test_products_of_one_scale_go_through_the_same_accumulators() -> None:
    """Two pairs of w's scale: eighths 1 and -6, and 1 * 2 + 2 * 1 = 4 and 4 * 2 - 1 = 7 of the second."""
    numerics = Numerics({**ENCODINGS, "other w": ENCODINGS["w"], "other v": ENCODINGS["v"]})
    tile = replace(TILE, weights=(W, OTHER_W), vectors=(V, OTHER_V), columns=(2, 2))
    operands = WEIGHTS, np.array([[1, 2], [4, -1]]), VECTOR, np.array([[3], [2]]), BIASES
    assert computed(tile, *operands, numerics=numerics) == [[2 * (10 + 1 + 4)], [2 * (-5 - 6 + 7)]]
    assert numerics.overflows.values[ACCUMULATOR] == 2 * 3, "5 columns are three chunks of 2"
    found = tile_constants(tile, numerics)
    assert isinstance(found, TileConstants)
    assert [one.operands for one in found.accumulations] == [(0, 1)]


def test_weights_that_passed_a_slot_are_what_they_were_where_they_come_from() -> None:
    """The slot's rows are those of two matrices, of quarters and of halves: 1 eighth, and -6 quarters."""
    origins = (region("w", 1, 3), region("other w", 1, 3))
    tile = replace(TILE, bias=None, origins=(origins,))
    rows = {"w": Encoding(INT8, np.array([[0.25]])), "other w": Encoding(INT8, np.array([[0.5]]))}
    found = computed(tile, WEIGHTS, VECTOR, numerics=Numerics({**ENCODINGS, **rows}))
    assert found == [[2], [-24]]
    assert computed(replace(tile, origins=((),)), WEIGHTS, VECTOR) == [[2], [-12]]


def test_a_tile_has_integers_if_all_of_it_is_integer() -> None:
    single = region("single", 2, 1, SINGLE)
    for changed in ({"accumulator": SINGLE}, {"sums": single}, {"vectors": (region("x", 3, 1, SINGLE),)}):
        assert isinstance(tile_constants(replace(TILE, **changed), Numerics(ENCODINGS)), NoConstants)
    assert isinstance(tile_constants(TILE, Numerics(ENCODINGS)), TileConstants)


@pytest.mark.parametrize(("columns", "sums", "lost"), [(1, [27], 1), (2, [27], 1), (3, [100], 0)])
def test_accumulators_saturate_after_each_chunk(columns: int, sums: list[int], lost: int) -> None:
    """100, 100 and -100 in 8 bits: 200 is 127, and 27 is left; in one chunk of three it is 100.

    Of two and one 200 comes at once.
    """
    numerics = Numerics({"w": Encoding(INT8, 1.0), "v": Encoding(INT8, 1.0), "sums": Encoding(INT16, 1.0)})
    tile = TileShape((region("w", 1, 3),), (V,), None, region("sums", 1, 1, INT16), True, (columns,), True, INT8)
    assert computed(tile, np.array([[100, 100, -100]]), np.ones((3, 1), int), numerics=numerics) == [sums]
    assert numerics.overflows.overflowed.get(ACCUMULATOR, 0) == lost
    assert numerics.overflows.values[ACCUMULATOR] == -(-3 // columns)


def test_a_tile_that_goes_on_adds_to_what_is_there() -> None:
    """1 and -6 eighths are 2 and -12 sixteenths; the sums are narrowed when it is done."""
    kernel = product_kernel(replace(TILE, bias=None, start=False), Numerics(ENCODINGS))
    (part,) = kernel.effect([WEIGHTS, VECTOR])
    assert part.tolist() == [[2], [-12]]
    assert kernel.retire is not None
    assert kernel.retire(np.array([[100], [-32_760]], np.int16), part).tolist() == [[102], [-32_768]]


def test_a_tile_that_goes_on_has_one_accumulation() -> None:
    two = replace(TILE, weights=(W, OTHER_W), vectors=(V, OTHER_V), columns=(2, 2), one_accumulation=False)
    with pytest.raises(SimulatorBug, match="a tile that continues sums has one accumulation"):
        product_kernel(replace(two, bias=None, start=False), Numerics(ENCODINGS))


def test_floating_sums() -> None:
    """w and v as numbers: a quarter of a half of 1 and -6 products, and the bias behind it, of single precision."""
    tile = replace(TILE, sums=region("single", 3, 1, SINGLE), bias=region("b", 3, 1, SINGLE), accumulator=SINGLE)
    bias = np.array([[0.5], [1.0], [2.0]], np.float32)
    assert computed(tile, WEIGHTS, VECTOR, bias) == [[0.5 + 0.125], [1.0 - 0.75], [2.0]]
    assert computed(replace(tile, bias=None), WEIGHTS, VECTOR) == [[0.125], [-0.75], [0.0]]
    assert isinstance(tile_constants(tile, Numerics(ENCODINGS)), NoConstants)
    kernel = product_kernel(replace(tile, bias=None, start=False), Numerics(ENCODINGS))
    (part,) = kernel.effect([WEIGHTS, VECTOR])
    assert kernel.retire is not None
    assert kernel.retire(np.ones((3, 1), np.float32), part).tolist() == [[1.125], [0.25], [1.0]]


def test_sums_of_half_precision_are_rounded_after_each_chunk() -> None:
    """1 + 2^-11 + 2^-11 in 11 bits: one by one each goes lost (ties to even), both at once are 2^-10."""
    half = parse_format("float16")
    weights = np.array([[1.0, 2.0**-11, 2.0**-11]], np.float32)
    for columns, sums in ((1, 1.0), (2, 1.0), (3, 1.0 + 2.0**-10)):
        shape = TileShape(
            (region("w16", 1, 3, SINGLE),),
            (region("v16", 3, 1, SINGLE),),
            None,
            region("s16", 1, 1, SINGLE),
            True,
            (columns,),
            True,
            half,
        )
        assert computed(shape, weights, np.ones((3, 1), np.float32), numerics=Numerics()) == [[sums]]


def test_a_bias_behind_the_accumulators_comes_in_the_sums_scale() -> None:
    """5 eighths on 3 sixteenths are 13; in single precision a half on 1.25 of float32, or on 4 sixteenths."""
    numerics = Numerics(ENCODINGS)
    assert bias_adder(BIAS, SUMS, numerics)(np.array([[3]]), np.array([[5]])).tolist() == [[13]]
    assert bias_adder(BIAS, SUMS, numerics)(np.array([[32_760]]), np.array([[5]])).tolist() == [[32_767]]
    assert numerics.overflows.overflowed == {"gate": 1}
    single = region("single", 2, 1, SINGLE)
    assert bias_adder(single, SUMS, numerics)(np.array([[4]]), np.array([[0.5]], np.float32)).tolist() == [[12]]
    assert bias_adder(BIAS, single, numerics)(np.array([[1.25]], np.float32), np.array([[4]])).tolist() == [[1.75]]
