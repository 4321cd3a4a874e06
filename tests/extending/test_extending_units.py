"""docs/extending_units.md as an outside package; and units of other packages, whatever they do."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archsim.api import simulate
from archsim.api.evaluate import Evaluator
from archsim.api.verdict import judge
from archsim.config import parse_override
from archsim.config.presets import PresetKind, preset_file
from archsim.errors import ArchError, ExtensionError, ScheduleError
from archsim.explore.search.result_bounds import ResultBounds
from archsim.explore.space.fields import config_of, known_path, normalized
from archsim.families.gemv.bounds import GEMV_BOUNDS
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.order import STEP_BY_STEP, WorkOrder
from archsim.families.gemv.schedule import gemv_schedule
from archsim.families.gemv.split import split
from archsim.families.load import Arch, load_arch
from archsim.families.registry import build_units
from archsim.hardware.dram.transfers import Dram
from archsim.hardware.operators import Tally
from archsim.hardware.unit import Unit, UnitConfig, Work
from archsim.hardware.unit_definition import UNITS, UnitDefinition
from archsim.program.ir import Op
from archsim.report.files.saved import resolved_arch, stats_json
from archsim.report.text.catalogue import catalogue
from archsim.report.text.report_text import report_text
from archsim.workload import load_workload
from tests.extending.entries import offered
from tests.extending.installed import installed
from tests.extending.outside import check_section
from tests.rings import exhaustive

TITLE = "A unit: a link of its own for h"
PACKAGE = "archsim_output_link"
BASE = "edge_64x64_q4_12"
WORKLOAD = "lstm:64,64,t=9"
LINK = ("units.output_link.bandwidth_bytes_per_cycle=8", "units.output_link.latency_cycles=80")


@pytest.fixture
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with installed(PACKAGE, TITLE, tmp_path_factory.mktemp("outside")):
        yield


def machine(*overrides: str, units: tuple[UnitDefinition[Any], ...] = ()) -> Arch:
    return load_arch(BASE, [parse_override(text) for text in overrides], units)


def file_with(tmp_path: Path, section: str) -> str:
    path = tmp_path / "own.yaml"
    path.write_text(preset_file(PresetKind.ARCH, BASE).read_text(encoding="utf-8") + section, encoding="utf-8")
    return str(path)


@exhaustive
def test_the_page(tmp_path: Path) -> None:
    check_section(PACKAGE, TITLE, tmp_path)


@pytest.mark.usefixtures("link")
def test_a_file_has_a_section_for_the_unit_and_is_saved_with_it(tmp_path: Path) -> None:
    section = "\nunits:\n  output_link:\n    bandwidth_bytes_per_cycle: 8.0\n    latency_cycles: 80\n"
    arch = load_arch(file_with(tmp_path, section))
    assert [*build_units(arch.config)] == ["dram", "mac_array", "activation", "elementwise", "output_link"]
    saved = resolved_arch(arch, tmp_path)
    assert saved.endswith(section.lstrip("\n"))
    again = tmp_path / "again.yaml"
    again.write_text(saved, encoding="utf-8")
    assert load_arch(str(again)).config == arch.config
    assert config_of(normalized(arch.config)) == arch.config


@pytest.mark.usefixtures("link")
@pytest.mark.parametrize(
    ("section", "line", "message"),
    [
        ("units:\n  outptu_link: {}\n", 2, "units.outptu_link: no installed package offers this unit; did you mean"),
        ("units:\n  output_link:\n    latency_cycles: 80\n", 2, "units.output_link: missing key 'bandwidth_bytes"),
        (
            "units:\n  output_link:\n    latency_cycles: -1\n    bandwidth_bytes_per_cycle: 8\n",
            3,
            "units.output_link.lat",
        ),
        ("units:\n  output_link: {latency: 1, latency_cycles: 1, bandwidth_bytes_per_cycle: 8}\n", 2, "unknown key"),
        ("units: 3\n", 1, "units: expected a mapping with keys among output_link (units of other packages"),
    ],
)
def test_what_is_wrong_in_the_section_is_said_with_its_line(
    tmp_path: Path, section: str, line: int, message: str
) -> None:
    path = file_with(tmp_path, section)
    before = len(preset_file(PresetKind.ARCH, BASE).read_text(encoding="utf-8").splitlines())
    with pytest.raises(ArchError) as error:
        load_arch(path)
    (first,) = str(error.value).splitlines()
    assert first.startswith(f"{path}:{before + line}: ")
    assert message in first


def test_without_packages_the_section_may_be_empty_and_no_unit_is_known(tmp_path: Path) -> None:
    arch = load_arch(file_with(tmp_path, "units: {}\n"))
    assert [*build_units(arch.config)] == [*build_units(machine().config)]
    assert resolved_arch(arch, tmp_path).endswith("units: {}\n")
    with pytest.raises(ArchError, match="units.output_link: no installed package offers this unit; installed: none$"):
        machine(*LINK)
    with pytest.raises(ArchError, match="units: unknown key"):
        load_arch("tpu_v1", [parse_override("units.output_link.latency_cycles=1")])


def test_a_machine_without_the_section_is_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archsim.hardware.unit_definition.UNITS", None)  # calling it would raise
    config = machine().config
    assert type(config) is GemvConfig
    assert "units" not in normalized(config)


@pytest.mark.usefixtures("link")
def test_h_goes_through_the_link_with_the_same_numbers_in_fewer_cycles() -> None:
    # With one step of prefetch a load of x waits behind the store of h.
    work, slow = load_workload(WORKLOAD), "input_buffer.prefetch_steps=1"
    before, after = simulate(machine(slow), work, "split"), simulate(machine(slow, *LINK), work, "linked_split")
    assert before.validation.passed
    assert after.validation.passed
    assert after.stats.cycles_per_step < before.stats.cycles_per_step
    # 64 numbers of 16 bits a step, 8 bytes a cycle
    assert after.trace.units["output_link"].compute_cycles == 9 * 64 * 2 // 8
    assert after.stats.traffic_bytes == before.stats.traffic_bytes
    assert list(after.stats.bounds) == list(GEMV_BOUNDS)
    assert after.stats.unit_cycle_stacks["output_link"]["useful"] == 9 * 64 * 2 // 8
    assert after.stats.energy is not None
    assert after.stats.energy.part_uj["output_link"] == 0
    assert "output_link" in report_text(after)


@pytest.mark.usefixtures("link")
def test_both_executors_and_an_evaluator_agree_about_it() -> None:
    work, evaluator = load_workload("lstm:64,64,t=40"), Evaluator()
    for bandwidth in (1, 3, 8):
        arch = machine(*LINK, f"units.output_link.bandwidth_bytes_per_cycle={bandwidth}")
        evaluation = evaluator.evaluate(arch, work, "linked_split", "fast")
        verdict = judge(arch, work, "linked_split", "fast")
        assert verdict.executors is not None
        assert verdict.passed
        assert evaluation.stats == simulate(arch, work, "linked_split", timing_only=True, executor="machine").stats
    assert evaluator.programs_built == 1


@pytest.mark.usefixtures("link")
def test_a_machine_without_the_unit_that_a_schedule_needs_is_named() -> None:
    work, message = load_workload(WORKLOAD), "schedule linked_split: needs the unit output_link, which this machine"
    for refused in (simulate, judge, Evaluator().evaluate):
        with pytest.raises(ScheduleError, match=message):
            refused(machine(), work, "linked_split")


@pytest.mark.usefixtures("link")
def test_it_is_listed_and_its_fields_can_be_explored() -> None:
    (entries,) = (entries for title, entries in catalogue().sections if title.startswith("Units of installed packages"))
    assert entries == [("output_link", f"a link of its own for h, beside DRAM's channel; from {PACKAGE}")]
    config = machine(*LINK).config
    assert known_path(type(config), "units.output_link.latency_cycles")
    assert not known_path(type(config), "units.output_link.latency")


class Silent(Unit[UnitConfig]):
    """A unit that says nothing of energy, and whose ops are DRAM's."""

    name = "silent"
    summary = "says nothing of energy"
    item_name = "op"

    def compute_cycles(self, op: Op) -> int:
        return 1

    def depth_cycles(self, op: Op) -> int:
        return 0

    def work(self, op: Op) -> Work:
        raise NotImplementedError

    def kernel(self, op: Op, numerics: Any) -> Any:
        raise NotImplementedError


