"""Pareto fronts and hypervolumes; everything is to be minimized."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

BLOCK = 256
"""Points that are added to a front at once."""


class Front:
    """The points that no other dominates, kept up to date as points are added.

    A point dominates another if it is no worse in any objective and better in one; equal points stay side by side.
    """

    def __init__(self, objectives: int) -> None:
        self.values: Values = np.empty((0, objectives))
        self.members: list[int] = []

    def add(self, members: Sequence[int], values: Sequence[Sequence[float]] | Values) -> None:
        """Add points, a block of them at a time."""
        rows = np.array(values, np.float64).reshape(len(members), self.values.shape[1])
        for place in range(0, len(members), BLOCK):
            self._add(list(members[place : place + BLOCK]), rows[place : place + BLOCK])

    def _add(self, members: list[int], new: Values) -> None:
        """Add points that are few enough to be compared with each other.

        What one of them dominates leaves; nothing that left can be needed again, since domination is transitive.
        """
        of_new = ~dominated(new, self.values)
        of_new[of_new] = ~dominated(new[of_new], new[of_new])
        of_old = ~dominated(self.values, new[of_new])
        self.values = np.vstack([self.values[of_old], new[of_new]])
        old = [member for member, stays in zip(self.members, of_old.tolist(), strict=True) if stays]
        self.members = old + [member for member, stays in zip(members, of_new.tolist(), strict=True) if stays]

    def dominator(self, values: Sequence[float]) -> int | None:
        """A member that dominates a point of these values, or None."""
        # Not enough to be no worse everywhere: equal points stay side by side, so one must be better somewhere.
        found = np.asarray(values, np.float64)
        better = (self.values <= found).all(axis=1) & (self.values < found).any(axis=1)
        places = np.flatnonzero(better)
        return self.members[places[0]] if places.size else None


def dominated(values: Values, others: Values) -> Booleans:
    """Which of some points (N, M) one of others (K, M) dominates."""
    shape = len(values), len(others)
    no_worse, better = np.ones(shape, np.bool_), np.zeros(shape, np.bool_)
    for mine, theirs in zip(values.T, others.T, strict=True):
        no_worse &= theirs <= mine[:, None]
        better |= theirs < mine[:, None]
    found: Booleans = np.logical_or.reduce(no_worse & better, axis=1)
    return found


def hypervolume(values: Values, reference: Sequence[float]) -> float:
    """The volume that points (N, M) dominate up to a reference point; points beyond it count nothing.

    Exact, by slicing along the last objective (Zitzler's HSO, 1999): fine for fronts of hundreds of points in up to
    four objectives.
    """
    limit = np.asarray(reference, np.float64)
    inside = np.asarray(values, np.float64).reshape(-1, len(limit))
    return _volume(np.unique(inside[(inside < limit).all(axis=1)], axis=0), limit)


def _volume(points: Values, limit: Values) -> float:
    if not len(points):
        return 0.0
    if len(limit) == 1:
        return float(limit[0] - points[:, 0].min())
    if len(limit) == 2:
        # A sweep along the first axis: each point adds the strip below the lowest value so far, if it lies below it.
        ordered = points[np.lexsort((points[:, 1], points[:, 0]))]
        lowest = np.minimum.accumulate(ordered[:, 1])
        before = np.concatenate([[limit[1]], lowest[:-1]])
        return float(np.sum((limit[0] - ordered[:, 0]) * np.maximum(before - lowest, 0.0)))
    # Between two heights of the last axis the dominated section is that of all points at or below: one slice each.
    heights = np.unique(points[:, -1])
    tops = np.append(heights[1:], limit[-1])
    return sum(
        float(top - height) * _volume(points[points[:, -1] <= height][:, :-1], limit[:-1])
        for height, top in zip(heights, tops, strict=True)
    )
