"""Says under which conditions a machine runs, and what of its surroundings is counted: the section `energy_model`."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Annotated, Literal

from pydantic import Field

from archsim.config.types import StrictModel
from archsim.technology.beside import Device, Kelvin
from archsim.technology.config import Technology

DramIdle = Literal["off", "standby", "power_down", "self_refresh"]
Gating = Literal["none", "unused_banks"]
Volts = Annotated[float, Field(strict=True, ge=0.3, le=1.5)]


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions as prices need them; None: those of the technology."""

    device: Device | None = None
    temperature_k: float | None = None
    voltage_v: float | None = None

    def energy_factor(self, technology: Technology) -> float:
        """The factor of what switches: the square of the voltage (C V^2)."""
        return 1.0 if self.voltage_v is None else (self.voltage_v / technology.voltage_v) ** 2

    def leakage_factor(self, technology: Technology) -> float:
        """The factor of what leaks: of the device, exponential in the temperature, proportional to the voltage.

        A lower voltage also lowers the current (DIBL), which is left out.
        """
        leakage = technology.leakage
        devices = {found.name: found for found in leakage.devices}
        device, usual = devices[self.device or leakage.device], devices[leakage.device]
        warmer = 0.0 if self.temperature_k is None else self.temperature_k - leakage.temperature_k
        volts = 1.0 if self.voltage_v is None else self.voltage_v / technology.voltage_v
        return device.factor / usual.factor * exp(device.per_kelvin * warmer) * volts


USUAL = Conditions()

BESIDE = ("wires", "clock", "control", "dram_phy", "dram_background", "leakage", "layout")
"""The names, in breakdowns, of what is no unit and no memory."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted besides operators, accesses and leakage."""

    wires: bool = True
    clock: bool = True
    control: bool = True
    layout: bool = True
    phy: bool = True
    dram_idle: DramIdle = "standby"
    gating: Gating = "none"


ALL_COUNTED = Counted()


class EnergyModel(StrictModel):
    """The conditions under which a machine runs, and what of its surroundings is counted."""

    device: Device | None = Field(default=None, description="transistors; left out: the technology's")
    temperature_k: Kelvin | None = Field(default=None, description="temperature in K; left out: the technology's")
    voltage_v: Volts | None = Field(default=None, description="supply in V; left out: the technology's")
    wires: bool = Field(default=True, description="whether wires between memories and units are counted")
    clock: bool = Field(default=True, description="whether the clock tree is counted")
    control: bool = Field(default=True, description="whether sequencer and control are counted")
    layout: bool = Field(default=True, description="whether the space between cells is counted as area")
    phy: bool = Field(default=True, description="whether the interface to DRAM is counted")
    dram_idle: DramIdle = Field(
        default="standby", description="state of DRAM between transfers; off: no power but that of its bits"
    )
    gating: Gating = Field(
        default="none", description="unused_banks: banks of SRAM that hold nothing in a run leak a tenth"
    )

    @property
    def conditions(self) -> Conditions:
        """The conditions, for prices."""
        return Conditions(self.device, self.temperature_k, self.voltage_v)

    @property
    def counted(self) -> Counted:
        """What is counted."""
        return Counted(self.wires, self.clock, self.control, self.layout, self.phy, self.dram_idle, self.gating)
