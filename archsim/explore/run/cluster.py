"""Evaluates designs on a Dask cluster, whose workers have the same archsim installed.

Setup and tasks travel as lines of JSON, as to local workers. A worker that is lost costs nothing but time: Dask gives
what it had to another one. So it does with one that was stopped, but only when the scheduler has not heard of it for
long (`distributed.scheduler.worker-ttl`, 5 minutes as Dask is delivered); until then a note names it. Where nobody is
there, none of those who are there is heard of, or the scheduler does not answer, that is said, and after NOBODY_SECONDS
it is the end.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import logging
import queue
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from archsim import __version__
from archsim.config.text import one_line
from archsim.errors import ClusterWarning, OutputError
from archsim.explore.run.backend import Backend, Lost, chunk_size, like_together
from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task
from archsim.explore.run.outcome import Outcome, read_outcomes, write_outcomes
from archsim.explore.run.worker import read_tasks, write_tasks

if TYPE_CHECKING:
    import distributed

Answer = TypeVar("Answer")

CONNECT_SECONDS = 10
LOOK_SECONDS = 5
"""After so long without an answer it is asked who is there."""
ANSWER_SECONDS = 10
"""What a scheduler may take to say how many cores its workers have."""
NOBODY_SECONDS = 300
"""For so long in a row there may be no worker, or no answer from the scheduler."""
SILENT_SECONDS = 60
"""A worker of which the scheduler hears nothing new for so long has stopped; each says every few seconds that it is
there, whatever it is doing."""
_LIBRARIES = ("distributed", "tornado", "asyncio")
"""Whose loggers write to stderr when a connection is lost."""
CHUNKS_AHEAD = 2
"""Chunks a core of the cluster that are submitted at once."""

one_at_a_time = threading.Lock()


class Cluster:
    """A connection to a Dask scheduler; `done` has what is finished and not yet taken."""

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ModuleNotFoundError as missing:
            raise OutputError(f'--dask needs the package {missing.name}: pip install "archsim[dask]"') from None
        self._quiet = _Quiet()
        try:
            client: Any = distributed.Client
            self._client = client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            self._quiet.end()
            raise OutputError(f"--dask {address}: no scheduler answers: {one_line(_first_line(error))}") from error
        self._address = address
        self._done: queue.SimpleQueue[distributed.Future[str]] = queue.SimpleQueue()
        self._seen_s = time.monotonic()  # when somebody was there
        self._heard: dict[
            str, tuple[float | None, float]
        ] = {}  # of each worker: when by the scheduler's clock, and by ours

    def close(self) -> None:
        """Let go of the scheduler."""
        try:
            self._client.close(timeout=CONNECT_SECONDS)
        except (OSError, asyncio.CancelledError):
            pass  # it is gone already
        finally:
            self._quiet.end()

    def has_room(self, pending: int) -> bool:
        """Whether more is to be submitted where so much is under way."""
        return not pending or pending < CHUNKS_AHEAD * (self.cores() or 1)

    def submit(self, function: Callable[[str, str], str], setup: str, work: str) -> None:
        """Let a worker call a function; Lost if the scheduler is gone."""
        try:
            future: Any = self._client.submit(function, setup, work, pure=False, retries=3)
        except (OSError, RuntimeError, asyncio.CancelledError) as error:
            raise self._gone() from error
        future.add_done_callback(self._done.put)

    def answer(self) -> str:
        """What the next call that is finished gave; Lost if it failed, or if nobody is there who could finish one."""
        self._seen_s = time.monotonic()
        future = self._finished()
        try:
            return self._result(future)
        except Lost:
            raise
        except (concurrent.futures.CancelledError, asyncio.CancelledError) as error:
            raise self._gone() from error  # nobody else cancels anything
        except Exception as error:
            raise could_not_evaluate(error) from error

    def _finished(self) -> distributed.Future[str]:
        """The next call that is finished; Lost if for long nobody is there who could finish one."""
        while True:
            try:
                return self._done.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                self._look()

    def _result(self, future: distributed.Future[str]) -> str:
        """What a finished call gave: a worker has it, and if that is lost, another one computes it again."""
        while True:
            try:
                found: str = future.result(timeout=LOOK_SECONDS)
            except TimeoutError:
                if future.status == "error":
                    raise
                self._look()
                continue
            return found

    def _look(self) -> None:
        """See who is there, and say if nobody is, or who has stopped; Lost if nobody has been there for long."""
        cores = self.cores()
        heard = self._heard_of() if cores else {}
        silent = [worker for worker, since in (heard or {}).items() if time.monotonic() - since >= SILENT_SECONDS]
        for worker in silent:
            note = f"nothing was heard of worker {one_line(worker)} for {SILENT_SECONDS} s"
            others = "what it has is evaluated by others when the scheduler drops it"
            warnings.warn(ClusterWarning(f"--dask {self._address}: {note}; {others}"), stacklevel=2)
        if heard and len(silent) < len(heard):
            self._seen_s = time.monotonic()
            return
        if cores is None or heard is None:
            why = "the scheduler does not answer"
        else:
            why = "no worker answers" if silent else "there is no worker"
        if time.monotonic() - self._seen_s >= NOBODY_SECONDS:
            raise Lost(f"--dask {self._address}: {why}, for {NOBODY_SECONDS} s")
        note = f"--dask {self._address}: {why}; after {NOBODY_SECONDS} s of that it is the end"
        warnings.warn(ClusterWarning(note), stacklevel=2)

    def cores(self) -> int | None:
        """The cores of all workers; None if the scheduler does not answer, as one that has been stopped."""
        return self._asked(lambda: sum(self._client.nthreads().values()))

    def _heard_of(self) -> dict[str, float] | None:
        """When, by our clock, the scheduler's last word of each worker was new; None if it does not answer."""
        workers = self._asked(lambda: self._client.scheduler_info(n_workers=-1)["workers"])
        if workers is None:
            return None
        now, before, self._heard = time.monotonic(), self._heard, {}
        for name, worker in workers.items():
            seen, since = before.get(name, (None, now))
            self._heard[name] = (worker["last_seen"], since if worker["last_seen"] == seen else now)
        return {name: since for name, (_, since) in self._heard.items()}

    def _asked(self, question: Callable[[], Answer]) -> Answer | None:
        """What the scheduler answers; None if it does not.

        The library waits for an answer without end, so that it does it in a thread of its own.
        """
        answers: queue.SimpleQueue[tuple[Answer | None, BaseException | None]] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put((question(), None))
            except BaseException as error:
                answers.put((None, error))

        threading.Thread(target=ask, daemon=True).start()
        try:
            found, error = answers.get(timeout=ANSWER_SECONDS)
        except queue.Empty:
            return None
        if isinstance(error, OSError | RuntimeError | asyncio.CancelledError):  # RuntimeError: it has been closed
            raise self._gone() from error
        if error is not None:
            raise error
        return found

    def _gone(self) -> Lost:
        return Lost(f"--dask {self._address}: the scheduler is gone")


