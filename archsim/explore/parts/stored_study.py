"""Defines what a large exploration found: as a study, whose points are made when somebody looks at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from archsim.explore.parts.part_rows import STATUSES
from archsim.explore.parts.stored_parts import PartSequence, StoredPoints
from archsim.explore.results.study import Places, Point, ReasonCount, ReasonKind, Status, Study, spaced
from archsim.explore.search.front import Values


@dataclass(frozen=True, repr=False, kw_only=True)
class StoredStudy(Study):
    """A study whose points are in parts.

    `front_rows`: the rows of the front in `stored`; `where`: the files of all points.
    """

    stored: PartSequence = field(repr=False)
    front_rows: tuple[int, ...]
    where: str

    @property
    def every_figure(self) -> bool:
        return False

    @property
    def files_of_all(self) -> str:
        return self.where

    def count(self, status: Status) -> int:
        return int(np.count_nonzero(self.stored.statuses() == STATUSES.index(status)))

    def with_status(self, status: Status) -> Sequence[Point]:
        return StoredPoints(self.stored, self._rows(status))

    def values(self) -> Values:
        found: Values = self.stored.objectives()[self._rows(Status.EVALUATED)]
        return found

    def places(self, parameter: int) -> Places:
        return self.stored.places(parameter)[self._rows(Status.EVALUATED)]

    def asked_values(self) -> Values:
        return self.stored.objectives()

    def reasons(self) -> dict[ReasonKind, ReasonCount]:
        return self.stored.reasons()

    def others(self, most: int) -> Sequence[Point]:
        rows = self._rows(Status.EVALUATED)
        rows = rows[~np.isin(rows, list(self.stored.with_numbers([p.number for p in self.pareto()]).values()))]
        return self.stored.points([int(row) for row in spaced(rows.tolist(), most)])

    def extract(self, most: int) -> Sequence[Point]:
        rows = {*map(int, spaced(self.stored.by_number().tolist(), most)), *self.front_rows}
        return sorted(self.stored.points(sorted(rows)), key=lambda point: point.number)

    @cached_property
    def _front(self) -> tuple[Point, ...]:
        found = self.stored.points(self.front_rows)
        return tuple(sorted(found, key=lambda p: (*self.minimized(p.objectives or ()), p.number)))

    def _rows(self, status: Status) -> npt.NDArray[np.uint32]:
        """The rows of the points of a status, in the order of their numbers."""
        rows = self.stored.by_number()
        found: npt.NDArray[np.uint32] = rows[self.stored.statuses()[rows] == STATUSES.index(status)]
        return found
