"""Cycles among the edges that lengthened distances last, of graphs that are written by hand."""

from __future__ import annotations

import pytest

from archsim.critical.ratio import _closed


@pytest.mark.parametrize(
    ("last", "ends", "cycle"),
    [
        ([None, None], [(0, 1)], None),
        ([None, 0], [(0, 1)], None),
        ([0, None], [(0, 0)], [0]),
        ([None, 0], [(1, 1)], [0]),
        ([None, 1, 0], [(1, 2), (2, 1)], [0, 1]),
        ([None, 0, 1, 2], [(0, 1), (3, 2), (2, 3)], [2, 1]),
    ],
)
def test_a_cycle_is_found_wherever_it_stands(
    last: list[int | None], ends: list[tuple[int, int]], cycle: list[int] | None
) -> None:
    """`last` names for each node the edge that came last: 1 -> 1 alone is a cycle of the last node, too."""
    found = _closed(last, ends)
    if cycle is None or found is None:
        assert found == cycle
        return
    turns = [cycle[place:] + cycle[:place] for place in range(len(cycle))]
    assert found in turns
