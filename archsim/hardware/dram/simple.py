"""Models DRAM of kind `simple`: one in-order channel of fixed bandwidth, efficiency and latency, in whole bursts."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Annotated, Literal

from pydantic import Field

from archsim.config.types import Bytes, Cycles, PositiveNumber
from archsim.formats import Formats
from archsim.hardware.dram.transfers import Dram
from archsim.hardware.idealization import Idealization
from archsim.hardware.port_streams import Run, Stream, Widths
from archsim.hardware.unit import UnitConfig, Work, ceil_div
from archsim.program.ir import Op, Region


class SimpleDramConfig(UnitConfig):
    """The bandwidth, latency and burst length of DRAM as the core sees it."""

    kind: Literal["simple"] = Field(description="kind of DRAM: one bandwidth and one latency")
    bandwidth_bytes_per_cycle: PositiveNumber = Field(
        description="bytes per cycle of the core clock, reads and writes together"
    )
    latency_cycles: Cycles = Field(description="cycles from the last burst until the data can be used")
    burst_bytes: Bytes = Field(description="bytes of a burst; a transfer moves whole bursts")
    efficiency: Annotated[float, Field(strict=True, ge=0.01, le=1)] = Field(
        default=0.95,
        description="share of the bandwidth that bursts get, the rest being refresh, rows and turnaround; 0.95 is what "
        "streams of ddr4_3200 get; 1: all of it, which is an idealization",
    )

    def idealizations(self, section: str) -> tuple[Idealization, ...]:
        """What the section of that name grants that no DRAM has: all of its bandwidth."""
        if self.efficiency < 1:
            return ()
        return (Idealization(f"{section}.efficiency 1", "bursts at the full bandwidth, without a pause", "D17"),)

    @property
    def bandwidth(self) -> Fraction:
        """The bytes a cycle that bursts get: the product of the exact decimal numbers that were written."""
        return Fraction(repr(self.bandwidth_bytes_per_cycle)) * Fraction(repr(self.efficiency))


class SimpleDram(Dram[SimpleDramConfig]):
    """The DRAM unit that moves whole bursts at one bandwidth, visible after one latency."""

    kind = "simple"
    summary = "one in-order channel with bandwidth, latency and bursts; loads and stores share it"

    def __init__(self, config: SimpleDramConfig, ports: Widths, formats: Formats) -> None:
        super().__init__(config, ports, formats)
        self._bandwidth = config.bandwidth
        self._most_bits = ceil(8 * self._bandwidth)
        """Bits that a cycle moves at most."""

    @property
    def burst(self) -> int:
        return self.config.burst_bytes

    def compute_cycles(self, op: Op) -> int:
        """The occupancy in cycles: whole bursts of each contiguous piece over the bandwidth."""
        moved = sum(map(self.burst_bytes, self.pieces(op)))
        return ceil_div(moved * self._bandwidth.denominator, self._bandwidth.numerator)

    def stream(self, op: Op, region: Region) -> Stream:
        """The bits at the full bandwidth if they lie in one piece, which the rest of its last burst follows.

        Else evenly over all cycles, as each piece ends with part of a burst.
        """
        if len(self.pieces(op)) > 1 or not region.bits:
            return super().stream(op, region)
        bits, bandwidth = region.bits, self._bandwidth
        steps = Fraction(bits * bandwidth.denominator, 8 * bandwidth.numerator)
        return Stream(self.bank(region), bits, (Run(0, bits, self._most_bits, steps=steps),))

    def depth_cycles(self, op: Op) -> int:
        return self.config.latency_cycles

    def work(self, op: Op) -> Work:
        return Work(self.bytes_moved(op), self._bandwidth)
