"""Scratch copies of the tree, and a fault in one of them for as long as it is judged."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.faults.fault import Fault

LEFT_OUT = (".git", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info", "*.pyc")


def copy_tree(source: Path, target: Path) -> Path:
    """A fresh copy; what stood there is replaced. Times of files stay, so that caches of compiled code stay valid."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    return target


@contextmanager
def planted(fault: Fault, tree: Path) -> Iterator[None]:
    """The fault stands in the tree; afterwards the file is as before, time included, and no byte code of it is left."""
    path = tree / fault.path
    source, before = path.read_bytes(), path.stat()
    _forget(path)
    path.write_bytes(fault.apply(source.decode()).encode())
    try:
        yield
    finally:
        path.write_bytes(source)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        _forget(path)


def _forget(path: Path) -> None:
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
