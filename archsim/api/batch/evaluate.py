"""Evaluates designs in batches: those that share a program in one compiled call, and what cannot be so by itself."""

from __future__ import annotations

import math
import time
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

import numpy as np

from archsim.api.batch.columns import Codes, classes
from archsim.api.batch.designs import Designs
from archsim.api.batch.energy import Columns, NotAlike
from archsim.api.batch.figures import Part
from archsim.api.batch.machines import MachineColumns, Machines
from archsim.api.batch.programs import by_program
from archsim.api.batch.timed import TimedDesigns
from archsim.api.batch.times import batch_times
from archsim.api.batch.unit_rows import UnitRows, unit_rows
from archsim.api.batch.wanted import EVERYTHING, Wanted
from archsim.api.programs.cached_program import CachedProgram, NoProgram
from archsim.api.programs.kept_programs import keep_program
from archsim.api.programs.program_cache import ProgramCache
from archsim.engines.recurrence import refusal_of
from archsim.errors import ArchsimError
from archsim.families.schedules import find_schedule
from archsim.workload import NetworkSpec

TOGETHER_SECONDS = 1.0
"""For how long programs are timed before the figures of their designs are made."""


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """The figures of some designs: their numbers, and a column for each figure by name, as in `Stats` and below it.

    All that are wanted are there, and maybe others.
    """

    designs: Codes
    columns: Columns


@dataclass(slots=True)
class BatchFigures:
    """What became of the designs of a batch; each is in one of these.

    `figures`: those that were evaluated; `refused`: those that have no program, and why; `left`: those that must be
    evaluated one by one, and why. `alone`: phases that a design had to run through by itself.
    """

    figures: list[Figures] = field(default_factory=list)
    refused: list[tuple[Codes, ArchsimError]] = field(default_factory=list)
    left: list[tuple[Codes, str]] = field(default_factory=list)
    alone: int = 0

    @property
    def designs(self) -> Codes:
        """All designs, whatever became of them."""
        rows = [*(f.designs for f in self.figures), *(r for r, _ in self.refused), *(r for r, _ in self.left)]
        return np.concatenate(rows) if rows else np.empty(0, np.intp)

    def add(self, other: BatchFigures) -> None:
        """Add what became of other designs."""
        self.figures += other.figures
        self.refused += other.refused
        self.left += other.left
        self.alone += other.alone

    def leave(self, rows: Codes, why: str) -> None:
        """Leave some designs to be evaluated one by one."""
        if len(rows):
            self.left.append((rows, why))


