"""What the units of designs do: a row for each distinct unit, and which row each design has."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, Protocol

import numpy as np

from archsim.api.batch.columns import Codes, Ints, Picked, classes
from archsim.api.batch.designs import distinct
from archsim.api.batch.machines import MachineColumns
from archsim.engines.recurrence import ServiceTimes
from archsim.hardware.unit import Unit
from archsim.metrics.unit_facts import UnitActivity, UnitFacts


@dataclass(frozen=True, eq=False)
class UnitRows:
    """The facts of each unit of some designs, by the unit's name in the machine's order."""

    facts: dict[str, Picked[UnitFacts]]

    def at(self, rows: Codes | slice) -> UnitRows:
        """The facts of some of the designs, by their places."""
        return UnitRows({name: picked.at(rows) for name, picked in self.facts.items()})

    @cached_property
    def activities(self) -> dict[str, Picked[UnitActivity]]:
        """What each unit does however long it takes: fewer rows, as ports of other widths are alike in it."""
        return {name: picked.parts(attrgetter("activity")) for name, picked in self.facts.items()}

    def numbers(self) -> Ints:
        """(U, N) the row of each design's units in a table of the rows of all units, one unit after the other."""
        begins = np.cumsum([0, *(len(picked.values) for picked in self.facts.values())])
        rows = [begin + picked.codes for begin, picked in zip(begins.tolist(), self.facts.values(), strict=False)]
        return np.array(rows, np.int64)

    def services(self, unit_of_shape: Sequence[str]) -> ServiceTimes:
        """The table (R, S) of all rows' services; 0 where a shape is executed by another unit."""
        rows = sum(len(picked.values) for picked in self.facts.values())
        table = np.zeros((5, rows, len(unit_of_shape)), np.int64)
        shapes: dict[str, list[int]] = {}
        for place, unit in enumerate(unit_of_shape):
            shapes.setdefault(unit, []).append(place)
        begin = 0
        for name, picked in self.facts.items():
            end = begin + len(picked.values)
            if name in shapes:
                times = np.array([facts.times for facts in picked.values], np.int64)
                table[:, begin:end, shapes[name]] = times.transpose(2, 0, 1)
            begin = end
        return ServiceTimes(*table)


class FactSource(Protocol):
    """What gives the facts of a machine's units: a program, or nothing but that the units are there."""

    def content(self, name: str) -> Hashable:
        """What sources have in common that say the same of equal units of that name."""

    def unit_facts(self, name: str, unit: Unit[Any]) -> UnitFacts:
        """The facts of the unit of that name."""


def unit_rows(names: Sequence[str], sources: Picked[FactSource], machines: MachineColumns, rows: Codes) -> UnitRows:
    """The facts of the units of some designs: worked out once for units that are alike in what is asked of them.

    Which ports a unit asks for is known when it has been asked; designs are told apart by these, too.
    """
    return UnitRows({name: _facts(sources, machines, rows, name) for name in names})


def _facts(sources: Picked[FactSource], machines: MachineColumns, rows: Codes, name: str) -> Picked[UnitFacts]:
    content = distinct([source.content(name) for source in sources.values]).codes[sources.codes]
    asked = machines.asked(name)
    while True:
        codes = [machines.identity(name).codes[rows], content]
        codes += [machines.width(name, memory).codes[rows] for memory in sorted(asked)]
        first, places = classes(codes, len(rows))
        units = [machines.unit(design, name) for design in rows[first].tolist()]
        found = [sources.of(place).unit_facts(name, unit) for place, unit in zip(first.tolist(), units, strict=True)]
        known = len(asked)
        asked.update(*(facts.asked for facts in found))
        if len(asked) == known:
            return Picked(found, places).parts(lambda facts: facts)
