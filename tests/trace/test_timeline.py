"""Occupied cycles in bins, against a list of all cycles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.trace import timeline
from archsim.trace.timeline import MAX_BINS, TimelineBuilder


@given(
    begin=st.integers(0, 100),
    pieces=st.lists(st.tuples(st.integers(0, 70), st.integers(0, 50)), max_size=40),
    idle=st.integers(0, 300),
    bins=st.sampled_from([2, 8, MAX_BINS]),
    flush_at=st.sampled_from([1, 3, 4096]),
)
def test_bins_count_what_is_occupied(
    begin: int, pieces: list[tuple[int, int]], idle: int, bins: int, flush_at: int
) -> None:
    """Gaps and lengths in turn from `begin` on, and idle cycles at the end; bins are as narrow as they can be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timeline, "MAX_BINS", bins)
        patch.setattr(timeline, "_FLUSH_AT", flush_at)
        builder = TimelineBuilder(begin)
        occupied: list[int] = []
        at = begin
        for gap, length in pieces:
            builder.add(at + gap, length)
            occupied += [0] * gap + [1] * length
            at += gap + length
        occupied += [0] * idle
        found = builder.finish(at + idle)
    width = 1
    while len(occupied) > bins * width:
        width *= 2
    padded = np.array(occupied + [0] * (-len(occupied) % width), int)
    assert (found.start, found.bin_cycles) == (begin, width)
    assert list(found.busy) == padded.reshape(-1, width).sum(axis=1).tolist()