class HalfSilent(Silent):
    """It says what it is built of, but not what its ops switch."""

    def inventory(self) -> Tally:
        return Tally()


SILENT = UnitDefinition("silent", Silent.summary, UnitConfig, Silent)


@pytest.mark.parametrize("unit", [Silent, HalfSilent])
def test_a_unit_without_a_model_of_energy_leaves_that_out(unit: type[Silent]) -> None:
    definition = dataclasses.replace(SILENT, unit=unit)
    arch, work = machine("units.silent={}", units=(definition,)), load_workload(WORKLOAD)
    simulation = simulate(arch, work, timing_only=True)
    figures = json.loads(stats_json(simulation))
    assert figures["energy"] is figures["area"] is None
    assert "Energy and area\n  not modelled: silent has no model of energy and area\n" in report_text(simulation)
    least = ResultBounds().bounds_of(arch, work.spec)
    assert "latency_cycles" in least
    assert "energy.total_uj" not in least
    plain = simulate(machine(), work, timing_only=True).stats
    assert simulation.stats.latency_cycles == plain.latency_cycles
    assert simulation.stats.roofline == plain.roofline


@pytest.mark.parametrize("name", ["dram", "weight_sram", "compute", "leakage", "Link", "model_link", "given", "copy"])
def test_a_unit_cannot_have_the_name_of_something_else(name: str) -> None:
    with pytest.raises(ExtensionError, match=f"^archsim.units: {name}: "):
        machine("units={}", units=(dataclasses.replace(SILENT, name=name),))


