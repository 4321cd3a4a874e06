"""Evaluates designs in batches: those that share a program in one compiled call, and what cannot be so by itself."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from archsim.api.batch.columns import Codes, classes
from archsim.api.batch.designs import Designs
from archsim.api.batch.energy import Columns, NotAlike
from archsim.api.batch.figures import Part
from archsim.api.batch.machines import MachineColumns, Machines
from archsim.api.batch.programs import by_program
from archsim.api.batch.timed import ProgramDesigns, TimedDesigns
from archsim.api.batch.wanted import EVERYTHING, Wanted
from archsim.api.programs.cached_program import CachedProgram, NoProgram
from archsim.api.programs.kept_programs import keep_program
from archsim.api.programs.program_cache import ProgramCache
from archsim.engines.recurrence import refusal_of
from archsim.errors import ArchsimError
from archsim.families.schedules import find_schedule
from archsim.workload import NetworkSpec

TOGETHER_SECONDS = 1.0
"""For how long programs are found before their designs are evaluated."""
TOGETHER_DESIGNS = 1 << 13
"""From so many designs on they are evaluated, however soon their programs were found: more take room, and no less time
each."""


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

        Programs are found one after the other; all that follows is done at once for those of TOGETHER_SECONDS, which is
        far cheaper than for each by itself. The first program's figures come by themselves, so that there is something.
        """
        machines, found = self.machines(designs), BatchFigures()
        waiting: list[ProgramDesigns] = []
        begun = -math.inf
        for rows, program in by_program(designs, spec, self.programs, machines.unit_names):
            if isinstance(program, CachedProgram) and len(rows) < self._fewest:
                found.leave(rows, f"fewer than {self._fewest} designs share its program")
            elif isinstance(program, CachedProgram):
                waiting.append(ProgramDesigns(program, rows))
            else:
                found.refused.append((rows, program.error if isinstance(program, NoProgram) else program))
            many = sum(len(group.rows) for group in waiting) > TOGETHER_DESIGNS
            if many or time.perf_counter() - begun > TOGETHER_SECONDS:
                _evaluate(machines, waiting, wanted, found)
                yield found
                found, waiting, begun = BatchFigures(), [], time.perf_counter()
        _evaluate(machines, waiting, wanted, found)
        yield found


def _evaluate(machines: MachineColumns, groups: Sequence[ProgramDesigns], wanted: Wanted, found: BatchFigures) -> None:
    """What becomes of designs: those whose units have the same names are evaluated at once."""
    alike: dict[tuple[str, ...], list[ProgramDesigns]] = {}
    for group in groups:
        rows = group.rows
        if group.cached.refusal:
            found.leave(rows, group.cached.refusal)
            continue
        try:
            rows = _without_refused(machines, rows, found)
        except Exception as error:  # whatever it is: one by one it is the failure of the design that has it
            found.leave(rows, _failed(error))
            continue
        if len(rows):
            alike.setdefault(group.cached.units, []).append(ProgramDesigns(group.cached, rows))
    for together in alike.values():
        _time(machines, together, wanted, found)


def _time(machines: MachineColumns, groups: Sequence[ProgramDesigns], wanted: Wanted, found: BatchFigures) -> None:
    """Time designs whose units have the same names, and add their figures."""
    try:
        timed, too_long = TimedDesigns.of(groups, machines, wanted)
        alike = [] if timed is None else timed.alike(machines, wanted)
        _keep(machines, groups)
    except Exception as error:  # nothing but the designs of this program shall suffer from what one of them has
        if len(groups) > 1:
            for group in groups:
                _time(machines, [group], wanted, found)
        else:
            found.leave(groups[0].rows, _failed(error))
        return
    for group in too_long:
        found.leave(group.rows, "runs may be too long for 64-bit integers")
    for part in alike:
        _add_figures(machines, part, wanted, found)


def _keep(machines: MachineColumns, groups: Sequence[ProgramDesigns]) -> None:
    """Keep programs that are new on disk."""
    for group in groups:
        if group.cached.known is None:
            design = int(group.rows[0])
            config = machines.designs.config(design)
            keep_program(group.cached, find_schedule(machines.designs.schedules.of(design), config.family), config)


def _without_refused(machines: MachineColumns, rows: Codes, found: BatchFigures) -> Codes:
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


def _add_figures(machines: MachineColumns, timed: TimedDesigns, wanted: Wanted, found: BatchFigures) -> None:
    """The figures of timed designs that can be made at once."""
    try:
        figures = Part(machines, timed).figures(wanted)
        found.figures += [Figures(timed.rows[places], columns) for places, columns in figures]
        found.alone += int(timed.times.alone.sum())
    except Exception as error:  # nothing but the designs of this program shall suffer from what one of them has
        if len(timed.programs.values) > 1:
            for part in timed.by_program():
                _add_figures(machines, part, wanted, found)
        else:
            found.leave(timed.rows, str(error) if isinstance(error, NotAlike) else _failed(error))


def _failed(error: Exception) -> str:
    return f"a batch failed: {type(error).__name__}"
