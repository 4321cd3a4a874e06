"""Defines what an exploration found: its points, their objectives and outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np

from archsim.explore.run.outcome import Outputs
from archsim.explore.search.front import Front, Values, hypervolume
from archsim.explore.space.design import Reason
from archsim.explore.space.expression import Scalar
from archsim.explore.space.space import Space


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


@dataclass(frozen=True, repr=False)
class Study:
    """The points of a space that were looked at, in the order of their numbers.

    `asked`: places in `points` in the order in which the sampler asked for them; `simulated`: designs that were
    evaluated now, not taken from a journal; `seconds`: how long it took; `dropped`: torn lines of the journal, whose
    points were repeated; `alone`: why designs were evaluated one by one instead of in a batch -> how many of
    `simulated`.
    """

    space: Space
    points: tuple[Point, ...]
    simulated: int
    seconds: float
    asked: tuple[int, ...] = ()
    dropped: int = 0
    alone: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        """One line: of what space, and how many designs were looked at."""
        return f"<study of {self.space.name}: {len(self.points):,} designs, {len(self.pareto()):,} on the front>"

    def with_status(self, status: Status) -> list[Point]:
        """All points that have that status."""
        return [point for point in self.points if point.status is status]

    @cached_property
    def _front(self) -> tuple[Point, ...]:
        front = Front(len(self.space.objectives))
        values = {
            p: self.minimized(o) for p, o in enumerate(point.objectives for point in self.points) if o is not None
        }
        front.add(list(values), list(values.values()))
        found = [self.points[member] for member in front.members]
        return tuple(sorted(found, key=lambda p: (*self.minimized(p.objectives or ()), p.number)))

    def pareto(self) -> tuple[Point, ...]:
        """The points that no other dominates, the best in the first objective first."""
        return self._front

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
