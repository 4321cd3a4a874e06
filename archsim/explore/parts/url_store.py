"""Keeps files on a shared file system or in an object store, by fsspec, as an address with a protocol names it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from archsim.config.text import one_line
from archsim.errors import OutputError
from archsim.explore.parts.file_store import MOST_PART_BYTES, FileStore, unfinished


class UrlStore(FileStore):
    """The files below an address, such as s3://bucket/folder."""

    def __init__(self, address: str) -> None:
        try:
            import fsspec
        except ModuleNotFoundError:
            raise OutputError(f'--parts {address}: needs the package fsspec: pip install "archsim[shared]"') from None
        self._address = address
        try:
            core: Any = fsspec.core
            self._files, self._path = core.url_to_fs(address)
        except Exception as error:  # whatever a file system of another package raises
            raise OutputError(f"--parts {address}: {one_line(_first_line(error))}") from error

    def where(self, name: str) -> str:
        return f"{self._address}/{name}"

    def begin(self) -> None:
        with _as_os_errors():
            self._files.makedirs(self._path, exist_ok=True)

    def end(self) -> None:
        with _as_os_errors():
            self._files.rm(self._path, recursive=True)

    def names(self) -> set[str]:
        with _as_os_errors():
            self._files.invalidate_cache()
            try:
                found = self._files.ls(self._path, detail=True)
            except FileNotFoundError:  # an object store has no empty folders
                return set()
            files = (str(entry["name"]) for entry in found if entry["type"] == "file")
            return {path.rstrip("/").rsplit("/", 1)[-1] for path in files}

    def read(self, name: str) -> bytes:
        with _as_os_errors():
            data: bytes = self._files.cat_file(self._inside(name), start=0, end=MOST_PART_BYTES + 1)
        if len(data) > MOST_PART_BYTES:
            raise OSError(errno.EFBIG, f"larger than {MOST_PART_BYTES:,} bytes, the most that is read", name)
        return data

    def write(self, name: str, data: bytes, before_naming: Callable[[], None] = lambda: None) -> None:
        temporary = self._inside(unfinished(name))
        try:
            with _as_os_errors():
                self._files.pipe_file(temporary, data)
            before_naming()
            with _as_os_errors():
                self._files.mv(temporary, self._inside(name))
        except BaseException:
            with suppress(Exception):
                self._files.rm_file(temporary)
            raise

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError), _as_os_errors():
            self._files.rm_file(self._inside(name))

    def _inside(self, name: str) -> str:
        return f"{self._path}/{name}"


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Make of whatever a file system of another package raises an OSError of one line."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.strerror is None or not isinstance(error.strerror, str):
            raise OSError(error.errno or errno.EIO, one_line(_first_line(error))) from error
        raise
    except Exception as error:
        raise OSError(errno.EIO, one_line(f"{type(error).__name__}: {_first_line(error)}")) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
