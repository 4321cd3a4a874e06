"""Keeps programs that several designs share, by the fields of the architecture that the schedule read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from archsim.api.programs.cached_program import CachedProgram, NoProgram
from archsim.api.programs.kept_programs import read_program
from archsim.config.read_tracking import FieldReader, ReadTracker
from archsim.errors import ArchsimError
from archsim.families.machine_config import MachineConfig
from archsim.families.schedule import Schedule
from archsim.families.schedules import AskedSchedule, build_program, check_units, find_schedule
from archsim.metrics.unit_facts import SharedFacts
from archsim.program.verifier import verify
from archsim.workload import NetworkSpec

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
        """Programs built so far, or read from the disk."""

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
        self,
        config: MachineConfig,
        spec: NetworkSpec,
        schedule: AskedSchedule,
        units: tuple[str, ...],
        *,
        on_disk: bool = False,
    ) -> CachedProgram | NoProgram:
        """The program of a machine, a network and a schedule, or the reason why there is none.

        `on_disk`: what an earlier process has kept of it will do, and nothing is built.
        """
        found_schedule = find_schedule(schedule, config.family)
        made: CachedProgram | NoProgram | None = self._find(config, spec, found_schedule, units)
        if made is not None:
            return made
        if on_disk:
            made = read_program(found_schedule, config, spec, units, self._facts)
        if made is None:
            made = self._make(config, spec, found_schedule, units)
        self.built += isinstance(made, CachedProgram)
        return self._keep((found_schedule, units, spec), made)

    def _make(
        self, config: MachineConfig, spec: NetworkSpec, schedule: Schedule[Any], units: tuple[str, ...]
    ) -> CachedProgram | NoProgram:
        reads = ReadTracker(config)
        try:
            program = build_program(schedule, spec, reads.stand_in)
            reads.close()
            check_units(program, units)
            verify(program)
        except ArchsimError as error:
            return NoProgram(error, tuple(reads.questions), reads.values)
        return CachedProgram(lambda: program, spec, units, tuple(reads.questions), reads.values, self._facts)

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

    def _keep(self, group: _Group, made: CachedProgram | NoProgram) -> CachedProgram | NoProgram:
        paths = tuple(sorted(made.reads))
        key = (group, paths, tuple(made.reads[path] for path in paths))
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
