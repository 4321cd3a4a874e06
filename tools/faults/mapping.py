"""Making the map of a tree: each test file in a process of its own, some at once."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tools.faults.blocks import Blocks, count_blocks, use_code
from tools.faults.coverage import CaseFile, Effort, map_file
from tools.faults.forks import Place, fork
from tools.faults.tree import copy_tree

FILE_SECONDS = 3600.0
"""Wall time of a test file after which it is given up."""


def make_map(root: Path, work: Path, effort: Effort, jobs: int) -> list[CaseFile]:
    """The map of all test files; files mapped by an earlier call with the same work folder are not run again."""
    folder = work / "map"
    folder.mkdir(parents=True, exist_ok=True)
    files = files_of_tests(root)
    missing = [path for path in files if not _line(folder, path).exists()]
    if missing:
        tree = copy_tree(root, work / "mapped")
        blocks, code = count_blocks(tree, "archsim")
        running: dict[int, tuple[str, float]] = {}
        while missing or running:
            while missing and len(running) < jobs:
                path = missing.pop(0)
                place = Place(tree, work / "temporary" / _line(folder, path).stem, work / "numba_map")

                def task(path: str = path, place: Place = place) -> None:
                    use_code(code)
                    map_file(path, place, blocks.count, effort, _line(folder, path))

                running[fork(task, place, folder / (_line(folder, path).stem + ".log"))] = (path, time.monotonic())
            _reap(running)
    return [CaseFile.from_json(_line(folder, path).read_text()) for path in files if _line(folder, path).exists()]


def read_map(root: Path, work: Path) -> tuple[list[CaseFile], Blocks]:
    """The map as far as it is made, and the blocks that it speaks of."""
    folder = work / "map"
    lines = [_line(folder, path) for path in files_of_tests(root)]
    return [CaseFile.from_json(line.read_text()) for line in lines if line.exists()], count_blocks(root, "archsim")[0]


def files_of_tests(root: Path) -> list[str]:
    """The test files of a tree, by path in the tree."""
    return [path.relative_to(root).as_posix() for path in sorted((root / "tests").rglob("test_*.py"))]


def _line(folder: Path, path: str) -> Path:
    return folder / (path.removesuffix(".py").replace("/", ".") + ".json")


def _reap(running: dict[int, tuple[str, float]]) -> None:
    """Wait for a child to end, a second at most; one that takes too long is killed."""
    for child, (path, since) in list(running.items()):
        if time.monotonic() - since > FILE_SECONDS:
            os.killpg(child, signal.SIGKILL)
            print(f"{path}: given up after {FILE_SECONDS:.0f} seconds")
    child, _ = os.waitpid(-1, os.WNOHANG)
    if child:
        path, since = running.pop(child)
        print(f"mapped {path} in {time.monotonic() - since:.0f} s", flush=True)
    else:
        time.sleep(0.2)
