"""Models DRAM as the program sees it, whatever its kind: transfers to and from the on-chip memories."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsim.hardware.constants import MoveConstants, OpConstants
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import Tally
from archsim.hardware.unit import ConfigT, Unit, ceil_div
from archsim.program.ir import Op, Region
from archsim.program.joined import Joining, Side


@dataclass(frozen=True, kw_only=True)
class Transfer(Op):
    """An op that copies regions (same width, one after the other) into one region: a load or a store."""

    sources: tuple[Region, ...]
    target: Region

    @property
    def reads(self) -> tuple[Region, ...]:
        return self.sources

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.target,)


class Dram(Unit[ConfigT]):
    """The unit that executes Transfer ops, in order; the kinds (simple.py, ddr_unit.py) say how long each takes."""

    name = "dram"
    item_name = "byte"

    @property
    @abstractmethod
    def burst(self) -> int:
        """The bytes of a burst."""

    def burst_bytes(self, piece: Region) -> int:
        """The bytes that DRAM moves for a contiguous piece: whole bursts."""
        return ceil_div(ceil_div(piece.bits, 8), self.burst) * self.burst

    def moved_bits(self, region: Region) -> int:
        return 8 * self.burst_bytes(region) if region.buffer.memory == self.name else region.bits

    def tally(self, op: Op) -> Tally:
        """The operators of a transfer: none, as its cost is counted at the memories that it moves between."""
        self.pieces(op)
        return Counter()

    def inventory(self) -> Tally:
        """The operators on the chip: none (the controller and its interface are not modelled)."""
        return Counter()

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """The arithmetic of a transfer: numbers move as they are stored."""
        numerics.same(op.reads, op.writes[0])
        return Kernel(lambda operands: (np.concatenate(operands, axis=0),))

    def joining(self, op: Op, numerics: Numerics) -> Joining | None:
        """Transfers of one piece each."""
        return Joining(Side.ROWS) if len(op.reads) == 1 else None

    def joined_kernel(self, ops: Sequence[Op], numerics: Numerics) -> Kernel:
        for op in ops:
            numerics.same(op.reads, op.writes[0])
        return Kernel(lambda operands: (operands[0],))

    def moves(self, op: Op) -> bool:
        return True

    def constants(self, op: Op, numerics: Numerics) -> OpConstants:
        return MoveConstants()

    def bytes_moved(self, op: Op) -> int:
        """The bytes of the transfer's data; what bursts round up is not counted."""
        return sum(ceil_div(piece.bits, 8) for piece in self.pieces(op))

    def pieces(self, op: Op) -> tuple[Region, ...]:
        """The contiguous regions on the DRAM side."""
        if not isinstance(op, Transfer):
            raise self.refuse(op)
        return tuple(region for region in op.reads + op.writes if region.buffer.memory == self.name)
