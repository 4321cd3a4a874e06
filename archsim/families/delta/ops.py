"""Defines the ops of a delta machine: a layer's time step is one of each, and each knows the columns of all steps."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.families.delta.layer_times import LayerRules
from archsim.program.ir import Op, Region
from archsim.workload.activity import LayerActivity


@dataclass(frozen=True, kw_only=True)
class ColumnOp(Op):
    """An op whose time depends on which columns a step multiplies."""

    rules: LayerRules
    activity: LayerActivity


@dataclass(frozen=True, kw_only=True)
class Scan(ColumnOp):
    """An op that compares x and h with what was sent of them last, and sends the columns that have changed.

    `turn`: what the layer before has written last; layers do not overlap.
    """

    x: Region
    h: Region
    sent_x: Region
    sent_h: Region
    deltas: Region
    turn: Region

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.x, self.h)

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.deltas, *self.updates)

    @property
    def updates(self) -> tuple[Region, ...]:
        return (self.sent_x, self.sent_h)

    @property
    def awaits(self) -> tuple[Region, ...]:
        return (self.turn,)


@dataclass(frozen=True, kw_only=True)
class MultiplyColumns(ColumnOp):
    """An op that adds the products of the columns that have changed to the sums of all rows."""

    deltas: Region
    weights: tuple[Region, ...]
    sums: Region
    dense_macs: int

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.deltas, *self.weights)

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.sums,)

    @property
    def updates(self) -> tuple[Region, ...]:
        return (self.sums,)

    @property
    def macs(self) -> int:
        """The multiply-accumulates of the model, those of the columns that are skipped among them."""
        return self.dense_macs


@dataclass(frozen=True, kw_only=True)
class UpdateHidden(Op):
    """An op that makes gates and the new h of all hidden units from the sums; `targets`: h, and the output if any."""

    sums: Region
    old: Region
    targets: tuple[Region, ...]

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.sums, self.old)

    @property
    def writes(self) -> tuple[Region, ...]:
        return self.targets
