"""What the units of designs do: a row for each distinct unit, and which row each design has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

import numpy as np

from archsim.api.batch.columns import Codes, Ints, Picked, classes, joined
from archsim.api.batch.machines import MachineColumns
from archsim.engines.recurrence import ServiceTimes
from archsim.hardware.unit import Unit
from archsim.metrics.unit_facts import UnitActivity, UnitFacts


@dataclass(frozen=True, eq=False)
class UnitRows:
    """The facts of each unit of some designs, by the unit's name in the machine's order."""

    facts: dict[str, Picked[UnitFacts]]

    def at(self, rows: Codes) -> UnitRows:
        """The facts of some of the designs, by their places."""
        return UnitRows({name: picked.at(rows) for name, picked in self.facts.items()})

    @cached_property
    def activities(self) -> dict[str, Picked[UnitActivity]]:
        """What each unit does however long it takes: fewer rows, as ports of other widths are alike in it."""
        return {name: picked.parts(attrgetter("activity")) for name, picked in self.facts.items()}

    @staticmethod
    def joined(parts: Sequence[UnitRows]) -> UnitRows:
        """The facts of several groups of designs, one group after the other, all with units of the same names."""
        return UnitRows({name: joined([part.facts[name] for part in parts]) for name in parts[0].facts})

    def numbers(self) -> Ints:
        """(U, N) the row of each design's units in a table of the rows of all units, one unit after the other."""
        begins = np.cumsum([0, *(len(picked.values) for picked in self.facts.values())])
        rows = [begin + picked.codes for begin, picked in zip(begins.tolist(), self.facts.values(), strict=False)]
        return np.array(rows, np.int64)

    def services(self, unit_of_shape: Sequence[str]) -> ServiceTimes:
        """The table (R, S) of all rows' services; 0 where a shape is executed by another unit."""
        rows = sum(len(picked.values) for picked in self.facts.values())
        table = np.zeros((5, rows, len(unit_of_shape)), np.int64)
        row = 0
        for name, picked in self.facts.items():
            shapes = [place for place, unit in enumerate(unit_of_shape) if unit == name]
            for facts in picked.values:
                if shapes:
                    table[:, row, shapes] = np.array(
                        [
                            (s.compute_cycles, s.occupancy_cycles, s.depth_cycles, s.first_word_cycles, s.write_cycles)
                            for s in facts.services
                        ],
                        np.int64,
                    ).T
                row += 1
        return ServiceTimes(*(np.ascontiguousarray(times) for times in table))


FactsOf = Callable[[str, Unit[Any]], UnitFacts]
"""What gives the facts of a machine's unit, by its name."""


def unit_rows(names: Sequence[str], facts_of: FactsOf, machines: MachineColumns, rows: Codes) -> UnitRows:
    """The facts of the units of some designs: worked out once for units that are alike in what is asked of them.

    Which ports a unit asks for is known when it has been asked; designs are told apart by these, too.
    """
    return UnitRows({name: _facts(facts_of, machines, rows, name) for name in names})


def _facts(facts_of: FactsOf, machines: MachineColumns, rows: Codes, name: str) -> Picked[UnitFacts]:
    asked: set[str] = set()
    while True:
        codes = [machines.identity(name).codes[rows]]
        codes += [machines.width(name, memory).codes[rows] for memory in sorted(asked)]
        first, places = classes(codes, len(rows))
        found = [facts_of(name, machines.unit(design, name)) for design in rows[first].tolist()]
        now = asked.union(*(facts.asked for facts in found))
        if now == asked:
            return Picked(found, places)
        asked = now
