"""Recorded activities that ship: found by name, listed, and refused where they are of another network."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.config.listed import Listed
from archsim.errors import WorkloadError
from archsim.report.text.catalogue import catalogue
from archsim.workload import load_workload
from archsim.workload.recorded_activities import RECORDED


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded.name)
def test_a_name_is_its_file(recorded: object) -> None:
    assert recorded in RECORDED
    each = next(each for each in RECORDED if each is recorded)
    by_name = load_workload(each.workload, (), Path(each.name))
    assert by_name.activity == load_workload(each.workload, (), each.path).activity
    assert by_name.activity is not None
    assert load_workload(each.workload, [f"activity={each.name}"]).activity == by_name.activity


def test_all_files_are_listed() -> None:
    files = RECORDED[0].path.parent.glob("*.nz.txt")
    assert sorted(f"{each.name}.nz.txt" for each in RECORDED) == sorted(file.name for file in files)
    (section,) = (part for part in catalogue().parts if part.kind is Listed.ACTIVITIES)
    assert [name for name, _ in section.entries] == [each.name for each in RECORDED]
    assert section.entries[0][1].startswith("gru:8,16,layers=2,t=1000: ")


def test_another_network_is_refused_with_the_one_that_it_is_of() -> None:
    with pytest.raises(WorkloadError, match=r"has 1,000 lines.* 200 steps; it is of gru:8,16,layers=2,t=1000$"):
        load_workload("gru:8,16,layers=2,t=200", (), Path("shipped_th0"))
    with pytest.raises(WorkloadError, match=r"it is of gru:8,16,layers=2,t=1000"):
        load_workload("gru:8,8,layers=2,t=1000", (), Path("shipped_th0"))


def test_an_unknown_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the current folder comes first, whatever its name."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkloadError, match=r"did you mean 'shipped_th16'\? those that ship: shipped_th0, "):
        load_workload("gru:8,16,layers=2,t=1000", (), Path("shipped_16"))
    with pytest.raises(WorkloadError, match="no recorded activity; those that ship"):
        load_workload("gru:8,16,layers=2,t=1000", (), Path("mine"))
    Path("shipped_th0").write_text("0 | 9 |\n")
    found = load_workload("gru:8,16,t=1", (), Path("shipped_th0"))
    assert found.activity is not None
    assert found.activity[0].columns == 2
