"""Sigmoid and tanh in floating point: cubic pieces, evaluated in float32 operation by operation (docs/numerics.md)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from functools import cache

import numpy as np
import numpy.typing as npt

from archsim.formats import Encoding, Float32, FloatFormat, Formats, NumberFormat
from archsim.formats.number import Array
from archsim.hardware.functions.approximation_range import element
from archsim.hardware.functions.methods import Evaluator, Method, computed
from archsim.hardware.lane_inventory import LaneInventory
from archsim.hardware.numerics import Overflows
from archsim.workload.network import FunctionSpec

PIECES_PER_UNIT, SPAN = 16, 16
"""tanh is kept on [0, 16), in pieces 1/16 long; beyond it is 1 to 2e-14."""
PIECES = PIECES_PER_UNIT * SPAN
COEFFICIENTS = 4
"""Of a cubic. A cubic through the 4 Chebyshev points of a piece h = 1/16 long is off by at most
max |tanh''''| h^4 / (4! 2^7) = 4.09 * 1.5e-5 / 3072 = 2.0e-8, a third of float32's last place below 1."""

DIGITS = 40
"""Where tanh is 1 to 2e-14, its third differences are some 1e-20: 20 digits of them are right."""

Single = npt.NDArray[np.float32]


class Polynomial(Method):
    """Cubic pieces of tanh on one half of the axis; sigmoid(x) = 1/2 + tanh(x / 2) / 2.

    9 stages (inferred): the magnitude and its piece, the read of four coefficients, three multiplications and three
    additions, the sign (of sigmoid the half and an addition).
    """

    latency_cycles = 9
    functions = frozenset({"sigmoid", "tanh"})

    def resources(self, target: NumberFormat) -> LaneInventory:
        """The table, three multipliers and four adders of float32 in a lane; a comparator limits the magnitude."""
        bits, significand = Float32().bits, Float32().significand_bits
        return LaneInventory(
            PIECES * COEFFICIENTS * bits,
            ((significand, significand),) * 3,
            (significand,) * 4,
            (bits,),
            floating=True,
            read_bits=COEFFICIENTS * bits,
        )

    def curved(self, function: FunctionSpec, source: Encoding, target: Encoding, overflows: Overflows) -> Evaluator:
        return computed(_sigmoid if function.name == "sigmoid" else _tanh, source, target)


def make_polynomial(formats: Formats) -> Polynomial:
    """The method for a machine's formats; ValueError if its arguments or results are integers."""
    for kind in ("gate", "cell", "activation"):
        found = formats.format(kind)
        if not isinstance(element(found), FloatFormat):
            raise ValueError(
                f"formats.{kind} is {found}; it computes in floating point, as float32 or bfloat16 "
                "(for integers: method table or piecewise_linear)"
            )
    return Polynomial()


@cache
def coefficients() -> Single:
    """The table, (PIECES, 4): c0 .. c3 of each piece, of d in [0, 1] along it, rounded to float32.

    In decimal numbers of DIGITS digits, whose operations are defined to the last one: no mathematical library, of which
    each has its own last bits, has a part in the table.
    """
    with localcontext(Context(prec=DIGITS)):
        points = [(1 + cosine) / 2 for cosine in _chebyshev_cosines()]
        cubics = [
            _cubic(points, [_decimal_tanh((piece + point) / PIECES_PER_UNIT) for point in points])
            for piece in range(PIECES)
        ]
    table = np.array(cubics, np.float64).astype(np.float32)
    table[0, 0] = 0  # tanh(0) is 0, and not 2e-9
    table.flags.writeable = False
    return table


def _chebyshev_cosines() -> list[Decimal]:
    """The cosines of pi/8, 3 pi/8, 5 pi/8 and 7 pi/8."""
    root = Decimal(2).sqrt()
    outer, inner = (2 + root).sqrt() / 2, (2 - root).sqrt() / 2
    return [outer, inner, -inner, -outer]


def _decimal_tanh(x: Decimal) -> Decimal:
    square = (2 * x).exp()
    return (square - 1) / (square + 1)


def _cubic(points: Sequence[Decimal], values: Sequence[Decimal]) -> list[Decimal]:
    """c0 .. c3 of the cubic with those values at those points: Newton's form, multiplied out from the inside."""
    differences = list(values)
    for level in range(1, COEFFICIENTS):
        for place in range(COEFFICIENTS - 1, level - 1, -1):
            rise = differences[place] - differences[place - 1]
            differences[place] = rise / (points[place] - points[place - level])
    found = [differences[-1]]
    for difference, point in zip(differences[-2::-1], points[-2::-1], strict=True):
        shifted, kept = [Decimal(0), *found], [*found, Decimal(0)]
        found = [up - point * same for up, same in zip(shifted, kept, strict=True)]
        found[0] += difference
    return found


def _tanh(x: Array) -> Array:
    """The value c0 + d (c1 + d (c2 + d c3)) of the piece that |x| lies in, with the sign of x."""
    given = x.astype(np.float32)
    # A scale by a power of two, its whole part and what is left of it are exact; NaN goes through.
    place = np.minimum(np.abs(given), np.float32(SPAN)) * np.float32(PIECES_PER_UNIT)
    piece = np.minimum(np.floor(place), np.float32(PIECES - 1))
    d = place - piece
    c0, c1, c2, c3 = coefficients()[np.nan_to_num(piece).astype(np.int64)].T
    result: Array = np.copysign((c0 + d.T * (c1 + d.T * (c2 + d.T * c3))).T, given)
    return result


def _sigmoid(x: Array) -> Array:
    half = np.float32(0.5)
    result: Array = half + half * _tanh(x.astype(np.float32) * half)
    return result
