"""Describes the sequencer, which issues ops in program order into the units' queues."""

from __future__ import annotations

from pydantic import Field

from archsim.config.types import Count, Cycles
from archsim.hardware.unit import UnitConfig


class SequencerConfig(UnitConfig):
    """Issue rate and queue depth."""

    issue_cycles: Cycles = Field(description="cycles to issue one op; 0 means that issue is never the limit")
    queue_depth: Count = Field(description="ops that can wait in front of each unit")
