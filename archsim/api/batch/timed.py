"""Designs whose times are known, of one program or of several."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from archsim.api.batch.columns import ALL, Codes, Picked, classes
from archsim.api.batch.energy import counted_alike
from archsim.api.batch.machines import MachineColumns
from archsim.api.batch.times import BatchTimes, batch_times
from archsim.api.batch.unit_rows import FactSource, UnitRows, unit_rows
from archsim.api.batch.wanted import Wanted
from archsim.api.programs.cached_program import FIGURES_WITH_ENTRIES, CachedProgram
from archsim.families.machine_config import NO_DRAM
from archsim.metrics.precomputed import BurstFigures
from archsim.metrics.roofline import Ceilings, Passing

Value = TypeVar("Value")

OF_BURSTS = ("peak_throughput_gops", "dram_burst_bytes", "roofline")
"""Figures that are made of the burst figures."""
OF_ENERGY = ("energy", "area")
"""Figures that are made of what units and memories are and do."""


@dataclass(frozen=True, slots=True, eq=False)
class ProgramDesigns:
    """Designs that share a program, by number."""

    cached: CachedProgram
    rows: Codes


@dataclass(frozen=True, slots=True, eq=False)
class TimedDesigns:
    """Designs by number (`rows`), and for each its program, units, times, and bursts where these are wanted."""

    programs: Picked[CachedProgram]
    rows: Codes
    units: UnitRows
    times: BatchTimes
    bursts: Picked[BurstFigures] | None

    @staticmethod
    def of(
        groups: Sequence[ProgramDesigns], machines: MachineColumns, wanted: Wanted
    ) -> tuple[TimedDesigns | None, list[ProgramDesigns]]:
        """The designs of some programs for units of the same names; and those whose runs may be too long to be timed.

        What units do is worked out for all of them at once, times program by program.
        """
        rows, programs = _joined(groups)
        sources: Picked[FactSource] = Picked([cached.figure_cache for cached in programs.values], programs.codes)
        units = unit_rows(groups[0].cached.units, sources, machines, rows)
        ends = np.cumsum([len(group.rows) for group in groups]).tolist()
        times: list[BatchTimes] = []
        timed: list[ProgramDesigns] = []
        places: list[Codes] = []
        left: list[ProgramDesigns] = []
        for group, end in zip(groups, ends, strict=True):
            mine = np.arange(end - len(group.rows), end)
            found = batch_times(group.cached, machines, units.at(mine), group.rows)
            if found is None:
                left.append(group)
            else:
                times.append(found)
                timed.append(group)
                places.append(mine)
        if not timed:
            return None, left
        if left:
            rows, programs = _joined(timed)
            units = units.at(np.concatenate(places))
        bursts = _bursts(programs, machines, rows) if wanted.below(*OF_BURSTS) else None
        return TimedDesigns(programs, rows, units, BatchTimes.joined(times), bursts), left

    def at(self, places: Codes) -> TimedDesigns:
        """Some of the designs, by their places."""
        return TimedDesigns(
            self.programs.at(places),
            self.rows[places],
            self.units.at(places),
            self.times.at(places),
            self.bursts and self.bursts.at(places),
        )

    def alike(self, machines: MachineColumns, wanted: Wanted) -> list[TimedDesigns]:
        """The designs in groups whose figures can be made at once: as far as it is known before, with `named_alike`."""
        rows = self.rows
        kinds = [
            _kinds(self.programs, lambda program: program.reads["__class__"]),
            machines.memory_names.at(rows).codes,
            _kinds(machines.multipliers.at(rows), lambda multipliers: multipliers.unit),
            _kinds(machines.weight_bits_per_cycle.at(rows), lambda width: width is None),
            *(_kinds(facts, lambda found: found.unit.name) for facts in self.units.facts.values()),
        ]
        if self.bursts is not None:
            kinds.append(
                _kinds(self.bursts, lambda bursts: (tuple(bursts.burst_bytes), tuple(bursts.ceilings.of_memories)))
            )
        if wanted.below(*OF_ENERGY):
            kinds += self._priced_alike(machines)
        first, group = classes(kinds, len(rows))
        if len(first) == 1:
            return [self]
        return [self.at(np.flatnonzero(group == number)) for number in range(len(first))]

    def _priced_alike(self, machines: MachineColumns) -> list[Codes]:
        """What designs must have in common for their energies and areas to be made at once."""
        rows = self.rows
        names = dict.fromkeys(name for names in machines.memory_names.at(rows).values for name in names)
        activities = self.units.activities.values()
        return [
            _kinds(machines.prices.at(rows), lambda prices: prices is None),
            _kinds(machines.counted.at(rows), counted_alike),
            _kinds(machines.dram_width.at(rows), lambda width: width == NO_DRAM),
            *(_kinds(machines.storage(name).at(rows), type) for name in names),
            *(_kinds(each, lambda activity: activity.entries and activity.entries[0]) for each in activities),
        ]

    def named_alike(self, wanted: Wanted) -> list[Codes | slice]:
        """The places of designs whose figures that are wanted have the same names, in the same order.

        Programs have names of their own figures, and uses of memories those of energies.
        """
        kinds = []
        if wanted.below(*FIGURES_WITH_ENTRIES):
            kinds.append(_kinds(self.programs, _named))
        if wanted.below(*OF_ENERGY):
            kinds += [_kinds(each, lambda activity: activity.entries) for each in self.units.activities.values()]
        first, group = classes(kinds, len(self.rows))
        return [ALL] if len(first) == 1 else [np.flatnonzero(group == number) for number in range(len(first))]

    def by_program(self) -> list[TimedDesigns]:
        """The designs of each program by themselves."""
        return [self.at(np.flatnonzero(self.programs.codes == number)) for number in range(len(self.programs.values))]


def _joined(groups: Sequence[ProgramDesigns]) -> tuple[Codes, Picked[CachedProgram]]:
    """All designs of some groups, and the program of each."""
    places: dict[int, int] = {}
    programs: list[CachedProgram] = []
    for group in groups:
        if places.setdefault(id(group.cached), len(programs)) == len(programs):
            programs.append(group.cached)
    codes = np.repeat([places[id(group.cached)] for group in groups], [len(group.rows) for group in groups])
    return np.concatenate([group.rows for group in groups]), Picked(programs, codes)


def _named(program: CachedProgram) -> Hashable:
    """The names of a program's own figures."""
    return tuple(tuple(program.entries[name]) for name in FIGURES_WITH_ENTRIES)


