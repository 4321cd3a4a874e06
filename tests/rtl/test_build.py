"""How a model is built, with stand-ins for Verilator and g++; and the Makefile beside the RTL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from archsim.families.rtl import RtlDesign
from archsim.rtl import build as building
from archsim.rtl.build import build, lint
from archsim.rtl.folder import makefile
from archsim.rtl.runtime import Runtime
from archsim.rtl.tools import Verilator

SOURCES = ("core.sv", "bench.sv")


class Common:
    """A runtime that is compiled already; notes the levels for which its header was asked, and whether it traces."""

    def __init__(self) -> None:
        self.levels: list[str] = []
        self.traced: list[bool] = []

    def header(self, level: str) -> list[str]:
        self.levels.append(level)
        return ["-include", "common.h"]

    def objects(self, *, trace: bool) -> list[Path]:
        self.traced.append(trace)
        return [Path("common.o")]


@pytest.fixture
def common(monkeypatch: pytest.MonkeyPatch) -> Common:
    found = Common()
    monkeypatch.setattr(Runtime, "of", lambda *_: found)
    return found


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was run; Verilator writes two files of C++."""
    found: list[list[str]] = []

    def run(what: str, command: Sequence[str], folder: Path, environment: object = None) -> None:
        found.append(list(command))
        if "--Mdir" in command:
            objects = Path(command[command.index("--Mdir") + 1])
            for name in ("Vtestbench__b.cpp", "Vtestbench__a.cpp"):
                (objects / name).write_text("", encoding="utf-8")

    monkeypatch.setattr(building, "run_tool", run)
    return found


TOOL = Verilator(Path("/v/verilator_bin"), Path("/v"))


@pytest.mark.parametrize(("trace", "optimize"), [(False, False), (True, False), (False, True)])
def test_a_model_is_translated_and_compiled(
    trace: bool, optimize: bool, tmp_path: Path, common: Common, commands: list[list[str]]
) -> None:
    """What lies there of another design goes; a model that traces has a folder of its own, a long run an optimizer."""
    objects = tmp_path / ("obj_trace" if trace else "obj")
    objects.mkdir()
    (objects / "Vtestbench__old.cpp").write_text("", encoding="utf-8")
    program = build(TOOL, tmp_path, SOURCES, trace=trace, optimize=optimize)
    assert program == objects / "model"
    assert (objects / "model.cc").read_text().splitlines() == [
        '#include "Vtestbench__a.cpp"',
        '#include "Vtestbench__b.cpp"',
        '#include "../main.cpp"',
    ]
    verilator, compiler = commands
    assert verilator[-2:] == list(SOURCES)
    assert ("--trace" in verilator) is trace
    assert compiler[1] == ("-O1" if optimize else "-O0")
    assert f"-DVM_TRACE={int(trace)}" in compiler
    assert f"-DVM_TRACE_VCD={int(trace)}" in compiler
    assert {"common.o", "-I/v/include", "-I/v/include/vltstd"} <= set(compiler)
    assert common.traced == [trace]
    assert common.levels == [], "a header is compiled for those alone who build many models"


def test_who_builds_many_models_compiles_the_header_once(
    tmp_path: Path, common: Common, commands: list[list[str]]
) -> None:
    for optimize in (False, True):
        build(TOOL, tmp_path, SOURCES, optimize=optimize, runtime=tmp_path)
    assert common.levels == ["-O0", "-O1"]
    assert commands[1][commands[1].index("-include") + 1] == "common.h"


def test_all_warnings_are_asked_for(tmp_path: Path, commands: list[list[str]]) -> None:
    lint(TOOL, tmp_path, SOURCES)
    assert commands == [["/v/verilator_bin", "--lint-only", "-Wall", "--top-module", "testbench", *SOURCES]]


def test_where_nobody_is_at_home_a_model_keeps_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a shared folder, and without one of the user's."""

    def home() -> Path:
        raise RuntimeError("nobody's home")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("archsim.config.files.kept_files.Path.home", home)
    monkeypatch.setattr("archsim.rtl.runtime._key", lambda *_: "key")
    assert Runtime.of(TOOL, ["-w"], tmp_path / "own", None).folders == (tmp_path / "own" / "key",) * 2
    shared = Runtime.of(TOOL, ["-w"], tmp_path / "own", tmp_path / "shared").folders
    assert shared == (tmp_path / "shared" / "key", tmp_path / "own" / "key")


def test_the_makefile_has_the_machine_and_the_bench_apart() -> None:
    """Memories are read as what they are called alone, as archsim has it; the testbench is none of the machine's."""
    sources = ("core.sv", "vec_mem.sv", "line_mem.sv", "bench.sv")
    lines = makefile(RtlDesign({}, sources, ("bench.sv",), "top", {}, "vec_mem", "line_mem", ())).splitlines()
    assert lines[:2] == ["SOURCES = core.sv vec_mem.sv line_mem.sv", "BENCH = bench.sv"]
    (synthesis,) = (line for line in lines if "$(YOSYS)" in line)
    steps = synthesis.split('"')[1].split("; ")
    assert steps[:2] == ["read_verilog -sv -lib vec_mem.sv line_mem.sv", "read_verilog -sv core.sv"]
    assert steps[-3:] == ["synth -top top", "ltp -noff", "stat"]
