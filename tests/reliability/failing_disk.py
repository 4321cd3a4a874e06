"""A disk that is full, or read-only, from a given call on: what this process does below a folder fails as there.

Every call counts that needs room: a file that is opened for writing, bytes that are written, fsync, a new name, a new
folder. From call number `fails_at` on each raises OSError(ENOSPC); of the bytes of the first one half are written, as
a disk that fills up takes them. (Of new names that one alone fails: a file that gives its name up leaves room for it.)

Of a read-only disk (EROFS) also what takes names away counts; from that call on nothing at all is changed.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

_Call = Callable[..., Any]


class FailingDisk:
    """The calls of a process below a folder. `calls`: how many there were."""

    def __init__(self, folder: Path, fails_at: int, why: int = errno.ENOSPC) -> None:
        self.calls = 0
        self._folder, self._fails_at, self._why = os.path.realpath(folder), fails_at, why

    @property
    def failed(self) -> bool:
        """Whether a call has failed."""
        return self.calls > self._fails_at

    def install(self) -> None:
        """From here on this process has that disk; nothing takes it away again."""
        _File.disk = self
        self._open, self._write = io.open, os.write
        for module in (io, builtins):
            module.open = self._opened  # type: ignore[attr-defined]
        os.write = self._written
        os.open = self._descriptor(os.open)
        os.fsync = self._counted(os.fsync)
        os.mkdir = self._counted(os.mkdir)
        os.sendfile = self._counted(os.sendfile)
        for name in ("replace", "rename", "link"):
            setattr(os, name, self._renamed(getattr(os, name)))
        for name in ("unlink", "remove", "rmdir", "truncate", "ftruncate") if self._why == errno.EROFS else ():
            setattr(os, name, self._counted(getattr(os, name)))

    def count(self, file: int | str | bytes | os.PathLike[Any]) -> None:
        """Count a call that is about a file; OSError if there is no room any more."""
        if self._below(file) and self._next_fails():
            raise self._full()

    def written(self, file: int, data: Any, write: _Call) -> int:
        """The bytes written of some, half of them where the disk becomes full."""
        if not self._below(file) or not self._next_fails():
            return int(write(data))
        half = memoryview(data).cast("B")[: len(memoryview(data).cast("B")) // 2]
        if self._why == errno.ENOSPC and self.calls - 1 == self._fails_at and len(half):
            return int(write(half))
        raise self._full()

    def _next_fails(self) -> bool:
        self.calls += 1
        return self.failed

    def _below(self, file: int | str | bytes | os.PathLike[Any]) -> bool:
        path = os.readlink(f"/proc/self/fd/{file}") if isinstance(file, int) else os.path.realpath(os.fspath(file))
        return os.fsdecode(path).startswith(f"{self._folder}/")

    def _full(self) -> OSError:
        return OSError(self._why, os.strerror(self._why))

    def _counted(self, call: _Call) -> _Call:
        def counted(*arguments: Any, **options: Any) -> Any:
            self.count(arguments[0])
            return call(*arguments, **options)

        return counted

    def _renamed(self, call: _Call) -> _Call:
        def renamed(old: Any, new: Any) -> None:
            alone = self._why == errno.ENOSPC
            if self._below(new) and self._next_fails() and (self.calls - 1 == self._fails_at or not alone):
                raise self._full()
            call(old, new)

        return renamed

    def _written(self, descriptor: int, data: Any) -> int:
        return self.written(descriptor, data, lambda some: self._write(descriptor, some))

    def _descriptor(self, call: _Call) -> _Call:
        def opened(path: Any, flags: int, *rest: Any, **options: Any) -> int:
            if flags & os.O_CREAT or (self._why == errno.EROFS and flags & (os.O_WRONLY | os.O_RDWR)):
                self.count(path)
            return int(call(path, flags, *rest, **options))

        return opened

    def _opened(
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        """Open a file as `open` does; one that is written to below the folder writes through this disk."""
        if not set(mode) & set("wax+") or not self._below(file):
            return self._open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        self.count(file)
        raw = _File(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        buffer = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding or "utf-8", errors, newline)


class _File(io.FileIO):
    """A file whose bytes go through the disk of this process."""

    disk: FailingDisk

    def write(self, data: Any) -> int:
        return self.disk.written(self.fileno(), data, super().write)
