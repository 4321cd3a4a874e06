"""Keeps small results on disk by the digest of what they follow from, which only speeds up.

A file has its SHA-256 in front: what is damaged is not used, and written anew. There are at most FILES of them, each in
the place that the digest's first bits name: the last result that wants a place has it, so that nothing grows or has to
be cleaned up. Where no file can be written, none is.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path

FILES = 4096
"""Most files in a folder."""
MOST_BYTES = 16 << 20
"""Largest file that is read."""
_DIGEST = 32


class KeptFiles:
    """Results in a folder of the user's cache, by digests of 32 bytes."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def folder(self) -> Path | None:
        """Where the files are; None where there is no place for them."""
        above = os.environ.get("XDG_CACHE_HOME")
        try:
            return (Path(above) if above else Path.home() / ".cache") / "archsim" / self._name
        except RuntimeError:  # nobody's home
            return None

    def get(self, digest: bytes) -> bytes | None:
        """What is kept under a digest; None if nothing is, or nothing whole."""
        path = self._path(digest)
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES)
            seal, whose, content = data[:_DIGEST], data[_DIGEST : 2 * _DIGEST], data[_DIGEST:]
            if whose != digest or hashlib.sha256(content).digest() != seal:
                return None
            return zlib.decompress(content[_DIGEST:])
        except (OSError, zlib.error):
            return None

    def holds(self, digest: bytes) -> bool:
        """Whether there is a file with something under a digest, be it damaged."""
        path = self._path(digest)
        try:
            with open(path or os.devnull, "rb") as file:
                return file.read(2 * _DIGEST)[_DIGEST:] == digest
        except OSError:
            return False

    def put(self, digest: bytes, result: bytes) -> None:
        """Keep a result under a digest, in place of what was there; nothing happens where that is not possible."""
        path = self._path(digest)
        if path is None:
            return
        content = digest + zlib.compress(result, 1)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=path.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(hashlib.sha256(content).digest() + content)
                os.replace(name, path)  # whoever reads meanwhile has the old file or the new one
            except OSError:
                os.unlink(name)
                raise

    def _path(self, digest: bytes) -> Path | None:
        folder = self.folder
        return None if folder is None else folder / f"{int.from_bytes(digest[:2]) % FILES:03x}"
