"""Files that come whole or not at all, one or several."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from archsim.config.files.whole_files import name_when_whole, write_together, write_whole


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_file_takes_the_place_of_another(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"1")
    write_whole(tmp_path / "a", b"2")
    assert contents(tmp_path) == {"a": b"2"}


@pytest.mark.parametrize("fails_at", [0, 1, 2])
@pytest.mark.parametrize("links", [True, False])
def test_of_several_files_all_come_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int, links: bool
) -> None:
    """One is new and two are there; a rename fails. Without links what was replaced stays, whole; what was new goes."""
    (tmp_path / "b").write_bytes(b"old b")
    (tmp_path / "c").write_bytes(b"old c")
    calls, replace = [0], os.replace

    def failing(old: Path, new: Path) -> None:
        calls[0] += 1
        if calls[0] - 1 == fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(old, new)

    def no_links(old: Path, new: Path) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "replace", failing)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(OSError, match="No space left"):
        write_together({tmp_path / "a": b"new a", tmp_path / "b": b"new b", tmp_path / "c": b"new c"})
    b = b"new b" if fails_at == 2 and not links else b"old b"
    assert contents(tmp_path) == {"b": b, "c": b"old c"}
    write_together({tmp_path / "a": b"new a", tmp_path / "b": b"new b", tmp_path / "c": b"new c"})
    assert contents(tmp_path) == {"a": b"new a", "b": b"new b", "c": b"new c"}


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "a", b"1")


@pytest.mark.parametrize(
    ("name", "when_whole"),
    [
        (".a.png.partial-17", "a.png"),
        (".a.png.old-17", "a.png"),
        (".a.jsonl.partial", "a.jsonl"),
        ("a.png", "a.png"),
        ("a.png.partial-17", "a.png.partial-17"),
        (".a.png.partial-x", ".a.png.partial-x"),
        (".a.png.new-17", ".a.png.new-17"),
        (".partial-17", ".partial-17"),
    ],
)
def test_a_name_that_a_killed_process_left_says_of_which_file(name: str, when_whole: str) -> None:
    assert name_when_whole(name) == when_whole
