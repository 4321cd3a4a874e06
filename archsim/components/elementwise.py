"""The element-wise unit: the cell update c = f * c + i * g and the hidden update h = o * tanh(c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from pydantic import Field

from archsim.components.base import Unit, UnitConfig, Work, ceil_div
from archsim.config.types import Count, Cycles
from archsim.formats.number import Array
from archsim.program.ir import Op, Region


class ElementwiseConfig(UnitConfig):
    """Width and depths of the element-wise unit."""

    lanes: Count = Field(description="hidden units per cycle (each lane has two multipliers and an adder)")
    cell_latency_cycles: Cycles = Field(description="pipeline stages of the cell update, multiply then add")
    hidden_latency_cycles: Cycles = Field(description="pipeline stages of the hidden update, one multiply")


@dataclass(frozen=True, kw_only=True)
class CellUpdate(Op):
    """cell = forget * cell + input * candidate for n hidden units; all (n, B)."""

    input_gate: Region
    forget_gate: Region
    candidate: Region
    cell: Region

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.input_gate, self.forget_gate, self.candidate, self.cell)

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.cell,)


@dataclass(frozen=True, kw_only=True)
class HiddenUpdate(Op):
    """hidden = output gate * tanh(cell) for n hidden units; all (n, B)."""

    output_gate: Region
    tanh_cell: Region
    hidden: Region

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.output_gate, self.tanh_cell)

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.hidden,)


class Elementwise(Unit[ElementwiseConfig]):
    """Executes CellUpdate and HiddenUpdate ops."""

    name = "elementwise"
    summary = "cell update f*c + i*g and hidden update o*tanh(c), `lanes` hidden units a cycle"
    item_name = "hidden unit"

    def compute_cycles(self, op: Op) -> int:
        """ceil(n B / lanes)."""
        return ceil_div(self._elements(op), self.config.lanes)

    def depth_cycles(self, op: Op) -> int:
        if isinstance(op, CellUpdate):
            return self.config.cell_latency_cycles
        return self.config.hidden_latency_cycles

    def work(self, op: Op) -> Work:
        return Work(self._elements(op), Fraction(self.config.lanes))

    def effect(self, op: Op, operands: Sequence[Array]) -> tuple[Array, ...]:
        if isinstance(op, CellUpdate):
            input_gate, forget_gate, candidate, cell = operands
            return (forget_gate * cell + input_gate * candidate,)
        output_gate, tanh_cell = operands
        return (output_gate * tanh_cell,)

    def _elements(self, op: Op) -> int:
        if isinstance(op, CellUpdate | HiddenUpdate):
            region = op.writes[0]
            return region.entries * region.buffer.width
        raise self.refuse(op)
