"""Files that a command writes are never written through a link that somebody has put there before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archsim.cli.output import output
from archsim.config.files.whole_files import write_together, write_whole
from archsim.errors import OutputError
from archsim.explore.parts.part_folder import MANIFEST, PartFolder
from archsim.explore.parts.piece_folder import LINES, PieceFolder
from archsim.explore.results.study_folder import PARTS, write_file
from archsim.explore.run.journal import NEW, Journal

PRECIOUS = "precious, and without an end of its line"


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    file = tmp_path / "precious"
    file.write_text(PRECIOUS)
    return file


def planted(link: Path, precious: Path) -> None:
    link.symlink_to(precious)


def test_files_are_written_anew_where_a_link_has_their_first_name(tmp_path: Path, precious: Path) -> None:
    here, pid = tmp_path / "here", os.getpid()
    here.mkdir()
    for name in ("a", "b", "c"):
        planted(here / f".{name}.partial-{pid}", precious)
    planted(here / ".d.partial", precious)
    write_whole(here / "a", b"1")
    write_together({here / "a": b"2", here / "b": b"3"})
    with output(here / "c") as write:
        write("4\n")
    write_file(here / "d", b"5")
    assert precious.read_text() == PRECIOUS
    assert {path.name: path.read_bytes() for path in here.iterdir()} == {"a": b"2", "b": b"3", "c": b"4\n", "d": b"5"}
    assert not any(path.is_symlink() for path in here.iterdir())


def test_a_file_takes_the_place_of_a_link_of_its_name(tmp_path: Path, precious: Path) -> None:
    planted(tmp_path / "a", precious)
    write_whole(tmp_path / "a", b"1")
    assert (precious.read_text(), (tmp_path / "a").read_bytes()) == (PRECIOUS, b"1")


def test_a_journal_does_not_begin_in_another_file(tmp_path: Path, precious: Path) -> None:
    planted(tmp_path / NEW, precious)
    with pytest.raises(OutputError, match=r"journal\.jsonl\.new: is a link to another file"):
        Journal.create(tmp_path / "journal.jsonl", "f", "s")
    assert precious.read_text() == PRECIOUS


def test_a_manifest_of_parts_is_no_other_file(tmp_path: Path, precious: Path) -> None:
    """Its last line is torn, and what is torn of a manifest is cut off."""
    (tmp_path / PARTS).mkdir()
    planted(tmp_path / PARTS / MANIFEST, precious)
    with pytest.raises(OutputError, match=r"manifest\.jsonl: is a link to another file"):
        PartFolder(tmp_path, "settings")
    assert precious.read_text() == PRECIOUS


def test_lines_of_pieces_are_in_no_other_file(tmp_path: Path, precious: Path) -> None:
    (tmp_path / PARTS).mkdir()
    planted(tmp_path / PARTS / LINES, precious)
    with pytest.raises(OutputError, match=r"pieces\.jsonl: is a link to another file"):
        PieceFolder(tmp_path, "settings", str(tmp_path / PARTS))
    assert precious.read_text() == PRECIOUS


def test_a_part_does_not_go_through_a_link(tmp_path: Path, precious: Path) -> None:
    """The part is written under a first name, and a line about it follows: both are files of their own."""
    folder = PartFolder(tmp_path, "settings")
    planted(tmp_path / PARTS / ".part-000000.parquet.partial", precious)
    folder.write(0, b"some", whole=False, kept=0)
    assert (tmp_path / PARTS / "part-000000.parquet").read_bytes() == b"some"
    planted(tmp_path / PARTS / MANIFEST, precious)
    with pytest.raises(OutputError, match="cannot be written"):
        folder.write(1, b"more", whole=True, kept=0)
    assert precious.read_text() == PRECIOUS
