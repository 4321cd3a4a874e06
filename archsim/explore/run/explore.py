"""Looks at the points of a space, round by round."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from archsim.config.collecting import seldom
from archsim.errors import Interrupted, OutputError
from archsim.explore.parts.part_file import PartFiles
from archsim.explore.parts.part_folder import PartFolder
from archsim.explore.parts.part_plan import PATIENCE, part_plans
from archsim.explore.parts.part_store import FoundInParts
from archsim.explore.parts.piece_folder import PieceFolder
from archsim.explore.parts.stores import address_of_parts, check_address
from archsim.explore.ranges.piece_job import PieceSetup
from archsim.explore.ranges.pieces import LocalPieces, PieceBackend, PiecesHere
from archsim.explore.ranges.range_check import RangeCheck
from archsim.explore.ranges.range_search import RangeSearch
from archsim.explore.results.study import Point, Study
from archsim.explore.results.study_folder import open_journal
from archsim.explore.run.backend import Backend, InProcess, Lost
from archsim.explore.run.broken_pipes import broken_pipes_are_errors
from archsim.explore.run.declared import Declared, settings_digest
from archsim.explore.run.evaluation import Setup, Task
from archsim.explore.run.found import Effort, Found, FoundInMemory
from archsim.explore.run.kept_points import FIRST, LAST, SHARE, check_kept, of_front, telling
from archsim.explore.run.local import LocalProcesses
from archsim.explore.run.local_process import LocalProcess, available_cores
from archsim.explore.run.show import keep_setup
from archsim.explore.run.watcher import Watcher
from archsim.explore.search.front import Front
from archsim.explore.search.point_classifier import PointClassifier
from archsim.explore.search.samplers import Sampler, make_sampler
from archsim.explore.space.design import Design
from archsim.explore.space.space import Space

PART_POINTS = 1 << 15
"""An exploration of more points keeps of each what is declared, in parts that end with the round that fills them."""


def explore(
    space: Space | str | Path,
    *,
    out: Path | str | None = None,
    resume: bool = False,
    workers: int | None = None,
    dask: str | None = None,
    executor: str = "auto",
    prune: bool | None = None,
    parts: str | None = None,
    watcher: Watcher | None = None,
    early: LocalProcess | None = None,
) -> Study:
    """Look at the points that the space's sampler chooses, up to its budget.

    `space`: its name or path, or what Space.load returns.

    `out`: folder of the journal, without which an interrupted exploration is lost; `resume`: go on from the journal
    that is there. `workers`: local processes, by default one a core (1 is this process itself); `dask`: address of a
    scheduler to use instead. `executor`: "auto", "fast" or "machine". `prune`: skip designs whose bounds are dominated
    (by default what the space says). `parts`: an address of a shared file system or an object store, such as
    s3://bucket/folder, below which there is a folder of parts then. `early`: a local process that `early_process` has
    started. Results do not depend on where and in which order
    designs are evaluated. Of more than PART_POINTS points the study makes each when somebody looks at it, with the
    figures alone that objectives and constraints name.

    Raises OutputError if the journal cannot be written (what was finished before is kept), Interrupted on Ctrl-C.
    """
    space = space if isinstance(space, Space) else Space.load(str(space))
    folder = None if out is None else Path(out)
    pruning = (space.config.prune if prune is None else prune) and not space.config.sampler_learns
    if parts is not None and (folder is None or looked_at(space) <= PART_POINTS):
        raise OutputError(f"--parts {parts}: only more than {PART_POINTS:,} points, with a folder, are kept in parts")
    if parts is not None:
        check_address(parts)
    files = PartFiles(space, Declared.of(space)) if looked_at(space) > PART_POINTS else None
    setup = Setup.from_space(space, executor, None if files is None else files.declared)
    with ExitStack() as stack:
        stack.enter_context(seldom())
        settings = None if files is None else settings_digest(space, pruning)
        journal = None if folder is None else stack.enter_context(open_journal(folder, space, resume, settings))
        address = None
        if folder is not None:
            keep_setup(folder, space, executor)
            address = None if files is None else address_of_parts(folder, parts)
        stack.enter_context(broken_pipes_are_errors())
        watcher = watcher or Watcher()
        search: Search | RangeSearch
        if files is not None and settings is not None and folder is not None and in_ranges(space, pruning):
            assert journal is not None  # there is a folder
            assert address is not None
            pieces = PieceFolder(folder, settings, address)
            token = "" if dask is None else pieces.leave_token()
            backend = stack.enter_context(
                _pieces(PieceSetup.of(space, setup, pieces.address, token), workers, dask, early)
            )
            plans = part_plans(make_sampler(space, pruning), space.size, looked_at(space), PART_POINTS)
            folders = PartFolder(folder, settings, address), pieces
            check = RangeCheck(space, setup, folder)
            search = RangeSearch(space, plans, looked_at(space), backend, files, *folders, journal, check, watcher)
        else:
            designs = stack.enter_context(_backend(setup, workers, dask, early))
            found: Found = FoundInMemory(space, journal)
            if files is not None and settings is not None:
                found = FoundInParts(space, files, PartFolder(folder, settings, address), journal, PART_POINTS)
            search = Search(space, make_sampler(space, pruning), designs, found, pruning, watcher)
        try:
            return search.run()
        except Lost as lost:
            if journal is None:
                raise
            raise OutputError(f"{lost}; {_kept(search, out)}") from lost
        except KeyboardInterrupt:
            if journal is None:
                raise
            raise Interrupted(f"stopped; {_kept(search, out)}") from None


def _kept(search: Search | RangeSearch, out: Path | str | None) -> str:
    return f"{search.evaluated:,} finished designs are on disk in {out}, and --resume goes on from them"


def in_ranges(space: Space, pruning: bool) -> bool:
    """Whether workers write parts: which points are looked at is known in advance, as nothing follows from results."""
    return not pruning and not space.config.sampler_learns


def looked_at(space: Space) -> int:
    """How many points of a space are looked at, at most."""
    return min(space.config.budget or space.size, space.size)


def _backend(setup: Setup, workers: int | None, dask: str | None, early: LocalProcess | None) -> Backend:
    if dask is not None:
        from archsim.explore.run.cluster import DaskCluster  # asyncio takes a tenth of a second to load

        return DaskCluster(setup, dask)
    count = available_cores() if workers is None else workers
    return InProcess(setup) if count == 1 else LocalProcesses(setup, count, early)


def _pieces(setup: PieceSetup, workers: int | None, dask: str | None, early: LocalProcess | None) -> PieceBackend:
    if dask is not None:
        from archsim.explore.ranges.cluster_pieces import DaskPieces

        return DaskPieces(setup, dask)
    count = available_cores() if workers is None else workers
    return PiecesHere(setup) if count == 1 else LocalPieces(setup, count, early)


@dataclass(slots=True)
class Search:
    """One exploration under way."""

    space: Space
    sampler: Sampler
    backend: Backend
    found: Found
    pruning: bool
    watcher: Watcher
    simulated: int = 0
    alone: Counter[str] = field(default_factory=Counter)

    @property
    def evaluated(self) -> int:
        """How many finished designs are on disk."""
        return self.found.evaluated

    def run(self) -> Study:
        """Run all rounds."""
        begun = time.perf_counter()
        budget = looked_at(self.space)
        front = Front(len(self.space.objectives))
        classifier = PointClassifier(self.space)
        self.watcher.begin(budget, self.space)
        idle_rounds, resumes, checked = 0, bool(self.found.known), False
        while len(self.found) < budget and idle_rounds < PATIENCE:
            asked = self.sampler.ask()
            new = self.found.fresh(asked)
            whole = len(new) <= budget - len(self.found)
            numbers = new[: budget - len(self.found)]
            restored = self.found.restore(numbers, front)
            if restored is None:
                kept, with_figures = self._round(numbers, classifier, front)
                self.found.end_round(numbers, whole, front)
            else:
                kept, with_figures, resumes = numbers, numbers, True
                self.watcher.restored(len(numbers), restored)
            if resumes and kept and not checked:
                checked = True
                self._check(telling(kept, with_figures, self._share(FIRST)), classifier)
            idle_rounds = 0 if new else idle_rounds + 1
            if not asked or not whole:
                break
            if self.space.config.sampler_learns:
                self.sampler.tell([self.found.told(number) for number in asked])
        if resumes:
            self._check(of_front(front, self._share(LAST)), classifier)
        seconds = time.perf_counter() - begun
        dropped = 0 if self.found.journal is None else self.found.journal.dropped
        return self.found.study(front, Effort(self.simulated, seconds, dropped, dict(sorted(self.alone.items()))))

    def _share(self, most: int) -> int:
        """How many of the designs that are on the disk are evaluated again, at most."""
        return min(most, max(1, self.found.evaluated // SHARE))

    def _check(self, numbers: Sequence[int], classifier: PointClassifier) -> None:
        """Evaluate the designs of some points of the disk again."""
        try:
            check_kept(self.space, self.backend, classifier, self.found.points(numbers))
        except OutputError as error:
            if self.found.journal is None or isinstance(error, Lost):
                raise
            raise OutputError(f"{self.found.journal.path.parent}: {error}") from error

    def _round(self, numbers: Sequence[int], classifier: PointClassifier, front: Front) -> tuple[list[int], list[int]]:
        """Classify some points, and evaluate those that need it.

        Returns the points whose designs were evaluated before, and those of them that have figures.

        The front that prunes is that of the rounds before, whatever is finished first.
        """
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
        kept: list[int] = []
        with_figures: list[int] = []
        for key, outcome in self.found.outcomes(list(by_key)).items():
            same = by_key.pop(key)
            kept += [design.number for design in same]
            with_figures += [design.number for design in same if outcome.outputs]
            self._count([classifier.after(design, outcome) for design in same], key)
        tasks = [Task(key, same[0].number, same[0].schedule) for key, same in by_key.items()]
        for outcomes in self.backend.run(tasks):
            self.found.learn(outcomes)
            self.simulated += len(outcomes)
            self.alone.update(outcome.alone for outcome in outcomes if outcome.alone)
            for outcome in outcomes:
                points = [classifier.after(design, outcome) for design in by_key[outcome.key]]
                self._count(points, outcome.key, fresh=1)
        return kept, with_figures

    def _count(self, points: Sequence[Point], key: str | None = None, fresh: int = 0) -> None:
        self.found.count(points, key)
        self.watcher.counted(points, fresh)
