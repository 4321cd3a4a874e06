"""Describes the delta encoder of a machine with one MAC array, and the memory behind it."""

from __future__ import annotations

from pydantic import Field

from archsim.config.types import Bytes, Count, Cycles
from archsim.hardware.unit import UnitConfig


class ChunkEncoderConfig(UnitConfig):
    """The encoder of delta networks; with it the MAC array skips chunks in which nothing has changed."""

    lanes: Count = Field(description="elements of x or h that are compared a cycle")
    latency_cycles: Cycles = Field(description="pipeline stages behind the comparison")
    capacity_bytes: Bytes = Field(description="bytes of the delta buffer: what was passed on last, and the deltas")
    port_bits: Count = Field(description="bits per cycle of each port of the delta buffer")
