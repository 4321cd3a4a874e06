"""Sigmoid and tanh in floating point: cubic pieces, evaluated in float32 operation by operation (docs/numerics.md)."""

from __future__ import annotations

from functools import cache
from math import cos, pi

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
    """The table, (PIECES, 4): c0 .. c3 of each piece, of d in [0, 1] along it, rounded to float32."""
    points = [(1 + cos(pi * (2 * number + 1) / (2 * COEFFICIENTS))) / 2 for number in range(COEFFICIENTS)]
    first = np.arange(PIECES)
    # Newton's divided differences, then his form multiplied out from the inside: additions and products alone, so that
    # no linear algebra library has a part in the bits.
    differences = [np.tanh((first + point) / PIECES_PER_UNIT) for point in points]
    for level in range(1, COEFFICIENTS):
        for place in range(COEFFICIENTS - 1, level - 1, -1):
            rise = differences[place] - differences[place - 1]
            differences[place] = rise / (points[place] - points[place - level])
    found = [differences[-1]]
    for difference, point in zip(differences[-2::-1], points[-2::-1], strict=True):
        shifted, kept = [np.zeros(PIECES), *found], [*found, np.zeros(PIECES)]
        found = [up - point * same for up, same in zip(shifted, kept, strict=True)]
        found[0] = found[0] + difference
    found[0][0] = 0.0  # tanh(0) is 0, and not 2e-9
    table = np.stack(found, axis=-1).astype(np.float32)
    table.flags.writeable = False
    return table


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
