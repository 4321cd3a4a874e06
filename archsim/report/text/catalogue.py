"""Lists what archsim brings along, for `archsim list`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archsim.config import load_document
from archsim.config.presets import PresetKind, preset_file, preset_names
from archsim.errors import FaultsError
from archsim.families.family import Family
from archsim.families.load import load_arch
from archsim.families.registry import all_families
from archsim.families.schedules import schedules_of
from archsim.formats.offered import offered_formats
from archsim.hardware.dram.ddr_presets import SUMMARIES
from archsim.hardware.functions.method_registry import all_methods
from archsim.hardware.unit_definition import installed_units
from archsim.importers.importer import installed_importers
from archsim.metrics.statistic import installed_statistics

Entries = list[tuple[str, str]]


def catalogue() -> list[tuple[str, Entries]]:
    """The sections as (title, entries); an entry is a name and a line about it."""
    return [
        ("Architectures (arch_configs/)", _architectures()),
        ("Technologies (arch_configs/technology/; --set technology=...)", _presets(PresetKind.TECHNOLOGY)),
        ("Workloads (workloads/; or inline: lstm:input,hidden,t=steps,b=batch)", _presets(PresetKind.WORKLOAD)),
        ("Design spaces (arch_configs/spaces/)", _presets(PresetKind.SPACE)),
        *(section for family in all_families().values() for section in _family(family)),
        ("Activation methods (activation.method, mfu.method)", [(m.name, m.summary) for m in all_methods().values()]),
        ("DRAM devices (dram.device of kind ddr)", list(SUMMARIES.items())),
        *_from_outside(),
    ]


def _from_outside() -> list[tuple[str, Entries]]:
    """What installed packages offer besides families and schedules; no section is empty."""
    formats = [(found.name, found.summary) for found in offered_formats()]
    units = [(unit.name, unit.summary) for unit in installed_units()]
    statistics = [
        (found.name, f"{found.meaning} ({found.unit})" if found.unit not in ("", "1") else found.meaning)
        for found in installed_statistics()
    ]
    importers = [(found.name, f"{found.summary} ({', '.join(found.suffixes)})") for found in installed_importers()]
    sections = [
        ("Number formats of installed packages (formats)", formats),
        ("Units of installed packages (sections of units: in an architecture)", units),
        ("Statistics of installed packages (further in stats.json)", statistics),
        ("Importers of installed packages (archsim import)", importers),
    ]
    return [(title, entries) for title, entries in sections if entries]


def _family(family: Family[Any]) -> list[tuple[str, Entries]]:
    """The entries of a family: its schedules, and the sections of its architecture files."""
    components = [
        entry
        for name, field in family.config.model_fields.items()
        if name not in ("family", "summary", "clock_mhz", "technology", "dram_type")
        for entry in _component(family, name, str(field.description))
    ]
    schedules = [(schedule.name, schedule.summary) for schedule in schedules_of(family)]
    note = " (fused and split mean interleaved)" if family.name == "gemv" else ""
    return [
        (f"Schedules of the family {family.name}{note}", schedules),
        (f"Components of the family {family.name} (the sections of an architecture)", components),
    ]


def _component(family: Family[Any], name: str, description: str) -> Entries:
    """The line of a section; of a unit with several kinds a line for each."""
    kinds = [kind for kind in family.unit_kinds if kind.name == name]
    if not kinds:
        return [(name, description)]
    return [(f"{name}: {kind.kind}" if kind.kind else name, kind.summary) for kind in kinds]


def _architectures() -> Entries:
    """The line about each machine, with the settings that no chip can have."""
    return [(name, f"{summary}{_idealized(name)}") for name, summary in _presets(PresetKind.ARCH)]


def _idealized(name: str) -> str:
    settings = ", ".join(found.setting for found in load_arch(name).config.idealizations)
    return f"; idealized: {settings}" if settings else ""


def _presets(kind: PresetKind) -> Entries:
    return [(name, _summary(load_document(preset_file(kind, name), FaultsError).data)) for name in preset_names(kind)]


def _summary(data: Mapping[str, Any]) -> str:
    """The line about a preset; that of a workload with a task says which."""
    return str(data["summary"]) + (f"; task: {data['task']['summary']}" if "task" in data else "")
