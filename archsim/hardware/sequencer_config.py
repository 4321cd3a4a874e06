"""Describes the sequencer, which issues ops in program order into the units' queues."""

from __future__ import annotations

from pydantic import Field

from archsim.config.types import Count, Cycles
from archsim.hardware.idealization import Idealization
from archsim.hardware.unit import UnitConfig


class SequencerConfig(UnitConfig):
    """Issue rate, queue depth and the latency of tokens."""

    issue_cycles: Cycles = Field(description="cycles to issue one op; 0 means that issue is never the limit")
    queue_depth: Count = Field(description="ops that can wait in front of each unit")
    token_latency_cycles: Cycles = Field(
        default=0, description="cycles from an event to the start of an op that waited for it; 0 is an idealization"
    )

    @property
    def idealizations(self) -> tuple[Idealization, ...]:
        """What the section grants that a sequencer of registers and one issue port cannot do."""
        found = []
        if not self.issue_cycles:
            found.append(Idealization("sequencer.issue_cycles 0", "any number of ops is issued in a cycle", "D7"))
        if not self.token_latency_cycles:
            meaning = "an op starts in the cycle of what it waited for"
            found.append(Idealization("sequencer.token_latency_cycles 0", meaning, "D5"))
        return tuple(found)
