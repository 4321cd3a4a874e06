"""Keeps programs that several designs share, by the fields of the architecture that the schedule read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from archsim.api.figure_cache import FigureCache
from archsim.config.read_tracking import FieldReader, Question, ReadTracker
from archsim.errors import ArchsimError
from archsim.families.machine_config import MachineConfig
from archsim.families.schedule import Schedule
from archsim.families.schedules import AskedSchedule, build_program, check_units, find_schedule
from archsim.metrics.bounds import closing_chains
from archsim.metrics.precomputed import ProgramFigures
from archsim.metrics.unit_facts import SharedFacts
from archsim.program.ir import PhaseKind, Program
from archsim.program.shapes import Shapes
from archsim.program.verifier import verify
from archsim.workload import NetworkSpec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from archsim.engines.recurrence import ChainTables, ProgramTables


@dataclass(frozen=True)
class CachedProgram:
    """A verified program, and what follows from it alone. Parts are made when they are first asked for."""

    program: Program
    spec: NetworkSpec
    units: tuple[str, ...]
    questions: tuple[Question, ...]
    reads: Mapping[str, object]
    """Path -> value of each field of the machine that the schedule read."""
    facts: SharedFacts
    """What units do, shared with other programs."""

    def fits(self, config: MachineConfig) -> bool:
        """Whether a machine gives the answers that the program was built with."""
        return answers_alike(self.questions, config)

    @cached_property
    def figures(self) -> ProgramFigures:
        """Figures that are the same on every machine."""
        return ProgramFigures.from_program(self.program, self.spec.steps)

    @cached_property
    def figure_cache(self) -> FigureCache:
        """Figures of the program's units, kept for each machine that has been asked for."""
        return FigureCache(self.program, self.shapes, self.shape_times, self.facts)

    @cached_property
    def shapes(self) -> Shapes:
        """The distinct shapes of the ops."""
        return Shapes.from_program(self.program)

    @cached_property
    def shape_times(self) -> tuple[int, ...]:
        """How often the program executes ops of each shape."""
        return self.shapes.times(self.program)

    @cached_property
    def shape_places(self) -> tuple[npt.NDArray[np.int64], ...]:
        """The shape of each op, by its number in `shapes`: one array (ops) for each phase."""
        import numpy as np

        return tuple(np.array(shapes, np.int64) for shapes in self.shapes.of_phase)

    @cached_property
    def refusal(self) -> str:
        """Why the second executor cannot time the program; "" if it can."""
        from archsim.engines.recurrence import program_refusal

        return program_refusal(self.program)

    @cached_property
    def tables(self) -> ProgramTables:
        """The program as arrays."""
        from archsim.engines.recurrence import ProgramTables

        return ProgramTables.from_program(self.program, self.units)

    @cached_property
    def chains(self) -> tuple[ChainTables | None, ...]:
        """How the recurrence closes in each body; None for other phases."""
        from archsim.engines.recurrence import ChainTables

        return tuple(
            ChainTables.from_chains(tables, closing_chains(phase)) if phase.kind is PhaseKind.BODY else None
            for phase, tables in zip(self.program.phases, self.tables.phases, strict=True)
        )


@dataclass(frozen=True, slots=True)
class NoProgram:
    """Why machines have no program, and what the schedule read and asked until it found that out."""

    error: ArchsimError
    questions: tuple[Question, ...]
    reads: Mapping[str, object]

    def fits(self, config: MachineConfig) -> bool:
        """Whether a machine gives the same answers, and so has no program either."""
        return answers_alike(self.questions, config)


def answers_alike(questions: Sequence[Question], config: MachineConfig) -> bool:
    """Whether a machine answers questions as the one did that was asked them."""
    return all(asked.question(attrgetter(asked.path)(config)) == asked.answer for asked in questions)


_Group = tuple[Hashable, ...]
_Key = tuple[_Group, tuple[str, ...], tuple[object, ...]]


class ProgramCache:
    """Holds the programs used last, at most `capacity` of them, and why other machines have none."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[_Key, list[CachedProgram | NoProgram]] = OrderedDict()
        self._paths: dict[_Group, dict[tuple[str, ...], FieldReader]] = {}
        self._facts = SharedFacts()
        self.built = 0
        """Programs built so far."""

    def get(
        self, config: MachineConfig, spec: NetworkSpec, schedule: AskedSchedule, units: tuple[str, ...]
    ) -> CachedProgram:
        """The program of a design, built and verified if it is not kept; raises what building it raises.

        `units` are the names of the machine's units.
        """
        found = self.find(config, spec, schedule, units)
        if isinstance(found, NoProgram):
            raise found.error.with_traceback(None)
        return found

    def find(
        self, config: MachineConfig, spec: NetworkSpec, schedule: AskedSchedule, units: tuple[str, ...]
    ) -> CachedProgram | NoProgram:
        """The program of a machine, a network and a schedule, or the reason why there is none."""
        found_schedule = find_schedule(schedule, config.family)
        kept = self._find(config, spec, found_schedule, units)
        if kept is not None:
            return kept
        reads = ReadTracker(config)
        made: CachedProgram | NoProgram
        try:
            program = build_program(found_schedule, spec, reads.stand_in)
            reads.close()
            check_units(program, units)
            verify(program)
        except ArchsimError as error:
            made = NoProgram(error, tuple(reads.questions), reads.values)
        else:
            self.built += 1
            made = CachedProgram(program, spec, units, tuple(reads.questions), reads.values, self._facts)
        return self._keep((found_schedule, units, spec), reads, made)

    def kept(
        self, config: MachineConfig, spec: NetworkSpec, schedule: Schedule[Any], units: tuple[str, ...]
    ) -> CachedProgram | None:
        """The program of a design, if it is kept."""
        found = self._find(config, spec, schedule, units)
        return found if isinstance(found, CachedProgram) else None

    def _find(
        self, config: MachineConfig, spec: NetworkSpec, schedule: Schedule[Any], units: tuple[str, ...]
    ) -> CachedProgram | NoProgram | None:
        group = (schedule, units, spec)
        for paths, fields in self._paths.get(group, {}).items():
            found = fields.values_in(config)
            key = (group, paths, found or ())
            for cached in self._kept.get(key, ()):
                if cached.fits(config):
                    self._kept.move_to_end(key)
                    return cached
        return None

    def _keep(self, group: _Group, reads: ReadTracker, made: CachedProgram | NoProgram) -> CachedProgram | NoProgram:
        paths = tuple(sorted(reads.values))
        key = (group, paths, tuple(reads.values[path] for path in paths))
        self._kept.setdefault(key, []).append(made)
        self._kept.move_to_end(key)
        self._paths.setdefault(group, {})[paths] = FieldReader(paths)
        while sum(map(len, self._kept.values())) > self._capacity and len(self._kept) > 1:
            self._forget(*self._kept.popitem(last=False)[0][:2])
        del self._kept[key][: -self._capacity]
        return made

    def _forget(self, group: _Group, paths: tuple[str, ...]) -> None:
        """Drop paths that no kept program needs any more."""
        if not any(key[:2] == (group, paths) for key in self._kept):
            del self._paths[group][paths]
            if not self._paths[group]:
                del self._paths[group]