def test_a_definition_makes_a_unit_of_its_name() -> None:
    other = dataclasses.replace(SILENT, name="other")
    with pytest.raises(ExtensionError, match="archsim.units: other: expected a unit of that name, got a unit named si"):
        build_units(machine("units.other={}", units=(other,)).config)
    with pytest.raises(ExtensionError, match="archsim.units: silent: there are several units of that name"):
        machine("units.silent={}", units=(SILENT, SILENT))
    make_nothing: Any = lambda config, ports, formats: None  # noqa: E731
    nothing = dataclasses.replace(SILENT, unit=make_nothing)
    with pytest.raises(ExtensionError, match="archsim.units: silent: expected a unit of that name, got NoneType"):
        build_units(machine("units.silent={}", units=(nothing,)).config)


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (Silent, "expected an instance of UnitDefinition, got "),
        (dataclasses.replace(SILENT, summary=None), "summary must be text, got null"),  # type: ignore[arg-type]
        (dataclasses.replace(SILENT, config=None), "config must be a subclass of UnitConfig, got null"),  # type: ignore[arg-type]
        (dataclasses.replace(SILENT, config=Silent), "config must be a subclass of UnitConfig"),  # type: ignore[arg-type]
        (dataclasses.replace(SILENT, unit="silent"), "unit must make a unit, got the string 'silent'"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_definition_says_why(definition: Any, message: str) -> None:
    with pytest.raises(ExtensionError, match=f"^archsim.units: {message}"):
        machine("units={}", units=(definition,))
    if isinstance(definition, UnitDefinition):
        with offered("archsim.units", silent=definition), pytest.raises(ExtensionError, match=message):
            UNITS.named("silent")


def test_a_unit_that_cannot_be_made_is_named() -> None:
    def fails(config: object, ports: object) -> Any:
        raise AssertionError

    wrong: Any = fails  # the author forgot the formats
    with pytest.raises(ExtensionError, match=r"^archsim.units: silent: cannot be made: TypeError: .* 2 positional arg"):
        build_units(machine("units.silent={}", units=(dataclasses.replace(SILENT, unit=wrong),)).config)


def test_a_schedule_that_uses_no_further_unit_runs_beside_one() -> None:
    own = gemv_schedule(WorkOrder("own", True, split, True, phases=STEP_BY_STEP), "as split")
    arch = machine("units.silent={}", units=(SILENT,))
    simulation = simulate(arch, load_workload(WORKLOAD), own)
    assert simulation.validation.passed
    assert simulation.trace.units["silent"].ops == 0
    assert Dram.name in simulation.trace.units
