"""References to presets and files: names, paths, and what is neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.config.presets import MAX_PATH_CHARACTERS, PresetKind, find_file, preset_file
from archsim.errors import ArchError

KIND = PresetKind.ARCH


def refused(reference: str) -> str:
    with pytest.raises(ArchError) as caught:
        find_file(KIND, reference, ArchError)
    return str(caught.value)


def test_a_name_is_a_preset_and_a_path_is_a_path(tmp_path: Path) -> None:
    assert find_file(KIND, "tiny_2x2", ArchError) == preset_file(KIND, "tiny_2x2")
    for name in ("a.yaml", "a.yml"):
        assert find_file(KIND, f"{tmp_path}/{name}", ArchError) == tmp_path / name, "whether it is there is seen later"


def test_a_folder_goes_through_so_that_reading_it_says_what_it_is(tmp_path: Path) -> None:
    assert find_file(KIND, f"{tmp_path}/", ArchError) == tmp_path


def test_what_is_neither(tmp_path: Path) -> None:
    for name in ("a.txt", "missing"):
        path = f"{tmp_path}/{name}"
        assert refused(path) == f"{path}: expected a preset's name or the path of a .yaml file"
    assert "did you mean 'tiny_2x2'? presets: " in refused("tiny_2x3")
    assert f"is longer than the {MAX_PATH_CHARACTERS:,} characters of a path".replace(",", "") in refused(
        "a/" * MAX_PATH_CHARACTERS
    ).replace(",", "")