class DaskCluster(Backend):
    """The workers of a Dask scheduler at an address such as tcp://10.0.0.1:8786."""

    def __init__(self, setup: Setup, address: str) -> None:
        self._cluster = Cluster(address)
        self._setup = setup.to_json()
        self._chunks = chunk_size()

    def run(self, tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
        place = pending = 0
        tasks = like_together(tasks)
        while place < len(tasks) or pending:
            while place < len(tasks) and self._cluster.has_room(pending):
                chunk = tasks[place : place + self._chunks.size]
                self._cluster.submit(evaluate_lines, self._setup, write_tasks(chunk))
                place, pending = place + len(chunk), pending + 1
            outcomes, seconds = _outcomes(self._cluster.answer())
            pending -= 1
            self._chunks.took(len(outcomes), seconds)
            yield outcomes

    def close(self) -> None:
        self._cluster.close()


def could_not_evaluate(error: Exception) -> Lost:
    """The error of a worker that has none of archsim's answers."""
    return Lost(f"--dask: a worker could not evaluate: {one_line(f'{type(error).__name__}: {_first_line(error)}')}")


def _outcomes(text: str) -> tuple[list[Outcome], float]:
    """The outcomes of an answer, and how long they took."""
    try:
        answer = json.loads(text)
        if answer["archsim"] != __version__:
            raise Lost(f"--dask: a worker has archsim {answer['archsim']}, and this is {__version__}")
        return read_outcomes(answer["outcomes"]), answer["seconds"]
    except Lost:
        raise
    except Exception as error:
        raise could_not_evaluate(error) from error


class _Quiet:
    """The library's log lines left out from when it is made until its end: what matters of them archsim says itself."""

    def __init__(self) -> None:
        names = [name for name in logging.Logger.manager.loggerDict if name.split(".")[0] in _LIBRARIES]
        self._levels = {name: logging.getLogger(name).level for name in {*names, *_LIBRARIES}}
        for name in self._levels:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    def end(self) -> None:
        """Give each logger the level that it had."""
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")


def evaluate_lines(setup: str, tasks: str) -> str:
    """Evaluate a chunk on a Dask worker; the answer is JSON: version, seconds, and the outcomes."""
    import time

    begun = time.perf_counter()
    with one_at_a_time:  # a worker may have several threads, an evaluator is for one
        outcomes = write_outcomes(_evaluator(setup).run_all(read_tasks(tasks)))
    seconds = time.perf_counter() - begun
    return json.dumps({"archsim": __version__, "seconds": seconds, "outcomes": outcomes})


@lru_cache(maxsize=1)
def _evaluator(setup: str) -> DesignEvaluator:
    return DesignEvaluator(Setup.from_json(setup))
