"""The family of a machine: chosen by the file's tag, with its own model, units and schedules."""

from pathlib import Path

import pytest

from archsim.config import parse_override
from archsim.config.presets import PresetKind, preset_file, preset_folder, preset_names
from archsim.errors import ArchError, ScheduleError
from archsim.families.load import load_arch
from archsim.families.registry import DEFAULT_FAMILY, FAMILIES, build_units
from archsim.families.schedules import find_schedule
from archsim.metrics.stacks import BUCKETS

every_family = pytest.mark.parametrize("family", FAMILIES)


def test_a_family_is_complete() -> None:
    assert DEFAULT_FAMILY in FAMILIES
    assert all(name == family.name and family.schedules for name, family in FAMILIES.items())


@every_family
def test_what_its_bounds_explain_are_losses_and_its_schedules_have_names(family: str) -> None:
    explained = FAMILIES[family].explained
    assert explained.keys() <= FAMILIES[family].bounds.keys()
    assert {loss for losses in explained.values() for loss in losses} <= BUCKETS.keys()
    names = [schedule.name for schedule in FAMILIES[family].schedules]
    assert len(set(names)) == len(names)
    assert find_schedule(None, family) is FAMILIES[family].schedules[0]
    assert all(find_schedule(name, family).name == name for name in names)


@pytest.mark.parametrize("name", preset_names(PresetKind.ARCH))
def test_every_preset_is_of_a_family_whose_units_it_has(name: str) -> None:
    config = load_arch(name).config
    family = FAMILIES[config.family]
    assert type(config) is family.config
    units = build_units(config)
    assert {type(unit) for unit in units.values()} <= set(family.unit_kinds)
    left_out = {kind.name for kind in family.unit_kinds if getattr(config, kind.name, kind) is None}
    assert {unit.name for unit in units.values()} == {kind.name for kind in family.unit_kinds} - left_out
    assert config.multipliers.unit in units
    assert config.multipliers.macs_per_cycle > 0


def test_a_file_without_a_tag_is_a_gemv_machine_and_an_unknown_one_is_said(tmp_path: Path) -> None:
    text = preset_file(PresetKind.ARCH, "tiny_2x2").read_text()
    assert "family" not in text
    assert load_arch("tiny_2x2").config.family == "gemv"
    file = tmp_path / "mine.yaml"
    file.write_text(text + "family: gpu\n")
    line = len(text.splitlines()) + 1
    with pytest.raises(ArchError, match=rf"mine.yaml:{line}: family: expected one of 'gemv'.*, got 'gpu'"):
        load_arch(str(file))
    file.write_text(text + "family: [gemv]\n")
    with pytest.raises(ArchError, match="family: expected one of 'gemv'"):
        load_arch(str(file))


def test_presets_in_subfolders_have_names_of_their_own() -> None:
    for kind in PresetKind:
        inside = [folder for folder in map(preset_folder, PresetKind) if preset_folder(kind) in folder.parents]
        found = preset_folder(kind).rglob("*.yaml")
        files = [file for file in found if not any(folder in file.parents for folder in inside)]
        assert len({file.stem for file in files}) == len(files) == len(preset_names(kind))


def test_set_cannot_change_the_family() -> None:
    with pytest.raises(ArchError, match="family.*'gemv'"):
        load_arch("tiny_2x2", [parse_override("family=gpu")])


def test_a_schedule_of_another_family_is_refused() -> None:
    with pytest.raises(ScheduleError, match="fused: is for machines of the family gemv; this one is of the family npu"):
        find_schedule("fused", "npu")
    with pytest.raises(ScheduleError, match="no such schedule; allowed: chains"):
        find_schedule("nonsense", "npu")
    with pytest.raises(ScheduleError, match="schedule chains: is for machines of the family npu; this one is of"):
        find_schedule(FAMILIES["npu"].schedules[0], "gemv")
