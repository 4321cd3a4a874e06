"""Cuts the entries of buffers into segments that no op of a phase tells apart."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from archsim.program.ir import Op, Region

Span = tuple[int, int]
"""The numbers [first, stop) of consecutive segments of a buffer."""


class Segments:
    """The entries of each buffer between two neighbouring ends of regions, which ops touch all or none of.

    What is known of accesses is then kept once a segment, not once an entry: a state vector of 1,000 numbers that is
    written in 16 parts has 16 segments.
    """

    def __init__(self, ops: Iterable[Op]) -> None:
        ends: dict[str, set[int]] = {}
        for op in ops:
            for region in op.reads + op.writes + op.awaits:
                ends.setdefault(region.buffer.name, set()).update((region.start, region.stop))
        self._ends = {name: sorted(found) for name, found in ends.items()}

    def count(self, name: str) -> int:
        """How many segments a buffer has."""
        return len(self._ends[name]) - 1

    def span(self, region: Region) -> Span:
        """The segments of a region of one of the ops."""
        ends = self._ends[region.buffer.name]
        return bisect_left(ends, region.start), bisect_left(ends, region.stop)
