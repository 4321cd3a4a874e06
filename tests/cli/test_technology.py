"""`archsim technology`: prices beside each other, and a technology of HWComponents' prices.

HWComponents needs Python 3.12: there it is asked, if it is installed (the extra hwcomponents). Elsewhere its place is
taken by components of known prices, and the file that was made of it stands in examples/.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from archsim.config import parse_override
from archsim.config.presets import PresetKind, preset_file
from archsim.errors import ExtensionError
from archsim.families.load import load_arch
from archsim.hardware.storage import Sram
from archsim.technology import Prices, Technology, hwcomponents, load_technology
from archsim.technology.comparable import chain_note
from archsim.technology.conditions import Conditions
from archsim.technology.estimates import Beside, beside, technology_of
from archsim.technology.hwcomponents import HwComponents, estimates, leakage_conditions, load_hwcomponents
from archsim.technology.write import technology_text
from tests.cli.conftest import Cli
from tests.optional import need, skip

MADE = Path(__file__).resolve().parents[2] / "examples" / "hwcomponents_45nm.yaml"
"""Made by `archsim technology node_45nm hwcomponents --out hwcomponents_45nm.yaml`."""

HAS_PYTHON = sys.version_info >= hwcomponents.OLDEST_PYTHON
CONFIGURATION = '-Data array peripheral type - "itrs-lstp"\n-operating temperature (K) 300\n'


def small(base: Technology, words: tuple[int, ...], width_bits: tuple[int, ...]) -> Technology:
    """The technology with fewer SRAMs in its table."""
    rows = [base.sram.words.index(number) for number in words]
    columns = [base.sram.width_bits.index(number) for number in width_bits]

    def fewer(ports: str) -> object:
        grids = getattr(base.sram, ports)
        update = {
            name: tuple(tuple(getattr(grids, name)[row][column] for column in columns) for row in rows)
            for name in type(grids).model_fields
        }
        return grids.model_copy(update=update)

    update = {
        "words": words,
        "width_bits": width_bits,
        "single_port": fewer("single_port"),
        "dual_port": fewer("dual_port"),
    }
    return base.model_copy(update={"sram": base.sram.model_copy(update=update)})


SMALL = small(load_technology("node_45nm"), (64, 1024, 16384), (32, 64))


def energy(joule: float) -> SimpleNamespace:
    return SimpleNamespace(energy=joule)


class Logic:
    """An operator or register of known prices: for each bit 2 pJ, 100 um2 and 1 mW."""

    def __init__(self, tech_node: float, width: int) -> None:
        assert tech_node == pytest.approx(45e-9)
        self.area, self.leak_power = width * 100e-12, width * 1e-3
        self._cost = energy(width * 2e-12)

    def multiply(self) -> SimpleNamespace:
        return self._cost

    add = write = multiply


class Ram:
    """An SRAM of known prices: for each word 3 pJ read and 4 written, 1 um2 a bit and port, 1 nW a bit."""

    def __init__(self, tech_node: float, width: int, size: int, n_rw_ports: int) -> None:
        assert tech_node == pytest.approx(45e-9)
        self.area, self.leak_power = size * n_rw_ports * 1e-12, size * 1e-9
        self._words = size // width

    def read(self) -> SimpleNamespace:
        return energy(3e-12 * self._words)

    def write(self) -> SimpleNamespace:
        return energy(4e-12 * self._words)


class Memory:
    """A DRAM of 64 bits that takes 3 pJ for all of them."""

    width = 64

    def read(self) -> SimpleNamespace:
        return energy(3e-12)


class Broken:
    """An SRAM whose CACTI does not start."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def __call__(self, **_: object) -> None:
        raise Exception(f"CACTI failed with exit code 1. Please check {self._log} for CACTI output.")


@pytest.fixture
def known(tmp_path: Path) -> HwComponents:
    """HWComponents with components of known prices."""
    library, cacti = ModuleType("library"), ModuleType("cacti")
    for name in ("AladdinMultiplier", "AladdinAdder", "AladdinRegister"):
        setattr(library, name, Logic)
    for name in ("LPDDR4", "DDR3", "HBM2"):
        setattr(cacti, name, Memory)
    cacti.SRAM = Ram  # type: ignore[attr-defined]
    (tmp_path / "default_cfg.cfg").write_text(CONFIGURATION)
    cacti.__file__ = str(tmp_path / "__init__.py")
    return HwComponents(library, cacti, "HWComponents 9")


