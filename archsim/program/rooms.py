"""Says which buffers of a memory are in use when, and so which of them can lie in the same place one after the other.

A phase begins when all ops of the phase before have completed. So two buffers of which one is used in phases that all
come before those of the other never meet, and may have the same place: no order of ops inside a phase can make a hazard
of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archsim.program.ir import Buffer, Phase


@dataclass(frozen=True, slots=True)
class Span:
    """The phases from the first to the last in which a buffer is accessed, by number."""

    first: int
    last: int

    def apart(self, other: Span) -> bool:
        """Whether one ends before the other begins."""
        return self.last < other.first or other.last < self.first


def spans(phases: Sequence[Phase]) -> Mapping[str, Span]:
    """The span of each buffer that is accessed, by its name; one that is filled before the run is used from then on."""
    found: dict[str, Span] = {}
    for number, phase in enumerate(phases):
        for buffer in phase.accessed:
            name, begin = buffer.name, 0 if buffer.is_input or buffer.is_cleared else number
            found[name] = Span(found[name].first if name in found else begin, number)
    return found


def taking_turns(buffers: Sequence[Buffer], phases: Sequence[Phase]) -> Mapping[str, Span]:
    """The spans of those buffers of one memory that another one of it can share a place with."""
    of = spans(phases)
    used = {buffer.name: of[buffer.name] for buffer in buffers if buffer.name in of}
    return {name: span for name, span in used.items() if any(span.apart(other) for other in used.values())}


def needed_bytes(buffers: Sequence[Buffer], phases: Sequence[Phase]) -> int:
    """The bytes that the buffers of one memory on the chip take, where those lie in one place that can.

    Each of those that take turns begins where the last one ends of those before it that are in use at the same time.
    """
    turns = taking_turns(buffers, phases)
    always = sum(buffer.size_bytes for buffer in buffers if buffer.name not in turns)
    ends: dict[str, int] = {}
    for buffer in (buffer for buffer in buffers if buffer.name in turns):
        beside = (end for name, end in ends.items() if not turns[name].apart(turns[buffer.name]))
        ends[buffer.name] = max(beside, default=0) + buffer.size_bytes
    return always + max(ends.values(), default=0)
