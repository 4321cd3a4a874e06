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
    copies: tuple[tuple[str, int], ...] = ()
    """(what for, banks): what lies in several banks, for several readers at a time; a write goes to all of them. The
    first of each is among `banks`, and as large as the others."""

    @property
    def further_banks(self) -> int:
        """The banks besides `banks`, which hold copies."""
        return sum(count - 1 for _, count in self.copies)


@dataclass(frozen=True, slots=True)
class Registers:
    """A memory of flip-flops, so many bits."""

    bits: int


@dataclass(frozen=True, slots=True)
class OffChip:
    """DRAM of a type that the technology names; no part of the chip."""

    dram_type: str


Storage = Sram | Registers | OffChip
