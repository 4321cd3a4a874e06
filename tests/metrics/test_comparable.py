"""Technologies that do not share their sources are not compared in silence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archsim.api.compare import compare
from archsim.config import parse_override
from archsim.config.presets import PresetKind, preset_file, preset_names
from archsim.families.load import load_arch
from archsim.report.text.compare_tables import as_json
from archsim.technology.comparable import chain_note


@pytest.fixture
def mine(tmp_path: Path) -> str:
    """The 45 nm preset without the name of its chain."""
    text = preset_file(PresetKind.TECHNOLOGY, "node_45nm").read_text()
    [line] = [line for line in text.splitlines() if line.startswith("chain:")]
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace(f"{line}\n", ""))
    return str(path)


def test_presets_share_theirs(mine: str) -> None:
    assert chain_note(preset_names(PresetKind.TECHNOLOGY)) == ""
    assert chain_note([mine]) == ""
    note = chain_note([mine, "node_7nm", "node_22nm"])
    assert note.startswith("energies and areas of technologies that do not share their sources cannot be compared: ")
    assert sorted(note.split(": ")[1].split("; ")) == ["mine.yaml", "node_22nm, node_7nm"]


def test_two_that_name_no_sources_have_none_in_common(mine: str, tmp_path: Path) -> None:
    """What a file leaves out is no name that another file that leaves it out has, too."""
    other = tmp_path / "other.yaml"
    other.write_text(Path(mine).read_text().replace("energy_pj_per_bit: ", "energy_pj_per_bit: 1"))
    note = chain_note([mine, str(other)])
    assert sorted(note.split(": ")[1].split("; ")) == ["mine.yaml", "other.yaml"]


def test_compare_says_so(mine: str) -> None:
    one, other = (load_arch("tiny_2x2", [parse_override(f"technology={name}")]) for name in ("node_22nm", mine))
    assert compare([one], ["lstm_3_2_t4"]).notes == ()
    found = compare([one, load_arch("tiny_2x2"), replace(other, name="other")], ["lstm_3_2_t4"])
    [note] = found.notes
    assert "do not share their sources" in note
    assert note in as_json(found)
