"""Counts what a function unit is built of, to which a technology gives energies and areas."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from archsim.hardware.operators import CONSTANT_BIT, Operator, OperatorKind, Tally, table_of


@dataclass(frozen=True, slots=True)
class LaneInventory:
    """The storage and operators of one lane."""

    table_bits: int
    """Bits of all tables and coefficients, in words of `read_bits`."""
    multipliers: tuple[tuple[int, int], ...] = ()
    """For each multiplier the bits of its two operands."""
    adders: tuple[int, ...] = ()
    """For each adder the bits of its wider operand."""
    comparators: tuple[int, ...] = ()
    """For each comparator with a constant the bits of its operand."""
    floating: bool = False
    """Whether multipliers and adders are of floating point, their bits those of significands; comparators never are."""
    read_bits: int = 0
    """Bits of the tables that one evaluation reads: a word."""
    constant_bits: int = 0
    """Bits that are stored beside the tables and read all at once, as breakpoints that x is compared with."""

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
        """The tally of one evaluation: every operator, and the word that it reads."""
        return self.operators + self._tables

    @property
    def inventory(self) -> Tally:
        """The tally of a whole lane: every operator, the table, and what is stored beside it."""
        return self.operators + self._tables + Counter({CONSTANT_BIT: self.constant_bits})

    @property
    def _tables(self) -> Tally:
        """The table, if there is one."""
        if not self.table_bits:
            return Counter()
        bits = self.read_bits or 1
        return Counter({table_of(-(-self.table_bits // bits), bits): 1})
