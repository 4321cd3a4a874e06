"""Says what evaluates designs: this process, local processes, or a cluster."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from types import TracebackType

from archsim.errors import OutputError
from archsim.explore.run.evaluation import CHUNK_SECONDS, DesignEvaluator, Setup, Task
from archsim.explore.run.outcome import Outcome

FIRST_CHUNK = 16
MOST_IN_CHUNK = 4096
MOST_AT_ONCE = 16384
"""Most designs that are resolved and grouped by their programs at once, where no worker has to be given them."""


class Lost(OutputError):
    """Where designs are evaluated nobody answers any more; what is finished is kept."""


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

    def run(self, tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
        tasks = like_together(tasks)
        for place in range(0, len(tasks), MOST_AT_ONCE):
            yield from self._evaluator.parts(tasks[place : place + MOST_AT_ONCE])


def like_together(tasks: Sequence[Task]) -> list[Task]:
    """The tasks in an order in which those stand together that are likely to share a program: schedule and place."""
    return sorted(tasks, key=lambda task: (task.schedule, task.number))


class ChunkSize:
    """Chooses how many tasks go together, from how long the last ones took; results do not depend on it."""

    def __init__(self, first: int, most: int, seconds: float) -> None:
        self.size = min(first, most)
        self._most, self._seconds = most, seconds

    def took(self, tasks: int, seconds: float) -> None:
        """Learn from a finished chunk."""
        fitting = self._seconds * tasks / max(seconds, 1e-6)
        # A chunk that meets a new program takes longer than the next one will: half of it is small enough.
        self.size = max(1, self.size // 2, min(self._most, 4 * self.size, round(fitting)))


def chunk_size() -> ChunkSize:
    """The size of chunks of designs that are given out one by one."""
    return ChunkSize(FIRST_CHUNK, MOST_IN_CHUNK, CHUNK_SECONDS)
