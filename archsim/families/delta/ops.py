"""Defines the ops of a delta machine: a layer's time step is one of each, and each knows the columns of all steps."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from archsim.families.delta.layer_times import LayerRules
from archsim.program.ir import DataKind, Op, Region, Sent
from archsim.workload.activity import LayerActivity
from archsim.workload.network import CellKind, DeltaThresholds, FunctionSpec


@dataclass(frozen=True, kw_only=True)
class ColumnOp(Op):
    """An op whose time depends on which columns a step multiplies."""

    rules: LayerRules
    activity: LayerActivity | None
    """The columns of all steps; None as long as they are not known, and then nothing can be timed."""

    @property
    def bias_steps(self) -> int:
        """The steps that multiply the bias."""
        return 0 if self.activity is None else sum(0 in step.x for step in self.activity.steps)

    def columns_share(self, columns: int, of: int) -> Fraction:
        """The share that so many columns over all steps are of so many in each."""
        assert self.activity is not None
        return Fraction(columns, of * len(self.activity.steps))


@dataclass(frozen=True, kw_only=True)
class Scan(ColumnOp):
    """An op that compares x and h with what was sent of them last, and sends the columns that have changed.

    `turn`: what the layer before has written last; layers do not overlap. `sent_x` begins with the bias.
    """

    layer: int
    thresholds: DeltaThresholds
    bias: bool

    x: Region
    h: Region
    sent_x: Region
    sent_h: Region
    deltas: Region
    turn: Region

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.x, self.h, self.sent_x, self.sent_h)

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.deltas, self.sent_x, self.sent_h)

    @property
    def awaits(self) -> tuple[Region, ...]:
        return (self.turn,)

    def moved_share(self, region: Region) -> int | Fraction:
        """The FIFO takes what was sent alone."""
        if self.activity is None or region != self.deltas:
            return 1
        return self.columns_share(self.activity.columns, region.entries)

    @property
    def sent(self) -> Sent:
        return Sent(self.deltas, self.layer, self.rules.inputs)


@dataclass(frozen=True, kw_only=True)
class MultiplyColumns(ColumnOp):
    """An op that adds the products of the columns that have changed to the sums of all rows.

    `weights`: W_ih, W_hh and the bias, if there is one; `delta_scale`: what 1 of a delta stands for.
    """

    deltas: Region
    weights: tuple[Region, ...]
    sums: Region
    delta_scale: float
    dense_macs: int

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.deltas, *self.weights, self.sums)

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.sums,)

    def moved_share(self, region: Region) -> int | Fraction:
        """The columns that are multiplied are fetched, and no others."""
        if self.activity is None:
            return 1
        if region == self.deltas:
            return self.columns_share(self.activity.columns, region.entries)
        kind, steps = region.buffer.kind, self.activity.steps
        if kind is DataKind.BIAS:
            return self.columns_share(self.bias_steps, 1)
        if kind is DataKind.W_IH:
            return self.columns_share(sum(len(step.x) for step in steps) - self.bias_steps, region.buffer.width)
        if kind is DataKind.W_HH:
            return self.columns_share(sum(len(step.h) for step in steps), region.buffer.width)
        return 1

    @property
    def macs(self) -> int:
        """The multiply-accumulates of the model, those of the columns that are skipped among them."""
        return self.dense_macs


@dataclass(frozen=True, kw_only=True)
class UpdateHidden(Op):
    """An op that makes gates and the new h of all hidden units from the sums.

    `targets`: h, and the output if any; `cell`: c of an LSTM; `kind` and `functions` as the cell has them.
    """

    kind: CellKind
    functions: tuple[FunctionSpec, ...]
    sums: Region
    old: Region
    targets: tuple[Region, ...]
    cell: Region | None = None

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.sums, self.old, *self._cell)

    @property
    def writes(self) -> tuple[Region, ...]:
        return (*self.targets, *self._cell)

    @property
    def _cell(self) -> tuple[Region, ...]:
        return () if self.cell is None else (self.cell,)
