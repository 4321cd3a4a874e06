"""Makes pieces of parts: evaluates their points, writes their files, and reports what the search needs of them."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from functools import cached_property
from itertools import chain

from archsim.errors import OutputError
from archsim.explore.parts.file_store import FileStore
from archsim.explore.parts.part_file import PartFiles
from archsim.explore.parts.piece_folder import piece_name
from archsim.explore.parts.stores import TOKEN, open_store
from archsim.explore.results.study import Point
from archsim.explore.run.backend import like_together
from archsim.explore.run.evaluation import DesignEvaluator, Task
from archsim.explore.run.found import add_points
from archsim.explore.run.local_deaths import MOST_DEATHS, died
from archsim.explore.run.outcome import Outcome
from archsim.explore.run.piece_job import PieceError, PieceJob, PieceReport, PieceSetup, failure
from archsim.explore.search.front import Front
from archsim.explore.search.point_classifier import PointClassifier
from archsim.explore.space.design import Design


class PieceEvaluator:
    """Makes the pieces of one exploration."""

    def __init__(self, setup: PieceSetup) -> None:
        declared = setup.setup.declared
        assert declared is not None  # parts have what is declared alone
        self._space = setup.space()
        self._files = PartFiles(self._space, declared)
        self._classifier = PointClassifier(self._space)
        self._evaluator = DesignEvaluator(setup.setup)
        self._setup = setup

    @cached_property
    def _store(self) -> FileStore:
        """Where pieces are written; PieceError if nothing here knows how."""
        try:
            return open_store(self._setup.store)
        except OutputError as error:
            raise PieceError(str(error)) from error

    @cached_property
    def _writes(self) -> bool:
        """Whether the store is the one that the searching process has, and not a folder of that name elsewhere."""
        try:
            return not self._setup.token or self._store.read(TOKEN) == self._setup.token.encode()
        except OSError:
            return False

    def answer(self, line: str) -> str:
        """The report of a job, both as JSON."""
        try:
            return self.make(PieceJob.from_json(line)).to_json()
        except PieceError as error:
            return failure(error)

    def make(self, job: PieceJob) -> PieceReport:
        """The report of a job whose piece is written; PieceError if that is not possible."""
        begun = time.thread_time()  # its own work: neighbours on the machine do not make jobs smaller
        points, keys, outcomes = self._evaluated(job)
        data = self._files.write([points[number] for number in job.numbers], keys)
        digest = hashlib.sha256(data).hexdigest()
        if self._writes:
            self._write(piece_name(job.part, digest), data)
        front = Front(len(self._space.objectives))
        add_points(front, self._space, list(points.values()))
        return PieceReport(
            job.part,
            len(job.numbers),
            digest,
            None if self._writes else data,
            len(keys),
            len(outcomes),
            dict(Counter(outcome.alone for outcome in outcomes if outcome.alone)),
            list(zip(front.members, map(tuple, front.values.tolist()), strict=True)),
            time.thread_time() - begun,
        )

    def _evaluated(self, job: PieceJob) -> tuple[dict[int, Point], dict[int, str], list[Outcome]]:
        """The points of a job and the keys of those that were evaluated, by number, and the outcomes of designs."""
        points: dict[int, Point] = {}
        keys: dict[int, str] = {}
        by_key: dict[str, list[Design]] = {}
        for design in self._space.designs(job.numbers):
            point = self._classifier.before(design)
            if point is None:
                by_key.setdefault(design.key, []).append(design)
            else:
                points[design.number] = point
        tasks = [Task(key, same[0].number, same[0].schedule) for key, same in by_key.items()]
        if job.deaths < MOST_DEATHS:
            outcomes = list(chain.from_iterable(self._evaluator.parts(like_together(tasks))))
        else:
            outcomes = [died(task, job.exit_code) for task in tasks]
        for outcome in outcomes:
            for design in by_key[outcome.key]:
                points[design.number] = self._classifier.after(design, outcome)
                keys[design.number] = outcome.key
        return points, keys, outcomes

    def _write(self, name: str, data: bytes) -> None:
        try:
            self._store.write(name, data)
        except OSError as error:
            where = self._store.where(name)
            raise PieceError(f"{where}: cannot be written: {error.strerror or error}") from error
