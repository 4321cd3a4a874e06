"""Files of parts and pieces by hand: which lines and files count, what is removed, and what is dropped."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from archsim.errors import OutputError
from archsim.explore.parts.file_store import FolderStore, unfinished
from archsim.explore.parts.part_folder import PartFolder, kept_words
from archsim.explore.parts.part_rows import PartRows, numbers_array
from archsim.explore.parts.piece_folder import PieceFolder, piece_name
from archsim.explore.parts.sealed_file import SealedFile
from archsim.explore.results.study import Status
from archsim.explore.run.journal import sealed_line
from tests.optional import need

need("fsspec")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_lines_that_are_torn_damaged_or_no_objects_are_dropped(tmp_path: Path) -> None:
    """Of the torn end nothing stays, so that the next line begins a line; what is before it stays as it is."""
    path = tmp_path / "x.jsonl"
    good, other = sealed_line('{"a": 1}'), sealed_line('{"a": 2}')
    bad = [sealed_line("[1]"), sealed_line("{"), b"00000000 {}\n", b"\n"]
    path.write_bytes(good + b"".join(bad) + other + good[:-4])
    file = SealedFile(path)
    assert list(file.records()) == [{"a": 1}, {"a": 2}]
    assert file.dropped == 5
    assert path.read_bytes() == good + b"".join(bad) + other
    file.append('{"a": 3}')
    assert list(SealedFile(path).records()) == [{"a": 1}, {"a": 2}, {"a": 3}]
    file.renew(['{"a": 4}', '{"a": 5}'])
    again = SealedFile(path)
    assert list(again.records()) == [{"a": 4}, {"a": 5}]
    assert again.dropped == 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.jsonl"]
    assert list(SealedFile(tmp_path / "none").records()) == []


def test_a_line_that_has_no_room_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte less than the line was written: it is cut off again."""
    file = SealedFile(tmp_path / "x")
    file.append("{}")
    before, write = (tmp_path / "x").read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:-1]))
    with pytest.raises(OSError, match="No space left on device") as caught:
        file.append("{}")
    assert caught.value.errno == errno.ENOSPC
    assert (tmp_path / "x").read_bytes() == before


@pytest.mark.parametrize("shared", [False, True])
def test_a_store_has_files_whole_or_not_at_all(tmp_path: Path, shared: bool) -> None:
    store = FolderStore(tmp_path / "s", shared)
    store.begin()
    store.begin()
    seen: list[set[str]] = []
    store.write("a", b"1", lambda: seen.append(store.names()))
    (tmp_path / "s" / "folder").mkdir()
    assert store.names() == {"a"}
    assert [name for names in seen for name in names] != ["a"], "not before it is whole"
    assert store.read("a") == b"1"
    assert store.where("a") == str(tmp_path / "s" / "a")

    def fails() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write("b", b"2", fails)
    assert store.names() == {"a"}
    for _ in range(2):
        store.remove("a")
    (tmp_path / "s" / "folder").rmdir()
    store.end()
    assert not (tmp_path / "s").exists()
    assert unfinished("a") != unfinished("a")
    assert unfinished("a").startswith(".a.")


def test_a_part_is_whole_if_a_line_has_its_digest(tmp_path: Path) -> None:
    """A part that is no longer what its line says is dropped, one without a file is not; others are none."""
    folder = PartFolder(tmp_path, "mine")
    assert (folder.where, folder.places) == ("parts/*.parquet", [])
    folder.write(0, b"zero", True, 0)
    folder.write(1, b"one", False, 0)
    folder.write(12, b"twelve", True, 0)
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == [
        "manifest.jsonl", "part-000000.parquet", "part-000001.parquet", "part-000012.parquet",
    ]  # fmt: skip
    again = PartFolder(tmp_path, "mine")
    assert again.places == [0, 12]
    assert [again.whole(place) for place in (0, 1, 12)] == [b"zero", None, b"twelve"]
    assert again.read(1) == b"one"
    assert again.dropped == 0
    (tmp_path / "parts" / "part-000000.parquet").write_bytes(b"other")
    (tmp_path / "parts" / "part-000012.parquet").unlink()
    assert [again.whole(place) for place in (0, 12)] == [None, None]
    assert again.dropped == 1
    with pytest.raises(OutputError, match=r"part-000012\.parquet: cannot be read: No such file"):
        again.read(12)
    again.write(0, b"other", True, 0)
    again.write(0, b"other", True, 0)
    lines = (tmp_path / "parts" / "manifest.jsonl").read_bytes().splitlines()
    assert len(lines) == 3, "a line for each digest of a part, once"
    assert PartFolder(tmp_path, "mine").whole(0) == b"other"
    assert PartFolder(tmp_path, "others").places == []


def test_where_parts_are(tmp_path: Path) -> None:
    """In the folder, also where its whole path is the address; elsewhere if the address has a protocol."""
    assert PartFolder(tmp_path, "mine", str(tmp_path / "parts")).where == "parts/*.parquet"
    elsewhere = PartFolder(tmp_path, "mine", f"file://{tmp_path}/there")
    assert elsewhere.where == f"file://{tmp_path}/there/*.parquet"
    elsewhere.write(0, b"zero", True, 0)
    assert (tmp_path / "there" / "part-000000.parquet").read_bytes() == b"zero"
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["manifest.jsonl"]


def test_parts_in_memory_are_never_on_the_disk() -> None:
    folder = PartFolder(None, "mine")
    folder.write(3, b"three", True, 0)
    assert (folder.where, folder.places, folder.read(3), folder.whole(3)) == ("memory", [], b"three", None)


def test_points_that_are_kept_are_counted_in_words() -> None:
    assert kept_words(0) == ""
    assert kept_words(1) == "; 1 finished points are kept, and --resume goes on from them"
    assert kept_words(1234) == "; 1,234 finished points are kept, and --resume goes on from them"


