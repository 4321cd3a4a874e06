"""Describes the sequencer, which issues ops in program order into the units' queues."""

from __future__ import annotations

from pydantic import Field

from archsim.config.types import Count, Cycles
from archsim.hardware.unit import UnitConfig


class SequencerConfig(UnitConfig):
    """Issue rate, queue depth and the latency of tokens."""

    issue_cycles: Cycles = Field(description="cycles to issue one op; 0 means that issue is never the limit")
    queue_depth: Count = Field(description="ops that can wait in front of each unit")
    token_latency_cycles: Cycles = Field(
        default=0, description="cycles from an event to the start of an op that waited for it; 0 is an idealization"
    )
