"""What the approximations of curved functions share: which functions they are for, and the range they cover."""

from __future__ import annotations

from math import floor, frexp, log2
from typing import Annotated

from pydantic import AfterValidator, Field

from archsim.config.allowed import Wording
from archsim.errors import SimulatorBug
from archsim.formats import BlockFloat, Encoding, Fixed, Float32, NumberFormat
from archsim.workload.network import FunctionSpec

CURVED = frozenset({"sigmoid", "tanh", "scaledtanh", "elu", "softsign", "softplus"})
"""The functions that tables and lines approximate; the others are lines themselves. Each is convex or concave on
either side of 0."""

MAX_ADDRESS_BITS = 32


def power_of_two(value: float) -> float:
    """The value, unchanged; ValueError if it is no power of two (1/4 and 1 are some)."""
    if frexp(value)[0] != 0.5:
        below = 2.0 ** floor(log2(value))
        raise ValueError(f"not a power of two; next to it are {below:g} and {2 * below:g}")
    return value


Span = Annotated[
    float,
    Field(strict=True, ge=2.0**-4, le=2.0**6),
    AfterValidator(power_of_two),
    Wording("a power of two"),
]
"""R of a range [-R, R)."""


def check_address(address: Fixed) -> None:
    """ValueError if the address format is wider than the arithmetic here."""
    if address.bits > MAX_ADDRESS_BITS:
        raise ValueError(f"address format {address}: more than {MAX_ADDRESS_BITS} bits")


def check_curved(function: FunctionSpec) -> None:
    """SimulatorBug if the function needs no approximation."""
    if function.name not in CURVED:
        raise SimulatorBug(f"{function} is no curved function: it is computed, not approximated")


def limits(address: Fixed, span: float) -> tuple[int, ...]:
    """Comparators that limit an address to [-span, span): two of its width, none if its format holds no more."""
    return (address.bits,) * 2 if 2.0 ** (address.integer_bits - 1) > span else ()


def element(target: NumberFormat) -> NumberFormat:
    """The format in which single numbers of a target are kept: blocks are made of results, behind the unit's lanes."""
    return Float32() if isinstance(target, BlockFloat) else target


def scale_of(target: Encoding) -> float:
    """The one scale of a target."""
    if not isinstance(target.scale, float):
        raise SimulatorBug(f"a result of format {target.format} has a scale for each row")
    return target.scale
