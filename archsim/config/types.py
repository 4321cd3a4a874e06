"""Defines the types of configuration fields: strict (true, "3" and 3.0 are no integers) and bounded."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from archsim.config.allowed import Wording
from archsim.config.text import shown

MAX_COUNT = 1_048_576
"""Most of anything that is counted."""

MAX_CYCLES = 1_000_000_000
"""Longest latency or interval, in cycles."""

MAX_BYTES = 1 << 50
"""Largest memory or transfer, in bytes (1 PiB)."""

SMALLEST_NUMBER = 1e-18
LARGEST_NUMBER = 1e18
"""Bounds of `PositiveNumber`: wide enough for any quantity, narrow enough to keep products finite."""

_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_DECIMAL_UNITS = {"KB": "KiB", "kB": "KiB", "MB": "MiB", "GB": "GiB", "TB": "TiB"}
_SIZE = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?) ?([A-Za-z]+)")


def size_in_bytes(value: object) -> object:
    """The bytes that a size string such as "512KiB" or "1.5 MiB" stands for; other values unchanged.

    Raises ValueError for a string that is no such size, has a decimal unit (KB, MB), or is no whole number
    of bytes.
    """
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value)
    if match is None:
        raise ValueError(f"a size in quotes is a number and a unit ({', '.join(_UNITS)})")
    number, unit = match.groups()
    if unit in _DECIMAL_UNITS:
        raise ValueError(f"decimal units are not allowed; write {_DECIMAL_UNITS[unit]} (1,024-based) for {unit}")
    if unit not in _UNITS:
        raise ValueError(f"there is no unit {shown(unit)}; the units are {', '.join(_UNITS)}")
    size = Fraction(number) * _UNITS[unit]
    if size.denominator != 1:
        raise ValueError("this is not a whole number of bytes")
    return size.numerator


class Notch(Enum):
    """How a number is changed by one notch, to see what it brings; put into an `Annotated`."""

    DOUBLE = "double"
    """Twice as much: of what a machine has."""
    ONE_LESS = "one less"
    """One less, if there is one: of what it takes."""
    ONE_LESS_TO_ONE = "one less, down to one"
    """One less, if there are two: of what takes one at least."""


Bytes = Annotated[
    int,
    BeforeValidator(size_in_bytes),
    Field(strict=True, ge=1, le=MAX_BYTES),
    Wording("a size", unit="bytes", hint="as 4096, 512KiB or 8MiB"),
]
"""A size in bytes, at least 1; also a string with a binary unit: "64 B", "512KiB", "8 MiB", "1GiB"."""

Count = Annotated[int, Field(strict=True, ge=1, le=MAX_COUNT), Notch.DOUBLE]
"""How many there are of something, at least 1."""

Cycles = Annotated[int, Field(strict=True, ge=0, le=MAX_CYCLES), Notch.ONE_LESS]
"""A duration in clock cycles, at least 0."""

PositiveNumber = Annotated[
    float,
    Field(strict=True, ge=SMALLEST_NUMBER, le=LARGEST_NUMBER, allow_inf_nan=False),
    Notch.DOUBLE,
]
"""A finite number above 0, whole or not; it becomes a float."""

Constant = Annotated[int, Field(strict=True, ge=1, le=MAX_COUNT)]
"""A number of a rule, at least 1: of a code, or fitted to what was measured. It is nothing that a design may choose."""

ConstantNumber = Annotated[float, Field(strict=True, ge=SMALLEST_NUMBER, le=LARGEST_NUMBER, allow_inf_nan=False)]
"""A number of a rule above 0, whole or not; it becomes a float."""

ConstantCycles = Annotated[int, Field(strict=True, ge=0, le=MAX_CYCLES)]
"""A duration of a rule in clock cycles, at least 0."""

CyclesFromOne = Annotated[int, Field(strict=True, ge=1, le=MAX_CYCLES), Notch.ONE_LESS_TO_ONE]
"""A duration in clock cycles, at least 1."""

Text = Annotated[str, Field(strict=True, min_length=1, max_length=200)]
"""A short text: a summary, or a name."""


@dataclass(frozen=True, slots=True)
class Named:
    """Put into an `Annotated`: files have the name of the value, Python may give the value itself.

    `parse` makes the value of what stands in a file, or takes it as it is; written out it is its `str`.
    """

    parse: Callable[[object], object]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.to_string_ser_schema(when_used="always")
        return core_schema.no_info_plain_validator_function(self.parse, serialization=written)


@dataclass(frozen=True, slots=True)
class NamedOrGiven:
    """The annotation of a field whose value is named, as by `Named`, or was given by the caller of `validate`.

    `parse` gets what stands in a file, and everything that was given, of whatever type.
    """

    parse: Callable[[object, Sequence[object]], object]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        def parse(value: object, info: core_schema.ValidationInfo) -> object:
            return self.parse(value, info.context or ())

        written = core_schema.to_string_ser_schema(when_used="always")
        return core_schema.with_info_plain_validator_function(parse, serialization=written)


class StrictModel(BaseModel):
    """The base of all configuration models: frozen, no unknown keys, no conversions between types.

    Give every field a description, with its unit: messages are made from it.
    """

    # Validators are built with the first validation: a command has more models than it makes values of.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)
