"""Keeps the journal: every finished point is on disk before it counts.

A text file, appended to and never rewritten: one line a record, each `CRC-32 of the rest, 8 hex digits` + space + JSON.
The first line says what exploration it is of, each other what became of a design, or of some that were evaluated
together. `append` returns when the lines are on the disk: it writes them with one call and then fsyncs, so that neither
a crash of the process nor a power cut takes a point that was counted. What was being written at that moment may be
torn: a line that is cut off or does not match its checksum is dropped when the journal is opened again, and its points
are evaluated again. One process at a time holds a journal (flock).
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from archsim import __version__
from archsim.config.files.regular_files import check_regular
from archsim.config.json_text import json_of
from archsim.config.text import one_line
from archsim.errors import OutputError
from archsim.explore.run.outcome import Kind, Outcome, Outputs
from archsim.explore.run.outcome_lines import lines_of, outcomes_of
from archsim.explore.run.output_table import RowOutputs

FORMAT = 2
NAME = "journal.jsonl"
NEW = f"{NAME}.new"
MOST_LINE_BYTES = 64 << 20
"""Longest line that is read: some times what is written."""


@dataclass(frozen=True, slots=True)
class Header:
    """Whose a journal is: the space's fingerprint and name.

    `settings`: of a journal that keeps of each design but what is declared, the digest of what turns that into points.
    """

    fingerprint: str
    space: str
    settings: str | None = None

    def to_json(self) -> str:
        """The first line of a journal."""
        data = {"journal": FORMAT, "archsim": __version__, "space": self.space, "fingerprint": self.fingerprint}
        return json.dumps(data if self.settings is None else data | {"settings": self.settings})


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file that is open and locked, and what is in it."""

    descriptor: int
    header: Header
    known: dict[str, Outcome]
    size: int
    dropped: int


