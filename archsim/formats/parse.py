"""From a name such as "int8/row/half_up" to the number format (docs/numerics.md has the grammar)."""

from __future__ import annotations

import re
from functools import lru_cache

from archsim.config.extensions import FORMATS as GROUP
from archsim.config.text import shown
from archsim.errors import ExtensionError
from archsim.formats.floating import Bfloat16, BlockFloat, Float16, Float32
from archsim.formats.integer import Fixed, Granularity, Scaled
from archsim.formats.number import NumberFormat
from archsim.formats.offered import offered_format, offered_names
from archsim.formats.rounding import Rounding

MAX_BITS = 32
MAX_ACCUMULATOR_BITS = 48
"""As wide as the accumulator of a DSP48 slice (AMD UG579)."""
_MAX_MANTISSA_BITS = 24
"""What float32, in which the simulator keeps the values, holds exactly."""

NAMES = "float32, float16, bfloat16, bfpN, qM.N, intN"
_PLAIN: dict[str, NumberFormat] = {"float32": Float32(), "float16": Float16(), "bfloat16": Bfloat16()}
_FIXED = re.compile(r"q([0-9]{1,3})\.([0-9]{1,3})")
_SCALED, _BLOCK = re.compile(r"int([0-9]{1,3})"), re.compile(r"bfp([0-9]{1,3})")
_BLOCK_SIZE = re.compile(r"block([0-9]{1,4})")
_SCALED_ONLY = ("gate", "row", "tensor", "symmetric", "asymmetric", "power_of_two")


def parse_format(text: str) -> NumberFormat:
    """The format of that name: one of archsim's own, or one that an installed package offers.

    ValueError says what is wrong with the name and what is allowed.
    """
    found = _own_format(text) or offered_format(text)
    if found is None:
        raise ValueError(f"unknown number format {text[:40]!r}; allowed: {allowed_names()}")
    if found.name != text and (_own_format(found.name) or offered_format(found.name)) != found:
        raise ExtensionError(f"{GROUP}: {shown(text)} is a format named {shown(found.name)}, and that name is not it")
    return found


def allowed_names() -> str:
    """The forms of all names, for messages: archsim's own, then those that installed packages offer."""
    return ", ".join((NAMES, *offered_names()))


@lru_cache(maxsize=512)
def _own_format(text: str) -> NumberFormat | None:
    """Archsim's own format of that name; None if the name is of no own form, ValueError if its options are wrong."""
    base, *options = text.split("/")
    if base in _PLAIN:
        _none_left(text, options)
        return _PLAIN[base]
    if match := _BLOCK.fullmatch(base):
        return _block(text, int(match[1]), options)
    if match := _FIXED.fullmatch(base):
        return _fixed(text, int(match[1]), int(match[2]), options)
    if match := _SCALED.fullmatch(base):
        return _scaled(text, int(match[1]), options)
    return None


def _block(text: str, bits: int, options: list[str]) -> BlockFloat:
    _in_range(text, "mantissa bits", bits, 2, _MAX_MANTISSA_BITS)
    sizes = tuple(option for option in options if _BLOCK_SIZE.fullmatch(option))
    size = int(_one_of(text, options, ("block16", *sizes)).removeprefix("block"))
    _in_range(text, "numbers in a block", size, 2, 128)
    _none_left(text, options)
    return BlockFloat(bits, size)


def _fixed(text: str, integer: int, fraction: int, options: list[str]) -> Fixed:
    _in_range(text, "integer bits, the sign among them,", integer, 1, MAX_ACCUMULATOR_BITS)
    _in_range(text, "bits", integer + fraction, 2, MAX_ACCUMULATOR_BITS)
    rounding, wraps = _rounding(text, options)
    _none_left(text, options)
    return Fixed(integer, fraction, rounding, wraps)


def _scaled(text: str, bits: int, options: list[str]) -> Scaled:
    _in_range(text, "bits", bits, 2, MAX_ACCUMULATOR_BITS)
    rounding, wraps = _rounding(text, options)
    granularity = Granularity(_one_of(text, options, ("tensor", "gate", "row")))
    asymmetric = _one_of(text, options, ("symmetric", "asymmetric")) == "asymmetric"
    power_of_two = "power_of_two" in options and bool(_one_of(text, options, ("power_of_two",)))
    _none_left(text, options)
    return Scaled(bits, granularity, asymmetric, power_of_two, rounding, wraps)


def _rounding(text: str, options: list[str]) -> tuple[Rounding, bool]:
    rounding = Rounding(_one_of(text, options, tuple(Rounding)))
    return rounding, _one_of(text, options, ("saturate", "wrap")) == "wrap"


def _one_of(text: str, options: list[str], allowed: tuple[str, ...]) -> str:
    """The option given of those that exclude each other (taken out), or the first."""
    given = [option for option in options if option in allowed]
    if len(given) > 1:
        raise ValueError(f"{text!r}: expected only one of {', '.join(given)}")
    if not given:
        return allowed[0]
    options.remove(given[0])
    return given[0]


def _none_left(text: str, options: list[str]) -> None:
    if options:
        of_int = ", ".join(_SCALED_ONLY)
        roundings = ", ".join(Rounding)
        raise ValueError(
            f"{text[:60]!r}: no option {options[0][:20]!r} here; q and int formats take {roundings}, saturate, wrap; "
            f"int also {of_int}; bfp blockB"
        )


def _in_range(text: str, what: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ValueError(f"{text[:40]!r}: {value} {what} are not from {least} to {most}")
