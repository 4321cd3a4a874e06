"""Evaluates designs in local processes, one a core.

They are fed in lines of JSON, so nothing is pickled and no script is imported again.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import archsim
from archsim.errors import OutputError
from archsim.explore.run.backend import Backend, ChunkSize
from archsim.explore.run.evaluation import Setup, Task
from archsim.explore.run.outcome import Kind, Outcome, read_outcomes
from archsim.explore.run.shares import Shares
from archsim.explore.run.worker import write_tasks
from archsim.explore.space.design import Reason

MOST_DEATHS = 3
"""A task whose worker dies that often is recorded as failed."""


def available_cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


@contextlib.contextmanager
def _interrupt_held() -> Iterator[None]:
    """Inside of the block SIGINT waits; a process that is started there never sees one, also while it is loaded."""
    if not hasattr(signal, "pthread_sigmask"):  # not a POSIX system
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """One process, and the chunk that it works on. `place`: its number among those that run."""

    def __init__(self, setup: Setup, place: int) -> None:
        self.place = place
        environment = dict(os.environ)
        root = str(Path(archsim.__file__).resolve().parent.parent)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
        for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            environment.setdefault(threads, "1")  # the cores are shared between the workers already
        with _interrupt_held():
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from archsim.explore.run.worker import serve; serve()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        self.chunk: list[Task] = []
        self.begun = 0.0
        self._send(setup.to_json())

    def give(self, chunk: list[Task]) -> None:
        """Hand over a chunk; a worker that is dead is found out when its answer is read."""
        self.chunk, self.begun = chunk, time.perf_counter()
        self._send(write_tasks(chunk))

    def answer(self) -> list[Outcome] | None:
        """The outcomes of the chunk; None if the worker died."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return read_outcomes(line) if line.endswith(b"\n") else None

    def end(self) -> None:
        """Stop the process."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _send(self, line: str) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()


class LocalProcesses(Backend):
    """Runs `count` workers; one that dies is replaced, and its chunk repeated task by task."""

    def __init__(self, setup: Setup, count: int) -> None:
        self._setup = setup
        self._count = count
        self._workers: list[_Worker] = []
        self._chunks = ChunkSize()

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The processes that run now."""
        return tuple(worker.process.pid for worker in self._workers)

    def run(self, tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
        waiting = Shares(tasks, self._count)
        deaths: dict[str, int] = {}
        with selectors.DefaultSelector() as selector:
            busy = 0
            for worker in self._workers:
                selector.register(worker.process.stdout, selectors.EVENT_READ, worker)  # type: ignore[arg-type]
            idle = list(self._workers)
            while waiting or busy:
                while waiting and len(self._workers) < min(self._count, busy + len(waiting)):
                    idle.append(self._start(selector))
                while waiting and idle:
                    worker = idle.pop()
                    worker.give(waiting.take(worker.place, self._chunks.size))
                    busy += 1
                for key, _ in selector.select():
                    worker = key.data
                    outcomes = worker.answer()
                    if worker in idle:  # it had nothing to do, and died
                        idle.remove(worker)
                    else:
                        busy -= 1
                    if outcomes is None:
                        selector.unregister(key.fileobj)
                        yield self._died(worker, waiting, deaths)
                        continue
                    self._chunks.took(len(worker.chunk), time.perf_counter() - worker.begun)
                    worker.chunk = []
                    idle.append(worker)
                    yield outcomes

    def close(self) -> None:
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def _start(self, selector: selectors.BaseSelector) -> _Worker:
        try:
            taken = {worker.place for worker in self._workers}
            worker = _Worker(self._setup, min(set(range(self._count)) - taken))
        except OSError as error:
            raise OutputError(f"--workers {self._count}: a process cannot be started: {error.strerror}") from error
        self._workers.append(worker)
        selector.register(worker.process.stdout, selectors.EVENT_READ, worker)  # type: ignore[arg-type]
        return worker

    def _died(self, worker: _Worker, waiting: Shares, deaths: dict[str, int]) -> list[Outcome]:
        """Repeat what a dead worker had; returns outcomes of tasks that have cost too many workers."""
        worker.end()
        self._workers.remove(worker)
        failed: list[Outcome] = []
        for task in worker.chunk:
            deaths[task.key] = deaths.get(task.key, 0) + 1
            if deaths[task.key] < MOST_DEATHS:
                waiting.put_back(task)  # alone, so that the guilty one is found
            else:
                what = (
                    f"its worker process died {MOST_DEATHS} times, the last with exit code {worker.process.returncode}"
                )
                failed.append(
                    Outcome(task.key, Kind.FAILED, {}, reason=Reason("worker", what), alone="its worker died")
                )
        return failed
