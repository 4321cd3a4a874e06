"""Describes what stands beside operators and accesses: leakage, wires, clock, control, layout, and DRAM."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from archsim.config.types import PositiveNumber, StrictModel, Text
from archsim.technology.spread import SURE, Share, Source, Spread

Device = Literal["low_standby", "low_power", "high_performance"]
"""Kinds of transistors: slow ones that hardly leak, those between, and fast ones that leak much."""

DEVICES: tuple[Device, ...] = ("low_standby", "low_power", "high_performance")

Kelvin = Annotated[float, Field(strict=True, ge=230, le=450)]


class DeviceLeakage(StrictModel):
    """The leakage of a kind of transistors beside that of the tables."""

    name: Device = Field(description="kind of transistors")
    factor: PositiveNumber = Field(description="leakage as a factor of the tables', at the tables' temperature")
    per_kelvin: Annotated[float, Field(strict=True, ge=0, le=0.2)] = Field(
        description="growth with temperature: exp(per_kelvin * K)"
    )


class Leakage(StrictModel):
    """The conditions for which the tables' leakage holds, and the leakage of other transistors."""

    source: Source = Field(description="where the numbers come from")
    temperature_k: Kelvin = Field(description="temperature of the tables in K")
    device: Device = Field(description="transistors of the tables, which machines have unless they say otherwise")
    devices: tuple[DeviceLeakage, ...] = Field(description="every kind of transistors, from the one that leaks least")
    gated_share: Share = Field(description="part of a bank's leakage that is left when its supply is gated")

    @model_validator(mode="after")
    def _every_device(self) -> Leakage:
        if tuple(found.name for found in self.devices) != DEVICES:
            raise ValueError(f"devices must be {', '.join(DEVICES)}, in this order")
        factors = [found.factor for found in self.devices]
        if sorted(factors) != factors:
            raise ValueError("devices: factor must not fall from one kind of transistors to the next")
        return self


class Wires(StrictModel):
    """The energy of moving a bit between a memory and a unit."""

    source: Source = Field(description="where the number comes from")
    energy_pj_per_bit_mm: PositiveNumber = Field(description="energy of a bit over a mm in pJ")
    spread: Spread = Field(default=SURE, description="how far sources disagree")


class Overhead(StrictModel):
    """Something that is not modelled by itself: so many times what it goes along with."""

    source: Source = Field(description="where the numbers come from")
    factor: Annotated[float, Field(strict=True, ge=0, le=10)] = Field(description="taken")
    low: Annotated[float, Field(strict=True, ge=0, le=10)] = Field(description="lowest that a source gives")
    high: Annotated[float, Field(strict=True, ge=0, le=10)] = Field(description="highest that a source gives")

    @model_validator(mode="after")
    def _in_order(self) -> Overhead:
        if not self.low <= self.factor <= self.high:
            raise ValueError("low <= factor <= high is needed")
        return self


class DramPower(StrictModel):
    """The power of a channel of DRAM by its state, from the data sheet's currents: IDD times VDD times chips."""

    source: Source = Field(description="where the currents come from")
    active_mw: PositiveNumber = Field(description="a row is open: IDD3N")
    standby_mw: PositiveNumber = Field(description="no row is open, clock on: IDD2N")
    power_down_mw: PositiveNumber = Field(description="clock off: IDD2P")
    self_refresh_mw: PositiveNumber = Field(description="refreshing itself: IDD6")
    refresh_mw: PositiveNumber = Field(description="refresh in the mean: (IDD5 - IDD3N) VDD tRFC / tREFI")
    spread: Spread = Field(default=SURE, description="how far sources disagree")


class Dram(StrictModel):
    """What a type of DRAM takes: its bits, its interface, and its channels all the time."""

    name: Text = Field(description="name of the type, which an architecture gives as dram_type")
    source: Source = Field(description="where the numbers come from")
    energy_pj_per_bit: PositiveNumber = Field(description="energy of a bit in the device in pJ")
    energy_spread: Spread = Field(default=SURE, description="how far sources disagree about the device")
    phy_pj_per_bit: PositiveNumber = Field(description="energy of a bit in the interface, on both sides, in pJ")
    phy_spread: Spread = Field(default=SURE, description="how far sources disagree about the interface")
    channel_gb_per_s: PositiveNumber = Field(description="peak bandwidth of a channel in GB/s")
    power: DramPower = Field(description="power of a channel by its state")
