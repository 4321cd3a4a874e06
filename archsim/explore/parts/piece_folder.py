"""Keeps pieces of parts: files that workers write, and a line of each that counts.

A piece has the rows of some points of one part, and is named by the part and its own digest, so that a worker that
repeats what another one has done writes the same file. `pieces.jsonl` says which pieces were reported: a line each,
with its checksum, on the disk before the piece counts. A file without a line was written by a worker whose report
never came; it is removed when the exploration goes on, and its points are evaluated again.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from archsim.errors import OutputError
from archsim.explore.parts.part_folder import cannot_write
from archsim.explore.parts.sealed_file import SealedFile
from archsim.explore.parts.stores import PIECES, TOKEN, open_store
from archsim.explore.results.study_folder import PARTS

LINES = "pieces.jsonl"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class PieceFolder:
    """The pieces of an exploration's parts, by the parts' places and their digests. `address`: where the parts are.

    `dropped`: lines that are torn, and pieces that are damaged.
    """

    def __init__(self, folder: Path, settings: str, address: str) -> None:
        self.dropped = 0
        self._settings = settings
        self.address = f"{address}/{PIECES}"
        self._store = open_store(self.address)
        self._known: dict[int, list[str]] = {}
        self._lines = SealedFile(folder / PARTS / LINES)
        try:
            (folder / PARTS).mkdir(exist_ok=True)
            self._store.begin()
            self._begin()
        except OSError as error:
            raise cannot_write(str(self._lines.path), error, 0) from error
        self.dropped += self._lines.dropped

    def leave_token(self) -> str:
        """Put down a word that nobody can guess, and return it.

        By it a worker elsewhere knows that it sees these files, and not others of the same name.
        """
        token = uuid.uuid4().hex
        try:
            self._store.write(TOKEN, token.encode())
        except OSError as error:
            raise cannot_write(self._store.where(TOKEN), error, 0) from error
        return token

    def of_part(self, part: int) -> list[tuple[str, bytes]]:
        """The digest and the bytes of each piece of a part that is whole; others are dropped."""
        found: list[tuple[str, bytes]] = []
        for digest in self._known.get(part, []):
            try:
                data = self._store.read(piece_name(part, digest))
            except OSError:
                data = b""
            if hashlib.sha256(data).hexdigest() == digest:
                found.append((digest, data))
            else:
                self.dropped += 1
        self._known[part] = [digest for digest, _ in found]
        return found

    def read(self, part: int, digest: str) -> bytes:
        """The bytes of a piece; OutputError if it is not there as it was written."""
        where = self._store.where(piece_name(part, digest))
        try:
            data = self._store.read(piece_name(part, digest))
        except OSError as error:
            raise OutputError(
                f"{where}: cannot be read: {error.strerror or error}; --resume evaluates it again"
            ) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise OutputError(f"{where}: is not what a worker wrote; --resume evaluates it again")
        return data

    def write(self, part: int, data: bytes, kept: int) -> str:
        """Write a piece from here; its digest."""
        digest = hashlib.sha256(data).hexdigest()
        try:
            self._store.write(piece_name(part, digest), data)
        except OSError as error:
            raise cannot_write(self._store.where(piece_name(part, digest)), error, kept) from error
        return digest

    def add(self, part: int, digest: str, kept: int) -> None:
        """Count a piece whose file is there; OutputError if its line cannot be written."""
        if digest in self._known.get(part, ()):
            return
        try:
            self._lines.append(self._line(part, digest))
        except OSError as error:
            with suppress(OSError):  # else it is removed when the exploration goes on
                self._store.remove(piece_name(part, digest))
            raise cannot_write(str(self._lines.path), error, kept) from error
        self._known.setdefault(part, []).append(digest)

    def forget(self, part: int) -> None:
        """Remove the pieces of a part that is whole."""
        for digest in self._known.pop(part, []):
            with suppress(OSError):  # it is removed when the exploration goes on, as nothing needs it
                self._store.remove(piece_name(part, digest))

    def end(self) -> None:
        """Remove what nobody needs any more: the token, and if there is no piece, the file of lines."""
        with suppress(OSError):  # it does no harm where it is
            self._store.remove(TOKEN)
            if not any(self._known.values()):
                self._lines.path.unlink(missing_ok=True)
                self._store.end()

    def _begin(self) -> None:
        """Learn which pieces are there and counted; remove the others, and the lines of those that are not there."""
        there = self._store.names()
        lines = 0
        for record in self._lines.records():
            lines += 1
            self._learn(record, there)
        named = {piece_name(part, digest) for part, digests in self._known.items() for digest in digests}
        for name in there - named - {TOKEN}:
            self._store.remove(name)
        if lines > len(named) or self._lines.dropped:
            self._lines.renew(self._line(part, d) for part, digests in self._known.items() for d in digests)

    def _learn(self, found: dict[str, Any], there: set[str]) -> None:
        part, digest = found.get("part"), found.get("sha256")
        if not isinstance(part, int) or part < 0 or not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            self.dropped += 1
            return
        digests = self._known.setdefault(part, [])
        if found.get("settings") == self._settings and piece_name(part, digest) in there and digest not in digests:
            digests.append(digest)

    def _line(self, part: int, digest: str) -> str:
        return json.dumps({"part": part, "sha256": digest, "settings": self._settings})


def piece_name(part: int, digest: str) -> str:
    """The name of a piece's file."""
    return f"part-{part:06}-{digest}.parquet"
