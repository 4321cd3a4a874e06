"""Compiled functions: compiled again when a file changes that is part of them, else loaded; and what they are given."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from numba import typeof

from archsim.api.machine_spec import machine_spec
from archsim.engines.recurrence import ProgramTables, ServiceTimes, Timing
from archsim.engines.recurrence.state import Log, PhaseState
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.workload import load_workload
from tests.rings import exhaustive

PAIR = """
from typing import NamedTuple
class Pair(NamedTuple):
    {fields}
"""
KERNEL = """
from archsim.engines.recurrence.code_cache import CodeCache
from archsim.engines.recurrence.compiled import compiled
from pair import Pair
saved = 0
def save(cache, *arguments, real=CodeCache.save_overload):
    global saved
    saved += 1
    real(cache, *arguments)
CodeCache.save_overload = save
@compiled
def first(pair):
    return pair.first
print(first(Pair(first=1, second=2)), first(Pair(first=3, second=4)))
"""

COUNTED = """
print("compiled", saved)
"""


def start(folder: Path) -> subprocess.Popen[str]:
    """A new process, which prints what the small kernel says, and how often it was loaded."""
    paths = os.pathsep.join([str(folder), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen([sys.executable, "-c", "import kernel"], env=environment, stdout=subprocess.PIPE, text=True)


def run(folder: Path) -> str:
    """What the small kernel prints in a new process."""
    process = start(folder)
    printed, _ = process.communicate()
    assert process.returncode == 0
    return printed


def compiled_at(folder: Path) -> list[int]:
    """When each file of machine code was written."""
    return [path.stat().st_mtime_ns for path in (folder / "__pycache__").glob("*.nbc")]


@exhaustive
def test_another_layout_in_another_file_is_compiled_again(tmp_path: Path) -> None:
    """The fields of a named tuple change places: code made for the old ones would give second for first."""
    (tmp_path / "kernel.py").write_text(KERNEL)
    (tmp_path / "pair.py").write_text(PAIR.format(fields="first: int; second: int"))
    assert run(tmp_path) == "1 3\n"
    before = compiled_at(tmp_path)
    assert len(before) == 1
    assert run(tmp_path) == "1 3\n"
    assert compiled_at(tmp_path) == before  # loaded, not compiled
    os.utime(tmp_path / "pair.py", (1, 1))
    assert run(tmp_path) == "1 3\n"
    assert compiled_at(tmp_path) == before  # the same sources, if older ones
    (tmp_path / "pair.py").write_text(PAIR.format(fields="second: int; first: int  # another place"))
    assert run(tmp_path) == "1 3\n"
    assert compiled_at(tmp_path) != before


@exhaustive
def test_processes_side_by_side_compile_once(tmp_path: Path) -> None:
    """They come to the first call within a moment of each other, and compiling takes longer than that."""
    (tmp_path / "kernel.py").write_text(KERNEL + COUNTED)
    (tmp_path / "pair.py").write_text(PAIR.format(fields="first: int; second: int"))
    processes = [start(tmp_path) for _ in range(3)]
    printed = [process.communicate()[0] for process in processes]
    assert sorted(printed) == ["1 3\ncompiled 0\n", "1 3\ncompiled 0\n", "1 3\ncompiled 1\n"]


def test_all_phases_are_of_the_types_that_the_kernel_is_compiled_for() -> None:
    """Calls go straight to the machine code of the first call's types: the tables may not differ in theirs."""
    arch = load_arch("edge_16x16")
    found = set()
    for text in ("lstm:5,6,t=1", "gru:5,6,t=9,layers=2,bidirectional=1"):
        program = find_schedule("fused", "gemv").build(load_workload(text).spec, arch.config)
        spec = machine_spec(program, arch, build_units(arch.config))
        of_shapes = tuple(ServiceTimes.from_services(services) for services in spec.services)
        of_ops = tuple(times.at((times.compute >= 0).nonzero()[0]) for times in of_shapes)
        tables = ProgramTables.from_program(program, spec.units)
        for services in (of_shapes, of_ops):
            for arrays, timing in zip(tables.phases, Timing(services, 1, 4, 0).phases, strict=True):
                for log in (Log.empty(0, 0), Log.empty(3, len(arrays.unit))):
                    state = PhaseState.at_start(arrays, timing, log)
                    found.add((typeof(arrays), typeof(timing), typeof(state)))  # type: ignore[no-untyped-call]
    assert len(found) == 1
