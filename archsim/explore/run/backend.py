"""Says what evaluates designs: this process, local processes, or a cluster."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from types import TracebackType

from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task
from archsim.explore.run.outcome import Outcome

CHUNK_SECONDS = 1.0
"""About how long a worker is busy with what it is given at once: its outcomes are journalled together."""
FIRST_CHUNK = 16
MOST_IN_CHUNK = 4096


class Backend(ABC):
    """Evaluates tasks. Use it in a `with` statement."""

    @abstractmethod
    def run(self, tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
        """Yield the outcomes of all tasks, some at a time, in the order in which they are finished."""

    def close(self) -> None:  # noqa: B027 there may be nothing to let go of
        """Let go of processes and connections; nothing that runs is waited for."""

    def __enter__(self) -> Backend:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class InProcess(Backend):
    """Evaluates designs in this process."""

    def __init__(self, setup: Setup) -> None:
        self._evaluator = DesignEvaluator(setup)
        self._chunks = ChunkSize()

    def run(self, tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
        place, tasks = 0, like_together(tasks)
        while place < len(tasks):
            chunk = tasks[place : place + self._chunks.size]
            begun = time.perf_counter()
            yield self._evaluator.run_all(chunk)
            self._chunks.took(len(chunk), time.perf_counter() - begun)
            place += len(chunk)


def like_together(tasks: Sequence[Task]) -> list[Task]:
    """The tasks in an order in which those stand together that are likely to share a program: schedule and place."""
    return sorted(tasks, key=lambda task: (task.schedule, task.number))


class ChunkSize:
    """Chooses how many tasks go together, from how long the last ones took; results do not depend on it."""

    def __init__(self) -> None:
        self.size = min(FIRST_CHUNK, MOST_IN_CHUNK)

    def took(self, tasks: int, seconds: float) -> None:
        """Learn from a finished chunk."""
        fitting = CHUNK_SECONDS * tasks / max(seconds, 1e-6)
        # A chunk that meets a new program takes longer than the next one will: half of it is small enough.
        self.size = max(1, self.size // 2, min(MOST_IN_CHUNK, 4 * self.size, round(fitting)))
