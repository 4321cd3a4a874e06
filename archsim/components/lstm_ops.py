"""The element-wise ops of an LSTM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsim.components.elementwise import ElementwiseOp
from archsim.formats.number import Array
from archsim.program.ir import Region


@dataclass(frozen=True, kw_only=True)
class CellUpdate(ElementwiseOp):
    """cell (target) = forget * cell + input * candidate; without a forget gate it is coupled: f = 1 - input."""

    multiply_add = True

    input_gate: Region
    forget_gate: Region | None
    candidate: Region

    @property
    def operands(self) -> tuple[Region, ...]:
        forget = (self.forget_gate,) if self.forget_gate else ()
        return (self.input_gate, self.candidate, self.target, *forget)

    def apply(self, operands: Sequence[Array]) -> Array:
        input_gate, candidate, cell, *rest = operands
        forget = rest[0] if rest else cell.dtype.type(1) - input_gate
        updated: Array = forget * cell + input_gate * candidate
        return updated


@dataclass(frozen=True, kw_only=True)
class HiddenUpdate(ElementwiseOp):
    """hidden (target) = output gate * function(cell)."""

    multiply_add = False

    output_gate: Region
    tanh_cell: Region

    @property
    def operands(self) -> tuple[Region, ...]:
        return (self.output_gate, self.tanh_cell)

    def apply(self, operands: Sequence[Array]) -> Array:
        output_gate, tanh_cell = operands
        hidden: Array = output_gate * tanh_cell
        return hidden


@dataclass(frozen=True, kw_only=True)
class Peephole(ElementwiseOp):
    """sums (target) += peephole weights (k n, 1) * cell (n, B), for k gates side by side."""

    multiply_add = True

    weights: Region
    cell: Region

    @property
    def operands(self) -> tuple[Region, ...]:
        return (self.weights, self.cell)

    @property
    def updates(self) -> tuple[Region, ...]:
        return (self.target,)

    def apply(self, operands: Sequence[Array]) -> Array:
        weights, cell = operands
        product: Array = weights * np.tile(cell, (len(weights) // len(cell), 1))
        return product