def test_prices_in_our_units(known: HwComponents) -> None:
    """Eight bits of logic of 2 pJ and 100 um2 a bit: 16 pJ, 800 um2. Its 1 mW on 100 um2 are 10,000 mW/mm2.

    An SRAM of 1,024 words of 64 bits: 3 x 1,024 pJ read; 65,536 um2 with one port, twice that with two. It leaks 65.536
    uW at 300 K with low_standby; so does the technology under those conditions.
    """
    made = technology_of(SMALL, estimates(SMALL, known))
    assert made.integer_multiply.points[0].model_dump() == {"bits": 8, "energy_pj": 16, "area_um2": 800}
    assert [point.bits for point in made.integer_add.points] == [8, 16, 32]
    assert (made.register_bit.energy_pj, made.register_bit.area_um2) == (2, 100)
    assert made.logic_leakage.power_mw_per_mm2 == 10_000
    assert made.sram.single_port.read_pj[1][1] == 3072
    assert made.sram.single_port.write_pj[1][1] == 4096
    assert made.sram.single_port.area_mm2[1][1] == 0.065536
    assert made.sram.dual_port.area_mm2[1][1] == pytest.approx(2 * 0.065536, rel=1e-4)
    sram = Sram(1, 8192, 64, dual_port=False)
    assert Prices(made, Conditions("low_standby", 300.0)).memory(sram).leakage_mw == pytest.approx(0.065536, rel=1e-4)


def test_what_it_does_not_have_stays(known: HwComponents) -> None:
    """Floating point, wires, clock, DRAM's power and DDR4 are the base's; 3 pJ on 64 bits are 0.046875 a bit of LPDDR4,
    of which 5.9 / 7.9 are the device's."""
    made = technology_of(SMALL, estimates(SMALL, known))
    for name in ("float_multiply", "float_add", "wires", "clock", "control", "layout", "leakage", "voltage_v"):
        assert getattr(made, name) == getattr(SMALL, name)
    before, after = ({dram.name: dram for dram in technology.dram} for technology in (SMALL, made))
    assert after["ddr4"] == before["ddr4"]
    assert after["lpddr4"].power == before["lpddr4"].power
    assert after["lpddr4"].energy_pj_per_bit == pytest.approx(0.046875 * 5.9 / 7.9, rel=1e-4)
    assert made.integer_add.energy_spread.source == "HWComponents 9 gives none"


def test_the_file_is_the_technology(known: HwComponents, tmp_path: Path) -> None:
    made = technology_of(SMALL, estimates(SMALL, known))
    path = tmp_path / "made.yaml"
    path.write_text(technology_text(made, "made by a test"))
    assert load_technology(str(path)) == made
    assert path.read_text().startswith("# made by a test\nsummary: ")
    assert max(map(len, path.read_text().splitlines())) < 180


def test_cacti_that_does_not_start(known: HwComponents, tmp_path: Path) -> None:
    """The reason is in a log; what to do is said, since the package has CACTI's source."""
    log = tmp_path / "0cacti.log"
    log.write_text("./cacti: libc.so.6: version `GLIBC_2.38' not found\n")
    known.cacti.SRAM = Broken(log)  # type: ignore[attr-defined]
    with pytest.raises(ExtensionError) as caught:
        estimates(SMALL, known)
    assert str(caught.value) == (
        "CACTI of hwcomponents-cacti does not run here: ./cacti: libc.so.6: version `GLIBC_2.38' not found; "
        f"to build it from its source: make -C {tmp_path / 'cacti'} opt"
    )


def test_transistors_and_temperature_of_cacti() -> None:
    assert leakage_conditions(CONFIGURATION) == ("low_standby", 300.0)
    assert leakage_conditions(CONFIGURATION.replace("lstp", "hp").replace("300", "360")) == ("high_performance", 360.0)
    with pytest.raises(ExtensionError, match="no known transistors and temperature"):
        leakage_conditions(CONFIGURATION.replace("lstp", "cmos"))


