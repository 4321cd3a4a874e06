"""Computes what is neither an operator nor an access: wires, clock, control, interface and power of DRAM, gated banks.

docs/energy.md has the rules; archsim/api/batch/beside.py has the same sums for many designs at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, sqrt

from archsim.families.machine_config import NO_DRAM, DramWidth
from archsim.hardware.storage import Sram, Storage
from archsim.technology import Prices
from archsim.technology.beside import Overhead
from archsim.technology.conditions import Counted
from archsim.technology.prices import PJ_PER_UJ
from archsim.technology.spread import Range, spread_of

UJ_PER_MW_US = 0.001
"""1 mW over 1 us is 1 nJ."""

NOTHING = Range()


@dataclass(frozen=True, slots=True)
class DramTimes:
    """How long a run is, and for how much of it DRAM is at work, in us."""

    latency_us: float
    busy_us: float


@dataclass(frozen=True, slots=True)
class DramPower:
    """The power of DRAM in mW: all the time (its idle state and refresh), and the more while it is at work."""

    always: Range
    working: Range

    def energy(self, times: DramTimes) -> Range:
        """The energy in uJ over a run."""
        idle = self.always.times(times.latency_us * UJ_PER_MW_US)
        return idle.plus(self.working.times(times.busy_us * UJ_PER_MW_US))


NO_POWER = DramPower(NOTHING, NOTHING)


def overhead(of: Range, by: Overhead) -> Range:
    """So many times an amount."""
    return of.by(Range(by.factor, by.low, by.high))


def dram_power(prices: Prices, dram_type: str, width: DramWidth, counted: Counted) -> DramPower:
    """The power of so much DRAM of a type.

    Refresh is a mean over time; a device that refreshes itself has it in that state's current. Where only the bandwidth
    is known, there are as many channels as it needs.
    """
    if counted.dram_idle == "off" or width == NO_DRAM:
        return NO_POWER
    dram = prices.dram(dram_type)
    channels = width.channels or ceil(width.gb_per_s / dram.channel_gb_per_s)
    power = dram.power
    idle_mw = {
        "standby": power.standby_mw + power.refresh_mw,
        "power_down": power.power_down_mw + power.refresh_mw,
        "self_refresh": power.self_refresh_mw,
    }[counted.dram_idle]
    working_mw = max(0.0, power.active_mw + power.refresh_mw - idle_mw)
    always, working = (spread_of(mw, power.spread).times(channels) for mw in (idle_mw, working_mw))
    return DramPower(always, working)


def phy_energy(prices: Prices, dram_type: str, bits: int) -> Range:
    """The energy in uJ of so many bits through the interface."""
    dram = prices.dram(dram_type)
    return spread_of(dram.phy_pj_per_bit, dram.phy_spread).times(bits / PJ_PER_UJ)


def wire_length_mm(memory: Storage, memory_mm2: Range, unit_mm2: Range) -> Range:
    """The length of the wires between a memory and a unit: from the middle of one square to that of the one beside it.

    Of a memory of several banks each lies beside its share of the unit. The high: all over a square of both, half of
    its side, if that is longer.
    """
    banks = banks_of(memory)
    value, low, high = (
        (sqrt(m / banks) + sqrt(u / banks)) / 2 for m, u in zip(memory_mm2.each, unit_mm2.each, strict=True)
    )
    return Range(value, low, max(high, sqrt(memory_mm2.high + unit_mm2.high) / 2))


def banks_of(memory: Storage) -> int:
    """How many banks a memory is built of, those of copies among them."""
    return memory.banks + memory.further_banks if isinstance(memory, Sram) else 1


def wire_price(prices: Prices) -> Range:
    """The energy in pJ of a bit over a mm."""
    wires = prices.technology.wires
    return spread_of(wires.energy_pj_per_bit_mm, wires.spread).times(prices.energy_factor)


def gated_share(memory: Storage, stored_bytes: int, prices: Prices) -> float:
    """The part of a memory's leakage that is saved where banks that hold nothing are gated.

    What is stored fills as few banks as it can; copies are in use.
    """
    if not isinstance(memory, Sram):
        return 0.0
    built = banks_of(memory)
    used = min(memory.banks, ceil(Fraction(stored_bytes * memory.banks, memory.capacity_bytes)))
    return (memory.banks - used) / built * (1 - prices.technology.leakage.gated_share)


def bytes_by_memory(stored_bytes: Mapping[str, Mapping[str, int]]) -> Mapping[str, int]:
    """The bytes that a run keeps in each memory."""
    return {memory: sum(buffers.values()) for memory, buffers in stored_bytes.items()}


def gated_mw(
    memories: Mapping[str, Storage],
    prices: Prices,
    counted: Counted,
    stored_bytes: Mapping[str, Mapping[str, int]] | None,
) -> Mapping[str, float]:
    """The leakage in mW that gating saves in each memory during a run that keeps so many bytes; {} without gating."""
    if counted.gating == "none" or stored_bytes is None:
        return {}
    kept = bytes_by_memory(stored_bytes)
    return {
        name: prices.memory(storage).leakage_mw * gated_share(storage, kept.get(name, 0), prices)
        for name, storage in memories.items()
    }
