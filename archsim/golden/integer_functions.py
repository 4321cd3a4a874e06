"""The activation unit on codes: exact, hard, by table, by piecewise linear segments.

Source: docs/numerics.md, "Activation unit".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from archsim.golden.functions import Activation, Float64, apply
from archsim.golden.integer import Coded, Codes, Grid, Target, codes_of, convert, times, whole_of

PIECEWISE_LINEAR = ("relu", "leakyrelu", "thresholdedrelu", "hardsigmoid", "affine")
"""The functions that are computed exactly whatever the method."""


class Method(ABC):
    """How a function is evaluated on codes."""

    functions: frozenset[str] | None = None
    """The functions that it knows, besides PIECEWISE_LINEAR; None: all."""

    @abstractmethod
    def activate(self, activation: Activation, x: Coded, target: Target) -> Coded:
        """f(x) on the target's grid, for a function that is none of PIECEWISE_LINEAR.

        What overflows is counted: in the target by its own narrow, on the way by that of another Target with the same
        counter (see addressed).
        """


@dataclass(frozen=True)
class Exact(Method):
    """The function itself in float64 on the real value, rounded; hard: of sigmoid and tanh their hard forms."""

    hard: bool = False

    def activate(self, activation: Activation, x: Coded, target: Target) -> Coded:
        return target.encode((_hard if self.hard else apply)(activation, x.values))


@dataclass(frozen=True)
class Table(Method):
    """A table of entries values over [-span, span), both powers of two: the nearest, or linearly between two.

    x is the address. kept: entries that were computed before, by function and grid.
    """

    entries: int
    span: float
    linear: bool
    address: Grid
    kept: dict[tuple[Activation, Grid], Codes] = field(default_factory=dict, init=False, repr=False, compare=False)

    def activate(self, activation: Activation, x: Coded, target: Target) -> Coded:
        return target.narrow(_tabled(activation, addressed(x, self.address, target), target.grid, self))


@dataclass(frozen=True)
class Lines(Method):
    """S straight lines over [-span, span).

    segments by function name, as fitted: the breakpoints (S - 1) on the address grid, the slopes (S) and the intercepts
    (S), all real numbers.
    """

    span: float
    coefficient_bits: int
    address: Grid
    segments: Mapping[str, tuple[Float64, Float64, Float64]]

    def activate(self, activation: Activation, x: Coded, target: Target) -> Coded:
        return target.narrow(_on_lines(activation, addressed(x, self.address, target), target.grid, self))


def addressed(x: Coded, address: Grid, target: Target) -> Codes:
    """x as codes of the address grid; what overflows on the way is counted as address, where the target counts."""
    to_address = Target("address", address, target.overflows)
    return to_address.narrow(to_address.convert(x)).codes


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
    """The values f(x) on the target's grid, by the method or, where f is a line or several, by itself."""
    if activation.name == "identity":
        return target.narrow(target.convert(x))
    if activation.name in PIECEWISE_LINEAR:
        return target.encode(apply(activation, x.values))
    return method.activate(activation, x, target)


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
    t = table.kept.get((activation, target))
    if t is None:
        ends = -table.span + step * np.arange(table.entries + 1)
        entries, _ = codes_of(apply(activation, ends), target)  # constants of the machine: not counted
        t = table.kept[activation, target] = entries - target.zero
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