def test_too_old_a_python(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 3.11 as it is; of others as if a later one were needed."""
    if HAS_PYTHON:
        monkeypatch.setattr(hwcomponents, "OLDEST_PYTHON", (3, 99))
    outcome = cli("technology", "node_45nm", "--out", "made.yaml")
    needed, this = ".".join(map(str, hwcomponents.OLDEST_PYTHON)), f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"archsim: error: HWComponents needs Python {needed} or newer, this is Python {this}; a technology file that "
        "was made elsewhere can be used with any\n"
    )
    assert not Path("made.yaml").exists()


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hwcomponents, "OLDEST_PYTHON", (3, 11))
    monkeypatch.setitem(sys.modules, "hwcomponents_cacti", None)
    with pytest.raises(ExtensionError) as caught:
        load_hwcomponents()
    assert str(caught.value) == (
        'HWComponents needs the package hwcomponents_cacti: pip install "archsim[hwcomponents]"'
    )


def test_out_is_of_hwcomponents_alone(cli: Cli) -> None:
    outcome = cli("technology", "node_45nm", "node_22nm", "--out", "made.yaml")
    assert outcome.code == 2
    assert "--out is for hwcomponents alone: node_22nm is a technology file already" in " ".join(outcome.err.split())


def test_two_technologies_beside_each_other(cli: Cli) -> None:
    """Each price of 22 nm is 0.3889 of 45 nm's in energy, 0.2559 in area; DRAM's is the same."""
    rows = json.loads(cli("technology", "node_45nm", "node_22nm", "--json").out)
    ratios = {(row["what"], row["unit"]): row["ratio"] for row in rows}
    assert ratios["multiplier, 8 bits", "pJ"] == pytest.approx(0.3889)
    assert ratios["SRAM of 8 KiB", "mm2"] == pytest.approx(0.2559)
    assert ratios["lpddr4, a bit", "pJ"] == 1
    text = cli("technology", "node_45nm", "node_22nm").out
    assert [line.split() for line in text.splitlines() if line.startswith("multiplier, 8 bits")] == [
        ["multiplier,", "8", "bits", "pJ", "0.07778", "0.2", "0.39"],
        ["multiplier,", "8", "bits", "um2", "72.16", "282", "0.26"],
    ]
    assert [line.split()[-1] for line in text.splitlines() if line.startswith("lpddr4")] == ["same"]


def test_prices_of_two_chains_of_sources_are_not_set_beside_each_other_in_silence(cli: Cli) -> None:
    said = "The two do not share their sources: "
    assert said in cli("technology", "node_45nm", str(MADE)).out
    assert said not in cli("technology", str(MADE), str(MADE)).out
    assert said not in cli("technology", "node_45nm", "node_22nm").out


def prices_beside() -> dict[tuple[str, str], Beside]:
    found = beside(load_technology(str(MADE)), load_technology("node_45nm"))
    return {(row.what, row.unit): row for row in found}


def stillmaker_45_over_40() -> float:
    """Energy of 45 over 40 nm at 0.8 V by Stillmaker and Baas: a V^2 + b V + c of 45 nm is 0.6930, of 32 nm 0.4569; of
    40 nm 8/13 of the first and 5/13 of the second, 0.6022."""
    at_45, at_32 = 1.103 * 0.64 - 0.362 * 0.8 + 0.2767, 0.9559 * 0.64 - 0.7823 * 0.8 + 0.471
    return at_45 / (at_45 * 8 / 13 + at_32 * 5 / 13)


def test_hwcomponents_prices_of_45_nm_beside_ours() -> None:
    """What HWComponents says, by hand from its sources, and how far it lies from ours.

    Logic: Aladdin's 40 nm library, a multiplier of 32 bits 12.68 pJ, an adder 0.21 pJ, a register's bit 0.009 pJ,
    brought to 45 nm by 1.151; narrower ones by the bits, the multiplier by their square. Ours are Horowitz's 0.2 and
    3.1 pJ and 0.03 to 0.1 pJ. SRAM is CACTI in both, there optimized for leakage with slow transistors. DDR3: 70 pJ
    there (Chatterjee et al., 2017), 14.2 here from currents.
    """
    rows, factor = prices_beside(), stillmaker_45_over_40()
    by_hand = {8: 12.68 / 16, 16: 12.68 / 4, 32: 12.68}
    for bits, at_40 in by_hand.items():
        assert rows[f"multiplier, {bits} bits", "pJ"].other == pytest.approx(at_40 * factor, rel=1e-4)
        assert rows[f"adder, {bits} bits", "pJ"].other == pytest.approx(0.21 * bits / 32 * factor, rel=1e-4)
        assert 4.5 < rows[f"multiplier, {bits} bits", "pJ"].ratio < 4.8
        assert 2.0 < rows[f"adder, {bits} bits", "pJ"].ratio < 2.45
        assert 2.0 < rows[f"multiplier, {bits} bits", "um2"].ratio < 2.7
        assert 2.8 < rows[f"adder, {bits} bits", "um2"].ratio < 3.1
    assert rows["register, a bit", "pJ"].other == pytest.approx(0.009 * factor, rel=1e-4)
    assert rows["register, a bit", "pJ"].ratio == pytest.approx(1.151, abs=1e-3)
    assert rows["logic leaks", "mW/mm2"].ratio == pytest.approx(0.81, abs=0.01)
    energies = [row.ratio for row in rows.values() if row.what.startswith("SRAM") and row.unit == "pJ"]
    areas = [row.ratio for row in rows.values() if row.what.startswith("SRAM") and row.unit == "mm2"]
    leakages = [row.ratio for row in rows.values() if row.what.startswith("SRAM") and row.unit == "mW"]
    assert len(energies) == 2 * len(areas) == 2 * len(leakages) == 10
    assert 1.1 < min(energies) < max(energies) < 2.2
    assert 0.84 < min(areas) < max(areas) < 1.01
    assert 0.34 < min(leakages) < max(leakages) < 1.8
    assert rows["lpddr4, a bit", "pJ"].other == 8
    assert rows["ddr3, a bit", "pJ"].ratio == pytest.approx(70 / 14.2, rel=1e-4)


def test_a_machine_with_its_prices_and_the_line_that_keeps_them_apart() -> None:
    arch = load_arch("tiny_2x2", [parse_override(f"technology={MADE}")])
    assert arch.prices.technology.integer_multiply.points[0].energy_pj == pytest.approx(0.912, abs=1e-3)
    assert "do not share their sources" in chain_note([str(MADE), "node_45nm"])
    assert preset_file(PresetKind.TECHNOLOGY, "node_45nm").read_text() != MADE.read_text()


if HAS_PYTHON:

    @pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # its CACTI leaves its configuration open
    def test_the_example_is_what_hwcomponents_says() -> None:
        """As it is installed, at 6 of 30 points of SRAM with one port and with two, and at all others."""
        need("hwcomponents_library")
        try:
            made = technology_of(SMALL, estimates(SMALL, load_hwcomponents()))
        except ExtensionError as error:
            skip(str(error))
        kept = small(load_technology(str(MADE)), SMALL.sram.words, SMALL.sram.width_bits)
        for name in ("integer_multiply", "integer_add"):
            found, before = (getattr(technology, name).points for technology in (made, kept))
            assert [point.energy_pj for point in found] == pytest.approx([point.energy_pj for point in before])
            assert [point.area_um2 for point in found] == pytest.approx([point.area_um2 for point in before])
        assert made.register_bit.energy_pj == kept.register_bit.energy_pj
        assert made.logic_leakage.power_mw_per_mm2 == kept.logic_leakage.power_mw_per_mm2
        for ports in ("single_port", "dual_port"):
            for quantity in ("read_pj", "write_pj", "leakage_mw", "area_mm2"):
                grid, old = (getattr(getattr(technology.sram, ports), quantity) for technology in (made, kept))
                assert sum(grid, ()) == pytest.approx(sum(old, ()), rel=1e-3)
        assert {d.name: d.energy_pj_per_bit for d in made.dram} == {d.name: d.energy_pj_per_bit for d in kept.dram}
        assert {d.name: d.phy_pj_per_bit for d in made.dram} == {d.name: d.phy_pj_per_bit for d in kept.dram}
