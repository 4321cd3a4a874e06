"""Opens files that the user names: only regular ones, and reads at most as many bytes as the caller allows.

A pipe, a socket or a device would be waited for, or never end. Everything that is wrong is an OSError with its reason
in `strerror`, as the system's own errors have it.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

_PIECE_BYTES = 1 << 20
_KINDS = (
    (stat.S_ISDIR, "is a directory, expected a file"),
    (stat.S_ISFIFO, "is a pipe, expected a regular file"),
    (stat.S_ISSOCK, "is a socket, expected a regular file"),
    (stat.S_ISCHR, "is a device, expected a regular file"),
    (stat.S_ISBLK, "is a device, expected a regular file"),
)


def open_regular(path: Path) -> io.BufferedReader:
    """Open a regular file for reading bytes; OSError for anything else, at once.

    ValueError for a name that no file can have, as one with a NUL character.
    """
    if "\0" in str(path):  # what the system's call would say of it differs from Python to Python
        raise ValueError("embedded null byte")
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        check_regular(descriptor, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def check_regular(opened: int | Path, path: Path) -> os.stat_result:
    """What the system says of an open file, or of a path; OSError if it is no regular file."""
    found = os.stat(opened)
    if not stat.S_ISREG(found.st_mode):
        reason = next((words for is_kind, words in _KINDS if is_kind(found.st_mode)), "is no regular file")
        raise OSError(errno.EINVAL, reason, str(path))
    return found


def check_replaceable(path: Path) -> None:
    """OSError if a name is that of a pipe, a socket or a device, also by a link.

    A file that is moved to that name would take its place, where it may be one that a whole system needs.
    """
    try:
        found = os.stat(path)
    except OSError:  # not there, or a link to nothing: the call that writes says what else is wrong
        return
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        check_regular(path, path)


def read_regular(path: Path, most_bytes: int) -> bytes:
    """All bytes of a regular file of at most so many; OSError for anything else, before memory is taken for it."""
    with open_regular(path) as file:
        data = read_up_to(file, most_bytes + 1)
    if len(data) > most_bytes:
        raise OSError(errno.EFBIG, f"larger than {most_bytes:,} bytes, the most that is read", str(path))
    return data


def read_up_to(file: io.BufferedReader, most_bytes: int) -> bytes:
    """The bytes of an open file, at most so many; memory is taken for those that are there alone.

    (`read` of so many takes the memory for all of them first.)
    """
    size = os.fstat(file.fileno()).st_size
    data = file.read(min(size + 1, most_bytes))
    pieces = [data]
    left = most_bytes - len(data)
    while left and data:  # a file that grows, or does not say its size
        data = file.read(min(_PIECE_BYTES, left))
        pieces.append(data)
        left -= len(data)
    return pieces[0] if len(pieces) == 2 and not data else b"".join(pieces)
