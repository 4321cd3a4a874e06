"""Counts what a function unit is built of, to which a technology gives energies and areas."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from archsim.hardware.operators import TABLE_BIT, Operator, OperatorKind, Tally


@dataclass(frozen=True, slots=True)
class LaneInventory:
    """The storage and operators of one lane."""

    table_bits: int
    """Bits of all tables and coefficients."""
    multipliers: tuple[tuple[int, int], ...] = ()
    """For each multiplier the bits of its two operands."""
    adders: tuple[int, ...] = ()
    """For each adder the bits of its wider operand."""
    comparators: tuple[int, ...] = ()
    """For each comparator with a constant the bits of its operand."""
    floating: bool = False
    """Whether multipliers and adders are of floating point, their bits those of significands; comparators never are."""
    read_bits: int = 0
    """Bits of the tables that one evaluation reads."""

    @property
    def operators(self) -> Tally:
        """Multipliers, adders and comparators; one evaluation uses each of them once."""
        found: Tally = Counter()
        for pair in self.multipliers:
            low, high = sorted(pair)
            found[Operator(OperatorKind.MULTIPLY, low, high, self.floating)] += 1
        for bits in self.adders:
            found[Operator(OperatorKind.ADD, bits, floating=self.floating)] += 1
        for bits in self.comparators:
            found[Operator(OperatorKind.COMPARE, bits)] += 1
        return found

    @property
    def evaluation(self) -> Tally:
        """The tally of one evaluation: every operator, and the bits that it reads."""
        return self.operators + Counter({TABLE_BIT: self.read_bits})

    @property
    def inventory(self) -> Tally:
        """The tally of a whole lane: every operator, and all stored bits."""
        return self.operators + Counter({TABLE_BIT: self.table_bits})
