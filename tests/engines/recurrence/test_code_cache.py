"""The cache of compiled code only speeds up: damaged files are made anew, and without room nothing else changes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from numba import njit

from archsim.engines.recurrence.code_cache import CodeCache
from archsim.errors import CacheWarning

SOURCE = "def twice(number):\n    return 2 * number\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "twice.py"
    path.write_text(SOURCE)
    return path


def dispatcher(source: Path) -> Any:
    """The function in that file, as a process that has not compiled it sees it."""
    names: dict[str, Any] = {"__name__": "twice", "__file__": str(source)}
    exec(compile(source.read_text(), str(source), "exec"), names)
    found = njit(names["twice"])
    found._cache = CodeCache(names["twice"], "stamp")
    return found


def hits(found: Any) -> int:
    """How often its code was loaded; it must be right."""
    assert found(21) == 42
    count: int = sum(found.stats.cache_hits.values())
    return count


def kept(source: Path, suffix: str) -> Path:
    (path,) = (source.parent / "__pycache__").glob(f"*{suffix}")
    return path


def test_code_is_kept(source: Path) -> None:
    assert hits(dispatcher(source)) == 0
    assert hits(dispatcher(source)) == 1


def test_code_that_is_kept_loads_nothing_that_only_compiling_needs(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numba's `refresh` imports the implementations of all that code could be compiled with."""

    def refuse(_: object) -> None:
        raise AssertionError("is asked for")

    assert hits(dispatcher(source)) == 0
    monkeypatch.setattr("numba.core.base.BaseContext.refresh", refuse)
    assert hits(dispatcher(source)) == 1


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("length", [0, 1, 40, 100])
def test_a_truncated_file_is_made_anew(source: Path, suffix: str, length: int) -> None:
    hits(dispatcher(source))
    path = kept(source, suffix)
    path.write_bytes(path.read_bytes()[:length])
    assert hits(dispatcher(source)) == 0, "compiled again"
    assert hits(dispatcher(source)) == 1, "and kept again: the next process loads it"


def test_machine_code_with_one_wrong_bit_is_not_run(source: Path) -> None:
    hits(dispatcher(source))
    path = kept(source, ".nbc")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert hits(dispatcher(source)) == 0
    assert hits(dispatcher(source)) == 1


def test_another_file_in_its_place_is_not_unpickled_further(source: Path) -> None:
    hits(dispatcher(source))
    kept(source, ".nbi").write_bytes(b"\x80\x04\x8c\x06nobody\x8c\x04code\x93.")
    assert hits(dispatcher(source)) == 0


def test_without_room_code_is_compiled_and_that_is_said(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    found = dispatcher(source)
    monkeypatch.setattr(found._cache._cache_file, "_save_index", full)
    with pytest.warns(CacheWarning, match=r"__pycache__ \(No space left on device\); each process takes seconds"):
        assert hits(found) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found(2) == 4
