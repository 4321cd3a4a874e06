"""Technology files: presets are valid, sourced and shipped; wrong ones are refused in one clear line a fault."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from archsim.config import parse_override
from archsim.config.presets import PresetKind, preset_file, preset_names
from archsim.errors import ArchError
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import Arch, load_arch
from archsim.technology import load_prices, load_technology

NODES = preset_names(PresetKind.TECHNOLOGY)
PRESET = preset_file(PresetKind.TECHNOLOGY, "node_45nm").read_text()


def test_the_presets() -> None:
    nodes = [f"node_{nm}nm" for nm in (65, 45, 28, 22, 16, 7, 5)]
    assert sorted(NODES) == sorted([*nodes, "fpga_28nm", "fpga_14nm"])
    assert all(node.endswith(f"_{load_technology(node).node_nm:g}nm") for node in NODES)


@pytest.mark.parametrize("node", NODES)
def test_every_group_of_a_preset_has_a_source(node: str) -> None:
    """A publication with its year, a tool with its version, or both; what is not theirs is called inferred."""
    t = load_technology(node)
    operators = [t.integer_multiply.source, t.integer_add.source, t.float_multiply.source, t.float_add.source]
    sources = [*operators, t.register_bit.source, t.logic_leakage.source, t.sram.source]
    for source in (*sources, *(dram.source for dram in t.dram)):
        assert re.search(r"\b(19|20)\d\d\b|1\.0\.40", source), source
    beside = [t.leakage.source, t.wires.source, t.clock.source, t.control.source, t.layout.source]
    for source in (*beside, *(dram.power.source for dram in t.dram)):
        assert re.search(r"\b(19|20)\d\d\b|1\.0\.40|inferred", source), source
    spreads = [t.integer_multiply.energy_spread, t.register_bit.energy_spread, t.sram.energy_spread, t.wires.spread]
    assert all(spread.low < 1 and spread.source != "none given" for spread in spreads)
    if node != "node_45nm":
        assert all("inferred" in source for source in sources)


@pytest.mark.parametrize("arch", preset_names(PresetKind.ARCH))
def test_every_preset_machine_names_its_technology(arch: str) -> None:
    """Those of a family without a model of energy have none to name."""
    text, costing = preset_file(PresetKind.ARCH, arch).read_text(), load_arch(arch).config.costing
    assert ("\ntechnology:" in text) is (costing is not None)
    if costing is not None:
        assert re.search(rf"^technology: {costing.technology}\b", text, flags=re.MULTILINE)
        assert f"\ndram_type: {costing.dram_type}\n" in text


def test_a_machine_that_names_none_has_the_published_one() -> None:
    assert GemvConfig.model_fields["technology"].default == "node_45nm"
    assert GemvConfig.model_fields["dram_type"].default == "lpddr4"


def fault(tmp_path: Path, old: str, new: str) -> str:
    """The message for the preset with one change."""
    assert PRESET.count(old) >= 1, old
    path = tmp_path / "mine.yaml"
    path.write_text(PRESET.replace(old, new, 1))
    with pytest.raises(ArchError) as caught:
        load_technology(str(path))
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(str(path))
    return text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("node_nm: 45", "node_nm: 0", "node_nm: expected a number"),
        ("node_nm: 45", 'node_nm: "45"', "node_nm: expected a number"),
        ("node_nm: 45\n", "", "missing key 'node_nm' (a number"),
        ("node_nm: 45", "node_nm: 45\nvoltage: 1", "voltage: unknown key"),
        ("energy_pj: 0.2,", "energy_pj: -0.2,", "integer_multiply.points[0].energy_pj: expected a number"),
        ("energy_pj: 0.2,", "energy_fj: 1, energy_pj: 0.2,", "energy_fj: unknown key; did you mean 'energy_pj'?"),
        ("{bits: 8, energy_pj: 0.2,", "{bits: 32, energy_pj: 0.2,", "integer_multiply: bits must rise"),
        (
            "{bits: 8, energy_pj: 0.2,",
            "{bits: 8, energy_pj: 5,",
            "energy_pj falls from 5 to 3.1; it must not fall with the size",
        ),
        (
            "    - {bits: 8, energy_pj: 0.2, area_um2: 282}\n",
            "",
            "integer_multiply: bits: two or more are needed",
        ),
        ("words: [64, 256,", "words: [256, 64,", "sram: words must rise"),
        ("words: [64, 256,", "words: [64, 256, 512,", "must have 7 rows (words) of 5 numbers (width_bits)"),
        ("[0.3577, 0.7366,", "[0.3577,", "single_port.read_pj must have 6 rows (words) of 5 numbers (width_bits)"),
        ("[0.3577, 0.7366,", "[0.9, 0.7366,", "single_port.read_pj falls from 0.9 to 0.7366"),
        ("[0.7903, 1.608,", "[0.1, 1.608,", "single_port.read_pj falls from 0.3577 to 0.1"),
        ("name: ddr4", "name: lpddr4", "names are given twice (lpddr4, lpddr4, hbm2, ddr3, gddr6)"),
        ("  source:", "", "integer_multiply: missing key 'source'"),
    ],
)
def test_a_wrong_file_gives_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    if old == "  source:":
        old = PRESET[PRESET.index(old) : PRESET.index("  points:")]  # with its text
    assert said in fault(tmp_path, old, new)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(PRESET.replace("node_nm: 45", "node_nm: -1").replace("energy_pj: 0.2,", "energy_pj: zero,"))
    with pytest.raises(ArchError) as caught:
        load_technology(str(path))
    assert len(str(caught.value).splitlines()) == 2


def mine(folder: Path, factor: float) -> Path:
    """The 45 nm preset whose DRAM takes other energy."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mine.yaml"
    path.write_text(PRESET.replace("energy_pj_per_bit: 5.9\n", f"energy_pj_per_bit: {5.9 * factor}\n"))
    return path


def dram_pj(arch: Arch) -> float:
    return next(dram.energy_pj_per_bit for dram in arch.prices.technology.dram if dram.name == "lpddr4")


def test_a_file_of_ones_own_beside_the_architecture_or_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = tmp_path / "machines" / "a.yaml"
    mine(machine.parent, 2)
    mine(tmp_path / "here", 3)
    text = preset_file(PresetKind.ARCH, "edge_16x16").read_text()
    machine.write_text(text.replace("technology: node_22nm", "technology: mine.yaml"))
    monkeypatch.chdir(tmp_path / "here")
    assert dram_pj(load_arch(str(machine))) == 2 * 5.9
    assert dram_pj(load_arch("edge_16x16", [parse_override("technology=mine.yaml")])) == pytest.approx(3 * 5.9)
    assert dram_pj(load_arch(str(machine), [parse_override("technology=node_7nm")])) == 5.9


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    path = mine(tmp_path, 2)
    assert load_prices(str(path)) is load_prices(str(path))
    mine(tmp_path, 3)
    os.utime(path, ns=(1, 1))
    assert next(d.energy_pj_per_bit for d in load_technology(str(path)).dram if d.name == "lpddr4") == pytest.approx(
        3 * 5.9
    )
