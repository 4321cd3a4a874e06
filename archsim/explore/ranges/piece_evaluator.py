"""Makes pieces of parts: evaluates their points, writes their files, and reports what the search needs of them."""

from __future__ import annotations

import hashlib
import time
from functools import cached_property

from archsim.errors import OutputError
from archsim.explore.parts.file_store import FileStore
from archsim.explore.parts.part_file import PartFiles
from archsim.explore.parts.piece_folder import piece_name
from archsim.explore.parts.stores import TOKEN, open_store
from archsim.explore.ranges.job_points import JobPoints
from archsim.explore.ranges.piece_job import PieceError, PieceJob, PieceReport, PieceSetup, failure
from archsim.explore.run.evaluation import DesignEvaluator


class PieceEvaluator:
    """Makes the pieces of one exploration."""

    def __init__(self, setup: PieceSetup) -> None:
        declared = setup.setup.declared
        assert declared is not None  # parts have what is declared alone
        space = setup.space()
        self._files = PartFiles(space, declared)
        self._points = JobPoints(space, self._files, DesignEvaluator(setup.setup))
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
        found = self._points.of(job)
        data = self._files.written(found.table(job.numbers))
        digest = hashlib.sha256(data).hexdigest()
        if self._writes:
            self._write(piece_name(job.part, digest), data)
        return PieceReport(
            job.part,
            len(job.numbers),
            digest,
            None if self._writes else data,
            found.designs,
            found.simulated,
            dict(found.alone),
            list(zip(found.front.members, map(tuple, found.front.values.tolist()), strict=True)),
            time.thread_time() - begun,
        )

    def _write(self, name: str, data: bytes) -> None:
        try:
            self._store.write(name, data)
        except OSError as error:
            where = self._store.where(name)
            raise PieceError(f"{where}: cannot be written: {error.strerror or error}") from error
