"""Keeps the journal: every finished point is on disk before it counts.

A text file, appended to and never rewritten: one line a record, each `CRC-32 of the rest, 8 hex digits` + space + JSON.
The first line says what exploration it is of. `append` returns when the lines are on the disk: it writes them with one
call and then fsyncs, so that neither a crash of the process nor a power cut takes a point that was counted. What was
being written at that moment may be torn: a line that is cut off or does not match its checksum is dropped when the
journal is opened again, and its point is evaluated again. One process at a time holds a journal (flock).
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from archsim import __version__
from archsim.config.json_text import json_of
from archsim.config.regular_files import check_regular
from archsim.config.text import one_line
from archsim.errors import OutputError
from archsim.explore.run.outcome import Kind, Outcome

FORMAT = 1
NAME = "journal.jsonl"
NEW = f"{NAME}.new"
MOST_LINE_BYTES = 64 << 20
"""Longest line that is read: a thousand times what a design takes."""


class Journal:
    """Outcomes by their key, on disk.

    `dropped`: torn or damaged lines that were found; their points are repeated.
    """

    def __init__(self, path: Path, descriptor: int, known: dict[str, Outcome], size: int, dropped: int) -> None:
        self.path = path
        self.known = known
        self.dropped = dropped
        self._descriptor = descriptor
        self._size = size

    @staticmethod
    def create(path: Path, fingerprint: str, space: str) -> Journal:
        """A new journal; OutputError if it cannot be written. Its name appears when its first line is on the disk."""
        header = {"journal": FORMAT, "archsim": __version__, "space": space, "fingerprint": fingerprint}
        try:
            new = path.with_name(NEW)
            descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            raise _cannot_write(path, 0, error) from error
        try:
            _lock(descriptor, path)
            os.ftruncate(descriptor, 0)
            journal = Journal(path, descriptor, {}, 0, 0)
            journal._write(_line(json.dumps(header)))
            os.rename(new, path)
            _sync_folder(path.parent)
        except OSError as error:
            os.close(descriptor)
            raise _cannot_write(path, 0, error) from error
        except OutputError:
            os.close(descriptor)
            raise
        return journal

    @staticmethod
    def resume(path: Path, fingerprint: str) -> Journal:
        """An existing journal, what is torn cut off.

        OutputError if it is of another space or another version of archsim, in use, or cannot be written.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            raise _cannot_write(path, 0, error) from error
        try:
            _check_regular(path, descriptor)
            return _opened(path, descriptor, fingerprint)
        except BaseException:
            os.close(descriptor)  # and with it the lock
            raise

    def append(self, outcomes: Iterable[Outcome]) -> None:
        """Put outcomes on the disk; OutputError if that fails: then none of them counts, and none is torn."""
        outcomes = list(outcomes)
        self._write(b"".join(_line(outcome.to_json()) for outcome in outcomes))
        self.known.update((outcome.key, outcome) for outcome in outcomes)

    def close(self) -> None:
        """Let go of the file and its lock."""
        os.close(self._descriptor)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise _cannot_write(self.path, len(self.known), error) from error
        self._size += len(data)


def _check_regular(path: Path, descriptor: int) -> None:
    try:
        check_regular(descriptor, path)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; choose another --out") from error


def _opened(path: Path, descriptor: int, fingerprint: str) -> Journal:
    """Open the journal in an open file; what is torn at its end is cut off."""
    known: dict[str, Outcome] = {}
    dropped = 0
    try:
        _lock(descriptor, path)
        lines = _lines(descriptor)
        header = next(lines, b"")
        _check_header(path, _record(header), fingerprint)
        place = size = len(header)
        for line in lines:
            place += len(line)
            outcome = _outcome(_record(line))
            if outcome is None:
                dropped += 1
                continue
            size = place
            if outcome.kind is not Kind.FAILED:  # a failure is tried again
                known[outcome.key] = outcome
        if size < place:
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
    except OSError as error:
        raise _cannot_write(path, len(known), error) from error
    return Journal(path, descriptor, known, size, dropped)


def _lines(descriptor: int) -> Iterator[bytes]:
    """The lines of a journal, each with its end, one after the other; of a longer one that is none, pieces."""
    with open(os.dup(descriptor), "rb") as file:
        while line := file.readline(MOST_LINE_BYTES):
            yield line


def _line(text: str) -> bytes:
    body = text.encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _record(line: bytes) -> bytes | None:
    """The JSON text of a whole line; None if it is torn or damaged."""
    checksum, space, body = line[:8], line[8:9], line[9:-1]
    whole = line.endswith(b"\n") and space == b" " and checksum == b"%08x" % zlib.crc32(body)
    return body if whole else None


def _outcome(record: bytes | None) -> Outcome | None:
    try:
        return None if record is None else Outcome.from_json(record)
    except (KeyError, TypeError, ValueError):
        return None


def _check_header(path: Path, record: bytes | None, fingerprint: str) -> None:
    header: Any = None
    with contextlib.suppress(ValueError):
        header = json_of(record or b"null")
    if not isinstance(header, dict) or header.get("journal") != FORMAT:
        raise OutputError(f"{path}: is not a journal of archsim explore; choose another --out")
    if header.get("archsim") != __version__:
        other = one_line(str(header.get("archsim")))
        raise OutputError(
            f"{path}: was written by archsim {other}, and this is {__version__}: its figures may differ; choose "
            "another --out"
        )
    if header.get("fingerprint") != fingerprint:
        raise OutputError(
            f"{path}: is of another space than this one (its parameters, machine, workloads, sampler or seed differ); "
            "choose another --out"
        )


def _lock(descriptor: int, path: Path) -> None:
    try:
        import fcntl
    except ModuleNotFoundError:  # not a POSIX system: there the user must take care
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(f"{path}: another archsim explore is writing here; choose another --out") from None


def _sync_folder(folder: Path) -> None:
    """Put the file's name on the disk too."""
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _cannot_write(path: Path, kept: int, error: OSError) -> OutputError:
    what = f"; {kept:,} finished points are kept there, and --resume goes on from them" if kept else ""
    return OutputError(f"{path}: cannot be written: {error.strerror or error}{what}")
