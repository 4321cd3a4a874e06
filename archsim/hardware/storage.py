"""Describes what a memory is built of, to which a technology gives energies and areas."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sram:
    """An SRAM: banks side by side, each with ports of `port_bits`."""

    banks: int
    capacity_bytes: int
    """Of all banks together."""
    port_bits: int
    dual_port: bool
    """A read port and a write port; else one that reads or writes."""


@dataclass(frozen=True, slots=True)
class Registers:
    """A memory of flip-flops, so many bits."""

    bits: int


@dataclass(frozen=True, slots=True)
class OffChip:
    """DRAM of a type that the technology names; no part of the chip."""

    dram_type: str


Storage = Sram | Registers | OffChip
