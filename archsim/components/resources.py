"""What a function unit is built of: an inventory, to which a technology gives areas."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resources:
    """Storage and operators of one lane."""

    table_bits: int
    """Bits of all tables and coefficients."""
    multipliers: tuple[tuple[int, int], ...] = ()
    """For each multiplier the bits of its two operands."""
    adders: tuple[int, ...] = ()
    """For each adder the bits of its wider operand."""
    comparators: tuple[int, ...] = ()
    """For each comparator with a constant the bits of its operand."""
    floating: bool = False
    """Whether multipliers and adders are of floating point, of that many bits in all; comparators never are."""
