"""Defines what an exploration found: its points, their objectives and outputs."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from archsim.explore.run.outcome import Outputs
from archsim.explore.search.front import Front, Values, hypervolume
from archsim.explore.space.design import Reason
from archsim.explore.space.expression import Scalar
from archsim.explore.space.parameters import SCHEDULE
from archsim.explore.space.space import Space

Item = TypeVar("Item")
Places = npt.NDArray[np.int64]


class Status(StrEnum):
    """What became of a point."""

    EVALUATED = "evaluated"
    INFEASIBLE = "infeasible"
    PRUNED = "pruned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Point:
    """A point that was looked at.

    `objectives` in the space's order, of an evaluated point alone; `outputs`: workload -> figure -> value; `reason`:
    why it is not evaluated.
    """

    number: int
    inputs: Mapping[str, Scalar]
    schedule: str
    status: Status
    objectives: tuple[float, ...] | None = None
    outputs: Mapping[str, Outputs] | None = None
    executor: str = ""
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """A kind of reason: how many points have it, the first of them with its reason, whether all say the same."""

    count: int
    number: int
    reason: Reason
    same: bool


ReasonKind = tuple[Status, str, str]


def count_reasons(points: Iterable[tuple[int, Status, Reason | None]]) -> dict[ReasonKind, ReasonCount]:
    """The reasons of points, by status, kind, and text up to the first colon; the first is that of least number."""
    found: dict[ReasonKind, ReasonCount] = {}
    for number, status, reason in points:
        if reason is None:
            continue
        key = status, reason.kind, reason.what.partition(":")[0]
        known = found.get(key)
        if known is None:
            found[key] = ReasonCount(1, number, reason, True)
            continue
        first, of_first = min((known.number, known.reason), (number, reason), key=lambda pair: pair[0])
        found[key] = ReasonCount(known.count + 1, first, of_first, known.same and reason.what == known.reason.what)
    return found


@dataclass(frozen=True, repr=False)
class Study:
    """The points of a space that were looked at, in the order of their numbers.

    `asked`: places in `points` in the order in which the sampler asked for them; `simulated`: designs that were
    evaluated now, not taken from a journal; `seconds`: how long it took; `dropped`: torn lines of the journal, whose
    points were repeated; `alone`: why designs were evaluated one by one instead of in a batch -> how many of
    `simulated`; `dropped_parts`: files of parts that were damaged, whose points were repeated.
    """

    space: Space
    points: Sequence[Point]
    simulated: int
    seconds: float
    asked: tuple[int, ...] = ()
    dropped: int = 0
    alone: Mapping[str, int] = field(default_factory=dict)
    dropped_parts: int = 0

    def __repr__(self) -> str:
        """One line: of what space, and how many designs were looked at."""
        return f"<study of {self.space.name}: {len(self.points):,} designs, {len(self.pareto()):,} on the front>"

    @property
    def every_figure(self) -> bool:
        """Whether points have every figure of their run, not only those that objectives and constraints name."""
        return True

    @property
    def files_of_all(self) -> str:
        """The files that have all points, as notes name them."""
        return "points.csv"

    def count(self, status: Status) -> int:
        """How many points have that status."""
        return sum(point.status is status for point in self.points)

    def with_status(self, status: Status) -> Sequence[Point]:
        """All points that have that status."""
        return [point for point in self.points if point.status is status]

    def values(self) -> Values:
        """The objectives (N, M) of all evaluated points."""
        return self._values_of([point.objectives for point in self.with_status(Status.EVALUATED)])

    def places(self, parameter: int) -> Places:
        """Which value of a parameter each evaluated point has, in the order of `values`; equal ones are equal."""
        path = self.space.parameters[parameter].path
        labels = [point.inputs[path] for point in self.with_status(Status.EVALUATED)]
        found = {label: place for place, label in enumerate(dict.fromkeys(labels))}
        return np.array([found[label] for label in labels], np.int64)

    def asked_values(self) -> Values:
        """The objectives (N, M) of all points, in the order in which they were asked for; nan where there are none."""
        none = (math.nan,) * len(self.space.objectives)
        return self._values_of([self.points[place].objectives or none for place in self.asked])

    def reasons(self) -> dict[ReasonKind, ReasonCount]:
        """The reasons why points have no figures, by status, kind, and text up to the first colon."""
        return count_reasons((point.number, point.status, point.reason) for point in self.points)

    def others(self, most: int) -> Sequence[Point]:
        """At most so many evaluated points that are not on the front, evenly spaced."""
        members = {point.number for point in self.pareto()}
        return spaced([point for point in self.with_status(Status.EVALUATED) if point.number not in members], most)

    def extract(self, most: int) -> Sequence[Point]:
        """The front and at most so many other points, evenly spaced; here all points."""
        del most
        return self.points

    def _values_of(self, rows: Sequence[Sequence[float] | None]) -> Values:
        return np.array(rows, np.float64).reshape(len(rows), len(self.space.objectives))

    @cached_property
    def _front(self) -> tuple[Point, ...]:
        front = Front(len(self.space.objectives))
        values = {
            p: self.minimized(o) for p, o in enumerate(point.objectives for point in self.points) if o is not None
        }
        front.add(list(values), list(values.values()))
        found = [self.points[member] for member in front.members]
        return tuple(sorted(found, key=lambda p: (*self.minimized(p.objectives or ()), p.number)))

    @cached_property
    def _groups(self) -> tuple[tuple[Point, ...], ...]:
        """The points of the front, those together that differ in nothing but the schedule."""
        groups: dict[Hashable, list[Point]] = {}
        for point in self._front:
            inputs = tuple((path, value) for path, value in point.inputs.items() if path != SCHEDULE)
            groups.setdefault((point.objectives, inputs), []).append(point)
        return tuple(map(tuple, groups.values()))

    def pareto(self) -> tuple[Point, ...]:
        """The points that no other dominates, the best in the first objective first.

        Of those that differ in nothing but the schedule, neither in an objective nor in another input, it is the one of
        least number; `same_as` has the others.
        """
        return tuple(first for first, *_ in self._groups)

    def same_as(self) -> Mapping[int, tuple[Point, ...]]:
        """The points that come to the same as one of the front by another schedule, by that one's number."""
        return {first.number: tuple(others) for first, *others in self._groups if others}

    def minimized(self, objectives: Sequence[float]) -> tuple[float, ...]:
        """The objectives of a point, the sign turned where one is to be maximized."""
        return tuple(o.sign * value for o, value in zip(self.space.objectives, objectives, strict=True))

    def front_values(self) -> Values:
        """The objectives of the front's points, (N, M), all to be minimized."""
        rows = [self.minimized(point.objectives or ()) for point in self.pareto()]
        return np.array(rows, np.float64).reshape(len(rows), len(self.space.objectives))

    def hypervolume(self, reference: Sequence[float]) -> float:
        """The volume that the front dominates up to a reference point (in the objectives' own direction)."""
        return hypervolume(self.front_values(), self.minimized(reference))

    @property
    def designs_per_second(self) -> float:
        """How many designs were evaluated now, in designs a second."""
        return self.simulated / self.seconds if self.seconds > 0 else 0.0


def spaced(items: Sequence[Item], most: int) -> Sequence[Item]:
    """At most so many of some things, evenly spaced, the first and the last among them; of one it is the first."""
    if len(items) <= most:
        return items
    return [items[place * (len(items) - 1) // max(1, most - 1)] for place in range(most)]
