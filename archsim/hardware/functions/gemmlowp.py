"""Sigmoid and tanh in 16-bit integers, as TensorFlow Lite's integer LSTM has them (docs/numerics.md).

Source: fixedpoint.h of the library gemmlowp (`logistic`, `tanh`, `exp_on_negative_values`,
`one_over_one_plus_x_for_x_in_0_1`), whose functions lstm_eval.cc of TensorFlow Lite calls. An argument is a 16-bit code
with m integer bits, the sign among none of them: x = code 2^(m - 15). All results have 15 fraction bits.
"""

from __future__ import annotations

from functools import cache
from math import frexp

import numpy as np

from archsim.errors import SimulatorBug
from archsim.formats import Encoding, Fixed, Formats, NumberFormat, Scaled
from archsim.formats.number import Array, IntegerFormat
from archsim.formats.rounding import Conversion, Int
from archsim.hardware.constants import FunctionConstants, NoConstants
from archsim.hardware.functions.approximation_range import scale_of
from archsim.hardware.functions.methods import ADDRESS, Evaluator, Method
from archsim.hardware.lane_inventory import LaneInventory
from archsim.hardware.numerics import Overflows
from archsim.workload.network import FunctionSpec

BITS, FRACTION = 16, 15
MOST = (1 << FRACTION) - 1
MOST_INTEGER_BITS = 12
"""With more, tanh's argument of twice the size would have no quarters left, which the exponential begins with."""

_EXP_EIGHTH, _THIRD = 28918, 10923
"""exp(-1/8) and 1/3 in 15 fraction bits."""
_POWERS = ((-2, 25520), (-1, 19875), (0, 12055), (1, 4435), (2, 600), (3, 11), (4, 0))
"""(e, exp(-2^e) in 15 fraction bits)."""
_GUESS, _SLOPE = 23130, -15420
"""48/17 and -32/17 in 13 fraction bits: the line from which Newton's steps to 1 / d begin, d in [1/2, 1]."""
_STEPS = 3


class Gemmlowp(Method):
    """gemmlowp's sigmoid and tanh: an exponential of the negative magnitude, and a reciprocal by Newton's steps.

    22 stages (inferred: one for each of the 16-bit multiplications that follow each other, 4 of the exponential near 0,
    7 of its factors, 7 of the reciprocal; and one each for the magnitude, the quarter, the mean with 1, and the sign).
    """

    latency_cycles = 22
    functions = frozenset({"sigmoid", "tanh"})

    def resources(self, target: NumberFormat) -> LaneInventory:
        """What a lane has for a value a cycle; counted from the algorithm, all of 16 bits.

        Multipliers: 5 of the exponential near 0 (x^2, x^3, x^4, a third, exp(-1/8)), 7 of its factors, the slope of
        the first guess, and 2 in each of 3 steps: 19. Adders: the magnitude; the quarter and what is left of it, 2; 5
        of the exponential; the mean; the guess; 2 in each step; 1 - y, or -y: 17. Comparators: x = 0, and x < -32.
        Constants are wired.
        """
        multipliers, adders = 5 + len(_POWERS) + 1 + 2 * _STEPS, 1 + 2 + 5 + 1 + 1 + 2 * _STEPS + 1
        return LaneInventory(0, ((BITS, BITS),) * multipliers, (BITS,) * adders, (BITS,) * 2)

    def curved(self, function: FunctionSpec, source: Encoding, target: Encoding, overflows: Overflows) -> Evaluator:
        asked = integer_bits(source)
        bits = min(max(asked, 0), MOST_INTEGER_BITS)
        values = _table(function.name, bits)
        given = source.format
        assert isinstance(given, IntegerFormat)
        assert isinstance(target.format, IntegerFormat)
        to_target = Conversion(np.asarray(2.0**-FRACTION / scale_of(target)), target.format.rounding)
        to_argument = Conversion(np.asarray(2.0 ** (asked - bits)), given.rounding)
        argument = Fixed(bits + 1, FRACTION - bits)

        def evaluate(x: Array) -> tuple[Array, int]:
            codes = x.astype(np.int64)
            if asked != bits:
                codes = overflows.add(ADDRESS, argument.narrowed(to_argument(codes)))
            return target.narrowed(to_target(values[codes + MOST + 1]))

        return evaluate

    def curved_constants(self, function: FunctionSpec, source: Encoding, target: Encoding) -> FunctionConstants:
        return NoConstants("not_exported", "gemmlowp's fixedpoint.h defines them (docs/numerics.md, Activation unit)")


