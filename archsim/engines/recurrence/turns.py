"""Lets processes do something in turns, so that the others find what the first one has made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Let one process after the other do something: those that wait find what the first has made.

    Where the file cannot be locked nobody waits.
    """
    with ExitStack() as stack:
        with suppress(OSError, ModuleNotFoundError):  # a folder that is read-only, or no POSIX system
            import fcntl

            file = stack.enter_context(path.open("ab"))
            fcntl.flock(file, fcntl.LOCK_EX)  # let go of with the file, also by a process that dies
        yield
