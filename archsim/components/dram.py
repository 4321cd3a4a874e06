"""DRAM behind one in-order channel: bandwidth, latency and bursts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from pydantic import Field

from archsim.components.base import Unit, UnitConfig, Work, ceil_div
from archsim.components.numerics import Kernel, Numerics
from archsim.config.types import Bytes, Cycles, PositiveNumber
from archsim.program.ir import Op, Region


class DramConfig(UnitConfig):
    """Bandwidth, latency and burst length of DRAM as the core sees it."""

    bandwidth_bytes_per_cycle: PositiveNumber = Field(
        description="bytes per cycle of the core clock, reads and writes together"
    )
    latency_cycles: Cycles = Field(description="cycles from the last burst until the data can be used")
    burst_bytes: Bytes = Field(description="bytes of a burst; a transfer moves whole bursts")

    @property
    def bandwidth(self) -> Fraction:
        """Bytes a cycle as the exact decimal number that was written."""
        return Fraction(repr(self.bandwidth_bytes_per_cycle))


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


class Dram(Unit[DramConfig]):
    """Executes Transfer ops: loads and stores share one in-order channel."""

    name = "dram"
    summary = "one in-order channel with bandwidth, latency and bursts; loads and stores share it"
    item_name = "byte"

    def compute_cycles(self, op: Op) -> int:
        """Whole bursts of each contiguous piece over the bandwidth."""
        burst = self.config.burst_bytes
        moved = sum(ceil_div(ceil_div(piece.bits, 8), burst) * burst for piece in self._pieces(op))
        cycles = Fraction(moved) / self.config.bandwidth
        return ceil_div(cycles.numerator, cycles.denominator)

    def depth_cycles(self, op: Op) -> int:
        return self.config.latency_cycles

    def work(self, op: Op) -> Work:
        return Work(sum(ceil_div(piece.bits, 8) for piece in self._pieces(op)), self.config.bandwidth)

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """Numbers move as they are stored."""
        numerics.same(op.reads, op.writes[0])
        return Kernel(lambda operands: (np.concatenate(operands, axis=0),))

    def _pieces(self, op: Op) -> tuple[Region, ...]:
        """The contiguous regions on the DRAM side."""
        if not isinstance(op, Transfer):
            raise self.refuse(op)
        return tuple(region for region in op.reads + op.writes if region.buffer.memory == self.name)
