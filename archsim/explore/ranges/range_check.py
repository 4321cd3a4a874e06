"""Evaluates a few of the designs again that an exploration in ranges took from the disk, as kept_points says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from archsim.errors import OutputError
from archsim.explore.results.study import Point
from archsim.explore.run.backend import InProcess
from archsim.explore.run.evaluation import Setup
from archsim.explore.run.kept_points import FIRST, LAST, SHARE, check_kept, of_front, telling
from archsim.explore.search.front import Front
from archsim.explore.search.point_classifier import PointClassifier
from archsim.explore.space.space import Space

Points = Callable[[Sequence[int]], Sequence[Point]]
"""Gives the points of some numbers."""


class RangeCheck:
    """What is checked of one folder: of the first points that were there, and of the finished front."""

    def __init__(self, space: Space, setup: Setup, folder: Path) -> None:
        self._space, self._setup, self._folder = space, setup, folder
        self._resumes = False

    def first(self, numbers: Sequence[int], with_figures: Sequence[int], points: Points, evaluated: int) -> None:
        """Points whose designs were on the disk; those that come first are looked at. OutputError as `check_kept`."""
        if numbers and not self._resumes:
            self._resumes = True
            self._check(points(telling(numbers, with_figures, _share(FIRST, evaluated))))

    def last(self, front: Front, points: Points, evaluated: int) -> None:
        """The finished front, of an exploration that went on from what was there."""
        if self._resumes:
            self._check(points(of_front(front, _share(LAST, evaluated))))

    def _check(self, points: Sequence[Point]) -> None:
        try:
            with InProcess(self._setup) as backend:
                check_kept(self._space, backend, PointClassifier(self._space), points)
        except OutputError as error:
            raise OutputError(f"{self._folder}: {error}") from error


def _share(most: int, evaluated: int) -> int:
    return min(most, max(1, evaluated // SHARE))