class Journal:
    """Outcomes by their key, on disk.

    `dropped`: torn or damaged lines that were found; their points are repeated.
    """

    def __init__(self, path: Path, opened: _Opened) -> None:
        self.path = path
        self.header = opened.header
        self.known = opened.known
        self.dropped = opened.dropped
        self._descriptor = opened.descriptor
        self._size = opened.size

    @staticmethod
    def create(path: Path, fingerprint: str, space: str, settings: str | None = None) -> Journal:
        """A new journal; OutputError if it cannot be written. Its name appears when its first line is on the disk."""
        return Journal(path, _new(path, Header(fingerprint, space, settings), (), replaces=False))

    @staticmethod
    def resume(path: Path, fingerprint: str, settings: str | None = None) -> Journal:
        """An existing journal, what is torn cut off. One without settings is good for any.

        OutputError if it is of another space or another version of archsim, in use, or cannot be written.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            raise _cannot_write(path, 0, error) from error
        try:
            _check_regular(path, descriptor)
            opened = _opened(path, descriptor, fingerprint, settings)
            with contextlib.suppress(OSError):  # of one that was to take its place when the disk became read-only
                os.unlink(path.with_name(NEW))
            return Journal(path, opened)
        except BaseException:
            os.close(descriptor)  # and with it the lock
            raise

    def append(self, outcomes: Iterable[Outcome]) -> None:
        """Put outcomes on the disk; OutputError if that fails: then none of them counts, and none is torn."""
        outcomes = list(outcomes)
        self._write(b"".join(map(sealed_line, lines_of(outcomes))))
        self.known.update((outcome.key, outcome) for outcome in outcomes)

    def renew(self, outcomes: Iterable[Outcome], settings: str) -> None:
        """Put a journal of these outcomes alone in the place of this one; OutputError if that fails: it stays then."""
        header = Header(self.header.fingerprint, self.header.space, settings)
        opened = _new(self.path, header, tuple(outcomes), replaces=True)
        os.close(self._descriptor)
        self.header, self.known = header, opened.known
        self._descriptor, self._size = opened.descriptor, opened.size

    def keep(self, workloads: frozenset[str], figures: frozenset[str]) -> None:
        """Keep what is of these workloads and has these figures; others, which nobody here wrote, are dropped."""
        whole: dict[int, bool] = {}

        def lacks(found: Outputs) -> bool:
            table = found.table.columns if isinstance(found, RowOutputs) else found
            if id(table) not in whole:
                whole[id(table)] = figures <= table.keys()
            return not whole[id(table)]

        others = [
            key
            for key, outcome in self.known.items()
            if outcome.outputs and (set(outcome.outputs) != workloads or any(map(lacks, outcome.outputs.values())))
        ]
        for key in others:
            del self.known[key]
        self.dropped += bool(others)

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
            _write_all(self._descriptor, data)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise _cannot_write(self.path, len(self.known), error) from error
        self._size += len(data)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a journal that is finished, so that nobody else goes on from it; nothing where there is none.

    OutputError if another process has it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        yield
        return
    except OSError as error:
        raise _cannot_write(path, 0, error) from error
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _check_regular(path: Path, descriptor: int) -> None:
    try:
        check_regular(descriptor, path)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; choose another --out") from error


def _new(path: Path, header: Header, outcomes: Sequence[Outcome], *, replaces: bool) -> _Opened:
    """A new file of some outcomes, which takes its name when all is on the disk.

    `replaces`: it also takes the place of what has the name; else that is another exploration that was faster.
    """
    new = path.with_name(NEW)
    if new.is_symlink():
        raise OutputError(f"{new}: is a link to another file, which is not written to; choose another --out")
    data = b"".join(map(sealed_line, (header.to_json(), *lines_of(outcomes))))
    try:
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        raise _cannot_write(path, 0, error) from error
    try:
        _lock(descriptor, path)
        if not replaces and path.exists():  # who had the lock before let the name go when it gave the journal its own
            new.unlink(missing_ok=True)
            raise _in_use(path)
        os.ftruncate(descriptor, 0)
        _write_all(descriptor, data)
        os.rename(new, path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(new)  # it is ours, by the lock
        os.close(descriptor)
        raise _cannot_write(path, len(outcomes), error) from error
    except OutputError:
        os.close(descriptor)
        raise
    return _Opened(descriptor, header, {outcome.key: outcome for outcome in outcomes}, len(data), 0)


def _opened(path: Path, descriptor: int, fingerprint: str, settings: str | None) -> _Opened:
    """Open the journal in an open file; what is torn at its end is cut off."""
    known: dict[str, Outcome] = {}
    dropped = 0
    try:
        _lock(descriptor, path)
        if not os.path.samestat(os.fstat(descriptor), os.stat(path)):  # who had it has put another in its place
            raise _in_use(path)
        lines = _lines(descriptor)
        first = next(lines, b"")
        header = _header(path, unsealed(first), fingerprint, settings)
        place = size = len(first)
        for line in lines:
            place += len(line)
            outcomes = _outcomes(unsealed(line))
            if outcomes is None:
                dropped += 1
                continue
            size = place
            # A failure is tried again.
            known |= {outcome.key: outcome for outcome in outcomes if outcome.kind is not Kind.FAILED}
        if size < place:
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
    except OSError as error:
        raise _cannot_write(path, len(known), error) from error
    return _Opened(descriptor, header, known, size, dropped)


def _lines(descriptor: int) -> Iterator[bytes]:
    """The lines of a journal, each with its end, one after the other; of a longer one that is none, pieces."""
    with open(os.dup(descriptor), "rb") as file:
        while line := file.readline(MOST_LINE_BYTES):
            yield line


def sealed_line(text: str) -> bytes:
    """A line of a text, with its checksum."""
    body = text.encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def unsealed(line: bytes) -> bytes | None:
    """The text of a whole line; None if it is torn or damaged."""
    checksum, space, body = line[:8], line[8:9], line[9:-1]
    whole = line.endswith(b"\n") and space == b" " and checksum == b"%08x" % zlib.crc32(body)
    return body if whole else None


def _outcomes(record: bytes | None) -> list[Outcome] | None:
    try:
        return None if record is None else outcomes_of(record)
    except (KeyError, TypeError, ValueError):
        return None


def _header(path: Path, record: bytes | None, fingerprint: str, settings: str | None) -> Header:
    """The header of a journal; OutputError if it is not the one that was asked for."""
    header: Any = None
    with contextlib.suppress(ValueError):
        header = json_of(record or b"null")
    if not isinstance(header, dict) or header.get("journal") not in range(1, FORMAT + 1):
        raise OutputError(f"{path}: is not a journal of archsim explore; choose another --out")
    if header.get("archsim") != __version__:
        other = one_line(str(header.get("archsim")))
        raise OutputError(
            f"{path}: was written by archsim {other}, and this is {__version__}: its figures may differ; choose "
            "another --out"
        )
    if header["journal"] != FORMAT:
        raise OutputError(
            f"{path}: was written before journals had format {FORMAT}: its figures may differ; choose another --out"
        )
    if header.get("fingerprint") != fingerprint:
        raise OutputError(
            f"{path}: is of another space than this one (its parameters, machine, workloads, sampler or seed differ); "
            "choose another --out"
        )
    found = Header(fingerprint, str(header.get("space")), header.get("settings"))
    if found.settings is not None and settings is None:
        raise OutputError(
            f"{path}: is of a larger exploration, of which not every figure was kept; choose a larger --budget or "
            "another --out"
        )
    if found.settings is not None and found.settings != settings:
        raise OutputError(
            f"{path}: was explored with other objectives or constraints, or pruned otherwise; choose another --out"
        )
    return found


def _lock(descriptor: int, path: Path) -> None:
    try:
        import fcntl
    except ModuleNotFoundError:  # not a POSIX system: there the user must take care
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _in_use(path) from None


def _in_use(path: Path) -> OutputError:
    return OutputError(f"{path}: another archsim explore is writing here; choose another --out")


def sync_folder(folder: Path) -> None:
    """Put the files' names on the disk too."""
    with contextlib.suppress(OSError):  # some file systems cannot sync a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _cannot_write(path: Path, kept: int, error: OSError) -> OutputError:
    what = f"; {kept:,} finished points are kept there, and --resume goes on from them" if kept else ""
    return OutputError(f"{path}: cannot be written: {error.strerror or error}{what}")
