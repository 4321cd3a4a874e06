"""Defines the element-wise ops of an LSTM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsim.families.cells.elementwise import ElementwiseOp
from archsim.formats.number import Array
from archsim.hardware.elementwise_arithmetic import ElementwiseArithmetic, Operand
from archsim.program.ir import Observed, Region


@dataclass(frozen=True, kw_only=True)
class CellUpdate(ElementwiseOp):
    """The op cell (target) = forget * cell + input * candidate; coupled without a forget gate: f = 1 - input."""

    multiply_add = True

    input_gate: Region
    forget_gate: Region | None
    candidate: Region

    @property
    def additions(self) -> int:
        return 1 if self.forget_gate else 2

    @property
    def products(self) -> tuple[tuple[Region, Region], ...]:
        return ((self.forget_gate or self.input_gate, self.target), (self.input_gate, self.candidate))

    @property
    def operands(self) -> tuple[Region, ...]:
        forget = (self.forget_gate,) if self.forget_gate else ()
        return (self.input_gate, self.candidate, self.target, *forget)

    @property
    def observed(self) -> tuple[Observed, ...]:
        """The cell state of the op's hidden units."""
        return (Observed("c", 0, self.target.entries, self.target.start),)

    def apply(self, arithmetic: ElementwiseArithmetic, operands: Sequence[Operand]) -> Array:
        input_gate, candidate, cell, *rest = operands
        forget = rest[0] if rest else arithmetic.one_minus(input_gate)
        updated: Array = arithmetic.product(forget, cell) + arithmetic.product(input_gate, candidate)
        return updated


@dataclass(frozen=True, kw_only=True)
class HiddenUpdate(ElementwiseOp):
    """The op hidden (target) = output gate * function(cell)."""

    multiply_add = False

    output_gate: Region
    tanh_cell: Region

    @property
    def additions(self) -> int:
        return 0

    @property
    def products(self) -> tuple[tuple[Region, Region], ...]:
        return ((self.output_gate, self.tanh_cell),)

    @property
    def operands(self) -> tuple[Region, ...]:
        return (self.output_gate, self.tanh_cell)

    def apply(self, arithmetic: ElementwiseArithmetic, operands: Sequence[Operand]) -> Array:
        output_gate, tanh_cell = operands
        return arithmetic.product(output_gate, tanh_cell)


@dataclass(frozen=True, kw_only=True)
class Peephole(ElementwiseOp):
    """The op sums (target) += peephole weights (k n, 1) * cell (n, B), for k gates side by side."""

    multiply_add = True

    weights: Region
    cell: Region

    @property
    def additions(self) -> int:
        return 1

    @property
    def products(self) -> tuple[tuple[Region, Region], ...]:
        return ((self.weights, self.cell),)

    @property
    def operands(self) -> tuple[Region, ...]:
        return (self.weights, self.cell)

    @property
    def updates(self) -> tuple[Region, ...]:
        return (self.target,)

    def apply(self, arithmetic: ElementwiseArithmetic, operands: Sequence[Operand]) -> Array:
        weights, cell = operands
        copies = len(weights.stored) // len(cell.stored)
        return arithmetic.product(weights, Operand(np.tile(cell.stored, (copies, 1)), cell.encoding))