def _kinds(of: Picked[Value], kind: Callable[[Value], Hashable]) -> Codes:
    """Which kind of value each design has."""
    places: dict[Hashable, int] = {}
    found = [places.setdefault(kind(value), len(places)) for value in of.values]
    return np.array(found, np.intp)[of.codes]


def _bursts(programs: Picked[CachedProgram], machines: MachineColumns, rows: Codes) -> Picked[BurstFigures]:
    """The burst figures of designs, made once for those whose units at DRAM, multipliers and clock are the same."""
    multipliers = machines.multipliers.at(rows)
    arrays = dict.fromkeys(found.unit for found in multipliers.values)
    at_dram = dict.fromkeys(name for program in programs.values for name in program.figure_cache.at_dram)
    codes = [programs.codes, multipliers.codes]
    codes += [machines.identity(name).codes[rows] for name in at_dram | arrays]
    _, moving = classes(codes, len(rows))
    codes = [moving, machines.designs.field("clock_mhz").codes[rows]]
    of_programs = _first(programs, rows)
    for array in arrays:
        memories = dict.fromkeys(memory for design in of_programs for memory in machines.unit(design, array).ports)
        codes += [machines.width(array, memory).codes[rows] for memory in memories]
    first, places = classes(codes, len(rows))
    known: dict[int, tuple[Mapping[str, int], Passing]] = {}
    figures: list[BurstFigures] = []
    for place, design, moved in zip(first.tolist(), rows[first].tolist(), moving[first].tolist(), strict=True):
        units = machines.units(design)
        if moved not in known:
            known[moved] = programs.of(place).figure_cache.moved(multipliers.of(place).unit, units)
        burst_bytes, passing = known[moved]
        figures.append(BurstFigures(burst_bytes, Ceilings.of(passing, machines.designs.config(design), units)))
    return Picked(figures, places)


def _first(programs: Picked[CachedProgram], rows: Codes) -> list[int]:
    """A design of each program."""
    first, _ = classes([programs.codes], len(rows))
    found: list[int] = rows[first].tolist()
    return found
