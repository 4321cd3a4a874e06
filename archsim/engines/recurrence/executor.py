"""Executes a program by the recurrence: the same Trace as the machine's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from types import MappingProxyType

import numpy as np

from archsim.engines.recurrence.kernel import run_phase
from archsim.engines.recurrence.phase_arrays import PhaseArrays, ProgramTables
from archsim.engines.recurrence.record import PhaseLog, Skip, timelines, window_records
from archsim.engines.recurrence.state import Log, PhaseState
from archsim.engines.recurrence.timing import PhaseTiming, Recorded, Timing
from archsim.errors import ExecutorError
from archsim.program.codes import CAUSES
from archsim.program.ir import Phase
from archsim.trace import OpRecord, PhaseTrace, Timeline, Trace, UnitTrace, Window

MOST_LOGGED = 1 << 26
"""Ops whose start and completion are kept at once, for records and timelines: 1 GiB."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came out: the trace, and for each phase how many of its repetitions were evaluated one by one.

    `logs`: the times of all ops of each phase, if a window was asked for; else ().
    """

    trace: Trace
    evaluated: tuple[int, ...]
    logs: tuple[PhaseLog, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _PhaseRun:
    """One phase, evaluated: where its units stand at its end, and what was skipped."""

    phase: Phase
    arrays: PhaseArrays
    timing: PhaseTiming
    recorded: Recorded | None
    state: PhaseState
    skip: Skip

    @property
    def cycles(self) -> int:
        """Length of the phase."""
        return int(self.state.done_at.max(initial=0))

    def ends(self, start: int) -> tuple[tuple[int, int], ...]:
        """(repetition, completion) of the marked ones that have ops."""
        found = zip(self.arrays.marks.tolist(), self.state.mark_ends.tolist(), strict=True)
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
    logs: list[PhaseLog] = []
    of_phases = zip(tables.program.phases, tables.phases, timing.phases, strict=True)
    for number, (phase, arrays, of_phase) in enumerate(of_phases):
        recorded = timing.recorded_of(number)
        run = _run(phase, arrays, of_phase, recorded, Log.empty(0, 0), skip)
        end = now + run.cycles
        if window is not None:
            log = _logged(run, skip)
            logs.append(log)
            lines.append(timelines(log, tables.units, now, end))
            steps = window.first, window.first + window.count
            records += window_records(log, number, now, phase.repetitions_of(*steps))
        phases.append(PhaseTrace(phase.name, phase.kind, now, end, run.ends(now)))
        phase_units.append(MappingProxyType(_unit_traces(run, tables.units)))
        evaluated.append(run.skip.evaluated)
        now = end
    units = {name: reduce(add, (of_phase[name] for of_phase in phase_units)) for name in tables.units}
    trace = Trace(now, tuple(phases), MappingProxyType(units), tuple(phase_units), tuple(lines), tuple(records), {})
    return Run(trace, tuple(evaluated), tuple(logs))


def _run(
    phase: Phase, arrays: PhaseArrays, timing: PhaseTiming, recorded: Recorded | None, log: Log, skip: bool
) -> _PhaseRun:
    """A phase evaluated; one whose repetitions take different times never repeats itself."""
    state, skip = PhaseState.at_start(arrays, timing, log), skip and recorded is None
    skipped = Skip(*run_phase(arrays, timing, state, skip)) if arrays.executes else Skip(0, -1, 0, 0)
    return _PhaseRun(phase, arrays, timing, recorded, state, skipped)


def _logged(run: _PhaseRun, skip: bool) -> PhaseLog:
    """The log of a phase, made by running it once more and keeping the times of every op that is evaluated."""
    repetitions, ops = run.skip.evaluated, len(run.arrays.unit)
    if repetitions * ops > MOST_LOGGED:
        raise ExecutorError(
            f"phase {run.phase.name}: {repetitions * ops:,} ops until it repeats itself are too many to be recorded"
        )
    log = Log.empty(repetitions, ops)
    _run(run.phase, run.arrays, run.timing, run.recorded, log, skip)
    occupancy = run.timing.services.occupancy if run.recorded is None else run.recorded.occupancy
    return PhaseLog(run.phase, run.arrays.unit, occupancy, log, run.skip)


def _unit_traces(run: _PhaseRun, units: tuple[str, ...]) -> dict[str, UnitTrace]:
    """Where each unit's cycles went. Of a unit's ops all compute and occupancy cycles count, waits are in the state."""
    arrays, services, count = run.arrays, run.timing.services, len(units)
    compute = np.zeros(count, np.int64)
    occupied = np.zeros(count, np.int64)
    recorded = run.recorded
    if recorded is None:
        np.add.at(compute, arrays.unit, services.compute * arrays.times)
        np.add.at(occupied, arrays.unit, services.occupancy * arrays.times)
    else:
        np.add.at(compute, arrays.unit, recorded.compute.sum(axis=0))
        np.add.at(occupied, arrays.unit, recorded.occupancy.sum(axis=0))
    port, idle = (occupied - compute).tolist(), (run.cycles - run.state.free_at).tolist()
    waits = [dict(zip(CAUSES, of_unit, strict=True)) for of_unit in run.state.waits.tolist()]
    figures = zip(units, arrays.instances.tolist(), compute.tolist(), port, waits, idle, strict=True)
    return {name: UnitTrace(ops, c, p, w, {run.phase.kind: i}) for name, ops, c, p, w, i in figures}
