"""Keeps the files of parts: in the folder of the exploration, or in memory where there is none.

`manifest.jsonl` says which parts are whole: a line each, with its checksum as in the journal, appended and fsynced
before the file that it is about gets its name. So a file is whole if any line of it has its digest; a part that is
written anew leaves the old one valid until the new one is there.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from archsim.errors import OutputError
from archsim.explore.parts.file_store import FileStore, FolderStore
from archsim.explore.parts.sealed_file import SealedFile
from archsim.explore.parts.stores import open_store
from archsim.explore.results.study_folder import PARTS

MANIFEST = "manifest.jsonl"


class PartFolder:
    """The files of parts, by their places. `address`: where they are.

    `dropped`: lines of the manifest that are torn, and parts that are damaged.
    """

    def __init__(self, folder: Path | None, settings: str, address: str | None = None) -> None:
        self.dropped = 0
        self.where = "memory"
        self.settings = settings
        self._digests: dict[int, set[str]] = {}
        self._memory: dict[int, bytes] = {}
        self._store: FileStore | None = None
        if folder is None:
            return
        self.where = f"{PARTS}/*.parquet"
        self._store = FolderStore(folder / PARTS)
        if address is not None and "://" in address:
            self._store, self.where = open_store(address), f"{address}/*.parquet"
        try:
            (folder / PARTS).mkdir(exist_ok=True)
            self._store.begin()
            self._manifest = SealedFile(folder / PARTS / MANIFEST)
            for record in self._manifest.records():
                self._learn(record)
        except OSError as error:
            raise cannot_write(str(folder / PARTS), error, 0) from error
        self.dropped += self._manifest.dropped

    @property
    def places(self) -> list[int]:
        """The parts that the manifest names."""
        return sorted(self._digests)

    def whole(self, place: int) -> bytes | None:
        """The bytes of a part that is on the disk and whole, else None."""
        if self._store is None or place not in self._digests:
            return None
        try:
            data = self._store.read(_name(place))
        except FileNotFoundError:
            return None  # also after a kill between the manifest's line and the file
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() in self._digests[place]:
            return data
        self.dropped += 1
        return None

    def read(self, place: int) -> bytes:
        """The bytes of a part; OutputError if they cannot be read."""
        if self._store is None:
            return self._memory[place]
        try:
            return self._store.read(_name(place))
        except OSError as error:
            where = self._store.where(_name(place))
            raise OutputError(f"{where}: cannot be read: {error.strerror or error}") from error

    def write(self, place: int, data: bytes, whole: bool, kept: int) -> None:
        """Put a part on the disk; OutputError if that fails. `whole`: whether it stays as it is."""
        if self._store is None:
            self._memory[place] = data
            return

        def append() -> None:
            if whole:
                self._append(place, hashlib.sha256(data).hexdigest())

        try:
            self._store.write(_name(place), data, append)
        except OSError as error:
            raise cannot_write(self._store.where(_name(place)), error, kept) from error

    def _append(self, place: int, digest: str) -> None:
        if digest in self._digests.get(place, ()):  # a kill came between the line and the file
            return
        self._manifest.append(json.dumps({"part": place, "sha256": digest, "settings": self.settings}))
        self._digests.setdefault(place, set()).add(digest)

    def _learn(self, found: dict[str, Any]) -> None:
        if not isinstance(found.get("part"), int) or found["part"] < 0:
            self.dropped += 1
        elif found.get("settings") == self.settings and isinstance(found.get("sha256"), str):
            self._digests.setdefault(found["part"], set()).add(found["sha256"])


def _name(place: int) -> str:
    return f"part-{place:06}.parquet"


def cannot_write(where: str, error: OSError, kept: int) -> OutputError:
    """The error of a file that cannot be written; `kept`: how many finished points are on the disk."""
    return OutputError(f"{where}: cannot be written: {error.strerror or error}{kept_words(kept)}")


def kept_words(kept: int) -> str:
    """What is said of finished points, if there are any, where an exploration ends early."""
    return f"; {kept:,} finished points are kept, and --resume goes on from them" if kept else ""
