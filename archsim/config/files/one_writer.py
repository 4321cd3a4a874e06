"""Lets one command at a time write a file or folder: a second one is refused, so that results are never mixed.

The lock is on an empty file beside it, `.NAME.lock`, which goes with the lock; one that a killed process left behind is
taken over. Where that file may not be made, the folder that holds NAME is not ours to write to: then nobody who runs as
we do can put something else in the place of NAME. On a file system without locks, and on a system that is not POSIX,
users must take care.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from archsim.errors import OutputError

_NONE_MADE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT)
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@contextmanager
def one_writer(target: Path, parents: bool = False) -> Iterator[None]:
    """Hold a file's or folder's name against other commands that write it; `parents`: make the folders above it.

    Raises OutputError if another one holds it, or if the lock cannot be made.
    """
    name = Path(os.path.abspath(target))
    lock = name.with_name(f".{name.name}.lock") if name.name else None
    try:
        if parents and lock is not None:
            lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = None if lock is None else _locked(lock)
    except BlockingIOError:
        raise OutputError(f"{target}: another archsim is writing here; wait for it, or choose another --out") from None
    except OSError as error:
        raise OutputError(f"{target}: cannot write results: {error.strerror or error}") from error
    try:
        yield
    finally:
        if descriptor is not None and lock is not None:
            with suppress(OSError):  # the folder has become read-only, or is gone
                lock.unlink()  # while it is locked: whoever opens the name from here on makes a new file
            os.close(descriptor)


def _locked(lock: Path) -> int | None:
    """A descriptor of the locked file; None where there can be none. BlockingIOError if another process has it."""
    try:
        import fcntl
    except ModuleNotFoundError:
        return None
    while True:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except OSError as error:
            if error.errno in _NONE_MADE:
                return None
            raise
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is(descriptor, lock):
                return descriptor
        except OSError as error:
            os.close(descriptor)
            if error.errno in _NO_LOCKS:
                return None
            raise
        os.close(descriptor)  # who had the lock let the name go after we opened it


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