def make_gemmlowp(formats: Formats) -> Gemmlowp:
    """The method for a machine's formats; ValueError if its arguments or results are other than it computes on."""
    for kind in ("gate", "cell"):
        found = formats.format(kind)
        power = isinstance(found, Fixed) or (isinstance(found, Scaled) and found.power_of_two and not found.asymmetric)
        if not power or found.bits != BITS:
            raise ValueError(
                f"formats.{kind} is {found}; it computes on 16 bits with a power of two as scale, as q4.12 or "
                "int16/power_of_two"
            )
    for kind in ("activation", "hidden"):
        if not isinstance(formats.format(kind), IntegerFormat):
            raise ValueError(f"formats.{kind} is {formats.format(kind)}; it computes integers, as q1.15")
    return Gemmlowp()


def integer_bits(source: Encoding) -> int:
    """The m of codes 2^(m - 15)."""
    fraction, exponent = frexp(scale_of(source))
    if fraction != 0.5:
        raise SimulatorBug(f"gemmlowp's functions got an argument with the scale {source.scale}")
    return exponent - 1 + FRACTION


@cache
def _table(function: str, bits: int) -> Int:
    """The results, in 15 fraction bits, for all codes from the lowest on: the same as computing each anew."""
    codes = np.arange(-MOST - 1, MOST + 1, dtype=np.int64)
    found = _sigmoid(codes, bits) if function == "sigmoid" else _tanh(codes, bits)
    found.flags.writeable = False
    return found


def _times(a: Int, b: Int | int) -> Int:
    """a b / 2^15, rounded half up, which is what SaturatingRoundingDoublingHighMul's nudge and division come to."""
    product: Int = np.minimum((a * b + (1 << 14)) >> FRACTION, MOST)
    return product


def _right(a: Int, places: int) -> Int:
    """a / 2^places to the nearest, ties away from 0."""
    return (a + (1 << (places - 1)) - (a < 0)) >> places if places else a


def _left(a: Int, places: int) -> Int:
    """a 2^places, limited to 16 bits."""
    found: Int = np.clip(a << places, -MOST - 1, MOST)
    return found


def _exp_of_negative(a: Int, bits: int) -> Int:
    """exp(a) for codes a <= 0 with so many integer bits.

    a = r - left: r in [-1/4, 0), of which a polynomial around -1/8 is the exponential; `left` is quarters, whose bits
    each bring a factor.
    """
    fraction = FRACTION - bits
    r = (a & ((1 << (fraction - 2)) - 1)) - (1 << (fraction - 2))
    left = r - a
    x = _left(r, bits) + (1 << 12)
    square = _times(x, x)
    cube, fourth = _times(square, x), _times(square, square)
    series = x + _right(_times(_right(fourth, 2) + cube, _THIRD) + square, 1)
    found = _EXP_EIGHTH + _times(series, _EXP_EIGHTH)
    for place, factor in _POWERS:
        if place < bits:
            found = np.where(left >> (fraction + place) & 1, _times(found, factor), found)
    if bits > 5:
        found = np.where(a < -(1 << (fraction + 5)), 0, found)
    return np.where(a == 0, MOST, found)


def _half_reciprocal(e: Int) -> Int:
    """1 / (1 + e) halved twice, in 15 fraction bits: 1 / d in 13, where d = (1 + e) / 2."""
    d = (e + MOST + 1) >> 1  # neither is negative: the mean, rounded half up
    x = _GUESS + _times(d, _SLOPE)
    for _ in range(_STEPS):
        x = x + _left(_times(x, (1 << 13) - _times(d, x)), 2)
    return x


def _sigmoid(a: Int, bits: int) -> Int:
    positive = _left(_half_reciprocal(_exp_of_negative(-np.abs(a), bits)), 1)
    return np.where(a == 0, 1 << 14, np.where(a < 0, MOST - positive, positive))


def _tanh(a: Int, bits: int) -> Int:
    """(1 - e) / (1 + e) with e = exp(-2 |a|): the same code with another integer bit is twice the number."""
    positive = _left(_half_reciprocal(_exp_of_negative(-np.abs(a), bits + 1)) - (1 << 13), 2)
    return np.where(a == 0, 0, np.where(a < 0, -positive, positive))
