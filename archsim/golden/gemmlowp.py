"""sigmoid and tanh as gemmlowp computes them in 16 bits (fixedpoint.h), which TensorFlow Lite's integer LSTM uses.

A number of Q m.n is int16 code / 2^n; m + n = 15. Written from the description of the algorithms: e^-x by a polynomial
on [-1/4, 0) times factors for the bits above it, and 1 / (1 + x) by three steps of Newton and Raphson.
"""

from __future__ import annotations

import numpy as np

from archsim.golden.functions import Activation
from archsim.golden.integer import Coded, Codes, Grid, Target
from archsim.golden.integer_functions import Method, addressed

EXP_MINUS_EIGHTH, THIRD = 28918, 10923
"""exp(-1/8) and 1/3 in Q0.15."""
FACTORS = ((-2, 25520), (-1, 19875), (0, 12055), (1, 4435), (2, 600), (3, 11), (4, 0))
"""exp(-2^e) in Q0.15."""
FIRST, SLOPE = round(48 / 17 * 2**13), round(-32 / 17 * 2**13)
"""48/17 and -32/17 in Q2.13: the first guess of 1 / x for x in [1/2, 1]."""
ONE = 32767


def high_product(a: Codes | int, b: Codes | int) -> Codes:
    """2 a b / 2^16, with the nudge and the truncating division of SaturatingRoundingDoublingHighMul; it saturates."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    v = product + np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    quotient = np.where(v >= 0, v >> 15, -(-v >> 15))
    both = (np.asarray(a) == -32768) & (np.asarray(b) == -32768)
    found: Codes = np.where(both, ONE, quotient)
    return found


def by_power(x: Codes, exponent: int) -> Codes:
    """x 2^exponent: saturating to the left, rounding ties away from zero to the right."""
    if exponent >= 0:
        shifted: Codes = np.clip(x << exponent, -32768, 32767)
        return shifted
    mask = (1 << -exponent) - 1
    return (x >> -exponent) + ((x & mask) > (mask >> 1) + (x < 0))


def half_sum(a: Codes, b: int) -> Codes:
    total = a + b
    v = total + np.where(total >= 0, 1, -1)
    return np.where(v >= 0, v >> 1, -(-v >> 1))


def exp_near_zero(a: Codes) -> Codes:
    """exp of [-1/4, 0) in Q0.15, around -1/8."""
    x = a + (1 << 12)
    x2 = high_product(x, x)
    x3, x4 = high_product(x2, x), high_product(x2, x2)
    tail = by_power(high_product(by_power(x4, -2) + x3, THIRD) + x2, -1)
    return EXP_MINUS_EIGHTH + high_product(EXP_MINUS_EIGHTH, x + tail)


def exp_negative(a: Codes, integer_bits: int) -> Codes:
    """exp of numbers up to 0 with so many integer bits, in Q0.15."""
    fraction = 15 - integer_bits
    quarter = 1 << (fraction - 2)
    near = (a & (quarter - 1)) - quarter
    result = exp_near_zero(by_power(near, integer_bits))
    left = near - a
    for exponent, factor in FACTORS:
        if integer_bits > exponent:
            result = np.where(left & (1 << (fraction + exponent)), high_product(result, factor), result)
    if integer_bits > 5:
        result = np.where(a < -(1 << (fraction + 5)), 0, result)
    return np.where(a == 0, ONE, result)


def reciprocal(half_denominator: Codes) -> Codes:
    """1 / x of [1/2, 1] in Q2.13."""
    x = FIRST + high_product(half_denominator, SLOPE)
    for _ in range(3):
        x = x + by_power(high_product(x, (1 << 13) - high_product(half_denominator, x)), 2)
    return x


def sigmoid(a: Codes, integer_bits: int) -> Codes:
    positive = by_power(reciprocal(half_sum(exp_negative(-np.abs(a), integer_bits), ONE)), 1)
    found: Codes = np.where(a == 0, 1 << 14, np.where(a > 0, positive, ONE - positive))
    return found


def tanh(a: Codes, integer_bits: int) -> Codes:
    denominator = half_sum(exp_negative(-np.abs(a), integer_bits + 1), ONE)  # the same bits as 2 a
    positive = by_power(reciprocal(denominator) - (1 << 13), 2)
    return np.where(a == 0, 0, np.sign(a) * positive)


class Gemmlowp(Method):
    """The method that computes as TensorFlow Lite does, on 16-bit codes whose scale is a power of two."""

    functions = frozenset({"sigmoid", "tanh"})

    def activate(self, activation: Activation, x: Coded, target: Target) -> Coded:
        function = {"sigmoid": sigmoid, "tanh": tanh}[activation.name]
        asked = round(15 + float(np.log2(np.asarray(x.grid.scale))))
        bits = min(max(asked, 0), 12)
        codes = (
            x.codes if bits == asked else addressed(x, Grid(16, 2.0 ** (bits - 15), rounding=x.grid.rounding), target)
        )
        return target.narrow(target.convert(Coded(function(codes, bits), Grid(16, 2.0**-15))))
