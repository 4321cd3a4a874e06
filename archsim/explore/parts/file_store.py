"""Keeps files by their names: in a folder, as all of a part's bytes at once, whole or not at all."""

from __future__ import annotations

import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from archsim.config.files.regular_files import read_regular
from archsim.config.files.whole_files import open_anew
from archsim.explore.run.journal import sync_folder

MOST_PART_BYTES = 1 << 30
"""Largest file of a part that is read: a hundred times what one takes."""


class FileStore(ABC):
    """Files by their names; every error is an OSError with its reason in `strerror`."""

    @abstractmethod
    def where(self, name: str) -> str:
        """The whole name of a file, as messages have it."""

    @abstractmethod
    def begin(self) -> None:
        """Make the folder that the files are in, if it is not there."""

    @abstractmethod
    def end(self) -> None:
        """Remove the folder, in which there is nothing any more."""

    @abstractmethod
    def names(self) -> set[str]:
        """The names of all files that are there, also of those that were not finished."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """The bytes of a file."""

    @abstractmethod
    def write(self, name: str, data: bytes, before_naming: Callable[[], None] = lambda: None) -> None:
        """Write a file, whole or not at all. `before_naming` is called when its bytes are there, but not its name."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""


class FolderStore(FileStore):
    """The files of a folder. `shared`: whether several processes write there, maybe the same file at once."""

    def __init__(self, folder: Path, shared: bool = False) -> None:
        self._folder, self._shared = folder, shared

    def where(self, name: str) -> str:
        return str(self._folder / name)

    def begin(self) -> None:
        self._folder.mkdir(exist_ok=True)

    def end(self) -> None:
        self._folder.rmdir()

    def names(self) -> set[str]:
        return {entry.name for entry in self._folder.iterdir() if not entry.is_dir()}

    def read(self, name: str) -> bytes:
        return read_regular(self._folder / name, MOST_PART_BYTES)

    def write(self, name: str, data: bytes, before_naming: Callable[[], None] = lambda: None) -> None:
        temporary = self._folder / (unfinished(name) if self._shared else f".{name}.partial")
        try:
            with open_anew(temporary) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            before_naming()
            os.replace(temporary, self._folder / name)
            sync_folder(self._folder)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def remove(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)


def unfinished(name: str) -> str:
    """A name for a file until it is whole, which nobody else writes to."""
    return f".{name}.{uuid.uuid4().hex}.partial"
