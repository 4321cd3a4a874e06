"""The way from a stored argument to the address of a table, by hand: scale, zero point, range."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.formats import Encoding, Fixed, Float32, Scaled
from archsim.hardware.constants import IdentityConstants, LinesConstants, TableConstants
from archsim.hardware.functions.methods import ADDRESS, Addressed, Exact, addressed
from archsim.hardware.numerics import Overflows
from tests.hardware.exact_rules import q
from tests.hardware.tables import SIGMOID, method

ADDRESSES = Fixed(3, 2)
"""32 addresses from -4 to 3.75, a quarter apart."""


def source(scale: float, zero: int) -> Encoding:
    return Encoding(Scaled(8, asymmetric=True), scale, zero)


@pytest.mark.parametrize("zero", [-7, 0, 3])
def test_the_zero_point_comes_off_before_the_scale(zero: int) -> None:
    """A code c stands for (c - z) / 8, and the address is half of c - z, ties to even: 5/8 are 2.5 quarters, so 2."""
    seen: list[np.ndarray] = []

    def look_up(codes: np.ndarray) -> tuple[np.ndarray, int]:
        seen.append(codes)
        return codes, 0

    overflows = Overflows()
    evaluate = addressed(look_up, source(1 / 8, zero), ADDRESSES, overflows)
    wide = np.array([[0, 4, 5, 6, 7, -5, -7, 31, 32, 100, -40]])
    evaluate((wide + zero).astype(np.int8))
    assert seen[0].tolist() == [[0, 2, 2, 3, 4, -2, -4, 15, 15, 15, -16]]
    assert overflows.overflowed == {ADDRESS: 4}, "15.5 is 16 when it is rounded, then 16, 50 and -20"
    assert overflows.values == {ADDRESS: 11}


def test_a_table_of_codes_with_a_zero_point_is_that_of_their_values() -> None:
    """The entries of sigmoid at -2 .. 2 in 64ths, as without a zero point: 0 is the middle one."""
    unit = Addressed(method(4, 2.0, ADDRESSES), ADDRESSES)
    target = q(2, 6)
    for zero in (0, 9):
        found, _ = unit.evaluator(SIGMOID, source(1 / 4, zero), target, Overflows())(
            np.array([-8, -4, 0, 4, 8]) + np.int8(zero)
        )
        assert found.tolist() == [8, 17, 32, 47, 47]


def test_constants_say_the_zero_point() -> None:
    unit = Addressed(method(4, 2.0, ADDRESSES), ADDRESSES)
    found = unit.constants(SIGMOID, source(1 / 8, 9), q(2, 6))
    assert isinstance(found, TableConstants | LinesConstants)
    assert (found.addressing.source_zero, found.addressing.address) == (9, ADDRESSES)
    identity = Exact().constants(type(SIGMOID)("identity"), source(1 / 8, 9), q(2, 6))
    assert isinstance(identity, IdentityConstants)
    assert identity.source_zero == 9


def test_the_identity_takes_the_zero_point_off() -> None:
    """(c - 9) / 8 in 64ths is 8 (c - 9)."""
    found, beyond = Exact().evaluator(type(SIGMOID)("identity"), source(1 / 8, 9), q(2, 6), Overflows())(
        np.array([[9, 10, 4]], np.int8)
    )
    assert (found.tolist(), beyond) == ([[0, 8, -40]], 0)


def test_real_numbers_are_rounded_to_addresses() -> None:
    seen: list[np.ndarray] = []

    def look_up(codes: np.ndarray) -> tuple[np.ndarray, int]:
        seen.append(codes)
        return codes, 0

    evaluate = addressed(look_up, Encoding(Float32()), ADDRESSES, Overflows())
    evaluate(np.array([0.25, 0.3, -0.13, 9.0], np.float32))
    assert seen[0].tolist() == [1, 1, -1, 15]


def test_an_argument_that_is_an_address_is_not_brought_into_the_range_again() -> None:
    overflows = Overflows()
    evaluate = addressed(lambda codes: (codes, 0), Encoding(ADDRESSES, ADDRESSES.scale), ADDRESSES, overflows)
    found, _ = evaluate(np.array([[3, -16]], np.int8))
    assert found.tolist() == [[3, -16]]
    assert overflows.values == {}
