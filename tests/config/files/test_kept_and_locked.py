"""What is kept on disk by a digest, and names that one command at a time may write."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from archsim.config.files.kept_files import FILES, KeptFiles
from archsim.config.files.one_writer import one_writer
from archsim.errors import OutputError


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeptFiles:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return KeptFiles("things")


def digest(first: int, rest: int = 7) -> bytes:
    """32 bytes of which the first two are a number."""
    return first.to_bytes(2) + bytes([rest]) * 30


def test_a_result_is_there_until_another_one_wants_its_place(kept: KeptFiles, tmp_path: Path) -> None:
    """There are 4,096 places by the first two bytes: 0x1234 and 0x2234 share one, 0x1235 has another."""
    assert (FILES, kept.folder, kept.get(digest(0x1234))) == (4096, tmp_path / "archsim" / "things", None)
    kept.put(digest(0x1234), b"one")
    kept.put(digest(0x1235), b"two" * 50_000)
    assert (kept.get(digest(0x1234)), kept.get(digest(0x1235))) == (b"one", b"two" * 50_000)
    assert kept.get(digest(0x1234, rest=8)) is None
    assert kept.get(digest(0x2234)) is None
    kept.put(digest(0x2234), b"")
    assert (kept.get(digest(0x1234)), kept.get(digest(0x2234))) == (None, b"")
    assert len(list((tmp_path / "archsim" / "things").iterdir())) == 2


def test_what_is_damaged_is_not_there(kept: KeptFiles) -> None:
    """Any byte of the file, and any end of it that is gone."""
    kept.put(digest(5), b"result")
    assert kept.folder is not None
    (file,) = kept.folder.iterdir()
    whole = file.read_bytes()
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert kept.get(digest(5)) is None, place
        file.write_bytes(whole[:place])
        assert kept.get(digest(5)) is None, place
    file.write_bytes(whole)
    assert kept.get(digest(5)) == b"result"


def test_without_a_place_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file stands in the way of the folder; and the home folder is the place if no other is named."""
    (tmp_path / "archsim").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    KeptFiles("things").put(digest(1), b"x")
    assert KeptFiles("things").get(digest(1)) is None
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "me")
    assert KeptFiles("things").folder == tmp_path / "me" / ".cache" / "archsim" / "things"

    def nobody() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", nobody)
    assert KeptFiles("things").folder is None
    assert KeptFiles("things").get(digest(1)) is None
    KeptFiles("things").put(digest(1), b"x")


def test_one_writes_at_a_time(tmp_path: Path) -> None:
    """The lock is beside the name and goes with the writer; another name is free meanwhile."""
    target, lock = tmp_path / "out", tmp_path / ".out.lock"
    for _ in range(2):
        with one_writer(target):
            assert lock.exists()
            assert stat.S_IMODE(lock.stat().st_mode) & ~0o666 == 0
            with (
                pytest.raises(OutputError, match="out: another archsim is writing here; wait for it"),
                one_writer(target),
            ):
                pass
            with one_writer(tmp_path / "other"):
                pass
            assert lock.exists()
        assert list(tmp_path.iterdir()) == []


def test_a_lock_that_was_left_behind_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / ".out.lock").touch()
    with one_writer(tmp_path / "out"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_folders_above_are_made_if_that_is_asked_for(tmp_path: Path) -> None:
    """Without it nobody holds the name: what cannot be written is said by the writing itself."""
    with one_writer(tmp_path / "a" / "b" / "out", parents=True):
        assert (tmp_path / "a" / "b" / ".out.lock").exists()
    with one_writer(tmp_path / "none" / "out"):
        assert not (tmp_path / "none").exists()
    with one_writer(tmp_path / "none" / "out", parents=False):
        assert not (tmp_path / "none").exists()
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match="cannot write results: "),
        one_writer(tmp_path / "file" / "out", parents=True),
    ):
        pass


def test_a_writer_that_fails_lets_go(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    with pytest.raises(ZeroDivisionError), one_writer(tmp_path / "out"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before
