"""The tool that measures the tests: what it plants, which tests it runs, and that it sees a fault killed or survive."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tools.faults.blocks import COMPILERS, compiling_decorators, count_blocks
from tools.faults.coverage import Case, CaseFile
from tools.faults.fault import Fault, Kind
from tools.faults.plan import Planner, selection
from tools.faults.results import CAPPED, KILLED, SURVIVED, Result, append, last_of_each, read, summary
from tools.faults.sample import sample
from tools.faults.sites import faults_of_source, faults_of_tree, is_sound
from tools.faults.tree import copy_tree, planted

ROOT = Path(__file__).resolve().parents[2]

SOURCE = '''"""A module: 1 + 1."""
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    LIMIT = 3

Bits = Literal[8, 16]
ENTRIES = 4


def head(items: list[int], count: int = 2) -> int:
    """The sum of the first: 3 < 4."""
    if not items or count < 1:
        raise ValueError(f"{count + 1} of {len(items) - 1}")
    return sum(items[:count]) * max(count, ENTRIES) - count // 2


class Shown:
    """A class."""

    def __repr__(self) -> str:
        return "x" * 3
'''

COMPILED = '''"""Compiled code."""
from numba import njit

from archsim.two import STEP


def compiled(function):
    """As in the package."""
    return njit(cache=True)(function)


@compiled
def total(values):
    """The sum."""
    out = 0
    for value in values:
        out += value * STEP
    return out
'''
USING = '''"""Python around it."""
from archsim.two import compiled_total

SIZE = 3


def mean(values):
    """The mean."""
    if len(values) == 0:
        return 0
    return total(values) // len(values)


def size():
    """A constant."""
    return SIZE
'''
TESTS = '''"""Tests of the small package."""
import pytest

from archsim.one import mean, size


@pytest.mark.parametrize("values", [[2, 4], [6, 6, 6], [9]])
def test_mean(values) -> None:
    assert mean(values) == sum(values) // len(values)


@pytest.mark.exhaustive
def test_size() -> None:
    assert size() == 3


def test_nothing_to_do_with_it() -> None:
    assert True
'''
PROJECT = '[tool.pytest.ini_options]\naddopts = "-q --no-such-option"\nmarkers = ["exhaustive: slow"]\n'


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A tree with a package named archsim of three modules, one of them compiled by numba."""
    tree = tmp_path / "tree"
    for folder in ("archsim", "tests"):
        (tree / folder).mkdir(parents=True)
        (tree / folder / "__init__.py").write_text("")
    (tree / "archsim" / "two.py").write_text('"""Constants."""\n\nSTEP = 1\nOTHER = 2\n')
    (tree / "archsim" / "fast.py").write_text(COMPILED)
    (tree / "archsim" / "one.py").write_text(
        USING.replace("from archsim.two import compiled_total", "from archsim.fast import total")
    )
    (tree / "tests" / "test_small.py").write_text(TESTS)
    (tree / "pyproject.toml").write_text(PROJECT)
    return tree


@pytest.fixture(scope="module")
def every() -> list[Fault]:
    """All faults of this tree."""
    return faults_of_tree(ROOT, "archsim")


def test_faults_stand_in_code_that_computes() -> None:
    """Not in texts, annotations, messages, type aliases, TYPE_CHECKING or __repr__."""
    lines = Counter(fault.line for fault in faults_of_source(SOURCE, "archsim/made.py"))
    assert set(lines) == {8, 11, 13, 15}


def test_every_kind_is_planted() -> None:
    faults = faults_of_source(SOURCE, "archsim/made.py")
    shown = {(fault.kind, fault.before, fault.after) for fault in faults}
    assert {
        (Kind.COMPARISON, "count < 1", "(count <= 1)"),
        (Kind.OFF_BY_ONE, "4", "5"),
        (Kind.OFF_BY_ONE, "items[:count]", "items[:count - 1]"),
        (Kind.OPERATOR, "sum(items[:count]) * max(count, ENTRIES)", "(sum(items[:count]) // max(count, ENTRIES))"),
        (Kind.OPERATOR, "count // 2", "(-(-count // 2))"),
        (Kind.OPERAND, "count // 2", "(items // 2)"),
        (Kind.FACTOR, "sum(items[:count]) * max(count, ENTRIES)", "sum(items[:count])"),
        (Kind.MIN_MAX, "max(count, ENTRIES)", "min(count, ENTRIES)"),
        (Kind.DROPPED_TERM, "not items or count < 1", "(not items)"),
        (Kind.CONDITION, "not items", "items"),
        (Kind.CONDITION, "not items or count < 1", "(not items and count < 1)"),
    } <= shown


