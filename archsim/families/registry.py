"""Names every family of machines; no other module names them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from archsim.config.extensions import FAMILIES as GROUP
from archsim.config.extensions import EntryGroup, named_otherwise, not_text
from archsim.config.text import shown
from archsim.errors import ExtensionError, SimulatorBug
from archsim.families.family import Family

if TYPE_CHECKING:
    from archsim.families.machine_config import MachineConfig
    from archsim.hardware.unit import Units


def _gemv() -> Family[Any]:
    from archsim.families.gemv.family import GEMV

    return GEMV


def _npu() -> Family[Any]:
    from archsim.families.npu.family import NPU

    return NPU


def _systolic() -> Family[Any]:
    from archsim.families.systolic.family import SYSTOLIC

    return SYSTOLIC


def _delta() -> Family[Any]:
    from archsim.families.delta.family import DELTA

    return DELTA


def _serial() -> Family[Any]:
    from archsim.families.serial.family import SERIAL

    return SERIAL


def _ethosu() -> Family[Any]:
    from archsim.families.ethosu.family import ETHOSU

    return ETHOSU


class _OwnFamilies(Mapping[str, Family[Any]]):
    """The families by name; one is imported when it is asked for, as a run needs no other than its own."""

    def __init__(self, imports: Mapping[str, Callable[[], Family[Any]]]) -> None:
        self._imports = imports

    def __getitem__(self, name: str) -> Family[Any]:
        return self._imports[name]()

    def __contains__(self, name: object) -> bool:
        return name in self._imports

    def __iter__(self) -> Iterator[str]:
        return iter(self._imports)

    def __len__(self) -> int:
        return len(self._imports)


FAMILIES: Mapping[str, Family[Any]] = _OwnFamilies(
    {"gemv": _gemv, "npu": _npu, "systolic": _systolic, "delta": _delta, "serial": _serial, "ethosu": _ethosu}
)
"""The families that come with archsim, in the order in which `archsim list` shows them."""

DEFAULT_FAMILY = "gemv"
"""The family of an architecture file that names none."""


def find_family(name: str) -> Family[Any] | None:
    """The family of that name: one of archsim's own, or one that an installed package offers; None if there is none."""
    return FAMILIES.get(name) or OFFERED.named(name)


def all_families() -> Mapping[str, Family[Any]]:
    """Archsim's own families and those that installed packages offer, by name."""
    return MappingProxyType({**FAMILIES, **_offered()})


def usable_family(name: str) -> Family[Any] | None:
    """The family of that name if it can be used, else None; `find_family` warns of those of packages that cannot."""
    if name in FAMILIES:
        return FAMILIES[name]
    found = OFFERED.survey().usable.get(name)
    return None if found is None else found.value


def family_named(name: str) -> Family[Any]:
    """The family of that name, which a validated machine has; SimulatorBug if it is not registered."""
    family = find_family(name)
    if family is None:
        raise SimulatorBug(f"a machine of the family {name}, which is not registered")
    return family


def family_of(config: MachineConfig) -> Family[Any]:
    """The family of a machine."""
    return family_named(config.family)


def build_units(config: MachineConfig) -> Units:
    """Every unit of a machine that executes ops, by its name, in the order in which reports show them.

    ExtensionError if the family is of another package and its multipliers are in none of them.
    """
    from archsim.hardware.unit import by_name

    units = by_name(family_of(config).units(config))
    if config.family not in FAMILIES and config.multipliers.unit not in units:
        named = f"multipliers are in the unit {shown(config.multipliers.unit)}, which the machine does not have"
        raise ExtensionError(f"{GROUP}: {config.family}: {named}; it has {', '.join(units)}")
    return units


def _offered() -> Mapping[str, Family[Any]]:
    """The families of other packages, by name."""
    return OFFERED.usable()


def _fault(name: str, family: Family[Any]) -> str:
    from archsim.families.family_faults import family_fault

    taken = "archsim has a family of that name" if name in FAMILIES else ""
    named = not_text(family, "name") or named_otherwise(name, family.name, "family")
    return named or taken or family_fault(family)


OFFERED: EntryGroup[Family[Any]] = EntryGroup(GROUP, Family, _fault)
"""The entries under which packages offer families."""