class BatchEvaluator:
    """Evaluates batches of designs, and keeps from one to the next what they have in common.

    `programs`: where programs are kept, which an Evaluator may share; `fewest`: designs that must share a program, or
    they are left to be evaluated one by one.
    """

    def __init__(self, programs: ProgramCache, fewest: int = 1) -> None:
        self.programs = programs
        """Where programs are kept."""
        self._fewest = fewest
        self._machines = Machines()

    def machines(self, designs: Designs) -> MachineColumns:
        """The machines of designs, with what is known of such machines already."""
        return MachineColumns(designs, self._machines)

    def evaluate(self, designs: Designs, spec: NetworkSpec, wanted: Wanted = EVERYTHING) -> BatchFigures:
        """The figures of designs on a network, without arithmetic: for each what `Evaluator.evaluate` finds."""
        found = BatchFigures()
        for part in self.parts(designs, spec, wanted):
            found.add(part)
        return found

    def parts(self, designs: Designs, spec: NetworkSpec, wanted: Wanted = EVERYTHING) -> Iterator[BatchFigures]:
        """The figures of designs that are wanted, what became of those of some programs as soon as it is known.

        Times are found program by program; figures are made for all programs at once that took TOGETHER_SECONDS, which
        is far cheaper than one after the other. The first program's come by themselves, so that there is something.
        """
        machines, found = self.machines(designs), BatchFigures()
        waiting: list[TimedDesigns] = []
        begun = -math.inf
        for rows, program in by_program(designs, spec, self.programs, machines.unit_names):
            if isinstance(program, CachedProgram) and len(rows) < self._fewest:
                found.leave(rows, f"fewer than {self._fewest} designs share its program")
            elif isinstance(program, CachedProgram):
                waiting += self._timed(program, machines, rows, wanted, found)
            else:
                found.refused.append((rows, program.error if isinstance(program, NoProgram) else program))
            if time.perf_counter() - begun > TOGETHER_SECONDS:
                _add_figures(machines, waiting, wanted, found)
                yield found
                found, waiting, begun = BatchFigures(), [], time.perf_counter()
        _add_figures(machines, waiting, wanted, found)
        yield found

    def _timed(
        self, cached: CachedProgram, machines: MachineColumns, rows: Codes, wanted: Wanted, found: BatchFigures
    ) -> list[TimedDesigns]:
        """The times of designs of one program, in groups whose figures have the same names."""
        before = len(found.left)
        try:
            return self._times(cached, machines, rows, wanted, found)
        except Exception as error:  # whatever it is: one by one it is the failure of the design that has it
            del found.left[before:]
            found.leave(rows, _failed(error))
            return []

    def _times(
        self, cached: CachedProgram, machines: MachineColumns, rows: Codes, wanted: Wanted, found: BatchFigures
    ) -> list[TimedDesigns]:
        if cached.refusal:
            found.leave(rows, cached.refusal)
            return []
        rows = self._without_refused(machines, rows, found)
        if not len(rows):
            return []
        units = unit_rows(cached.units, cached.figure_cache.unit_facts, machines, rows)
        timed = []
        for mine in _alike(machines, units, rows):
            of_mine = units.at(mine)
            times = batch_times(cached, machines, of_mine, rows[mine])
            if times is None:
                found.leave(rows[mine], "runs may be too long for 64-bit integers")
                continue
            timed.append(TimedDesigns.of(cached, machines, rows[mine], of_mine, times, wanted))
        config = machines.designs.config(int(rows[0]))
        keep_program(cached, find_schedule(machines.designs.schedules.of(int(rows[0])), config.family), config)
        return timed

    def _without_refused(self, machines: MachineColumns, rows: Codes, found: BatchFigures) -> Codes:
        """The designs whose service times are static, and whose machine has prices, if its family has a model."""
        shared, dynamic = machines.single_ported.at(rows), machines.dynamic.at(rows)
        unpriced = machines.unpriced.at(rows)
        first, group = classes([shared.codes, dynamic.codes, unpriced.codes], len(rows))
        kept = []
        for number, design in enumerate(first.tolist()):
            mine = np.flatnonzero(group == number)
            why = refusal_of(dynamic.of(design), shared.of(design)) or unpriced.of(design)
            if why:
                found.leave(rows[mine], why)
            else:
                kept.append(mine)
        return rows[np.sort(np.concatenate(kept))] if kept else rows[:0]


def _add_figures(machines: MachineColumns, timed: list[TimedDesigns], wanted: Wanted, found: BatchFigures) -> None:
    """The figures of timed designs: at once of those whose figures have the same names."""
    groups: dict[Hashable, list[TimedDesigns]] = {}
    for part in timed:
        groups.setdefault(part.names(machines), []).append(part)
    for group in groups.values():
        together = TimedDesigns.joined(group)
        try:
            found.figures.append(_figures(machines, together, wanted))
            found.alone += together.times.alone
        except Exception as error:  # nothing but the designs of this program shall suffer from what one of them has
            if len(group) > 1:
                for part in group:
                    _add_figures(machines, [part], wanted, found)
            else:
                found.leave(together.rows, str(error) if isinstance(error, NotAlike) else _failed(error))


def _figures(machines: MachineColumns, timed: TimedDesigns, wanted: Wanted) -> Figures:
    return Figures(timed.rows, Part(machines, timed).columns(wanted))


def _failed(error: Exception) -> str:
    return f"a batch failed: {type(error).__name__}"


def _alike(machines: MachineColumns, units: UnitRows, rows: Codes) -> list[Codes]:
    """Groups of designs whose figures have the same names, by their places in `rows`."""
    names = machines.memory_names.at(rows)
    multipliers = machines.multipliers.at(rows)
    widths = machines.weight_bits_per_cycle.at(rows)
    prices = machines.prices.at(rows)
    codes = [
        names.codes,
        _coded([found.unit for found in multipliers.values])[multipliers.codes],
        _coded([width is None for width in widths.values])[widths.codes],
        _coded([price is None for price in prices.values])[prices.codes],
    ]
    for name in dict.fromkeys(name for memories in names.values for name in memories):
        storage = machines.storage(name).at(rows)
        codes.append(_coded([type(built) for built in storage.values])[storage.codes])
    codes += [_coded([one.entries for one in picked.values])[picked.codes] for picked in units.activities.values()]
    first, group = classes(codes, len(rows))
    return [np.flatnonzero(group == number) for number in range(len(first))]


def _coded(values: list[object]) -> Codes:
    places: dict[object, int] = {}
    return np.array([places.setdefault(value, len(places)) for value in values], np.intp)
