"""DRAM as the program sees it, whatever its kind: transfers between it and the on-chip memories."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass

import numpy as np

from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import Tally
from archsim.hardware.unit import ConfigT, Unit, ceil_div
from archsim.program.ir import Op, Region


@dataclass(frozen=True, kw_only=True)
class Transfer(Op):
    """Copy regions (same width, one after the other) into one region: a load from DRAM or a store to it."""

    sources: tuple[Region, ...]
    target: Region

    @property
    def reads(self) -> tuple[Region, ...]:
        return self.sources

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.target,)


class Dram(Unit[ConfigT]):
    """Executes Transfer ops, in order; the kinds (dram_simple.py, ddr.py) say how long each takes."""

    name = "dram"
    item_name = "byte"

    @property
    @abstractmethod
    def burst(self) -> int:
        """Bytes of a burst."""

    def burst_bytes(self, piece: Region) -> int:
        """Bytes that DRAM moves for a contiguous piece: whole bursts."""
        return ceil_div(ceil_div(piece.bits, 8), self.burst) * self.burst

    def moved_bits(self, region: Region) -> int:
        return 8 * self.burst_bytes(region) if region.buffer.memory == self.name else region.bits

    def tally(self, op: Op) -> Tally:
        """None: what a transfer costs is counted at the memories that it moves between."""
        self.pieces(op)
        return Counter()

    def inventory(self) -> Tally:
        """None on the chip (the controller and its interface are not modelled)."""
        return Counter()

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """Numbers move as they are stored."""
        numerics.same(op.reads, op.writes[0])
        return Kernel(lambda operands: (np.concatenate(operands, axis=0),))

    def bytes_moved(self, op: Op) -> int:
        """Bytes of the transfer's data; what bursts round up is not counted."""
        return sum(ceil_div(piece.bits, 8) for piece in self.pieces(op))

    def pieces(self, op: Op) -> tuple[Region, ...]:
        """The contiguous regions on the DRAM side."""
        if not isinstance(op, Transfer):
            raise self.refuse(op)
        return tuple(region for region in op.reads + op.writes if region.buffer.memory == self.name)
