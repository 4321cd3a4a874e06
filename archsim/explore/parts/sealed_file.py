"""Keeps lines that are appended to a file: each with its checksum, and on the disk before it counts."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from archsim.config.files.regular_files import open_regular
from archsim.config.files.whole_files import open_anew
from archsim.config.json_text import json_of
from archsim.errors import OutputError
from archsim.explore.run.journal import MOST_LINE_BYTES, sealed_line, unsealed


class SealedFile:
    """A file of lines of JSON. `dropped`: lines that were torn or damaged, or no objects."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dropped = 0
        if path.is_symlink():
            raise OutputError(f"{path}: is a link to another file, which is not written to")

    def records(self) -> Iterator[dict[str, Any]]:
        """The objects in the file, none if it is not there; what is torn at the end is cut off afterwards.

        So the next line begins a line.
        """
        if not self.path.exists():
            return
        size = 0
        with open_regular(self.path) as file:
            while line := file.readline(MOST_LINE_BYTES):
                size += len(line) if line.endswith(b"\n") else 0
                found: Any = None
                with contextlib.suppress(ValueError):
                    found = json_of(unsealed(line) or b"null")
                if isinstance(found, dict):
                    yield found
                else:
                    self.dropped += 1
        if size < self.path.stat().st_size:
            os.truncate(self.path, size)

    def append(self, text: str) -> None:
        """Put a line on the disk; OSError if that fails: then there is nothing of it."""
        line = sealed_line(text)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self.path, flags, 0o666)
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

    def renew(self, texts: Iterable[str]) -> None:
        """Put a file of these lines alone in its place; OSError if that fails: it stays as it is."""
        temporary = self.path.with_name(f".{self.path.name}.partial")
        try:
            with open_anew(temporary) as file:
                file.writelines(map(sealed_line, texts))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
