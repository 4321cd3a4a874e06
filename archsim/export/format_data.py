"""A number format as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from archsim.formats import BlockFloat, Fixed, FloatFormat, IntegerFormat, NumberFormat


@dataclass(frozen=True, slots=True)
class FormatData:
    """A number format: its name in architecture files, and what it does to numbers."""

    name: str
    type: Literal["integer", "float", "block_float", "other"]
    bits: int
    fraction_bits: int | None
    lowest: int | None
    highest: int | None
    rounding: str | None
    wraps: bool | None
    block: int | None

    @classmethod
    def from_format(cls, found: NumberFormat) -> FormatData:
        """The data of a format."""
        if isinstance(found, IntegerFormat):
            fraction = found.fraction_bits if isinstance(found, Fixed) else None
            limits = found.lowest, found.highest
            return cls(found.name, "integer", found.bits, fraction, *limits, found.rounding.value, found.wraps, None)
        nothing = (None,) * 5
        if isinstance(found, BlockFloat):
            return cls(found.name, "block_float", found.bits, *nothing, found.block)
        kind: Literal["float", "other"] = "float" if isinstance(found, FloatFormat) else "other"
        return cls(found.name, kind, found.bits, *nothing, None)
