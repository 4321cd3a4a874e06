"""Says where data lie in DRAM: a layout of a program's buffers, and the bursts that a range of bytes is.

Buffers lie one after the other in the order of the program, each slot on whole bytes, each buffer from a multiple of
`align_bytes` on. A burst's number b (address // burst bytes) is cut into fields, here from its lowest bits on:

    row_bank_column_group_channel    channel, bank group, column, bank, row
    row_bank_group_column_channel    channel, column, bank group, bank, row

so that neighbouring bursts go to all channels in turn and, with the first mapping, to all bank groups of a channel. The
bursts that share row and bank (and, with the second mapping, the bank group) are a *row set*: one row of each of its
groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from archsim.errors import SimulatorBug
from archsim.hardware.dram.ddr_device import DdrDevice
from archsim.hardware.unit import ceil_div
from archsim.program.ir import Buffer, Region

MappingName = Literal["row_bank_column_group_channel", "row_bank_group_column_channel"]


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout of DRAM: byte address of each buffer, bytes of one of its slots, and bytes of the whole."""

    places: Mapping[str, tuple[int, int]]
    end_bytes: int

    def byte_range(self, region: Region, repetition: int) -> tuple[int, int]:
        """The range [first, end) of bytes that the region touches in a repetition."""
        base, slot_bytes = self.places[region.buffer.name]
        first_bit = region.buffer.bits_of(region.start) if region.start else 0
        base += region.slot(repetition) * slot_bytes
        return base + first_bit // 8, base + ceil_div(first_bit + region.bits, 8)


def lay_out(buffers: Sequence[Buffer], align_bytes: int) -> Layout:
    """Lay out the buffers whose memory is DRAM, in their order."""
    places: dict[str, tuple[int, int]] = {}
    end = 0
    for buffer in buffers:
        if buffer.memory != "dram":
            continue
        slots = buffer.length if buffer.slots is None else buffer.slots
        if slots is None:
            raise SimulatorBug(f"{buffer.name} in DRAM has no known length")
        base = ceil_div(end, align_bytes) * align_bytes
        slot_bytes = ceil_div(buffer.bits_of(buffer.entries), 8)
        places[buffer.name] = (base, slot_bytes)
        end = base + slots * slot_bytes
    return Layout(places, end)


@dataclass(frozen=True, slots=True)
class Run:
    """A run: consecutive bursts of one channel in one row set, [first, first + count) of it.

    `group` is None if it has all bank groups.
    """

    row: int
    bank: int
    group: int | None
    first: int
    count: int


class AddressMap:
    """Cuts byte ranges into runs."""

    def __init__(self, device: DdrDevice, channels: int, mapping: MappingName) -> None:
        self._device = device
        self._channels = channels
        self._interleaved = mapping == "row_bank_column_group_channel"
        columns = device.row_bytes // device.burst_bytes
        self._set_bursts = columns * (device.bank_groups if self._interleaved else 1)

    @property
    def stripe_bytes(self) -> int:
        """The bytes of one row set in all channels together."""
        return self._set_bursts * self._channels * self._device.burst_bytes

    def bursts(self, byte_range: tuple[int, int], channel: int) -> tuple[int, int]:
        """The range [first, end) of a channel's own bursts, counted in the channel, that the bytes touch."""
        first, end = byte_range
        burst = self._device.burst_bytes
        return (
            ceil_div(first // burst - channel, self._channels),
            ceil_div(ceil_div(end, burst) - channel, self._channels),
        )

    def runs(self, byte_range: tuple[int, int], channel: int) -> Iterator[Run]:
        """The runs of a channel that hold the bytes, in order of address."""
        at, end = self.bursts(byte_range, channel)
        size, banks, groups = self._set_bursts, self._device.banks_per_group, self._device.bank_groups
        while at < end:
            number, first = divmod(at, size)
            count = min(size - first, end - at)
            group = None
            if not self._interleaved:
                number, group = divmod(number, groups)
            row, bank = divmod(number, banks)
            yield Run(row, bank, group, first, count)
            at += count
