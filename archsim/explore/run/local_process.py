"""Starts a process that evaluates, and talks with it in lines of JSON.

So nothing is pickled and no script is imported again.
"""

from __future__ import annotations

import contextlib
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
    """One process, begun with the function `serve` of the module worker and told a setup. `place`: its number."""

    def __init__(self, serve: str, setup: str, place: int) -> None:
        self.place = place
        environment = dict(os.environ)
        root = str(Path(archsim.__file__).resolve().parent.parent)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
        one_thread(environment)
        with _interrupt_held():
            self.process = subprocess.Popen(
                [sys.executable, "-c", f"from archsim.explore.run.worker import {serve}; {serve}()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        self._say(setup)

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
    """Up to `count` processes; one that ended is replaced by another of its number."""

    def __init__(self, serve: str, setup: str, count: int) -> None:
        self._serve, self._setup, self.count = serve, setup, count
        self.running: list[LocalProcess] = []

    def start(self) -> LocalProcess:
        """One more; OutputError if it cannot be started."""
        try:
            taken = {process.place for process in self.running}
            process = LocalProcess(self._serve, self._setup, min(set(range(self.count)) - taken))
        except OSError as error:
            raise OutputError(f"--workers {self.count}: a process cannot be started: {error.strerror}") from error
        self.running.append(process)
        return process

    def end(self, process: LocalProcess) -> None:
        """Stop one of them."""
        process.end()
        self.running.remove(process)

    def close(self) -> None:
        """Stop all of them."""
        for process in self.running:
            process.end()
        self.running.clear()
