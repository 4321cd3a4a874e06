"""Evaluates designs in local processes, one a core."""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archsim.explore.run.backend import Backend, chunk_size
from archsim.explore.run.evaluation import Setup, Task
from archsim.explore.run.local_deaths import MOST_DEATHS, died
from archsim.explore.run.local_process import LocalProcess, LocalProcessGroup
from archsim.explore.run.outcome import Outcome, read_outcomes
from archsim.explore.run.shares import Shares
from archsim.explore.run.worker import CHUNKS, write_tasks


@dataclass(slots=True)
class _Busy:
    """What a process works on."""

    chunk: list[Task]
    begun: float


class LocalProcesses(Backend):
    """Runs `count` workers; one that dies is replaced, and its chunk repeated task by task."""

    def __init__(self, setup: Setup, count: int, early: LocalProcess | None = None) -> None:
        self._group = LocalProcessGroup(CHUNKS, setup.to_json(), count, early)
        self._chunks = chunk_size()

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The processes that run now."""
        return tuple(worker.process.pid for worker in self._group.running)

    def run(self, tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
        waiting = Shares(tasks, self._group.count)
        deaths: dict[str, int] = {}
        busy: dict[LocalProcess, _Busy] = {}
        with selectors.DefaultSelector() as selector:
            for worker in self._group.running:
                selector.register(worker.process.stdout, selectors.EVENT_READ, worker)  # type: ignore[arg-type]
            idle = list(self._group.running)
            while waiting or busy:
                while waiting and len(self._group.running) < min(self._group.count, len(busy) + len(waiting)):
                    idle.append(self._group.start())
                    selector.register(idle[-1].process.stdout, selectors.EVENT_READ, idle[-1])  # type: ignore[arg-type]
                while waiting and idle:
                    worker = idle.pop()
                    busy[worker] = _Busy(waiting.take(worker.place, self._chunks.size), time.perf_counter())
                    worker.send(write_tasks(busy[worker].chunk))
                for key, _ in selector.select():
                    worker = key.data
                    answer = worker.answer()
                    had = busy.pop(worker, None)
                    if had is None:  # it had nothing to do, and died
                        idle.remove(worker)
                    if answer is None or had is None:
                        selector.unregister(key.fileobj)
                        yield self._died(worker, [] if had is None else had.chunk, waiting, deaths)
                        continue
                    self._chunks.took(len(had.chunk), time.perf_counter() - had.begun)
                    idle.append(worker)
                    yield read_outcomes(answer)

    def close(self) -> None:
        self._group.close()

    def _died(
        self, worker: LocalProcess, chunk: Sequence[Task], waiting: Shares, deaths: dict[str, int]
    ) -> list[Outcome]:
        """Repeat what a dead worker had; returns outcomes of tasks that have cost too many workers."""
        self._group.end(worker)
        failed: list[Outcome] = []
        for task in chunk:
            deaths[task.key] = deaths.get(task.key, 0) + 1
            if deaths[task.key] < MOST_DEATHS:
                waiting.put_back(task)  # alone, so that the guilty one is found
            else:
                failed.append(died(task, worker.process.returncode))
        return failed
