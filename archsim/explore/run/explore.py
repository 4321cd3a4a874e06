"""Looks at the points of a space, round by round."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from archsim.errors import Interrupted, OutputError
from archsim.explore.results.study import Point, Status, Study
from archsim.explore.results.study_folder import open_journal
from archsim.explore.run.backend import Backend, InProcess, Lost
from archsim.explore.run.cluster import DaskCluster
from archsim.explore.run.evaluation import Setup, Task
from archsim.explore.run.journal import Journal
from archsim.explore.run.local import LocalProcesses, available_cores
from archsim.explore.run.outcome import Outcome
from archsim.explore.run.watcher import Watcher
from archsim.explore.search.front import Front
from archsim.explore.search.point_classifier import PointClassifier, violation
from archsim.explore.search.samplers import Sampler, Told, make_sampler
from archsim.explore.space.design import Design
from archsim.explore.space.space import Space

PATIENCE = 20
"""Rounds without a new point after which a sampler has nothing more to say."""


def explore(
    space: Space | str | Path,
    *,
    out: Path | str | None = None,
    resume: bool = False,
    workers: int | None = None,
    dask: str | None = None,
    executor: str = "auto",
    prune: bool | None = None,
    watcher: Watcher | None = None,
) -> Study:
    """Look at the points that the space's sampler chooses, up to its budget.

    `space`: its name or path, or what Space.load returns.

    `out`: folder of the journal, without which an interrupted exploration is lost; `resume`: go on from the journal
    that is there. `workers`: local processes, by default one a core (1 is this process itself); `dask`: address of a
    scheduler to use instead. `executor`: "auto", "fast" or "machine". `prune`: skip designs whose bounds are dominated
    (by default what the space says). Results do not depend on where and in which order designs are evaluated.

    Raises OutputError if the journal cannot be written (what was finished before is kept), Interrupted on Ctrl-C.
    """
    space = space if isinstance(space, Space) else Space.load(str(space))
    setup = Setup.from_space(space, executor)
    with ExitStack() as stack:
        journal = None if out is None else stack.enter_context(open_journal(Path(out), space, resume))
        backend = stack.enter_context(_backend(setup, workers, dask))
        pruning = (space.config.prune if prune is None else prune) and not space.config.sampler_learns
        search = _Search(space, make_sampler(space, pruning), backend, journal, pruning, watcher or Watcher())
        try:
            return search.run()
        except Lost as lost:
            if journal is None:
                raise
            raise OutputError(f"{lost}; {_kept(journal, out)}") from lost
        except KeyboardInterrupt:
            if journal is None:
                raise
            raise Interrupted(f"stopped; {_kept(journal, out)}") from None


def _kept(journal: Journal, out: Path | str | None) -> str:
    return f"{len(journal.known):,} finished designs are on disk in {out}, and --resume goes on from them"


def _backend(setup: Setup, workers: int | None, dask: str | None) -> Backend:
    if dask is not None:
        return DaskCluster(setup, dask)
    count = available_cores() if workers is None else workers
    return InProcess(setup) if count == 1 else LocalProcesses(setup, count)


@dataclass(slots=True)
class _Search:
    """One exploration under way."""

    space: Space
    sampler: Sampler
    backend: Backend
    journal: Journal | None
    pruning: bool
    watcher: Watcher
    points: dict[int, Point] = field(default_factory=dict)
    known: dict[str, Outcome] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    simulated: int = 0
    alone: Counter[str] = field(default_factory=Counter)

    def run(self) -> Study:
        """Run all rounds."""
        begun = time.perf_counter()
        budget = min(self.space.config.budget or self.space.size, self.space.size)
        front = Front(len(self.space.objectives))
        classifier = PointClassifier(self.space)
        self.watcher.begin(budget, self.space)
        if self.journal is not None:
            self.known.update(self.journal.known)
        idle_rounds = 0
        while len(self.points) < budget and idle_rounds < PATIENCE:
            asked = self.sampler.ask()
            new = list(dict.fromkeys(number for number in asked if number not in self.points))
            whole = len(new) <= budget - len(self.points)
            self._round(new[: budget - len(self.points)], classifier, front)
            idle_rounds = 0 if new else idle_rounds + 1
            if not asked or not whole:
                break
            self.sampler.tell([self._told(self.points[number]) for number in asked])
        seconds = time.perf_counter() - begun
        ordered = tuple(self.points[number] for number in sorted(self.points))
        dropped = 0 if self.journal is None else self.journal.dropped
        places = {point.number: place for place, point in enumerate(ordered)}
        asked_order = tuple(places[number] for number in self.order)
        return Study(
            self.space, ordered, self.simulated, seconds, asked_order, dropped, dict(sorted(self.alone.items()))
        )

    def _round(self, numbers: Sequence[int], classifier: PointClassifier, front: Front) -> None:
        """Classify some points, and evaluate those that need it.

        The front that prunes is that of the rounds before, whatever is finished first.
        """
        self.order += numbers
        designs: list[Design] = []
        found = self.space.resolve(numbers)
        best = classifier.best_possible(found) if self.pruning and front.members else {}
        for design in found.designs:
            point = classifier.before(design)
            if point is None and design.number in best:
                by = front.dominator(best[design.number])
                point = None if by is None else classifier.pruned(design, by)
            if point is None:
                designs.append(design)
            else:
                self._count([point])
        by_key: dict[str, list[Design]] = {}
        for design in designs:
            by_key.setdefault(design.key, []).append(design)
        for key in [key for key in by_key if key in self.known]:
            self._count([classifier.after(design, self.known[key]) for design in by_key.pop(key)])
        tasks = [Task(key, same[0].number, same[0].schedule) for key, same in by_key.items()]
        for outcomes in self.backend.run(tasks):
            if self.journal is not None:
                self.journal.append(outcomes)
            self.known.update((outcome.key, outcome) for outcome in outcomes)
            self.simulated += len(outcomes)
            self.alone.update(outcome.alone for outcome in outcomes if outcome.alone)
            for outcome in outcomes:
                self._count([classifier.after(design, outcome) for design in by_key[outcome.key]], fresh=1)
        evaluated = [number for number in numbers if self.points[number].objectives is not None]
        front.add(evaluated, [self._minimized(self.points[number]) for number in evaluated])

    def _count(self, points: Iterable[Point], fresh: int = 0) -> None:
        points = list(points)
        self.points.update((point.number, point) for point in points)
        self.watcher.counted(points, fresh)

    def _minimized(self, point: Point) -> tuple[float, ...]:
        values = point.objectives or ()
        return tuple(o.sign * value for o, value in zip(self.space.objectives, values, strict=True))

    def _told(self, point: Point) -> Told:
        values = self._minimized(point) if point.status is Status.EVALUATED else None
        return Told(point.number, values, violation(point))
