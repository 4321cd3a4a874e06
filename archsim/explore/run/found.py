"""Keeps what an exploration has found so far: what it has looked at, in which order, and what became of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from archsim.explore.results.study import Point, Status, Study
from archsim.explore.run.journal import Journal
from archsim.explore.run.outcome import Outcome
from archsim.explore.search.front import Front, Values
from archsim.explore.search.point_classifier import violation
from archsim.explore.search.samplers import Told
from archsim.explore.space.space import Space


@dataclass(frozen=True, slots=True)
class Effort:
    """What an exploration took, as Study has it."""

    simulated: int
    seconds: float
    dropped: int
    alone: Mapping[str, int]


class Found(ABC):
    """The points that were looked at, and in `known` the outcomes of designs by their keys."""

    def __init__(self, journal: Journal | None) -> None:
        self.journal = journal
        self.known: dict[str, Outcome] = {} if journal is None else dict(journal.known)

    @property
    def evaluated(self) -> int:
        """How many designs are on disk."""
        return len(self.known)

    @abstractmethod
    def __len__(self) -> int:
        """How many there are."""

    @abstractmethod
    def fresh(self, numbers: Sequence[int]) -> list[int]:
        """The numbers of points that were not looked at yet, out of the given ones, each once."""

    @abstractmethod
    def count(self, points: Iterable[Point], key: str | None) -> None:
        """Take points; `key`: that of the design that was evaluated for them."""

    @abstractmethod
    def points(self, numbers: Sequence[int]) -> list[Point]:
        """Some of the points that were looked at, in that order."""

    @abstractmethod
    def told(self, number: int) -> Told:
        """What the sampler learns of a point that was looked at."""

    @abstractmethod
    def end_round(self, numbers: Sequence[int], whole: bool, front: Front) -> None:
        """The points of a round are all there: put them onto the front. `whole`: the budget did not cut it off."""

    @abstractmethod
    def study(self, front: Front, effort: Effort) -> Study:
        """What was found."""

    def restore(self, numbers: Sequence[int], front: Front) -> Values | None:
        """Take the points of a round from the disk and onto the front; the objectives of those that have some.

        None if they are not there.
        """
        del numbers, front
        return None

    def outcomes(self, keys: Sequence[str]) -> dict[str, Outcome]:
        """The outcomes of designs that were evaluated before, as far as they are known."""
        return {key: self.known[key] for key in keys if key in self.known}

    def learn(self, outcomes: Sequence[Outcome]) -> None:
        """Take outcomes, and put them on the disk first."""
        if self.journal is not None:
            self.journal.append(outcomes)
        self.known.update((outcome.key, outcome) for outcome in outcomes)


class FoundInMemory(Found):
    """Keeps points as they are, with every figure."""

    def __init__(self, space: Space, journal: Journal | None) -> None:
        super().__init__(journal)
        self._space = space
        self._points: dict[int, Point] = {}
        self._order: list[int] = []

    def __len__(self) -> int:
        return len(self._points)

    def fresh(self, numbers: Sequence[int]) -> list[int]:
        return list(dict.fromkeys(number for number in numbers if number not in self._points))

    def count(self, points: Iterable[Point], key: str | None) -> None:
        del key
        self._points.update((point.number, point) for point in points)

    def points(self, numbers: Sequence[int]) -> list[Point]:
        return [self._points[number] for number in numbers]

    def told(self, number: int) -> Told:
        return told_of(self._space, self._points[number])

    def end_round(self, numbers: Sequence[int], whole: bool, front: Front) -> None:
        self._order += numbers
        add_points(front, self._space, [self._points[number] for number in numbers])

    def study(self, front: Front, effort: Effort) -> Study:
        ordered = tuple(self._points[number] for number in sorted(self._points))
        places = {point.number: place for place, point in enumerate(ordered)}
        asked = tuple(places[number] for number in self._order)
        return Study(self._space, ordered, effort.simulated, effort.seconds, asked, effort.dropped, effort.alone)


def told_of(space: Space, point: Point) -> Told:
    """What a sampler learns of a point."""
    values = _minimized(space, point) if point.status is Status.EVALUATED else None
    return Told(point.number, values, violation(point))


def add_points(front: Front, space: Space, points: Sequence[Point]) -> None:
    """Put points onto a front."""
    having = [point for point in points if point.objectives is not None]
    front.add([point.number for point in having], [_minimized(space, point) for point in having])


def _minimized(space: Space, point: Point) -> tuple[float, ...]:
    values = point.objectives or ()
    return tuple(o.sign * value for o, value in zip(space.objectives, values, strict=True))
