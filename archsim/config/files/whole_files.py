"""Writes files that are whole or not there: under another name first, which each has until all of them are whole.

That other name can be foreseen, and a folder may be somebody else's: what has the name is removed, never written to, so
that a link to another file does that file no harm.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from archsim.config.files.regular_files import check_replaceable

_UNTIL_WHOLE = re.compile(r"\.(?P<name>.+)\.(partial|old)(-[0-9]+)?")


def open_anew(path: Path) -> io.BufferedWriter:
    """Open a file that is not there for writing bytes; what has its name, a link too, goes first."""
    if os.path.lexists(path):
        path.unlink()
    return path.open("xb")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all; OSError leaves what is there as it was."""
    write_together({path: data})


def write_together(content: Mapping[Path, bytes]) -> None:
    """Write several files, all of them or none, the last one last; OSError leaves what is there as it was."""
    for path in content:
        check_replaceable(path)
    made = {path: _beside(path, "partial") for path in content}
    kept = {path: _beside(path, "old") for path in content}
    placed: list[tuple[Path, bool]] = []
    try:
        for path, data in content.items():
            with open_anew(made[path]) as file:
                file.write(data)
        for path in content:
            new = not path.exists()
            if len(content) > 1 and not new:
                with suppress(OSError):  # a file system without links: what is replaced cannot be brought back
                    os.link(path, kept[path])
            os.replace(made[path], path)
            placed.append((path, new))
    except BaseException:
        for path, new in placed:
            with suppress(OSError):
                if new:
                    path.unlink()
                elif kept[path].exists():
                    os.replace(kept[path], path)
        raise
    finally:
        for path in (*made.values(), *kept.values()):
            with suppress(OSError):  # in a read-only file system not even a file that is not there can be removed
                path.unlink(missing_ok=True)


def name_when_whole(name: str) -> str:
    """The name that a file gets when it is whole, of one that has another name until then; else the name itself.

    A process that was killed, or whose disk became read-only, leaves files with such names.
    """
    found = _UNTIL_WHOLE.fullmatch(name)
    return name if found is None else found["name"]


def _beside(path: Path, word: str) -> Path:
    return path.with_name(f".{path.name}.{word}-{os.getpid()}")
