"""Which matrices stay on chip, by halves: the order in which they are taken is spread evenly."""

from __future__ import annotations

import pytest

from archsim.families.gemv.matrices.residency import _spread


@pytest.mark.parametrize(
    ("count", "order"),
    [(1, [0]), (2, [0, 1]), (4, [0, 2, 1, 3]), (6, [0, 4, 2, 1, 5, 3]), (8, [0, 4, 2, 6, 1, 5, 3, 7])],
)
def test_every_beginning_of_the_order_is_spread_over_all(count: int, order: list[int]) -> None:
    assert _spread(count) == order
