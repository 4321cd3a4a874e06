"""The catalogue that `archsim list` keeps on disk: the same as one made anew, used only while nothing has changed."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

import archsim.cli.known_catalogue as known
import archsim.report.text.catalogue as made_anew
from archsim.config.files.kept_files import KeptFiles
from archsim.config.listed import Catalogue


class Counted:
    """Makes the catalogue, and counts how often."""

    def __init__(self, make: object = made_anew.catalogue) -> None:
        self.make, self.times = make, 0

    def __call__(self) -> Catalogue:
        self.times += 1
        return self.make()  # type: ignore[operator,no-any-return]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Counted:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    counted = Counted()
    monkeypatch.setattr(made_anew, "catalogue", counted)
    return counted


def test_the_next_one_is_from_the_disk_and_the_same(made: Counted) -> None:
    first, second = known.known_catalogue(), known.known_catalogue()
    assert made.times == 1
    assert first == second == made_anew.catalogue()


@pytest.mark.parametrize("length", [0, 1, 70, -1])
def test_a_damaged_file_is_made_anew(made: Counted, length: int) -> None:
    first = known.known_catalogue()
    folder = KeptFiles("catalogue").folder
    assert folder is not None
    (path,) = folder.iterdir()
    data = path.read_bytes()
    path.write_bytes(data[:length] if length >= 0 else data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])
    assert known.known_catalogue() == first
    assert made.times == 2
    known.known_catalogue()
    assert made.times == 2, "it is kept again"


def test_a_preset_that_changes_is_seen(made: Counted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By its content: its size and its time may stay."""
    preset = tmp_path / "mine.yaml"
    monkeypatch.setattr(known, "_presets", lambda: iter([preset]))
    for text, times in (("summary: a", 1), ("summary: a", 1), ("summary: b", 2)):
        preset.write_text(text)
        known.known_catalogue()
        assert made.times == times


def test_what_other_packages_add_is_never_kept(made: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("eager", "mine.eager:EAGER", "archsim.schedules")
    monkeypatch.setattr(known, "entry_points", lambda: EntryPoints([entry]))
    known.known_catalogue()
    known.known_catalogue()
    assert made.times == 2


def test_without_a_folder_it_is_made_each_time(made: Counted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert known.known_catalogue() == known.known_catalogue()
    assert made.times == 2
