"""Rebuilds what a phase whose periodic part was skipped has to show: single ops of a window, and occupied cycles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from archsim.engines.recurrence.phase_arrays import Ints
from archsim.engines.recurrence.state import Log
from archsim.program.ir import Phase, PhaseKind
from archsim.trace import OpRecord, Timeline
from archsim.trace.timeline import MAX_BINS


class Skip(NamedTuple):
    """What the recurrence did not evaluate, because it repeats what came before."""

    evaluated: int
    """Repetitions evaluated one by one."""
    last: int
    """The last of them before the skip; -1 if nothing was skipped."""
    period: int
    """Repetitions after which the run repeats itself; 0 if nothing was skipped."""
    shift: int
    """Cycles that a period takes."""


@dataclass(frozen=True, slots=True, eq=False)
class PhaseLog:
    """The times of every op in the R repetitions that were evaluated, of a phase of n ops.

    Rows 0 .. skip.last are the repetitions of those numbers. Then come repetitions that were skipped, of which each is
    the one `skip.period` before it, `skip.shift` cycles later; the remaining rows are the last of the phase.
    """

    phase: Phase
    unit: Ints
    """(n) the place of each op's unit."""
    occupancy: Ints
    """(n) the cycles for which each op holds its unit; (R, n) where they differ from repetition to repetition."""
    times: Log
    skip: Skip

    @property
    def skipped(self) -> int:
        """How many repetitions have no row."""
        return self.phase.repeat - self.skip.evaluated if self.skip.period else 0

    def row(self, repetition: int) -> tuple[int, int]:
        """(row, cycles by which the repetition is later than it)."""
        past = repetition - self.skip.last
        if not self.skipped or past <= 0:
            return repetition, 0
        if past > self.skipped:
            return repetition - self.skipped, 0
        turns, place = divmod(past - 1, self.skip.period)
        return self.skip.last - self.skip.period + 1 + place, (turns + 1) * self.skip.shift

    def all_times(self, begin: int) -> Log:
        """The times of every op in all R repetitions of the phase, which begins at cycle `begin`; 0 where left out."""
        if not len(self.times.start):  # no op takes part in any repetition
            return Log(*(np.zeros((self.phase.repeat, len(self.unit)), np.int64) for _ in self.times))
        found = [self.row(repetition) for repetition in range(self.phase.repeat)]
        rows = np.array([row for row, _ in found], np.intp)
        later = np.array([begin + by for _, by in found], np.int64)[:, None]
        takes_part = self.times.start[rows] >= 0
        return Log(*(np.where(takes_part, times[rows] + later, 0) for times in self.times))


def window_records(log: PhaseLog, number: int, begin: int, inside: range) -> Iterator[OpRecord]:
    """The ops of the repetitions `inside` (of a phase that is no body: all), in order of repetition and op.

    `number` is the phase's; it begins at cycle `begin`.
    """
    repetitions = inside if log.phase.kind is PhaseKind.BODY else range(log.phase.repeat)
    found = log.times
    for repetition in repetitions if len(found.start) else ():
        row, later = log.row(repetition)
        times = zip(found.start[row].tolist(), found.free[row].tolist(), found.done[row].tolist(), strict=True)
        at = begin + later
        for op, (start, free, done) in enumerate(times):
            if start >= 0:
                yield OpRecord(number, repetition, op, at + start, at + free, at + done)


def timelines(log: PhaseLog, units: tuple[str, ...], begin: int, end: int) -> Mapping[str, Timeline]:
    """Every unit's occupied cycles from `begin` to `end`, in bins of the least power of two that covers the phase."""
    bin_cycles = 1
    while end - begin > MAX_BINS * bin_cycles:
        bin_cycles *= 2
    used = -(-(end - begin) // bin_cycles)
    edges = np.arange(used + 1, dtype=np.int64) * bin_cycles
    found = {}
    for place, name in enumerate(units):
        busy = np.diff(_Occupied(log, place).before(edges))
        found[name] = Timeline(begin, bin_cycles, tuple(busy.tolist()))
    return MappingProxyType(found)


class _Occupied:
    """The intervals in which a unit is occupied, in order of time; of what was skipped, one period stands for all.

    Interval i begins at _starts[i] and takes _cycles[i]; _busy[i] cycles were occupied before it. The intervals of the
    last period before the skip are those from _first to _stop - 1; it is skipped _turns times, by _shift cycles each.
    """

    def __init__(self, log: PhaseLog, unit: int) -> None:
        ops = np.flatnonzero(log.unit == unit)
        starts = log.times.start[:, ops]
        taken = starts >= 0
        self._starts = starts[taken]
        self._busy = np.concatenate([[0], np.cumsum(np.broadcast_to(log.occupancy[..., ops], taken.shape)[taken])])
        self._cycles = np.diff(self._busy)
        per_row = taken.sum(axis=1)
        until = np.concatenate([[0], np.cumsum(per_row)])
        self._turns = log.skipped // log.skip.period if log.skipped else 0
        self._shift = log.skip.shift
        if self._turns:
            self._first, self._stop = int(until[log.skip.last + 1 - log.skip.period]), int(until[log.skip.last + 1])

    def before(self, times: Ints) -> Ints:
        """Occupied cycles before each of the times (from the start of the phase)."""
        if not self._turns or self._first == self._stop:
            return self._before(times, 0, len(self._starts))
        # Before the skip; in it, each time moved back by whole periods to where a row stands for it; and after it.
        begin = self._starts[self._first]
        past = times - begin - self._shift
        turns = np.clip(past // self._shift + 1, 0, self._turns)
        in_period = self._busy[self._stop] - self._busy[self._first]
        folded = self._before(times - turns * self._shift, 0, self._stop) + turns * in_period
        after = self._before(times, self._stop, len(self._starts))
        found: Ints = np.add(folded, after)
        return found

    def _before(self, times: Ints, first: int, stop: int) -> Ints:
        if first == stop:
            return np.zeros(len(times), np.int64)
        starts, cycles = self._starts[first:stop], self._cycles[first:stop]
        last = np.searchsorted(starts, times, side="right") - 1
        begun = last >= 0
        last = np.maximum(last, 0)
        partial = np.clip(times - starts[last], 0, cycles[last])
        whole = self._busy[first:stop][last] - self._busy[first]
        found: Ints = np.where(begun, whole + partial, 0)
        return found
