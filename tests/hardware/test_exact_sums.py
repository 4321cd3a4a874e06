"""Bounds of exact sums: what the largest codes reach, and no more."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from archsim.formats import Encoding, parse_format
from archsim.formats.number import Array
from archsim.golden.integer_products import whole_product as reference_product
from archsim.hardware.exact_sums import ChunkSums
from archsim.hardware.whole_products import whole_product as machine_product


@pytest.mark.parametrize(("weight_bits", "vector_bits"), [(4, 8), (8, 8), (2, 12)])
@pytest.mark.parametrize("inputs", [1, 3, 64])
def test_the_largest_sum_is_that_of_the_least_codes(weight_bits: int, vector_bits: int, inputs: int) -> None:
    """-2^(b-1) times -2^(v-1) for each input."""
    weight, vector = (parse_format(f"q{bits}.0") for bits in (weight_bits, vector_bits))
    sums = ChunkSums(Encoding(weight, 1.0), Encoding(vector, 1.0), 4)
    least = np.full((1, inputs), -(2 ** (weight_bits - 1))), np.full((inputs, 1), -(2 ** (vector_bits - 1)))
    assert sums.total(*least).tolist() == [[sums.largest(inputs)]] == [[int((least[0] @ least[1])[0, 0])]]


def test_a_zero_point_takes_one_bit_more() -> None:
    """127 - (-128) = 255 is beyond 8 bits with a sign."""
    weight, vector = parse_format("q8.0"), parse_format("int8/asymmetric")
    sums = ChunkSums(Encoding(weight, 1.0), Encoding(vector, 1.0, -128), 4)
    assert sums.largest(3) == 3 * 128 * 256
    assert sums.total(np.full((1, 3), -128), np.full((3, 1), 127)).tolist() == [[3 * -128 * 255]]


@pytest.mark.parametrize("product", [machine_product, reference_product])
def test_a_flag_of_a_floating_point_product_is_not_reported(product: Callable[[Array, Array], Array]) -> None:
    """As of numbers behind a matrix, which a BLAS kernel may multiply, too: 0 times infinity here."""
    some, other = np.array([[1.0, 0.0]], np.float32), np.array([[2.0], [np.inf]], np.float32)
    with pytest.warns(RuntimeWarning, match="invalid value encountered in matmul"):
        np.matmul(some, other)
    assert np.isnan(product(some, other)).all()
