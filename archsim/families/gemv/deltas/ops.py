"""Defines what delta networks add to a MAC array's ops: the encoding of a vector, and tiles of what has changed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.gemv.deltas.chunks import StepChunks, step_chunks
from archsim.program.ir import DataKind, Op, Region, Sent
from archsim.workload.activity import LayerActivity


@dataclass(frozen=True, kw_only=True)
class EncodeDeltas(Op):
    """An op that passes on, of x or h, the elements that have changed by at least the threshold.

    `last` is what was passed on of each last; `deltas` are the changes that are passed on, else 0. `cell`, and the
    number `first` of the first element's column, I being `inputs`: those of recorded activity. `valid` says which
    sequences of a batch are there; None if all are.
    """

    value: Region
    last: Region
    deltas: Region
    threshold: float
    cell: int
    inputs: int
    first: int
    valid: Region | None = None

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.value, self.last, *(() if self.valid is None else (self.valid,)))

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.deltas, self.last)

    @property
    def sent(self) -> Sent:
        return Sent(self.deltas, self.cell, self.inputs, self.first)


@dataclass(frozen=True, kw_only=True)
class DeltaTile(MacTile):
    """An op that adds weights @ deltas to the sums that are there, without the chunks in which all deltas are 0.

    Of a batch those in which they are 0 in all sequences.

    `first`: the number of the vector's first column; `per_chunk`: the inputs of a chunk. `activity` has the columns of
    all steps; None as long as they are not known, and then the tile cannot be timed.
    """

    activity: LayerActivity | None
    first: int
    per_chunk: int

    @property
    def chunks(self) -> tuple[StepChunks, ...]:
        """The chunks of each step; none as long as they are not known."""
        if self.activity is None:
            return ()
        return step_chunks(self.activity, self.first, self.inputs, self.per_chunk)

    @property
    def multiplied(self) -> int:
        """The inputs of the chunks that are multiplied, over all steps."""
        return sum(found.whole * self.per_chunk + found.rest for found in self.chunks)

    def moved_share(self, region: Region) -> int | Fraction:
        """The chunks that are multiplied are read, and no others."""
        read = region.buffer.kind.is_matrix or region.buffer.kind is DataKind.DELTA
        if self.activity is None or not read:
            return 1
        return Fraction(self.multiplied, self.inputs * len(self.activity.steps))


@dataclass(frozen=True, kw_only=True)
class BiasTile(MacTile):
    """An op that leaves biases in the accumulators before the first step: weights @ zeros, none of the model's MACs."""

    @property
    def macs(self) -> int:
        return 0
