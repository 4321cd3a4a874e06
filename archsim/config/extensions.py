"""Finds what other installed packages add to archsim: objects offered under its entry-point groups.

A package names them in its own metadata, for example in pyproject.toml:

    [project.entry-points."archsim.schedules"]
    eager = "my_package.eager:EAGER"

They are looked for only where a name is not one of archsim's own, or where everything is listed; importing archsim
loads none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import TypeVar

from archsim.config.text import shown
from archsim.errors import ExtensionError

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


def extensions(group: str, kind: type[T]) -> Mapping[str, T]:
    """The objects of a group by the names of their entries, in the order of the names.

    Raises ExtensionError, which names the entry and its package, if one cannot be imported, is no instance of `kind`,
    or has the name of another.
    """
    found: dict[str, T] = {}
    for name, loaded, where in _loaded(group):
        if not isinstance(loaded, kind):
            raise ExtensionError(f"{where}: expected an instance of {kind.__name__}, got {type(loaded).__name__}")
        if name in found:
            raise ExtensionError(f"{where}: another installed package offers {name} too")
        found[name] = loaded
    return MappingProxyType(found)


@lru_cache(len(GROUPS))
def _loaded(group: str) -> tuple[tuple[str, object, str], ...]:
    """Each entry of a group as (name, object, where it comes from); each process imports them once."""
    found = []
    for entry in sorted(entry_points(group=group), key=lambda entry: (entry.name, entry.value)):
        package = entry.dist.name if entry.dist is not None else "an installed package"
        where = f"{group}: {shown(entry.name)} = {shown(entry.value)} of {package}"
        try:
            found.append((entry.name, entry.load(), where))
        except Exception as error:  # whatever the other package does when it is imported
            raise ExtensionError(f"{where} cannot be imported: {type(error).__name__}: {error}") from error
    return tuple(found)


def forget_extensions() -> None:
    """Forget what was found, so that entry points are looked up anew: for tests and long sessions."""
    _loaded.cache_clear()