@pytest.mark.exhaustive
def test_a_sample_is_the_same_again_and_each_fault_is_another_program(every: list[Fault]) -> None:
    chosen = sample(ROOT, every, 90, 7)
    assert chosen == sample(ROOT, list(every), 90, 7)
    assert chosen != sample(ROOT, every, 90, 8)
    for fault in chosen:
        source = (ROOT / fault.path).read_text()
        assert is_sound(fault, source)
        assert ast.dump(ast.parse(fault.apply(source))) != ast.dump(ast.parse(source))
    packages = {path.name for path in (ROOT / "archsim").iterdir() if path.is_dir() and any(path.glob("**/*.py"))}
    assert packages <= {fault.package for fault in chosen}
    assert len({(fault.path, fault.start, fault.end) for fault in chosen}) == len(chosen) >= 80
    assert len({fault.kind for fault in chosen}) == len(Kind)


def test_a_planted_fault_leaves_no_trace(small: Path) -> None:
    tree = copy_tree(small, small.parent / "copy")
    path = tree / "archsim" / "one.py"
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    fault = faults_of_source(path.read_text(), "archsim/one.py")[0]
    with planted(fault, tree):
        assert path.read_text() == fault.apply(before[0].decode()) != before[0].decode()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_what_must_be_reached_to_reach_a_fault(small: Path) -> None:
    blocks, _ = count_blocks(small, "archsim")
    one = blocks.modules["archsim/one.py"]
    lines = {number: (first[0], last[0]) for number, (first, last) in one.blocks.items()}
    place = {lines[number]: number for number in lines}
    assert set(lines.values()) == {(9, 10), (10, 10), (11, 11), (16, 16)}
    assert blocks.reached("archsim/one.py", (9, 7)) == {place[9, 10]}
    assert blocks.reached("archsim/one.py", (11, 11)) == {place[11, 11]}
    assert blocks.reached("archsim/one.py", (4, 7)) == {place[16, 16]}  # where the constant is named
    assert list(blocks.circles("archsim/one.py", (10, 11)))[:2] == [
        {place[10, 10]},
        set(place.values()) - {place[16, 16]},
    ]
    assert blocks.reached("archsim/fast.py", (16, 15)) == {place[11, 11]}  # where the compiled function is named


def test_what_numba_has_to_compile_again(small: Path) -> None:
    blocks, _ = count_blocks(small, "archsim")
    assert [blocks.needs_recompiling(f"archsim/{name}.py") for name in ("fast", "two", "one")] == [True, True, False]


def test_decorators_that_compile_by_way_of_a_helper() -> None:
    """A compiled function is no decorator, and what calls one does not compile."""
    source = COMPILED.replace("return njit(cache=True)(function)", "return _helper(function)")
    helper = (
        "\n\ndef _helper(function):\n    return njit(function)\n\n\ndef twice(values):\n    return 2 * total(values)\n"
    )
    found = compiling_decorators([ast.parse(source + helper)])
    assert found - COMPILERS == {"compiled", "_helper"}
    assert (
        compiling_decorators([ast.parse("from m import compiled\n\n@compiled\ndef f(x):\n    return x\n")]) == COMPILERS
    )


def test_expressions_of_markers() -> None:
    fast = selection("not exhaustive")
    assert (fast(()), fast(("exhaustive",)), selection("")(("exhaustive",))) == (True, False, True)
    assert selection("a and (b or not c)")(("a",)) is True
    with pytest.raises(ValueError, match="no expression"):
        selection("a + b")


