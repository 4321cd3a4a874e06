"""Describes a DRAM device: organization of one channel, and times in cycles of its clock (nCK)."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from archsim.config.types import Bytes, Count, PositiveNumber, StrictModel, Text
from archsim.hardware.dram.ddr_presets import DEVICES, TYPES

Clocks = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
"""A duration in cycles of the device's clock (nCK)."""


class DdrDevice(StrictModel):
    """A DRAM with double data rate; `device: ddr4_3200` stands for all parameters of that preset."""

    shorthand: ClassVar[str] = "preset"
    """The key that a plain string stands for."""

    preset: str | None = Field(default=None, exclude=True, description="device whose parameters hold if not given")
    dram_type: Text | None = Field(
        default=None, description="type of DRAM that it is, which the machine's dram_type must be; none: any"
    )
    data_rate_mts: PositiveNumber = Field(description="transfers a second on each data pin, MT/s; the clock is half")
    channel_bits: Count = Field(description="data pins of one channel")
    burst_length: Count = Field(description="transfers of a burst (BL)")
    bank_groups: Count = Field(description="bank groups of a channel; 1 if the device has none")
    banks_per_group: Count = Field(description="banks of each group")
    rows_per_bank: Count = Field(description="rows of each bank")
    row_bytes: Bytes = Field(description="bytes of a row in one bank of a channel (page size)")
    trcd_nck: Clocks = Field(description="ACT to RD or WR, same bank (tRCD)")
    trp_nck: Clocks = Field(description="PRE to ACT, same bank (tRP)")
    trp_all_nck: Clocks = Field(description="PREA to REF (tRPab)")
    tras_nck: Clocks = Field(description="ACT to PRE, same bank (tRAS)")
    tcl_nck: Clocks = Field(description="RD to its first data (CL, RL)")
    tcwl_nck: Clocks = Field(description="WR to its first data (CWL, WL)")
    tccd_s_nck: Clocks = Field(description="RD to RD or WR to WR, other bank group (tCCD_S)")
    tccd_l_nck: Clocks = Field(description="RD to RD or WR to WR, same bank group (tCCD_L)")
    trrd_s_nck: Clocks = Field(description="ACT to ACT, other bank group (tRRD_S)")
    trrd_l_nck: Clocks = Field(description="ACT to ACT, same bank group (tRRD_L)")
    tfaw_nck: Clocks = Field(description="ACT to the fourth ACT after it (tFAW)")
    trtp_nck: Clocks = Field(description="RD to PRE, same bank (tRTP)")
    twr_nck: Clocks = Field(description="last data written to PRE, same bank (tWR)")
    twtr_s_nck: Clocks = Field(description="last data written to RD, other bank group (tWTR_S)")
    twtr_l_nck: Clocks = Field(description="last data written to RD, same bank group (tWTR_L)")
    trtw_nck: Clocks = Field(description="RD to WR: turnaround of the data bus")
    trefi_nck: Clocks = Field(description="interval of refresh commands (tREFI)")
    trfc_nck: Clocks = Field(description="REF to ACT (tRFC, all banks)")

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, value: object) -> object:
        if isinstance(value, str):
            value = {"preset": value}
        if isinstance(value, dict) and isinstance(value.get("preset"), str):
            name = value["preset"]
            if name not in DEVICES:
                raise ValueError(f"there is no device {name!r}; the devices are {', '.join(DEVICES)}")
            parameters = {key: number for key, (number, _) in DEVICES[name].items()}
            own = {key: given for key, given in value.items() if key != "preset"}
            return {"dram_type": TYPES[name]} | parameters | own
        return value

    @model_validator(mode="after")
    def _goes_together(self) -> DdrDevice:
        for name in ("channel_bits", "burst_length", "bank_groups", "banks_per_group", "row_bytes"):
            if getattr(self, name).bit_count() != 1:
                raise ValueError(f"{name} {getattr(self, name)} must be a power of two: bits of an address pick it")
        if self.burst_length < 2 or self.channel_bits * self.burst_length < 8:
            raise ValueError("a burst must take a clock and have a byte: burst_length >= 2, channel_bits * it >= 8")
        if self.row_bytes < self.burst_bytes:
            raise ValueError(f"row_bytes {self.row_bytes} is less than a burst of {self.burst_bytes} bytes")
        if self.tccd_s_nck < self.data_nck:
            raise ValueError(f"tccd_s_nck {self.tccd_s_nck} is shorter than a burst on the bus, {self.data_nck} nCK")
        if not self.tccd_s_nck <= self.tccd_l_nck <= self.bank_groups * self.tccd_s_nck:
            raise ValueError("tccd_l_nck must be from tccd_s_nck to bank_groups * tccd_s_nck")
        if self.trrd_l_nck < self.trrd_s_nck or self.twtr_l_nck < self.twtr_s_nck:
            raise ValueError("trrd_l_nck and twtr_l_nck must be at least trrd_s_nck and twtr_s_nck")
        if self.trp_all_nck < self.trp_nck:
            raise ValueError(f"trp_all_nck {self.trp_all_nck} is less than trp_nck {self.trp_nck}")
        if self.trefi_nck <= self.slowest_access_nck:
            raise ValueError(f"trefi_nck must be above {self.slowest_access_nck}: a refresh and a slow access")
        return self

    @property
    def clock_mhz(self) -> Fraction:
        """The device's clock: half the data rate, as the exact decimal number that was written."""
        return Fraction(repr(self.data_rate_mts)) / 2

    @property
    def data_nck(self) -> int:
        """The clocks for which a burst is on the data bus."""
        return self.burst_length // 2

    @property
    def first_data_nck(self) -> int:
        """The clocks from a read command until the first clock's data have come."""
        return self.tcl_nck + 1

    @property
    def burst_bytes(self) -> int:
        """The bytes of a burst."""
        return self.channel_bits * self.burst_length // 8

    @property
    def banks(self) -> int:
        """The number of banks of a channel."""
        return self.bank_groups * self.banks_per_group

    @property
    def channel_bytes(self) -> int:
        """The capacity of a channel in bytes."""
        return self.banks * self.rows_per_bank * self.row_bytes

    @property
    def slowest_access_nck(self) -> int:
        """The most clocks from a due refresh to the first column command; every group opens a row."""
        close = self.tras_nck + self.trtp_nck + self.tcwl_nck + self.data_nck + self.twr_nck + self.trp_all_nck
        turn = self.trtw_nck + self.tcwl_nck + self.data_nck + self.twtr_l_nck
        opening = self.bank_groups * self.trrd_l_nck + self.tfaw_nck + self.trcd_nck
        return close + self.trfc_nck + turn + self.bank_groups * self.tccd_l_nck + opening
