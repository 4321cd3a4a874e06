"""Entries that no op tells apart are one segment, and no others are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archsim.program.ir import Region
from archsim.program.segments import Segments
from tests.laws.generic_ops import Mix, buffer
from tests.strategies import Case, cases


@given(cases(), st.data())
def test_regions_share_a_segment_exactly_if_they_share_an_entry(case: Case, data: st.DataObject) -> None:
    """A dependency between two regions is seen in their segments: too few of them would hide one, or invent one."""
    ops = case.program.phases[1].ops
    segments = Segments(ops)
    regions = [region for op in ops for region in op.reads + op.writes]
    one: Region = data.draw(st.sampled_from(regions))
    for other in regions:
        if other.buffer.name == one.buffer.name:
            (first, stop), (begin, end) = segments.span(one), segments.span(other)
            assert 0 <= first < stop <= segments.count(one.buffer.name)
            assert (first < end and begin < stop) == (one.start < other.stop and other.start < one.stop)
            assert ((first, stop) == (begin, end)) == ((one.start, one.stop) == (other.start, other.stop))


def test_segments_lie_between_ends_of_regions() -> None:
    """Regions 0 to 4 and 2 to 6, and 6 to 8 that an op awaits: ends 0, 2, 4, 6 and 8, four segments."""
    word = buffer("word", 9)

    class Awaiting(Mix):
        awaits = (Region(word, 6, 8),)

    whole, part = Region(word, 0, 4), Region(word, 2, 6)
    segments = Segments(
        [
            Mix(unit="u", label="op", inputs=(whole,)),
            Mix(unit="u", label="op", outputs=(part,)),
            Awaiting(unit="u", label="op"),
        ]
    )
    assert segments.count("word") == 4
    assert [segments.span(region) for region in (whole, part, Awaiting.awaits[0])] == [(0, 2), (1, 3), (3, 4)]
