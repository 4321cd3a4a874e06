"""Processes forked from this one, which has imported every package but the tested one."""

from __future__ import annotations

import ast
import gc
import importlib
import os
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

OWN = ("archsim", "tests", "tools", "benchmarks")
"""Packages of the tree itself: never imported before the fork, but for this one."""

MEMORY_BYTES = 6 << 30
"""Address space that a child may add to its parent's."""


@dataclass(frozen=True)
class Place:
    """Where a child works: its copy of the tree, a folder for temporary files, and one for numba's compiled code."""

    tree: Path
    temporary: Path
    numba: Path


def import_others(root: Path) -> None:
    """Import what the modules of the tree import, as far as it is installed and not of the tree."""
    names: set[str] = set()
    for folder in ("archsim", "tests"):
        for path in sorted((root / folder).rglob("*.py")):
            names |= _imported(ast.parse(path.read_bytes()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in sorted(names):
            if name.partition(".")[0] not in OWN:
                try:
                    importlib.import_module(name)
                except Exception:  # not installed, or an attribute that is no module
                    continue
    gc.collect()
    gc.freeze()


def fork(task: Callable[[], None], place: Place, log: Path) -> int:
    """Run a task in a child; returns its process id. The child leads a group of its own and writes to the log."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        _enter(place, log)
        task()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _enter(place: Place, log: Path) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
    with log.open("wb") as file, open(os.devnull, "rb") as nothing:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        os.dup2(nothing.fileno(), 0)
    os.chdir(place.tree)
    place.temporary.mkdir(parents=True, exist_ok=True)
    place.numba.mkdir(parents=True, exist_ok=True)
    os.environ["PYTHONPATH"] = str(place.tree)
    os.environ["TMPDIR"] = str(place.temporary)
    os.environ["NUMBA_CACHE_DIR"] = str(place.numba)
    if "numba" in sys.modules:
        importlib.import_module("numba.core.config").reload_config()
    for name in [name for name in sys.modules if name.partition(".")[0] in OWN]:
        del sys.modules[name]
    elsewhere = [entry for entry in sys.path if not (Path(entry or ".") / "archsim").is_dir()]
    sys.path[:] = [str(place.tree), *elsewhere]
    importlib.invalidate_caches()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("need", "pytest.importorskip"):
            found |= {arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}
    return found
