"""Evaluates many designs without arithmetic, and keeps what designs have in common from one to the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from archsim.api.fast_timing import time_fast
from archsim.api.machine_spec import machine_spec
from archsim.api.own_activity import OwnActivities, OwnNumbers
from archsim.api.programs.cached_program import CachedProgram
from archsim.api.programs.program_cache import ProgramCache
from archsim.engines.choose import AUTO, check_executor, choose
from archsim.engines.events import Options, execute
from archsim.families.load import Arch
from archsim.families.registry import build_units
from archsim.families.schedule import Schedule
from archsim.families.schedules import AskedSchedule, find_schedule
from archsim.hardware.unit import Units
from archsim.metrics import Stats, compute_stats
from archsim.program.ir import Program
from archsim.workload import NetworkSpec, Workload

PROGRAMS = 64
"""Programs that an Evaluator keeps: a few MB each."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of one design, and which executor timed it.

    `executor` is "fast" or "machine"; with "auto", `reason` says why it was not the fast one ("" if it was).
    """

    stats: Stats
    executor: str
    reason: str


class Evaluator:
    """Evaluates designs one after the other.

    Programs are built and verified once for all designs that differ only in what the schedule does not read (speeds,
    latencies, widths, and capacities as far as everything fits). `programs`: how many programs are kept. `executor`:
    what times the designs of which it is not said: "auto" (the fast one wherever it applies, else the machine), "fast"
    or "machine".
    """

    def __init__(self, programs: int = PROGRAMS, executor: str = AUTO) -> None:
        check_executor(executor)
        self.programs = ProgramCache(programs)
        """The programs that are kept."""
        self._executor = executor
        self._spec: tuple[Workload, NetworkSpec] | None = None
        self.activities = OwnActivities()
        """Of delta networks, what their own arithmetic multiplies."""

    def evaluate(
        self, arch: Arch, workload: Workload, schedule: AskedSchedule = None, executor: str | None = None
    ) -> Evaluation:
        """The figures of a workload on a machine, without arithmetic; `schedule` as `simulate` takes it.

        `executor`: another one than the evaluator's. Raises CapacityError if the model does not fit, ScheduleError for
        an unknown schedule or one with a hazard, ArchError for a machine that cannot execute the workload,
        ExecutorError if there is no such executor or the fast one was asked for and cannot time this design.
        """
        executor = executor or self._executor
        check_executor(executor)
        units = build_units(arch.config)
        cached = self.cached(arch, self._spec_of(workload), schedule, units)
        own = self.activities.of(workload, find_schedule(schedule, arch.config.family), cached, arch)
        if own is not None:
            workload = replace(workload, activity=own)
            cached = self.cached(arch, workload.spec, schedule, units)
        timing, used = choose(executor, lambda: time_fast(cached, arch.config, units))
        program = cached.program
        if timing is not None:
            stats = compute_stats(program, timing.trace, arch, workload, units, timing.precomputed)
        else:
            trace = execute(program, machine_spec(program, arch, units), Options())
            stats = compute_stats(program, trace, arch, workload, units)
        return Evaluation(stats, used.name, used.reason)

    def own_numbers(self, arch: Arch, workload: Workload, schedule: AskedSchedule = None) -> OwnNumbers | None:
        """What a network has computed whose numbers no machine's speed changes, judged; None of any other.

        Raises what `evaluate` raises, and WorkloadError for unusable tensors.
        """
        units, found = build_units(arch.config), find_schedule(schedule, arch.config.family)
        return self.activities.numbers(workload, found, self.cached(arch, self._spec_of(workload), found, units), arch)

    def program(self, arch: Arch, spec: NetworkSpec, schedule: AskedSchedule) -> Program:
        """The verified program of a network on a machine, built unless it is kept; raises what `evaluate` raises."""
        return self.cached(arch, spec, schedule, build_units(arch.config)).program

    def with_activity(self, arch: Arch, workload: Workload, schedule: Schedule[Any]) -> Workload:
        """The workload, with its own activity where the schedule needs one that nobody has given.

        Raises what `evaluate` raises.
        """
        cached = self.cached(arch, self._spec_of(workload), schedule, build_units(arch.config))
        own = self.activities.of(workload, schedule, cached, arch)
        return workload if own is None else replace(workload, activity=own)

    def cached(self, arch: Arch, spec: NetworkSpec, schedule: AskedSchedule, units: Units) -> CachedProgram:
        """The program and what follows from it, on a machine of these units; raises what `evaluate` raises."""
        return self.programs.get(arch.config, spec, schedule, tuple(units))

    def keeps(self, arch: Arch, workload: Workload, schedule: Schedule[Any]) -> bool:
        """Whether the program of a design is kept, so that nothing has to be built."""
        units = tuple(build_units(arch.config))
        return self.programs.kept(arch.config, self._spec_of(workload), schedule, units) is not None

    @property
    def programs_built(self) -> int:
        """How many programs were built and verified so far."""
        return self.programs.built

    def _spec_of(self, workload: Workload) -> NetworkSpec:
        """The network of a workload, kept from the last call because it takes long to derive."""
        if self._spec is None or self._spec[0] is not workload:
            self._spec = (workload, workload.spec)
        return self._spec[1]
