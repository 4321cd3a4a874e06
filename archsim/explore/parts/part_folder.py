"""Keeps the files of parts: in the folder of the exploration, or in memory where there is none.

`manifest.jsonl` says which parts are whole: a line each, with its checksum as in the journal, appended and fsynced
before the file that it is about gets its name. So a file is whole if any line of it has its digest; a part that is
written anew leaves the old one valid until the new one is there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from archsim.config.files.regular_files import open_regular, read_regular
from archsim.config.files.whole_files import open_anew
from archsim.config.json_text import json_of
from archsim.errors import OutputError
from archsim.explore.results.study_folder import PARTS
from archsim.explore.run.journal import MOST_LINE_BYTES, sealed_line, sync_folder, unsealed

MANIFEST = "manifest.jsonl"
MOST_PART_BYTES = 1 << 30
"""Largest file of a part that is read: a hundred times what one takes."""


class PartFolder:
    """The files of parts, by their places.

    `dropped`: lines of the manifest that are torn, and parts that are damaged.
    """

    def __init__(self, folder: Path | None, settings: str) -> None:
        self.dropped = 0
        self._folder = None if folder is None else folder / PARTS
        self.settings = settings
        self._digests: dict[int, set[str]] = {}
        self._memory: dict[int, bytes] = {}
        if self._folder is None:
            return
        try:
            self._folder.mkdir(exist_ok=True)
            if (self._folder / MANIFEST).is_symlink():
                raise OutputError(f"{self._folder / MANIFEST}: is a link to another file, which is not written to")
            if (self._folder / MANIFEST).exists():
                self._read_manifest(self._folder / MANIFEST)
        except OSError as error:
            raise _cannot_write(self._folder, error, 0) from error

    @property
    def places(self) -> list[int]:
        """The parts that the manifest names."""
        return sorted(self._digests)

    def whole(self, place: int) -> bytes | None:
        """The bytes of a part that is on the disk and whole, else None."""
        if self._folder is None or place not in self._digests or not (self._folder / _name(place)).exists():
            return None  # also after a kill between the manifest's line and the file
        try:
            data = self.read(place)
        except OutputError:
            data = b""
        if hashlib.sha256(data).hexdigest() in self._digests[place]:
            return data
        self.dropped += 1
        return None

    def read(self, place: int) -> bytes:
        """The bytes of a part; OutputError if they cannot be read."""
        if self._folder is None:
            return self._memory[place]
        path = self._folder / _name(place)
        try:
            return read_regular(path, MOST_PART_BYTES)
        except OSError as error:
            raise OutputError(f"{path}: cannot be read: {error.strerror or error}") from error

    def write(self, place: int, data: bytes, whole: bool, kept: int) -> None:
        """Put a part on the disk; OutputError if that fails. `whole`: whether it stays as it is."""
        if self._folder is None:
            self._memory[place] = data
            return
        path = self._folder / _name(place)
        temporary = path.with_name(f".{path.name}.partial")
        try:
            with open_anew(temporary) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if whole:
                self._append(place, hashlib.sha256(data).hexdigest())
            os.replace(temporary, path)
            sync_folder(self._folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise _cannot_write(path, error, kept) from error

    def _append(self, place: int, digest: str) -> None:
        assert self._folder is not None
        if digest in self._digests.get(place, ()):  # a kill came between the line and the file
            return
        line = sealed_line(json.dumps({"part": place, "sha256": digest, "settings": self.settings}))
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self._folder / MANIFEST, flags, 0o666)
        try:
            size = os.fstat(descriptor).st_size
            try:
                if os.write(descriptor, line) < len(line):
                    raise OSError(28, "No space left on device")
                os.fsync(descriptor)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
        self._digests.setdefault(place, set()).add(digest)

    def _read_manifest(self, path: Path) -> None:
        """Learn which parts there are; what is torn at the end is cut off, so that the next line begins a line."""
        size = 0
        with open_regular(path) as file:
            while line := file.readline(MOST_LINE_BYTES):
                size += len(line) if line.endswith(b"\n") else 0
                self._learn(unsealed(line))
        if size < path.stat().st_size:
            os.truncate(path, size)

    def _learn(self, record: bytes | None) -> None:
        found: Any = None
        with contextlib.suppress(ValueError):
            found = json_of(record or b"null")
        if not isinstance(found, dict) or not isinstance(found.get("part"), int) or found["part"] < 0:
            self.dropped += 1
        elif found.get("settings") == self.settings and isinstance(found.get("sha256"), str):
            self._digests.setdefault(found["part"], set()).add(found["sha256"])


def _name(place: int) -> str:
    return f"part-{place:06}.parquet"


def _cannot_write(path: Path, error: OSError, kept: int) -> OutputError:
    what = f"; {kept:,} finished points are kept, and --resume goes on from them" if kept else ""
    return OutputError(f"{path}: cannot be written: {error.strerror or error}{what}")
