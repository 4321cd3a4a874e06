"""Who looks on while an exploration runs; this one does not."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.explore.results.study import Point
from archsim.explore.space.space import Space


class Watcher:
    """Told of everything that counts."""

    def begin(self, budget: int, space: Space) -> None:
        """The exploration begins; `budget` points at most are looked at."""

    def counted(self, points: Sequence[Point], fresh: int) -> None:
        """Points that count now (with a journal: that are on disk); `fresh` designs of them were evaluated for it."""
