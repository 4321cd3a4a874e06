"""Defines the element-wise ops of a GRU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archsim.families.cells.elementwise import ElementwiseOp
from archsim.formats.number import Array
from archsim.hardware.elementwise_arithmetic import ElementwiseArithmetic, Operand
from archsim.program.ir import Region


@dataclass(frozen=True, kw_only=True)
class CandidateSum(ElementwiseOp):
    """The op target = input part + reset gate * hidden part: the pre-activation, reset after the product."""

    multiply_add = True

    reset_gate: Region
    input_part: Region
    hidden_part: Region

    @property
    def additions(self) -> int:
        return 1

    @property
    def products(self) -> tuple[tuple[Region, Region], ...]:
        return ((self.reset_gate, self.hidden_part),)

    @property
    def operands(self) -> tuple[Region, ...]:
        return (self.reset_gate, self.input_part, self.hidden_part)

    def apply(self, arithmetic: ElementwiseArithmetic, operands: Sequence[Operand]) -> Array:
        reset_gate, input_part, hidden_part = operands
        total: Array = arithmetic.value(input_part) + arithmetic.product(reset_gate, hidden_part)
        return total


@dataclass(frozen=True, kw_only=True)
class ResetHidden(ElementwiseOp):
    """The op target = reset gate * hidden state: reset before the product."""

    multiply_add = False

    reset_gate: Region
    hidden: Region

    @property
    def additions(self) -> int:
        return 0

    @property
    def products(self) -> tuple[tuple[Region, Region], ...]:
        return ((self.reset_gate, self.hidden),)

    @property
    def operands(self) -> tuple[Region, ...]:
        return (self.reset_gate, self.hidden)

    def apply(self, arithmetic: ElementwiseArithmetic, operands: Sequence[Operand]) -> Array:
        reset_gate, hidden = operands
        return arithmetic.product(reset_gate, hidden)


@dataclass(frozen=True, kw_only=True)
class GruUpdate(ElementwiseOp):
    """The op hidden (target) = (1 - update gate) * candidate + update gate * old hidden."""

    multiply_add = True

    update_gate: Region
    candidate: Region
    old: Region

    @property
    def additions(self) -> int:
        return 2

    @property
    def products(self) -> tuple[tuple[Region, Region], ...]:
        return ((self.update_gate, self.candidate), (self.update_gate, self.old))

    @property
    def operands(self) -> tuple[Region, ...]:
        return (self.update_gate, self.candidate, self.old)

    def apply(self, arithmetic: ElementwiseArithmetic, operands: Sequence[Operand]) -> Array:
        update_gate, candidate, old = operands
        hidden: Array = arithmetic.product(arithmetic.one_minus(update_gate), candidate) + arithmetic.product(
            update_gate, old
        )
        return hidden
