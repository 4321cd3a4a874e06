"""Many designs as a table: a column for each section of the machine, with the distinct ones and who has which."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from archsim.api.batch.columns import Codes, Picked, classes
from archsim.families.machine_config import MachineConfig
from archsim.families.schedules import AskedSchedule

CLASS = "__class__"
"""The path of the machine's own kind, and the end of that of a section's."""


class Missing:
    """Stands for a field that a design does not have."""


class Designs:
    """Designs by number: machines, and the schedule of each.

    `sections`: each field of the machine that is a section or a value by itself; `schedules`: what is asked for;
    `kinds`: the model of the machine; `config`: makes the machine of one design.
    """

    def __init__(
        self,
        sections: Mapping[str, Picked[Any]],
        schedules: Picked[AskedSchedule],
        kinds: Picked[type[MachineConfig]],
        config: Callable[[int], MachineConfig],
    ) -> None:
        self.schedules = schedules
        self._sections = sections
        self._kinds = kinds
        self._make = config
        self._configs: dict[int, MachineConfig] = {}
        self._fields: dict[str, Picked[Any]] = {}

    @staticmethod
    def from_configs(configs: Sequence[MachineConfig], schedules: Sequence[AskedSchedule]) -> Designs:
        """The table of some machines and their schedules."""
        names = dict.fromkeys(name for config in configs for name in type(config).model_fields)
        sections = {name: distinct([getattr(config, name, Missing) for config in configs]) for name in names}
        kinds = distinct([type(config) for config in configs])
        return Designs(sections, distinct(list(schedules)), kinds, configs.__getitem__)

    def __len__(self) -> int:
        return len(self._kinds.codes)

    def at(self, rows: Sequence[int]) -> Designs:
        """The table of some of the designs, in this order."""
        codes = np.array(rows, np.intp)
        sections = {name: section.at(codes) for name, section in self._sections.items()}
        return Designs(sections, self.schedules.at(codes), self._kinds.at(codes), lambda row: self.config(rows[row]))

    def config(self, design: int) -> MachineConfig:
        """The machine of a design."""
        found = self._configs.get(design)
        if found is None:
            found = self._configs[design] = self._make(design)
        return found

    def field(self, path: str) -> Picked[Any]:
        """The field at a path, as ReadTracker notes paths."""
        found = self._fields.get(path)
        if found is None:
            found = self._fields[path] = self._field(path)
        return found

    def classes(self, paths: Sequence[str]) -> tuple[Codes, Codes]:
        """Designs whose fields at some paths are the same: the first of each class, and the class of each design."""
        return classes([self.field(path).codes for path in paths], len(self))

    def together(self, codes: Sequence[Codes]) -> tuple[Codes, Codes]:
        """The designs in classes, by codes instead of fields."""
        return classes(codes, len(self))

    def key(self, paths: Sequence[str], design: int) -> tuple[Hashable, ...]:
        """The values of a design's fields at some paths."""
        return tuple(self.field(path).of(design) for path in paths)

    def _field(self, path: str) -> Picked[Any]:
        if path == CLASS:
            return self._kinds
        name, *inner = path.split(".")
        section = self._sections[name]
        if not inner:
            return section
        values = distinct([_inside(value, inner) for value in section.values])
        return Picked(values.values, values.codes[section.codes])


def distinct(values: Sequence[Any]) -> Picked[Any]:
    """The distinct ones of some values: 1 and 1.0 are two."""
    places: dict[tuple[type, Any], int] = {}
    codes = [places.setdefault((type(value), value), len(places)) for value in values]
    return Picked([value for _, value in places], np.array(codes, np.intp))


def _inside(value: object, path: Sequence[str]) -> object:
    for name in path:
        value = getattr(value, name, Missing)
    return value
