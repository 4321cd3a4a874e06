"""Defines what makes pieces of parts: this process, or local processes; jobs are taken as workers have time."""

from __future__ import annotations

import selectors
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Protocol

from archsim.errors import OutputError
from archsim.explore.ranges.piece_evaluator import PieceEvaluator
from archsim.explore.ranges.piece_job import PieceJob, PieceReport, PieceSetup
from archsim.explore.run.local_deaths import MOST_DEATHS
from archsim.explore.run.local_process import LocalProcess, LocalProcessGroup
from archsim.explore.run.worker import PIECES

SPLIT = 16
"""Into so many jobs one is cut over which a worker died, until the point is alone that is to blame."""
MOST_IN_VAIN = 16
"""So many workers may die before the first report: after that no single point is to blame."""


class Jobs(Protocol):
    """Where jobs come from. `size`: that of the space."""

    size: int

    def take(self, workers: int) -> PieceJob | None:
        """The next job for one of so many workers; None if there is none now: nor later, if all taken are reported."""


class PieceBackend(ABC):
    """Makes pieces. Use it in a `with` statement."""

    @abstractmethod
    def run(self, jobs: Jobs) -> Iterator[PieceReport]:
        """Yield the reports of all jobs in the order in which they are finished."""

    def close(self) -> None:  # noqa: B027 there may be nothing to let go of
        """Let go of processes and connections; nothing that runs is waited for."""

    def __enter__(self) -> PieceBackend:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class PiecesHere(PieceBackend):
    """Makes pieces in this process."""

    def __init__(self, setup: PieceSetup) -> None:
        self._evaluator = PieceEvaluator(setup)

    def run(self, jobs: Jobs) -> Iterator[PieceReport]:
        while (job := jobs.take(1)) is not None:
            yield self._evaluator.make(job)


class LocalPieces(PieceBackend):
    """Makes pieces in local processes; what one had that died is repeated in smaller pieces."""

    def __init__(self, setup: PieceSetup, count: int, early: LocalProcess | None = None) -> None:
        self._group = LocalProcessGroup(PIECES, setup.to_json(), count, early)

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The processes that run now."""
        return tuple(worker.process.pid for worker in self._group.running)

    def run(self, jobs: Jobs) -> Iterator[PieceReport]:
        again: deque[PieceJob] = deque()
        busy: dict[LocalProcess, PieceJob] = {}
        idle: list[LocalProcess] = []
        in_vain: int | None = 0
        with selectors.DefaultSelector() as selector:
            while True:
                while len(busy) < (count := self._group.count):
                    job = again.popleft() if again else jobs.take(count)
                    if job is None:
                        break
                    if not idle:
                        idle.append(self._group.start())
                        selector.register(idle[-1].process.stdout, selectors.EVENT_READ, idle[-1])  # type: ignore[arg-type]
                    worker = idle.pop()
                    busy[worker] = job
                    worker.send(job.to_json(jobs.size))
                if not busy:
                    return
                for key, _ in selector.select():
                    worker = key.data
                    answer, had = worker.answer(), busy.pop(worker, None)
                    if had is None:  # it had nothing to do, and died
                        idle.remove(worker)
                    if answer is None:
                        selector.unregister(key.fileobj)
                        self._group.end(worker)
                        again += [] if had is None else _after_a_death(had, worker.process.returncode)
                        in_vain = None if in_vain is None else in_vain + 1
                        if in_vain == MOST_IN_VAIN:
                            raise _all_die(worker.process.returncode)
                        continue
                    in_vain = None
                    idle.append(worker)
                    yield PieceReport.from_json(answer)

    def close(self) -> None:
        self._group.close()


def _after_a_death(job: PieceJob, exit_code: int) -> list[PieceJob]:
    """The jobs that repeat one over which a worker died."""
    if len(job.numbers) == 1:
        return [PieceJob(job.part, job.numbers, min(job.deaths + 1, MOST_DEATHS), exit_code)]
    most = -(-len(job.numbers) // SPLIT)
    pieces = (job.numbers[place : place + most] for place in range(0, len(job.numbers), most))
    return [PieceJob(job.part, numbers, 1, exit_code) for numbers in pieces]


def _all_die(exit_code: int) -> OutputError:
    return OutputError(
        f"{MOST_IN_VAIN} worker processes died, the last with exit code {exit_code}, and none has evaluated anything"
    )
