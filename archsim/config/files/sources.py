"""Tells apart what was made by other sources: what is kept on disk follows from them, too."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).parent.parent.parent


def sources_of(*folders: Path) -> list[Path]:
    """The modules in folders and below them, in an order that does not depend on the system."""
    return [path for folder in folders for path in sorted(folder.rglob("*.py"))]


def sources_digest(files: Iterable[Path], above: Path = PACKAGE) -> str:
    """A text that changes whenever a file's content, or its name as seen from the folder `above`, does.

    What files hold counts, not when they were written: a fresh copy of the same sources has the same text. Without any
    file, as where a package is not installed as files, nothing is known of the sources, and no two texts are the same.
    """
    found, none = hashlib.sha256(), True
    for path in files:
        content, none = path.read_bytes(), False
        found.update(f"{os.path.relpath(path, above)} {len(content)} ".encode() + content)
    return os.urandom(32).hex() if none else found.hexdigest()
