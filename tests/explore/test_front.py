"""Fronts, volumes and importance by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from archsim.explore import Space
from archsim.explore.search.front import BLOCK, Front, dominated, hypervolume
from archsim.explore.search.importance import importance
from tests.explore.conftest import Write
from tests.explore.test_pages_and_figures import study_of


def test_equal_points_do_not_dominate_each_other() -> None:
    """(2, 5) is dominated by (2, 4), no worse and better in one; not by itself, nor by (1, 6)."""
    points = np.array([[2, 5], [2, 4], [1, 6], [3, 3]], np.float64)
    assert dominated(points, points).tolist() == [True, False, False, False]
    assert dominated(points, points[[0, 2]]).tolist() == [False, False, False, False]


def test_who_dominates_a_point() -> None:
    front = Front(2)
    front.add([7, 8, 9], [(2, 4), (1, 6), (4, 2)])
    assert front.dominator((2, 5)) == 7
    assert front.dominator((5, 6)) == 7, "the first of all three"
    assert front.dominator((4, 3)) == 9
    assert front.dominator((2, 4)) is None
    assert front.dominator((0, 9)) is None


def test_more_points_than_are_compared_at_once() -> None:
    """Each is better than the one before it; the last one, of another block, is the front."""
    front = Front(1)
    front.add(range(BLOCK + 2), [(float(BLOCK - n),) for n in range(BLOCK + 2)])
    assert front.members == [BLOCK + 1]
    assert front.values.tolist() == [[-1.0]]


@pytest.mark.parametrize(
    ("values", "reference", "volume"),
    [
        ([(3,), (5,)], (10,), 7),
        ([(10,)], (10,), 0),
        ([(12,)], (10,), 0),
        # A strip of 8 x 6 below 12, and below that one of 4 x 3: (2, 6) and (6, 3); (7, 5) adds nothing.
        ([(2, 6), (6, 3), (7, 5)], (10, 12), 8 * 6 + 4 * 3),
        ([(2, 6), (2, 3)], (10, 10), 8 * 7),
        ([(2, 6), (11, 0)], (10, 10), 8 * 4),
        # From height 1 to 4 (5, 5) alone, 5 x 6 up to (10, 11); from 4 to 12 that and (2, 8) beside it: 3 x 3 more.
        ([(5, 5, 1), (2, 8, 4)], (10, 11, 12), 3 * 30 + 8 * (30 + 9)),
        ([], (10, 10), 0),
    ],
)
def test_volumes(values: Sequence[tuple[float, ...]], reference: tuple[float, ...], volume: float) -> None:
    assert hypervolume(np.array(values, np.float64), reference) == pytest.approx(volume)


@pytest.mark.parametrize(
    ("values", "share"),
    [
        # Means of the four rows' values 1, 3, 5, 7 about 4: between 2 x (9 + 1 + 1 + 9) = 40 of 48; within 8 of 8 - 4.
        ([0, 2, 4, 6, 2, 4, 6, 8], (40 - 3 * 2) / 48),
        # The same in hundredths.
        ([0, 0.02, 0.04, 0.06, 0.02, 0.04, 0.06, 0.08], (40 - 3 * 2) / 48),
        # The same as powers: above 0 it is logarithms that count.
        ([1, 4, 16, 64, 4, 16, 64, 256], (40 - 3 * 2) / 48),
        # Nothing between, and chance alone would give more: 0, not below.
        ([0, 1, 0, 1, 1, 0, 1, 0], 0),
        # All between: one.
        ([0, 1, 2, 3, 0, 1, 2, 3], 1),
        # As many values as points, or none that differ: nothing can be said.
        ([0, 1, 2, 3], 0),
        ([5, 5, 5, 5, 5, 5, 5, 5], 0),
    ],
)
def test_importance(write: Write, values: list[float], share: float) -> None:
    study = study_of(Space.load(write()), [(1.0, value) for value in values])
    found = importance(study, 1)
    assert found["mac_array.rows"] == pytest.approx(share)
    assert found["mac_array.columns"] == 0, "all have one"


def test_one_point_more_than_values_says_something(write: Write) -> None:
    """Of the first row two points, 0 and 0.5, of the others one each: mean 1.3, within 0.125 of 5 - 4 = 1."""
    values = (0, 1, 2, 3, 0.5)
    study = study_of(Space.load(write()), [(1.0, value) for value in values])
    total = 1.3**2 + 0.3**2 + 0.7**2 + 1.7**2 + 0.8**2
    assert importance(study, 1)["mac_array.rows"] == pytest.approx((total - 0.125 - 3 * 0.125) / total)
