"""Writes a report of an error that nobody foresaw: what was asked, of which files, and where it happened."""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from archsim import __version__

PACKAGES = ("numpy", "numba", "pydantic", "ruamel.yaml", "simpy", "typer", "rich", "matplotlib")
MAX_HASHED = 1 << 30
"""Largest file of which a hash stands in the report."""


def write_report(error: BaseException, arguments: Sequence[str]) -> Path | None:
    """Write the report beside where the user is, else among temporary files; None if neither can be written."""
    text = "\n".join(_lines(error, arguments))
    name = f"archsim-crash-{hashlib.sha256(text.encode()).hexdigest()[:12]}.txt"
    for folder in (Path(), Path(tempfile.gettempdir())):
        file = folder / name
        try:
            with file.open("x", encoding="utf-8", errors="backslashreplace") as report:
                report.write(text)
        except FileExistsError:
            return file  # the same crash once more
        except OSError:
            continue
        return file
    return None


def _lines(error: BaseException, arguments: Sequence[str]) -> Iterator[str]:
    yield f"archsim {__version__}, Python {platform.python_version()}, {platform.platform()}"
    yield ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    yield "command: " + " ".join(["archsim", *map(repr, arguments)])
    for argument in arguments:
        found = _hash(Path(argument.rpartition("=")[2]))
        if found:
            yield f"{argument!r}: sha256 {found}"
    yield ""
    yield "".join(traceback.format_exception(error))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _hash(path: Path) -> str:
    """The SHA-256 of a regular file; "" of anything else."""
    try:
        if not path.is_file() or os.stat(path).st_size > MAX_HASHED:
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""
