"""Describes memories that families share: they bound the units by their ports, but execute no ops."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from archsim.config.types import Bytes, Count
from archsim.hardware.unit import UnitConfig

PortKind = Literal["1R1W", "1RW"]
"""1R1W: a read port and a write port of its own for each unit. 1RW: a single port for all reads and writes."""


class BufferConfig(UnitConfig):
    """A buffer with one read port and one write port for each unit that uses it, or with a single one for all."""

    capacity_bytes: Bytes = Field(description="bytes of the buffer")
    port_bits: Count = Field(description="bits per cycle of each port")
    ports: PortKind = Field(default="1R1W", description="1R1W: a port a unit and direction; 1RW: one port for all")
