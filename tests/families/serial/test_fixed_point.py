"""Arithmetic that cuts toward zero and wraps, code by code, as docs/elasticai.md has it."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.families.serial.fixed_point import cut, hard_sigmoid, wrapped


def test_codes_wrap_in_twos_complement() -> None:
    """4 bits hold -8 to 7; a step of 16 is the same code."""
    codes = np.array([-24, -17, -9, -8, -1, 0, 7, 8, 16, 23])
    assert wrapped(codes, 4).tolist() == [-8, -1, 7, -8, -1, 0, 7, -8, 0, 7]


CUTS = {
    0: 0,
    1: 0,
    3: 0,
    5: 1,
    28: 7,
    31: 7,
    -1: 0,
    -3: 0,
    -4: -1,
    -5: -1,
    -6: -1,
    -7: -1,
    -8: -2,
    -31: -7,
    -32: -8,
    # 32 / 4 = 8 and -33 / 4 = -8.25 are beyond 4 bits and would change their sign: the largest and the smallest code.
    32: 7,
    60: 7,
    -33: -8,
    -36: -8,
    -60: -8,
    # 64 / 4 = 16 wraps to 0, 68 / 4 = 17 to 1, -64 / 4 = -16 to 0, -72 / 4 = -18 to -2: no sign changes.
    64: 0,
    68: 1,
    -64: 0,
    -72: -2,
}


@pytest.mark.parametrize(("wide", "code"), CUTS.items())
def test_a_product_of_two_q2_2_is_cut_toward_zero(wide: int, code: int) -> None:
    """Q4.4 to Q2.2: a quarter of the code, without its fraction; bits above the 4 are dropped."""
    assert cut(np.array([wide]), 4, 2).tolist() == [code]


@pytest.mark.parametrize(
    ("bits", "fraction", "values"),
    [
        # Q4.4: one is 16, a sixth of it 2. -47 x 2 / 16 = -5.9, cut to -5, + 8 = 3; 47 x 2 / 16 = 5.9, 5 + 8 = 13.
        (8, 4, {-128: 0, -49: 0, -48: 0, -47: 3, -8: 7, -7: 8, 0: 8, 7: 8, 8: 9, 47: 13, 48: 16, 49: 16, 127: 16}),
        # Q2.6: one is 64, a sixth of it 10; 3 is beyond the range, whose ends are 0 and 1. 100 x 10 / 64 = 15.6.
        (8, 6, {-128: 0, -127: 32 - 19, 100: 32 + 15, 126: 32 + 19, 127: 64}),
        # Q1.7: one is 128, of which 127 is left; a sixth of it 21. 64 x 21 / 128 = 10.5.
        (8, 7, {-128: 0, -64: 64 - 10, 0: 64, 64: 64 + 10, 127: 127}),
        # Q8.4 has more room above: the same numbers as Q4.4.
        (12, 4, {-2048: 0, -48: 0, -47: 3, 47: 13, 48: 16, 2047: 16}),
    ],
)
def test_hard_sigmoid_is_a_line_between_minus_three_and_three(bits: int, fraction: int, values: dict[int, int]) -> None:
    """0 up to -3, 1 from 3 on, x / 6 + 1/2 between them with a slope that is cut to the format."""
    assert hard_sigmoid(np.array(list(values)), bits, fraction).tolist() == list(values.values())
