"""Defines the operators that units are built of and ops switch, to which a technology gives prices.

A *tally* counts operators. That of an op says how often each one switches, that of a unit how many there are of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from archsim.formats import BlockFloat, FloatFormat, NumberFormat
from archsim.formats.integer import Scaled


class OperatorKind(StrEnum):
    """The kinds of operators, by which their energy and area are reported."""

    MULTIPLY = "multiply"
    ADD = "add"
    COMPARE = "compare"
    REGISTER = "register"
    TABLE = "table"
    MULTIPLEX = "multiplex"


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator: a multiplier of two widths, an adder, comparator or multiplexer of one, a register's bit, a table.

    A multiplexer chooses one of two numbers; one of n takes n - 1 of them. A table switches when a word of it is read.
    """

    kind: OperatorKind
    bits: int = 1
    """The bits of an operand; of a floating-point number those of its significand, with the leading 1."""
    other_bits: int = 0
    """The bits of a multiplier's other operand; 0 of anything else."""
    floating: bool = False
    words: int = 0
    """The words of a table, each of `bits`; 0 of anything else."""

    @property
    def name(self) -> str:
        """The name in reports, without the width."""
        if self.kind in (OperatorKind.TABLE, OperatorKind.REGISTER):
            return str(self.kind)
        return f"{'floating-point' if self.floating else 'integer'} {self.kind}"

    @property
    def width(self) -> str:
        """The width as text, as "8 x 9" or "32"."""
        if self.words:
            return f"{self.words:,} x {self.bits}"
        return f"{self.bits} x {self.other_bits}" if self.other_bits else str(self.bits)


Tally = Counter[Operator]

REGISTER_BIT = Operator(OperatorKind.REGISTER)
CONSTANT_BIT = Operator(OperatorKind.TABLE)
"""A stored bit that is always there to see, as those of breakpoints which all are compared at once."""

RESCALE_BITS = 31
"""The bits of the factor that rescales codes where two scales are no power of two apart (archsim.formats.rounding)."""


def table_of(words: int, bits: int) -> Operator:
    """The table of so many words."""
    return Operator(OperatorKind.TABLE, bits, words=words)


@dataclass(frozen=True, slots=True)
class Width:
    """The part of a number that an operator sees: how many bits, and whether it is floating."""

    bits: int
    floating: bool


def width_of(number_format: NumberFormat) -> Width:
    """The width of a format: a float's significand, a block's mantissa, an integer's code.

    A zero point that is subtracted before the product lengthens a factor by a bit.
    """
    if isinstance(number_format, BlockFloat):
        return Width(number_format.mantissa_bits, floating=False)
    if isinstance(number_format, FloatFormat):
        return Width(number_format.significand_bits, floating=True)
    zero_point = isinstance(number_format, Scaled) and number_format.asymmetric
    return Width(number_format.bits + zero_point, floating=False)


def widest(*formats: NumberFormat) -> Width:
    """The width of an operand that is wide enough for all of these, floating if one is."""
    widths = [width_of(number_format) for number_format in formats]
    return Width(max(found.bits for found in widths), any(found.floating for found in widths))


def multiplier(a: Width, b: Width) -> Operator:
    """The multiplier of two operands; of floating point if one is."""
    low, high = sorted((a.bits, b.bits))
    return Operator(OperatorKind.MULTIPLY, low, high, a.floating or b.floating)


def adder(of: Width) -> Operator:
    """The adder of two numbers of that width."""
    return Operator(OperatorKind.ADD, of.bits, floating=of.floating)


def multiplexer(bits: int) -> Operator:
    """The multiplexer of two numbers of that width."""
    return Operator(OperatorKind.MULTIPLEX, bits)


def integer_adder(bits: int) -> Operator:
    """The adder of two integers."""
    return Operator(OperatorKind.ADD, bits)


def rescales(number_format: NumberFormat) -> bool:
    """Whether codes are multiplied on their way into the format: its scale is no power of two."""
    return isinstance(number_format, Scaled) and not number_format.power_of_two


def times(tally: Tally, count: int) -> Tally:
    """The tally taken so many times."""
    return Counter({operator: number * count for operator, number in tally.items()})
