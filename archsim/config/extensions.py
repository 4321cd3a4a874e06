"""Finds what other installed packages add to archsim: objects offered under its entry-point groups.

A package names them in its own metadata, for example in pyproject.toml:

    [project.entry-points."archsim.schedules"]
    eager = "my_package.eager:EAGER"

They are looked for only where a name is not one of archsim's own, or where everything is listed; importing archsim
loads none of them.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from archsim.config.text import one_line, shown, shown_with_type
from archsim.errors import ArchsimError, ExtensionError, ExtensionWarning

T = TypeVar("T")

FAMILIES = "archsim.families"
SCHEDULES = "archsim.schedules"
UNITS = "archsim.units"
METHODS = "archsim.activation_methods"
FORMATS = "archsim.number_formats"
STATISTICS = "archsim.statistics"
IMPORTERS = "archsim.importers"

GROUPS = (FAMILIES, SCHEDULES, UNITS, METHODS, FORMATS, STATISTICS, IMPORTERS)
"""Every entry-point group."""


@dataclass(frozen=True, slots=True)
class Offered(Generic[T]):
    """An object that an installed package offers, and the package's name ("an installed package" if it has none)."""

    value: T
    package: str


@dataclass(frozen=True, slots=True)
class Survey(Generic[T]):
    """What a group has: the objects that can be used, by name, and an error for each entry that cannot, with its name.

    `broken` and `broken_names` are in the same order.
    """

    usable: Mapping[str, Offered[T]]
    broken: tuple[ExtensionError, ...]
    broken_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EntryGroup(Generic[T]):
    """A group of entry points.

    `name`: as packages write it. `kind`: what its objects are instances of. `fault`: says why an object cannot be used
    under the name of its entry, "" if it can.
    """

    name: str
    kind: type[T]
    fault: Callable[[str, T], str]

    def survey(self) -> Survey[T]:
        """All entries, in the order of their names; one that cannot be used stops no other."""
        usable: dict[str, Offered[T]] = {}
        broken: list[ExtensionError] = []
        broken_names: list[str] = []
        entries = _loaded(self.name)
        names = Counter(entry.name for entry in entries)
        for entry in entries:
            why = f"another installed package offers {entry.name} too" if names[entry.name] > 1 else ""
            if entry.error is not None:
                error = ExtensionError(f"{entry.where} cannot be imported: {_words(entry.error)}")
                error.__cause__ = entry.error  # whose traceback --debug shows
                broken.append(error)
            elif not isinstance(entry.value, self.kind):
                got = type(entry.value).__name__
                broken.append(ExtensionError(f"{entry.where}: expected an instance of {self.kind.__name__}, got {got}"))
            elif why := why or self.fault(entry.name, entry.value):
                broken.append(ExtensionError(f"{entry.where}: {why}"))
            else:
                usable[entry.name] = Offered(entry.value, entry.package)
            if len(broken) > len(broken_names):
                broken_names.append(entry.name)
        return Survey(MappingProxyType(usable), tuple(broken), tuple(broken_names))

    def all(self) -> Mapping[str, T]:
        """The objects of all entries by name, in the order of the names; the ExtensionError of the first broken one."""
        survey = self.survey()
        if survey.broken:
            raise survey.broken[0]
        return _values(survey)

    def usable(self) -> Mapping[str, T]:
        """The objects of the entries that can be used, by name; of each other one there is an ExtensionWarning."""
        survey = self.survey()
        for error in survey.broken:
            warnings.warn(f"left out: {error}", ExtensionWarning, stacklevel=2)
        return _values(survey)

    def named(self, name: str) -> T | None:
        """The object of the entry of that name; None, and a warning for each broken entry, if there is none.

        ExtensionError if the entry of that name cannot be used.
        """
        self.check(name)
        survey = self.survey()
        if name in survey.usable:
            return survey.usable[name].value
        return self.usable().get(name)

    def check(self, name: str) -> None:
        """Raise the ExtensionError of the entry of that name, if it cannot be used."""
        survey = self.survey()
        if name in survey.broken_names:
            raise survey.broken[survey.broken_names.index(name)]


def _values(survey: Survey[T]) -> Mapping[str, T]:
    return MappingProxyType({name: offered.value for name, offered in survey.usable.items()})


def named_otherwise(entry: str, name: object, what: str) -> str:
    """The fault of an entry that has another name than its object; `what` says what that is, as "schedule"."""
    return "" if name == entry else f"the entry must have the name of its {what}, which is {shown(name)}"


def not_text(definition: object, *attributes: str) -> str:
    """The fault of the first of these attributes that is no text; "" if all are."""
    for attribute in attributes:
        value = getattr(definition, attribute, None)
        if not isinstance(value, str):
            return f"{attribute} must be text, got {shown_with_type(value)}"
    return ""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry as it was imported: its object, or the error that this raised; `where` names entry and package."""

    name: str
    package: str
    where: str
    value: Any
    error: BaseException | None


@lru_cache(len(GROUPS))
def _loaded(group: str) -> tuple[_Entry, ...]:
    """Each entry of a group, in the order of their names; each process imports them once."""
    found = []
    entries = [
        (entry, entry.dist.name if entry.dist else "an installed package") for entry in entry_points(group=group)
    ]
    for entry, package in sorted(entries, key=lambda found: (found[0].name, found[0].value, found[1])):
        where = f"{group}: {shown(entry.name)} = {shown(entry.value)} of {package}"
        value, error = None, None
        try:
            value = entry.load()
        except (Exception, SystemExit) as raised:  # whatever the other package does when it is imported
            error = raised
        found.append(_Entry(entry.name, package, where, value, error))
    return tuple(found)


def _words(error: BaseException) -> str:
    """What an error says, on one line."""
    return one_line(str(error) if isinstance(error, ArchsimError) else f"{type(error).__name__}: {error}")


def forget_extensions() -> None:
    """Forget what was found, so that entry points are looked up anew: for tests and long sessions."""
    _loaded.cache_clear()
