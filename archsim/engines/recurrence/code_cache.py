"""Keeps compiled functions on disk, which only speeds up: what is damaged is made anew, what cannot be kept is not.

Numba's cache takes its files as they are: a file that a power cut truncated ended each later run, and so did a disk
without room. Here a file is used if its SHA-256 is that of its content, and no error of the cache reaches its caller.
"""

from __future__ import annotations

import hashlib
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from numba.core.caching import FunctionCache, IndexDataCacheFile

from archsim.errors import CacheWarning

_DIGEST_BYTES = 32


class _CheckedFile(IndexDataCacheFile):
    """The files of a function's code, each with its SHA-256 in front."""

    def _save_data(self, name: str, data: object) -> None:
        content = self._dump(data)
        with self._open_for_write(self._data_path(name)) as file:
            file.write(hashlib.sha256(content).digest() + content)

    def _load_data(self, name: str) -> Any:  # noqa: ANN401 numba's own
        import pickle

        with open(self._data_path(name), "rb") as file:
            digest, content = file.read(_DIGEST_BYTES), file.read()
        if hashlib.sha256(content).digest() != digest:
            raise ValueError("damaged")
        return pickle.loads(content)  # what this very program wrote


class CodeCache(FunctionCache):
    """Numba's cache of a function's code, without its errors; `stamp` is a text that changes with its sources."""

    def __init__(self, function: object, stamp: str) -> None:
        super().__init__(function)
        self._cache_file = _CheckedFile(self._cache_path, self._impl.filename_base, stamp)

    @property
    def lock_path(self) -> Path:
        """The file that a process locks while it compiles the function."""
        return Path(self._cache_path) / f"{self._impl.filename_base}.lock"

    def load_overload(self, signature: object, context: object) -> Any:  # noqa: ANN401 numba's own
        """The code for a signature; None if there is none, or none that can be used."""
        try:
            # Numba's own method first loads all that code could be compiled with, SciPy's linear algebra among it: a
            # quarter of a second. Code that is there needs none of it, and what is compiled later asks for it itself.
            with self._guard_against_spurious_io_errors():
                return self._load_overload(signature, context)
            return None  # such an error came
        except Exception:  # of whatever kind: the bytes of a damaged file lead anywhere
            with suppress(OSError):
                self.flush()  # the index begins anew, or the next process would fail at it, too
            return None

    def save_overload(self, signature: object, data: object) -> None:
        """Keep the code for a signature; CacheWarning if it cannot be kept."""
        try:
            super().save_overload(signature, data)
        except Exception as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            warnings.warn(
                f"compiled code cannot be kept in {self._cache_path} ({reason}); each process takes seconds to compile",
                CacheWarning,
                stacklevel=2,
            )
