"""Lists what archsim and the installed packages bring along, for `archsim list`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from archsim.config import load_document
from archsim.config.extensions import FAMILIES as FAMILY_GROUP
from archsim.config.extensions import EntryGroup
from archsim.config.listed import Catalogue, Entries, Listed, Section
from archsim.config.presets import PresetKind, preset_file, preset_names
from archsim.config.text import one_line
from archsim.errors import FaultsError
from archsim.families.family import Family
from archsim.families.load import load_arch
from archsim.families.registry import FAMILIES
from archsim.families.registry import OFFERED as OUTSIDE_FAMILIES
from archsim.families.schedules import OFFERED as OUTSIDE_SCHEDULES
from archsim.formats.offered import FORMATS
from archsim.hardware.dram.ddr_presets import SUMMARIES
from archsim.hardware.functions.method_registry import METHODS
from archsim.hardware.functions.method_registry import OFFERED as OUTSIDE_METHODS
from archsim.hardware.unit_definition import UNITS
from archsim.importers.importer import IMPORTERS, Importer
from archsim.metrics.statistic import STATISTICS, Statistic
from archsim.workload.recorded_activities import RECORDED

T = TypeVar("T")

OUTSIDE: tuple[EntryGroup[Any], ...] = (
    OUTSIDE_FAMILIES,
    OUTSIDE_SCHEDULES,
    OUTSIDE_METHODS,
    FORMATS,
    UNITS,
    STATISTICS,
    IMPORTERS,
)
"""All that packages may offer."""


def catalogue() -> Catalogue:
    """Everything that can be used, and what cannot; a broken package hides nothing else."""
    outside, broken = _outside_families()
    broken += [str(error) for group in OUTSIDE for error in group.survey().broken]
    own = [section for family in FAMILIES.values() for section in _family(family, "")]
    parts = [
        Section(Listed.MACHINES, "Architectures (arch_configs/)", _architectures()),
        Section(
            Listed.TECHNOLOGIES,
            "Technologies (arch_configs/technology/; --set technology=...)",
            _presets(PresetKind.TECHNOLOGY),
        ),
        Section(
            Listed.WORKLOADS,
            "Workloads (workloads/; or inline: lstm:input,hidden,t=steps,b=batch)",
            _presets(PresetKind.WORKLOAD),
        ),
        Section(
            Listed.ACTIVITIES,
            "Recorded activities of delta networks (--activity NAME, with the workload they are of)",
            [(each.name, f"{each.workload}: {each.summary}") for each in RECORDED],
        ),
        Section(Listed.SPACES, "Design spaces (arch_configs/spaces/)", _presets(PresetKind.SPACE)),
        *own,
        *outside,
        Section(Listed.METHODS, "Activation methods (activation.method, mfu.method)", _methods()),
        Section(Listed.DRAMS, "DRAM devices (dram.device of kind ddr)", list(SUMMARIES.items())),
        *_from_outside(),
    ]
    return Catalogue(tuple(parts), tuple(broken))


def _offered(group: EntryGroup[T], about: Callable[[T], tuple[str, str]]) -> Entries:
    """The entries of a group that can be used, each with its package."""
    found = [(about(offered.value), offered.package) for offered in group.survey().usable.values()]
    return [(name, f"{text}; from {package}") for (name, text), package in found]


def _methods() -> Entries:
    own = [(method.name, method.summary) for method in METHODS.values()]
    return own + _offered(OUTSIDE_METHODS, lambda method: (method.name, method.summary))


def _from_outside() -> list[Section]:
    """What installed packages offer besides families, schedules and methods; no section is empty."""
    sections = [
        Section(
            Listed.FORMATS,
            "Number formats of installed packages (formats)",
            _offered(FORMATS, lambda found: (found.name, found.summary)),
        ),
        Section(
            Listed.UNITS,
            "Units of installed packages (sections of units: in an architecture)",
            _offered(UNITS, lambda unit: (unit.name, unit.summary)),
        ),
        Section(
            Listed.STATISTICS,
            "Statistics of installed packages (further in stats.json)",
            _offered(STATISTICS, _statistic),
        ),
        Section(Listed.IMPORTERS, "Importers of installed packages (archsim import)", _offered(IMPORTERS, _importer)),
    ]
    return [section for section in sections if section.entries]


def _statistic(found: Statistic) -> tuple[str, str]:
    return found.name, f"{found.meaning} ({found.unit})" if found.unit not in ("", "1") else found.meaning


def _importer(found: Importer) -> tuple[str, str]:
    return found.name, f"{found.summary} ({', '.join(found.suffixes)})"


def _outside_families() -> tuple[list[Section], list[str]]:
    """The sections of the families of other packages, and a line for each whose parts cannot be read."""
    sections: list[Section] = []
    broken = []
    for name, offered in OUTSIDE_FAMILIES.survey().usable.items():
        try:
            sections += _family(offered.value, f" from {offered.package}")
        except Exception as error:  # whatever it has in its fields
            what = one_line(f"{type(error).__name__}: {error}")
            broken.append(f"{FAMILY_GROUP}: {name} of {offered.package}: cannot be listed: {what}")
    return sections, broken


def _family(family: Family[Any], origin: str) -> list[Section]:
    """The entries of a family: its schedules, and the sections of its architecture files."""
    components = [
        entry
        for name, field in family.config.model_fields.items()
        if name not in ("family", "summary", "clock_mhz", "technology", "dram_type")
        for entry in _component(family, name, str(field.description))
    ]
    outside = [
        (found.value.name, f"{found.value.summary}; from {found.package}")
        for found in OUTSIDE_SCHEDULES.survey().usable.values()
        if found.value.family == family.name
    ]
    schedules = [*((schedule.name, schedule.summary) for schedule in family.schedules), *outside]
    note = " (fused and split mean interleaved)" if family.name == "gemv" else ""
    return [
        Section(Listed.SCHEDULES, f"Schedules of the family {family.name}{origin}{note}", schedules),
        Section(
            Listed.UNITS,
            f"Components of the family {family.name}{origin} (the sections of an architecture)",
            components,
        ),
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
