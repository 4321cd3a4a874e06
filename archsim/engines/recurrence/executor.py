"""Executes a program by the recurrence: the same Trace as the machine's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from types import MappingProxyType

import numpy as np

from archsim.engines.recurrence.kernel import run_phase
from archsim.engines.recurrence.phase_arrays import CAUSES, Ints, PhaseTables, ProgramTables
from archsim.engines.recurrence.record import PhaseLog, timelines, window_records
from archsim.engines.recurrence.timing import ServiceTimes, Timing
from archsim.errors import ExecutorError
from archsim.trace import OpRecord, PhaseTrace, Timeline, Trace, UnitTrace, Window

MOST_LOGGED = 1 << 26
"""Ops whose start and completion are kept at once, for records and timelines: 1 GiB."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came out: the trace, and for each phase how many of its repetitions were evaluated one by one."""

    trace: Trace
    evaluated: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _PhaseRun:
    """One phase: arrays of run_phase, and what was skipped. Times count from the start of the phase."""

    tables: PhaseTables
    services: ServiceTimes
    free_at: Ints
    done_at: Ints
    waits: Ints
    mark_ends: Ints
    evaluated: int
    skip_from: int
    period: int
    shift: int

    @property
    def cycles(self) -> int:
        return int(self.done_at.max(initial=0))

    def ends(self, start: int) -> tuple[tuple[int, int], ...]:
        """(repetition, completion) of the marked ones that have ops."""
        found = zip(self.tables.marks.tolist(), self.mark_ends.tolist(), strict=True)
        return tuple((repetition, start + end) for repetition, end in found if end >= 0)


def execute_fast(tables: ProgramTables, timing: Timing, *, window: Window | None = None, skip: bool = True) -> Run:
    """Run a program to its end.

    `window`: the time steps of each body whose ops are recorded one by one, and then timelines are made too; without
    it the trace has neither. `skip` False evaluates every repetition, though the run be periodic. The program must be
    one that nothing in refusal.py refuses. ExecutorError if there is a window and the run is too long for it.
    """
    now = 0
    phases: list[PhaseTrace] = []
    phase_units: list[Mapping[str, UnitTrace]] = []
    lines: list[Mapping[str, Timeline]] = []
    records: list[OpRecord] = []
    evaluated: list[int] = []
    for number, (phase, services) in enumerate(zip(tables.phases, timing.services, strict=True)):
        run = _run(phase, services, timing, skip, None)
        end = now + run.cycles
        if window is not None:
            log = _log(run, timing, skip)
            lines.append(timelines(log, tables.units, now, end))
            steps = window.first, window.first + window.count
            records += window_records(log, number, now, tables.program.phases[number].repetitions_of(*steps))
        phases.append(PhaseTrace(phase.name, phase.kind, now, end, run.ends(now)))
        phase_units.append(MappingProxyType(_unit_traces(run, tables.units)))
        evaluated.append(run.evaluated)
        now = end
    units = {name: reduce(add, (phase[name] for phase in phase_units)) for name in tables.units}
    trace = Trace(now, tuple(phases), MappingProxyType(units), tuple(phase_units), tuple(lines), tuple(records), {})
    return Run(trace, tuple(evaluated))


def _run(
    phase: PhaseTables, services: ServiceTimes, timing: Timing, skip: bool, log: tuple[Ints, Ints, Ints] | None
) -> _PhaseRun:
    units = len(phase.instances)
    free_at, done_at = np.zeros(units, np.int64), np.zeros(units, np.int64)
    waits = np.zeros((units, len(CAUSES)), np.int64)
    mark_ends = np.full(len(phase.marks), -1, np.int64)
    evaluated, skip_from, period, shift = 0, -1, 0, 0
    if phase.executes:
        nothing = np.zeros((0, 0), np.int64)
        log_start, log_free, log_done = (nothing, nothing, nothing) if log is None else log
        evaluated, skip_from, period, shift = run_phase(
            phase.unit,
            phase.skip_first,
            phase.skip_last,
            phase.first_dep,
            phase.dep_op,
            phase.dep_lag,
            phase.dep_after,
            phase.dep_cause,
            phase.lagged,
            phase.max_lag,
            phase.head,
            phase.tail,
            phase.joined,
            phase.instances,
            phase.marks,
            phase.repeat,
            services.occupancy,
            services.depth,
            services.first_word,
            timing.issue_cycles,
            timing.queue_depth,
            skip,
            free_at,
            done_at,
            waits,
            mark_ends,
            log_start,
            log_free,
            log_done,
        )
    return _PhaseRun(phase, services, free_at, done_at, waits, mark_ends, evaluated, skip_from, period, shift)


def _unit_traces(run: _PhaseRun, units: tuple[str, ...]) -> dict[str, UnitTrace]:
    phase, services, count = run.tables, run.services, len(units)
    compute = np.zeros(count, np.int64)
    occupied = np.zeros(count, np.int64)
    np.add.at(compute, phase.unit, services.compute * phase.times)
    np.add.at(occupied, phase.unit, services.occupancy * phase.times)
    port, idle = (occupied - compute).tolist(), (run.cycles - run.free_at).tolist()
    waits = [dict(zip(CAUSES, of_unit, strict=True)) for of_unit in run.waits.tolist()]
    figures = zip(units, phase.instances.tolist(), compute.tolist(), port, waits, idle, strict=True)
    return {name: UnitTrace(ops, c, p, w, {phase.kind: i}) for name, ops, c, p, w, i in figures}


def _log(run: _PhaseRun, timing: Timing, skip: bool) -> PhaseLog:
    """The same phase again, with the times of every op that is evaluated."""
    shape = (run.evaluated, len(run.tables.unit))
    if shape[0] * shape[1] > MOST_LOGGED:
        raise ExecutorError(
            f"phase {run.tables.name}: {shape[0] * shape[1]:,} ops until it repeats itself are too many to be recorded"
        )
    start, free, done = (np.full(shape, -1, np.int64) for _ in range(3))
    _run(run.tables, run.services, timing, skip, (start, free, done))
    return PhaseLog(run.tables, run.services.occupancy, start, free, done, run.skip_from, run.period, run.shift)
