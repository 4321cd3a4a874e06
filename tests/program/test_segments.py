"""Entries that no op tells apart are one segment, and no others are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archsim.program.accesses import Accesses, Role
from archsim.program.ir import Region
from tests.laws.generic_ops import Mix, buffer
from tests.strategies import Case, cases


@given(cases(), st.data())
def test_regions_share_a_segment_exactly_if_they_share_an_entry(case: Case, data: st.DataObject) -> None:
    """A dependency between two regions is seen in their segments: too few of them would hide one, or invent one."""
    accesses = Accesses.of(case.program.phases[1].ops)
    firsts, stops, counts = accesses.segments
    rows = [row for row, role in enumerate(accesses.role.tolist()) if role in (Role.READ, Role.WRITE)]
    row = data.draw(st.sampled_from(rows))
    one, first, stop = accesses.region(row), firsts[row], stops[row]
    for place in rows:
        other, begin, end = accesses.region(place), firsts[place], stops[place]
        if other.buffer.name == one.buffer.name:
            assert 0 <= first < stop <= counts[accesses.name[row]]
            assert (first < end and begin < stop) == (one.start < other.stop and other.start < one.stop)
            assert ((first, stop) == (begin, end)) == ((one.start, one.stop) == (other.start, other.stop))


def test_segments_lie_between_ends_of_regions() -> None:
    """Regions 0 to 4 and 2 to 6, and 6 to 8 that an op awaits: ends 0, 2, 4, 6 and 8, four segments."""
    word = buffer("word", 9)

    class Awaiting(Mix):
        awaits = (Region(word, 6, 8),)

    whole, part = Region(word, 0, 4), Region(word, 2, 6)
    accesses = Accesses.of(
        [
            Mix(unit="u", label="op", inputs=(whole,)),
            Mix(unit="u", label="op", outputs=(part,)),
            Awaiting(unit="u", label="op"),
        ]
    )
    firsts, stops, counts = (column.tolist() for column in accesses.segments)
    assert counts == [4]
    assert list(zip(firsts, stops, strict=True)) == [(0, 2), (1, 3), (3, 4)]
    assert [ends.tolist() for ends in accesses.ends] == [[0, 2, 4, 6, 8]]