def test_near_and_cheap_tests_come_first(small: Path) -> None:
    blocks, _ = count_blocks(small, "archsim")
    fault = next(
        f for f in faults_of_source((small / "archsim" / "one.py").read_text(), "archsim/one.py") if f.line == 9
    )
    bit = 1 << min(blocks.reached(fault.path, (fault.line, fault.column)))
    files = [
        CaseFile("tests/test_far.py", 0.1, True, 0, (Case("tests/test_far.py::a", (), 0.2, True, bit),)),
        CaseFile(
            "tests/test_one.py",
            0.1,
            True,
            0,
            (
                Case("tests/test_one.py::a", (), 0.3, True, bit),
                Case("tests/test_one.py::kept", (), 0.01, True, 0),
            ),
        ),
        CaseFile(
            "tests/test_cheap.py",
            0.1,
            True,
            0,
            (
                Case("tests/test_cheap.py::a[1]", (), 0.02, True, bit),
                Case("tests/test_cheap.py::a[2]", (), 0.01, True, bit),
                Case("tests/test_cheap.py::a[3]"),
                Case("tests/test_cheap.py::b", (), 0.01, False, bit),
                Case("tests/test_cheap.py::c", (), 0.01, True, 0),
            ),
        ),
    ]
    files.append(CaseFile("tests/test_last.py", 0.1, True, 0, (Case("tests/test_last.py::a", (), 0.35, True, bit),)))
    planner = Planner(files, blocks, {"tests/test_last.py": {"archsim.one"}})
    order = [
        planner.cases[case].nodeid for batch in planner.batches(fault, selection(""), set()) for case in batch.cases
    ]
    # Files named after the module, or that import it, count as cheaper; one case of each test function comes first, and
    # what runs together is sorted by file. What the map does not see of a near file comes last: a function whose result
    # an earlier test of the process has left behind is not reached again.
    first = ["test_one.py::a", "test_last.py::a", "test_cheap.py::a[2]"]
    names = [*first, "test_cheap.py::a[1]", "test_cheap.py::a[3]", "test_far.py::a", "test_one.py::kept"]
    assert order == [f"tests/{name}" for name in names]


def test_results_are_read_again_and_summed_up(tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    line = "archsim/a/b.py", 3, "factor", "a * b", "a", "a"
    for key, marker, verdict in (
        ("1", "fast", SURVIVED),
        ("1", "", KILLED),
        ("2", "fast", KILLED),
        ("3", "fast", CAPPED),
    ):
        append(out, Result(key, *line, verdict, "", "", "", marker, 1.0, (1, 2), 0))
    with out.open("a") as file:
        file.write('{"torn')
    results = read(out)
    assert [result.key for result in results] == ["1", "1", "2", "3"]
    assert [r.verdict for r in last_of_each(results, None)] == [KILLED, KILLED, CAPPED]
    assert [r.verdict for r in last_of_each(results, "fast")] == [SURVIVED, KILLED, CAPPED]
    assert summary(results, None).splitlines()[1].split() == ["all", "3", "2", "67", "%", "0", "1"]


def tool(*arguments: str) -> str:
    """A run of the command; a process of its own, since it forks."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tools.faults", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.exhaustive
def test_faults_are_killed_or_survive(small: Path, tmp_path: Path) -> None:
    """On the small tree: numba's code too, a hang, the ring of some tests and then the others."""
    work, out = tmp_path / "work", tmp_path / "results.jsonl"
    everything = [
        "--root",
        str(small),
        "run",
        "--work",
        str(work),
        "--out",
        str(out),
        "--count",
        "60",
        "--cap-seconds",
        "60",
    ]
    tool("--root", str(small), "map", "--work", str(work))
    tool(*everything, "--tests-marker", "not exhaustive")
    first: dict[tuple[str, int], set[str]] = {}
    for result in read(out):
        first.setdefault((result.path, result.line), set()).add(result.verdict)
    assert first["archsim/fast.py", 15] == {KILLED}
    assert KILLED in first["archsim/fast.py", 17]
    assert first["archsim/two.py", 3] == {KILLED}  # compiled code froze the constant
    assert first["archsim/two.py", 4] == {SURVIVED}
    assert first["archsim/one.py", 4] == {SURVIVED}
    tool(*everything)
    second = last_of_each(read(out), None)
    assert {(r.verdict, r.test) for r in second if (r.path, r.line) == ("archsim/one.py", 4)} == {
        (KILLED, "tests/test_small.py::test_size")
    }
    decided = out.read_text()
    tool(*everything)
    assert out.read_text() == decided
    assert sorted(small.rglob("*.pyc")) == []


def test_a_fault_of_another_file_is_refused() -> None:
    fault = Fault("archsim/a.py", 1, 0, 0, 1, Kind.OPERAND, "b", "c")
    with pytest.raises(ValueError, match="not the one"):
        fault.apply("a")


@pytest.mark.exhaustive
def test_there_are_faults_in_compiled_code(every: list[Fault]) -> None:
    blocks, _ = count_blocks(ROOT, "archsim")
    compiled = [path for path, module in blocks.modules.items() if module.compiled]
    inside = [f for f in every if f.path in compiled and blocks.modules[f.path].compiled_at((f.line, f.column))]
    assert len(inside) > 50
    for fault in inside[::20]:
        assert blocks.reached(fault.path, (fault.line, fault.column))
        assert blocks.needs_recompiling(fault.path)
