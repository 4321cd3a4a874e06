"""Starts a process that evaluates, and talks with it in lines of JSON.

So nothing is pickled and no script is imported again.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import archsim
from archsim.config.blas_threads import one_thread
from archsim.errors import OutputError


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


class LocalProcess:
    """One process that runs the function `serve` of the module worker; `place`: its number."""

    def __init__(self, place: int = 0) -> None:
        self.place = place
        environment = dict(os.environ)
        root = str(Path(archsim.__file__).resolve().parent.parent)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
        one_thread(environment)
        with _interrupt_held():
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from archsim.explore.run.worker import serve; serve()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )

    def begin(self, kind: str, setup: str) -> None:
        """Say what it works on: of a kind as the module worker names them, with this setup."""
        self._say(json.dumps([kind, setup]))

    def answer(self) -> bytes | None:
        """The line that answers what was sent; None if the process died."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return line if line.endswith(b"\n") else None

    def send(self, line: str) -> None:
        """Hand over work; a process that is dead is found out when its answer is read."""
        self._say(line)

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def end(self) -> None:
        """Stop the process."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


class LocalProcessGroup:
    """Up to `count` processes of a kind; one that ended is replaced by another of its number.

    `early`: one that was started before it was known what it works on.
    """

    def __init__(self, kind: str, setup: str, count: int, early: LocalProcess | None = None) -> None:
        self._kind, self._setup, self.count = kind, setup, count
        self._early = early
        self.running: list[LocalProcess] = []

    def start(self) -> LocalProcess:
        """One more; OutputError if it cannot be started."""
        process, self._early = self._early, None
        if process is None:
            process = self._started()
        process.begin(self._kind, self._setup)
        self.running.append(process)
        return process

    def _started(self) -> LocalProcess:
        taken = {process.place for process in self.running}
        try:
            return LocalProcess(min(set(range(self.count)) - taken))
        except OSError as error:
            raise OutputError(f"--workers {self.count}: a process cannot be started: {error.strerror}") from error

    def end(self, process: LocalProcess) -> None:
        """Stop one of them."""
        process.end()
        self.running.remove(process)

    def close(self) -> None:
        """Stop all of them."""
        for process in self.running:
            process.end()
        self.running.clear()


def available_cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


@contextlib.contextmanager
def early_process(count: int | None) -> Iterator[LocalProcess | None]:
    """A process that loads while this one does, where so many workers (None: one a core) are more than this process.

    It is stopped at the end of the block at the latest. None if it cannot be started: whoever needs it says why.
    """
    process = None
    if (available_cores() if count is None else count) > 1:
        with contextlib.suppress(OSError):
            process = LocalProcess()
    try:
        yield process
    finally:
        if process is not None:
            process.end()
