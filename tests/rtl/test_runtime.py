"""Verilator's runtime, compiled once: what is damaged is made anew; a model has its own where nothing can be kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archsim.families.rtl import RtlError
from archsim.rtl import runtime as module
from archsim.rtl.runtime import PARTS, TRACING, Runtime, kept_file
from archsim.rtl.tools import Verilator


class _Compiler:
    """Writes its own number of the call; files in `refused` cannot be written."""

    def __init__(self, refused: Path | None = None) -> None:
        self.calls = 0
        self._refused = refused

    def __call__(self, to: Path) -> None:
        if self._refused is not None and to.is_relative_to(self._refused):
            raise RtlError("g++ failed")
        self.calls += 1
        to.write_text("compiled", encoding="utf-8")


def test_a_file_is_made_once(tmp_path: Path) -> None:
    make = _Compiler()
    assert kept_file(tmp_path, "part", ".o", make) == kept_file(tmp_path, "part", ".o", make)
    assert make.calls == 1
    assert len(list(tmp_path.iterdir())) == 1  # nothing is left of the making


@pytest.mark.parametrize("damage", [b"", b"compilee", b"compiled and more"], ids=["empty", "one bit", "longer"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    make = _Compiler()
    kept_file(tmp_path, "part", ".o", make).write_bytes(damage)
    assert kept_file(tmp_path, "part", ".o", make).read_text(encoding="utf-8") == "compiled"
    assert make.calls == 2


def test_a_name_that_begins_alike_is_another_file(tmp_path: Path) -> None:
    """`verilated-...` and `verilated_threads-...` lie side by side."""
    first, second = _Compiler(), _Compiler()
    kept_file(tmp_path, "part", ".o", first)
    kept_file(tmp_path, "part_more", ".o", second)
    kept_file(tmp_path, "part", ".o", first)
    assert (first.calls, second.calls) == (1, 1)


def test_several_at_once_have_one_file(tmp_path: Path) -> None:
    """Whoever makes it last replaces a file of the same content; nobody sees half of one."""

    def make(to: Path) -> None:
        for part in ("half ", "and half"):
            with to.open("a", encoding="utf-8") as file:
                file.write(part)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: kept_file(tmp_path, "part", ".o", make), range(32)))
    assert len(set(found)) == 1
    assert found[0].read_text(encoding="utf-8") == "half and half"


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RtlError):
        kept_file(tmp_path, "part", ".o", _Compiler(refused=tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for g++; what it was asked for."""
    asked: list[str] = []

    def run(what: str, command: list[str], folder: Path) -> object:
        class Done:
            stdout = "g++ 1.0"

        asked.append(" ".join(command))
        if "-o" in command:
            Path(command[command.index("-o") + 1]).write_text(" ".join(command[:-1]), encoding="utf-8")
        return Done()

    monkeypatch.setattr(module, "run_tool", run)
    return asked


@pytest.fixture
def tool(tmp_path: Path) -> Verilator:
    include = tmp_path / "verilator" / "include"
    include.mkdir(parents=True)
    for name in (*PARTS, TRACING):
        (include / f"{name}.cpp").write_text(name, encoding="utf-8")
    return Verilator(tmp_path / "none", tmp_path / "verilator")


def test_the_runtime_is_shared(tmp_path: Path, tool: Verilator, compiled: list[str]) -> None:
    """Two models in folders of their own: each part is compiled once."""
    models = [Runtime.of(tool, ["-w"], tmp_path / name, tmp_path / "shared") for name in ("one", "two")]
    first, second = (model.objects(trace=False) for model in models)
    assert first == second
    assert [path.name.split("-")[0] for path in first] == list(PARTS)
    assert sum("-c" in command.split() for command in compiled) == len(PARTS)
    assert len(models[0].objects(trace=True)) == len(PARTS) + 1


def test_other_flags_or_another_verilator_are_another_runtime(
    tmp_path: Path, tool: Verilator, compiled: list[str]
) -> None:
    def folders() -> set[Path]:
        shared = tmp_path / "shared"
        return {Runtime.of(tool, flags, tmp_path, shared).folders[0] for flags in (["-w"], ["-w", "-DVM_TRACE=1"])}

    before = folders()
    (tool.root / "include" / "verilated.cpp").write_text("a newer one", encoding="utf-8")
    assert len(before | folders()) == 4


def test_without_a_shared_folder_it_is_the_users(
    tmp_path: Path, tool: Verilator, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (path, *_) = Runtime.of(tool, [], tmp_path / "own", None).objects(trace=False)
    assert path.is_relative_to(tmp_path / "cache" / "archsim" / "rtl")


def test_where_nothing_can_be_kept_a_model_has_its_own(tmp_path: Path, tool: Verilator, compiled: list[str]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (path, *_) = Runtime.of(tool, [], tmp_path / "own", tmp_path / "file").objects(trace=False)
    assert path.is_relative_to(tmp_path / "own")


def test_the_compiled_header_is_named_without_its_ending(tmp_path: Path, tool: Verilator, compiled: list[str]) -> None:
    """g++ takes X.h.gch where `-include X.h` is asked for."""
    include, header = Runtime.of(tool, [], tmp_path / "own", tmp_path).header("-O0")
    assert include == "-include"
    assert Path(f"{header}.gch").exists()
