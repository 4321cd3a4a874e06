"""Buffers as data: where each lies in its memory, and what its numbers stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsim.formats import BlockFloat, Encoding, NumberFormat
from archsim.hardware.dram.ddr_unit import DdrDram
from archsim.hardware.dram.transfers import Dram
from archsim.hardware.unit import Units, ceil_div
from archsim.program.ir import Buffer, Program
from archsim.program.packing import PackedTile
from archsim.program.rooms import taking_turns


@dataclass(frozen=True, slots=True)
class Place:
    """Where a buffer lies: the bit at which slot 0 begins, and bits from slot to slot; the base is None if unknown."""

    base_bit: int | None
    slot_bits: int


@dataclass(frozen=True, slots=True)
class MemoryMap:
    """The places of all buffers, by name, and for each memory the bits up to the end of its last buffer."""

    places: Mapping[str, Place]
    used_bits: Mapping[str, int | None]

    @classmethod
    def of(cls, program: Program, units: Units) -> MemoryMap:
        """Lay out every memory: its buffers one after the other, in the order of the program.

        On the chip a buffer begins on a whole byte, and its slots follow each other bit by bit. In DRAM slots begin on
        whole bytes and buffers on bursts; of kind `ddr` on row sets (docs/microarchitecture/dram.md). Buffers of which
        one is used in earlier phases than the other come last, and may lie in the same place (program/rooms.py).
        """
        places: dict[str, Place] = {}
        used: dict[str, int | None] = {}
        for memory, buffers in _by_memory(program).items():
            shared = {} if isinstance(units.get(memory), Dram) else taking_turns(buffers, program.phases)
            begin: int | None = 0
            for buffer in (buffer for buffer in buffers if buffer.name not in shared):
                places[buffer.name], begin = _place(buffer, units, begin)
            ends: dict[str, int | None] = {}
            for buffer in (buffer for buffer in buffers if buffer.name in shared):
                beside = [begin, *(ends[name] for name in ends if not shared[name].apart(shared[buffer.name]))]
                places[buffer.name], ends[buffer.name] = _place(buffer, units, _last(beside))
            used[memory] = _last([begin, *ends.values()])
        return cls(places, used)


def _by_memory(program: Program) -> Mapping[str, list[Buffer]]:
    found: dict[str, list[Buffer]] = {}
    for buffer in program.buffers:
        found.setdefault(buffer.memory, []).append(buffer)
    return found


def _last(ends: Sequence[int | None]) -> int | None:
    """The last of them; None if one is unknown."""
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None


def _place(buffer: Buffer, units: Units, end: int | None) -> tuple[Place, int | None]:
    """The place of a buffer behind what ends at bit `end`, and where it ends itself; None where that is unknown."""
    unit, slot_bits, align = units.get(buffer.memory), buffer.bits_of(buffer.entries), 8
    if isinstance(unit, Dram):
        slot_bits, align = 8 * ceil_div(slot_bits, 8), 8 * _alignment_bytes(unit)
    base = None if end is None else ceil_div(end, align) * align
    slots = buffer.length if buffer.slots is None else buffer.slots
    return Place(base, slot_bits), None if base is None or slots is None else base + slots * slot_bits


def _alignment_bytes(unit: Dram[Any]) -> int:
    return unit.config.addresses.stripe_bytes if isinstance(unit, DdrDram) else unit.burst


@dataclass(frozen=True, slots=True)
class BufferData:
    """A buffer: `slots` copies of `entries` x `width` numbers in one memory."""

    name: str
    memory: str
    bank: str | None
    holds: str
    entries: int
    width: int
    slots: int | None
    time_steps: int | None
    format: NumberFormat
    format_kind: str
    scale: float | tuple[float, ...] | None
    zero: int
    base_bit: int | None
    slot_bits: int
    entry_bits: int | None
    filled_from: str | None
    tiles: tuple[PackedTile, ...] | None
    stream: bool


def banked_memories(units: Units) -> frozenset[str]:
    """The memories with a bank for each kind of data."""
    return frozenset(memory for unit in units.values() for memory in unit.ports.banked)


def buffer_data(buffer: Buffer, place: Place, encoding: Encoding | None, banked: bool) -> BufferData:
    """The data of a buffer.

    `encoding` is None if nothing is known of its numbers but their format; `banked`: its memory has a bank for each
    kind of data.
    """
    entry_bits = None if isinstance(buffer.number_format, BlockFloat) else buffer.bits_of(1)
    return BufferData(
        name=buffer.name,
        memory=buffer.memory,
        bank=buffer.bank if banked else None,
        holds=buffer.kind.value,
        entries=buffer.entries,
        width=buffer.width,
        slots=buffer.slots,
        time_steps=buffer.length,
        format=buffer.number_format,
        format_kind=buffer.format_kind,
        scale=None if encoding is None or not encoding.is_integer else _scale(encoding),
        zero=0 if encoding is None else encoding.zero,
        base_bit=place.base_bit,
        slot_bits=place.slot_bits,
        entry_bits=entry_bits,
        filled_from=(buffer.tensor or buffer.name) if buffer.is_input else None,
        tiles=None if buffer.packing is None else buffer.packing.tiles,
        stream=buffer.stream,
    )


def _scale(encoding: Encoding) -> float | tuple[float, ...]:
    """One scale, or one for each entry."""
    scales = np.unique(np.asarray(encoding.scale))
    return float(scales[0]) if len(scales) == 1 else tuple(np.asarray(encoding.scale).ravel().tolist())
