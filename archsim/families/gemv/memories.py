"""Describes the memories of a machine with one MAC array: weight SRAM, input and state buffer, accumulators."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from archsim.config.types import Bytes, Count, Cycles
from archsim.hardware.memories import BufferConfig, PortKind
from archsim.hardware.unit import UnitConfig


class WeightSramConfig(UnitConfig):
    """The banked SRAM that holds weights and bias."""

    capacity_bytes: Bytes = Field(description="bytes of all banks together")
    banks: Count = Field(description="banks that are read side by side")
    port_bits: Count = Field(description="bits per cycle of one bank's port")
    read_latency_cycles: Cycles = Field(description="cycles from address to data")
    ports: PortKind = Field(default="1R1W", description="1R1W: fills never disturb reads; 1RW: they share the port")
    stream_slots: Annotated[Count, Field(le=64)] = Field(
        default=2, description="tiles of each streamed matrix held at a time, one in use and the rest loaded ahead"
    )
    stream_layout: Literal["tiles", "model"] = Field(
        default="tiles",
        description="order of the rows of streamed matrices in DRAM: tiles: as they are read, a tile in one piece; "
        "model: as in the model, where a tile of interleaved gates is a piece for each gate",
    )

    @property
    def bits_per_cycle(self) -> int:
        """The bits that all banks together deliver in a cycle."""
        return self.banks * self.port_bits


class InputBufferConfig(BufferConfig):
    """The buffer of x: it holds the step in use and those that are loaded ahead of it."""

    prefetch_steps: Annotated[Count, Field(le=64)] = Field(
        description="time steps that x is loaded ahead of its use; hoisted schedules load it a block ahead instead"
    )


class BiasBufferConfig(UnitConfig):
    """The memory of biases and peephole weights; a word is a bias for each row of the array."""

    capacity_bytes: Bytes = Field(description="bytes of the memory")


class StateBufferConfig(BufferConfig):
    """The buffer of h, c and the gates."""

    banks: Literal["one", "by_kind"] = Field(
        default="one",
        description="one: all data behind the same ports; by_kind: a bank for h, for c, for each gate, for tanh(c) and "
        "so on, each with ports of port_bits, and a copy for each further unit that reads it",
    )
    gate_slots: Annotated[Count, Field(ge=3, le=1024)] | None = Field(
        default=None,
        description="groups whose gates and tanh(c) are kept at once, where gates are interleaved; 4 if left out",
    )
    hoist_steps: Annotated[Count, Field(le=4096)] | None = Field(
        default=None,
        description="time steps whose W_ih x a hoisted schedule makes at once; left out: all if their sums fit, else "
        "as many as do, up to 8",
    )


class AccumulatorsConfig(UnitConfig):
    """The accumulator registers behind the MAC array."""

    entries: Count = Field(description="partial sums, one for each row of a tile and batch lane")
    ahead_groups: Annotated[int, Field(strict=True, ge=0, le=65536)] | None = Field(
        default=None,
        description="groups of rows whose W_ih x the schedules `ahead` make while h is on its way; left out: as many "
        "as make a step shortest",
    )
