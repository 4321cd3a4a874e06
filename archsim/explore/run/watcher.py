"""Defines who looks on while an exploration runs; the one here does nothing."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.explore.results.study import Point
from archsim.explore.search.front import Values
from archsim.explore.space.space import Space


class Watcher:
    """Told of every point of an exploration that counts."""

    def begin(self, budget: int, space: Space) -> None:
        """Told that the exploration begins; at most `budget` points are looked at."""

    def counted(self, points: Sequence[Point], fresh: int) -> None:
        """Told of points that count now (with a journal: that are on disk).

        `fresh` designs of them were evaluated for it.
        """

    def restored(self, points: int, objectives: Values) -> None:
        """Told of points that were on disk, and of the objectives (N, M) of those of them that have some."""

    def reported(self, points: int, fresh: int, objectives: Values) -> None:
        """Told of points that a worker has written, `fresh` designs of them evaluated for it.

        `objectives` (K, M): those of the points that no other of them dominates.
        """
