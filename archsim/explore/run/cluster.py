"""Evaluates designs on a Dask cluster, whose workers have the same archsim installed.

Setup and tasks travel as lines of JSON, as to local workers. A worker that is lost costs nothing but time: Dask gives
what it had to another one.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from archsim import __version__
from archsim.errors import OutputError
from archsim.explore.run.backend import Backend, ChunkSize, like_together
from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task
from archsim.explore.run.outcome import Outcome, read_outcomes, write_outcomes
from archsim.explore.run.worker import read_tasks, write_tasks

if TYPE_CHECKING:
    import distributed

CONNECT_SECONDS = 10
CHUNKS_AHEAD = 2
"""Chunks a core of the cluster that are submitted at once."""

_one_at_a_time = threading.Lock()


class DaskCluster(Backend):
    """The workers of a Dask scheduler at an address such as tcp://10.0.0.1:8786."""

    def __init__(self, setup: Setup, address: str) -> None:
        try:
            import distributed
        except ModuleNotFoundError as missing:
            raise OutputError(f'--dask needs the package {missing.name}: pip install "archsim[dask]"') from None
        try:
            client: Any = distributed.Client
            self._client = client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise OutputError(f"--dask {address}: no scheduler answers: {str(error).splitlines()[0]}") from error
        self._as_completed: Any = distributed.as_completed
        self._setup = setup.to_json()
        self._chunks = ChunkSize()

    def run(self, tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
        done = self._as_completed(loop=self._client.loop)
        place = pending = 0
        tasks = like_together(tasks)
        while place < len(tasks) or pending:
            while place < len(tasks) and pending < CHUNKS_AHEAD * self._cores():
                chunk = tasks[place : place + self._chunks.size]
                done.add(self._client.submit(evaluate_lines, self._setup, write_tasks(chunk), pure=False, retries=3))
                place, pending = place + len(chunk), pending + 1
            outcomes, seconds = self._answer(next(done))
            pending -= 1
            self._chunks.took(len(outcomes), seconds)
            yield outcomes

    def close(self) -> None:
        self._client.close(timeout=CONNECT_SECONDS)

    def _cores(self) -> int:
        cores: int = sum(self._client.nthreads().values())
        return max(1, cores)

    def _answer(self, future: distributed.Future[str]) -> tuple[list[Outcome], float]:
        try:
            answer = json.loads(future.result())
        except Exception as error:
            raise OutputError(f"--dask: a worker could not evaluate: {type(error).__name__}: {error}") from error
        if answer["archsim"] != __version__:
            raise OutputError(f"--dask: a worker has archsim {answer['archsim']}, and this is {__version__}")
        return read_outcomes(answer["outcomes"]), answer["seconds"]


def evaluate_lines(setup: str, tasks: str) -> str:
    """Evaluate a chunk on a Dask worker; the answer is JSON: version, seconds, and the outcomes."""
    import time

    begun = time.perf_counter()
    with _one_at_a_time:  # a worker may have several threads, an evaluator is for one
        outcomes = write_outcomes(_evaluator(setup).run_all(read_tasks(tasks)))
    seconds = time.perf_counter() - begun
    return json.dumps({"archsim": __version__, "seconds": seconds, "outcomes": outcomes})


@lru_cache(maxsize=1)
def _evaluator(setup: str) -> DesignEvaluator:
    return DesignEvaluator(Setup.from_json(setup))
