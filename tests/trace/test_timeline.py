"""Occupied cycles in bins, against a list of all cycles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.errors import LengthError
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


@pytest.mark.parametrize(
    ("cycles", "bins", "width"), [(1, 1, 1), (1024, 1024, 1), (1025, 513, 2), (2048, 1024, 2), (2049, 513, 4)]
)
def test_at_most_1024_bins(cycles: int, bins: int, width: int) -> None:
    """Each as narrow as it can be, in powers of two; the last one need not be full."""
    builder = TimelineBuilder(7)
    builder.add(7, cycles)
    found = builder.finish(7 + cycles)
    assert (len(found.busy), found.bin_cycles) == (bins, width)
    assert sum(found.busy) == cycles


def test_times_beyond_64_bits_are_refused() -> None:
    """2^63 - 1 is the last cycle that a 64-bit integer holds."""
    TimelineBuilder(0).add(2**63 - 2, 1)
    for start, cycles in ((2**63 - 1, 1), (2**63, 0)):
        with pytest.raises(LengthError, match=r"more than 4,611,686,018,427,387,904 cycles \(2\^62\)"):
            TimelineBuilder(0).add(start, cycles)
