"""The activation unit on codes: exact, hard, by table, by piecewise linear segments.

Source: docs/numerics.md, "Activation unit".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from archsim.golden.functions import Activation, Float64, apply
from archsim.golden.integer import Coded, Codes, Grid, Target, codes_of, convert, times, whole_of

PIECEWISE_LINEAR = ("relu", "leakyrelu", "thresholdedrelu", "hardsigmoid", "affine")
"""The functions that are computed exactly whatever the method."""


@dataclass(frozen=True)
class Exact:
    """The function itself in float64 on the real value, rounded; hard: of sigmoid and tanh their hard forms."""

    hard: bool = False


@dataclass(frozen=True)
class Table:
    """A table of entries values over [-span, span), both powers of two: the nearest, or linearly between two.

    x is the address.
    """

    entries: int
    span: float
    linear: bool
    address: Grid


@dataclass(frozen=True)
class Lines:
    """S straight lines over [-span, span).

    segments by function name, as fitted: the breakpoints (S - 1) on the address grid, the slopes (S) and the intercepts
    (S), all real numbers.
    """

    span: float
    coefficient_bits: int
    address: Grid
    segments: Mapping[str, tuple[Float64, Float64, Float64]]


Method = Exact | Table | Lines


def clipped(x: Coded, clip: float | None) -> Coded:
    """The codes of x bound to +-clip.

    The bound is rounded to x's grid (which has no zero point) and at most its largest code.
    """
    if clip is None:
        return x
    if clip < 0.0:
        raise ValueError(f"clip is a bound on the magnitude: {clip} < 0")
    bound = min(int(whole_of(np.array(clip / x.grid.scale), x.grid.rounding)), x.grid.high)
    return Coded(np.clip(x.codes, -bound, bound), x.grid)


def activate(activation: Activation, x: Coded, target: Target, method: Method) -> Coded:
    """The values f(x) on the target's grid.

    What overflows on the way into the address format is counted as address.
    """
    if activation.name not in PIECEWISE_LINEAR and not isinstance(method, Exact):
        to_address = Target("address", method.address, target.overflows)
        address = to_address.narrow(to_address.convert(x))
        if isinstance(method, Table):
            return target.narrow(_tabled(activation, address.codes, target.grid, method))
        return target.narrow(_on_lines(activation, address.codes, target.grid, method))
    hard = isinstance(method, Exact) and method.hard
    return target.encode((_hard if hard else apply)(activation, x.values))


def _hard(activation: Activation, x: Float64) -> Float64:
    """The functions sigmoid and tanh as three straight lines; every other function as it is."""
    match activation.name:
        case "sigmoid":
            return np.clip(x / 4.0 + 0.5, 0.0, 1.0)
        case "tanh":
            return np.clip(x, -1.0, 1.0)
        case _:
            return apply(activation, x)


def _tabled(activation: Activation, x: Codes, target: Grid, table: Table) -> Codes:
    """The table's values at the addresses x; wide integers of the target, its zero point not added."""
    step = 2.0 * table.span / table.entries
    ends = -table.span + step * np.arange(table.entries + 1)
    entries, _ = codes_of(apply(activation, ends), target)  # constants of the machine: not counted
    t = entries - target.zero
    unit = min(float(table.address.scale), step)
    span, width = int(table.span / unit), int(step / unit)
    x = x * int(table.address.scale / unit)
    if not table.linear:
        return t[np.clip((2 * (x + span) + width) // (2 * width), 0, table.entries - 1)]
    x = np.clip(x, -span, span)
    j = np.minimum((x + span) // width, table.entries - 1)
    bound = 2**target.bits * width
    rise = times(t[j + 1] - t[j], x + span - j * width, bound)
    return t[j] + convert(rise, bound, 1.0 / width, target.rounding)


def _on_lines(activation: Activation, x: Codes, target: Grid, lines: Lines) -> Codes:
    """The values a_k x + c_k at the addresses x: wide integers of the target, its zero point not added."""
    breakpoints, slopes, intercepts = lines.segments[activation.name]
    last_place = float(lines.address.scale)
    span = int(lines.span / last_place)
    x = np.clip(x, -span, max(span - 1, 0))
    k = np.searchsorted(np.rint(breakpoints / last_place), x, side="right")
    fraction_bits = _fraction_bits(slopes, lines.coefficient_bits)
    most = 2 ** (lines.coefficient_bits - 1)
    a = np.clip(whole_of(np.ldexp(slopes, fraction_bits), "half_up"), -most, most - 1)
    c = whole_of(intercepts / target.scale, "half_up")
    bound = most * lines.address.magnitude
    ratio = np.ldexp(last_place, -fraction_bits) / target.scale
    return convert(times(a[k], x, bound), bound, ratio, target.rounding) + c[k]


def _fraction_bits(slopes: Float64, bits: int) -> int:
    """What the sign and the integer bits of the largest magnitude leave of so many bits; of 0 all but the sign.

    At most 31 more than without integer bits. A slope that rounding takes beyond the largest code saturates.
    """
    largest = np.max(np.abs(slopes))
    integer_bits = max(int(np.frexp(largest)[1]), -31) if largest else 0
    return bits - 1 - integer_bits