def pieces(tmp_path: Path, settings: str = "mine") -> PieceFolder:
    return PieceFolder(tmp_path, settings, str(tmp_path / "parts"))


def written(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "parts" / "pieces").iterdir()}


def test_pieces_that_were_counted_are_there_again(tmp_path: Path) -> None:
    """Others are removed: one that has no line, and what was not finished; the token stays where it is."""
    folder = pieces(tmp_path)
    for part, data, counts in ((0, b"a", True), (0, b"b", True), (1, b"c", True), (1, b"d", False)):
        name = folder.write(part, data, 0)
        assert name == digest(data)
        if counts:
            folder.add(part, name, 0)
            folder.add(part, name, 0)
    token = folder.leave_token()
    assert (tmp_path / "parts" / "pieces" / "token").read_text() == token != folder.leave_token()
    assert len((tmp_path / "parts" / "pieces.jsonl").read_bytes().splitlines()) == 3
    (tmp_path / "parts" / "pieces" / ".x.partial").write_bytes(b"")
    again = pieces(tmp_path)
    named = {piece_name(0, digest(b"a")), piece_name(0, digest(b"b")), piece_name(1, digest(b"c"))}
    assert written(tmp_path) == named | {"token"}
    assert again.of_part(0) == [(digest(b"a"), b"a"), (digest(b"b"), b"b")]
    assert again.of_part(1) == [(digest(b"c"), b"c")]
    assert again.of_part(2) == []
    assert again.read(1, digest(b"c")) == b"c"
    assert again.dropped == 0
    again.forget(0)
    again.forget(0)
    assert written(tmp_path) == {piece_name(1, digest(b"c")), "token"}
    again.end()
    assert written(tmp_path) == {piece_name(1, digest(b"c"))}
    assert (tmp_path / "parts" / "pieces.jsonl").exists()
    again.forget(1)
    again.end()
    assert not (tmp_path / "parts" / "pieces").exists()
    assert not (tmp_path / "parts" / "pieces.jsonl").exists()


def test_pieces_that_are_not_what_was_written_are_dropped(tmp_path: Path) -> None:
    folder = pieces(tmp_path)
    for data in (b"a", b"b", b"c"):
        folder.add(0, folder.write(0, data, 0), 0)
    place = tmp_path / "parts" / "pieces"
    (place / piece_name(0, digest(b"a"))).write_bytes(b"other")
    (place / piece_name(0, digest(b"b"))).unlink()
    with pytest.raises(OutputError, match="is not what a worker wrote; --resume evaluates it again"):
        folder.read(0, digest(b"a"))
    with pytest.raises(OutputError, match="cannot be read: No such file.*; --resume evaluates it again"):
        folder.read(0, digest(b"b"))
    assert folder.of_part(0) == [(digest(b"c"), b"c")]
    assert folder.dropped == 2
    assert folder.of_part(0) == [(digest(b"c"), b"c")]
    assert folder.dropped == 2, "they are told once"


def test_only_lines_of_the_same_settings_name_pieces(tmp_path: Path) -> None:
    """A line that says nothing is counted; one of others, one without a file or one that is there twice is left out."""
    folder = pieces(tmp_path)
    name = folder.write(3, b"a", 0)
    lines = [
        {"part": 3, "sha256": name, "settings": "mine"},
        {"part": 3, "sha256": name, "settings": "mine"},
        {"part": 3, "sha256": digest(b"none"), "settings": "mine"},
        {"part": 4, "sha256": name, "settings": "other"},
        {"part": -1, "sha256": name, "settings": "mine"},
        {"part": 3, "sha256": name[:-1], "settings": "mine"},
        {"part": 3, "sha256": name.upper(), "settings": "mine"},
        {"part": "3", "sha256": name, "settings": "mine"},
        {"sha256": name, "settings": "mine"},
        {"part": 0, "sha256": 7, "settings": "mine"},
    ]
    path = tmp_path / "parts" / "pieces.jsonl"
    path.write_bytes(b"".join(sealed_line(json.dumps(line)) for line in lines) + b"no sum\n")
    again = pieces(tmp_path)
    assert again.of_part(3) == [(name, b"a")]
    assert again.of_part(4) == []
    assert again.dropped == 7, "six that say nothing, and one without a sum"
    assert path.read_bytes() == sealed_line(json.dumps(lines[0])), "only what counts stays"
    assert pieces(tmp_path).dropped == 0


def test_a_piece_whose_line_has_no_room_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pieces(tmp_path)
    name = folder.write(0, b"a", 0)

    def full(self: SealedFile, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SealedFile, "append", full)
    with pytest.raises(OutputError, match=r"pieces\.jsonl: cannot be written: No space left on device; 7 finished"):
        folder.add(0, name, 7)
    assert written(tmp_path) == set()


def test_what_a_sampler_learns_of_rows() -> None:
    """Signs turned where an objective is maximized; nothing of values of a point that is infeasible."""
    statuses = np.array([list(Status).index(status) for status in (Status.EVALUATED, Status.INFEASIBLE)], np.int8)
    values = np.array([[3.0, 5.0], [np.nan, np.nan]])
    rows = PartRows(numbers_array([7, 9], 10), statuses, values, np.array([0.0, 2.5]), np.zeros((2, 2), np.uint64))
    assert len(rows) == 2
    one, other = rows.told(0, (1, -1)), rows.told(1, (1, -1))
    assert (one.number, one.values, one.violation) == (7, (3, -5), 0)
    assert (other.number, other.values, other.violation) == (9, None, 2.5)
    for size, kind in ((1 << 63, object), ((1 << 63) - 1, np.int64)):
        assert numbers_array([1, 2], size).dtype == kind
