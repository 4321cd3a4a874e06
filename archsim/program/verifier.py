"""Checks statically, before every simulation, that every pair of conflicting accesses is ordered.

It trusts only what the machine guarantees (docs/microarchitecture/rules.md, "Order"): with S the start of an op, F the
end of its occupancy (operands read) and D its completion (results visible), S <= F <= D; a unit starts an op at or
after F of the op before it, and retires in order; a dependency puts its event before S; a phase starts after D of
every op before; an op that follows another's FIFO starts at or after the first word, and is free at or after D of the
other. From these edges each op gets a vector clock: for each unit, the youngest op whose F, and whose D, is
known to lie before. A numerical comparison would miss most missing dependencies at nominal latencies; this does not.

The cost does not grow with the number of repetitions: no path in the graph goes back in time, so whether an op is
ordered after an access of `d` repetitions ago depends on those d repetitions alone, and checking as many as the
longest re-use distance (with the phase's first and last repetitions) checks all.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from archsim.errors import ScheduleError
from archsim.program.hazards import Hazard, region_name, structure_faults
from archsim.program.ir import After, Op, Phase, Program, Region
from archsim.program.known import KnownPrograms
from archsim.program.segments import Segments

_NOBODY = -1
_ANY_TIME = -1
"""Stands for the slot of a tensor with a time axis that an earlier phase has written at some time."""
_Clock = npt.NDArray[np.int64]
_KNOWN = KnownPrograms()


def verify(program: Program) -> None:
    """Raise ScheduleError with every hazard, one a line; return if there is none.

    Programs of one structure are checked once (program/known.py).
    """
    _KNOWN.check(program, check)


def check(program: Program) -> None:
    """Does what `verify` does, whatever is known of programs like it."""
    hazards = find_hazards(program)
    if hazards:
        shown = [str(h) for h in hazards[:20]]
        if len(hazards) > len(shown):
            shown.append(f"... and {len(hazards) - len(shown)} more hazards")
        raise ScheduleError("\n".join(shown))


def find_hazards(program: Program) -> tuple[Hazard, ...]:
    """All hazards of a program, in program order, each pair of ops and kind once."""
    written: dict[tuple[str, int], npt.NDArray[np.bool_]] = {}
    found: dict[tuple[str, str, str, str], Hazard] = {}
    for phase in program.phases:
        structure = structure_faults(phase)
        hazards = structure or _PhaseCheck(_shortened(phase), written).run()
        for hazard in hazards:
            found.setdefault((hazard.kind, hazard.phase, hazard.first, hazard.second), hazard)
        if structure:
            break
    return tuple(found.values())


def _shortened(phase: Phase) -> Phase:
    """A copy of the phase with no more repetitions than needed to see every situation."""
    head = max((op.skip_first for op in phase.ops), default=0)
    tail = max((op.skip_last for op in phase.ops), default=0)
    # One more than the distance, so that the last of them sees a whole distance of repetitions behind it.
    window = max(phase.reuse_distance, phase.max_lag) + 1
    return replace(phase, repeat=min(phase.repeat, head + window + tail))


@dataclass(slots=True)
class _Access:
    """The last accesses of each segment of one slot: the writing instance, and each unit's reading instance since."""

    writer: list[int]
    readers: dict[int, list[int]] = field(default_factory=dict)
    version: int = 0
    proven: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """(unit, first, stop) -> the version up to which that unit's read of those segments is proven ordered."""


class _PhaseCheck:
    def __init__(self, phase: Phase, written: dict[tuple[str, int], npt.NDArray[np.bool_]]) -> None:
        self._phase = phase
        self._written = written
        names = sorted({op.unit for op in phase.ops})
        self._unit_of = [names.index(op.unit) for op in phase.ops]
        self._units = len(names)
        self._times: dict[tuple[str, int], npt.NDArray[np.bool_]] = {}
        """As `written`, for what this phase has written of tensors with a time axis."""
        self._access: dict[tuple[str, int], _Access] = {}
        self._start: dict[int, _Clock] = {}
        self._free: dict[int, _Clock] = {}
        self._done: dict[int, _Clock] = {}
        # What the next op of a unit knows at its start, and what its completion knows from retiring in order.
        self._next_start = [self._empty() for _ in names]
        self._next_done = [self._empty() for _ in names]
        self._changed = {r.buffer.name for op in phase.ops for r in op.writes}
        self._segments = Segments(phase.ops)
        self._initialized: set[tuple[str, int, int, int]] = set()
        """(buffer, slot, start, stop) of entries of which it is known that all have been written."""
        self._hazards: list[Hazard] = []

    def run(self) -> list[Hazard]:
        phase = self._phase
        for repetition in range(phase.repeat):
            for index, op in enumerate(phase.ops):
                if not op.active(repetition, phase.repeat):
                    continue
                instance = repetition * len(phase.ops) + index
                self._advance(index, instance)
                self._check(op, index, repetition, instance)
        self._forget_times()
        return self._hazards

    def _forget_times(self) -> None:
        """Note what this phase has written at any time: a later phase may read any of its times.

        This phase is checked with fewer repetitions than it has.
        """
        for (name, _), entries in self._times.items():
            self._written[name, _ANY_TIME] = self._written.get((name, _ANY_TIME), False) | entries

    def _empty(self) -> _Clock:
        """A clock that knows nothing: for each unit the youngest F, then for each unit the youngest D."""
        return np.full(2 * self._units, _NOBODY, np.int64)

    def _advance(self, index: int, instance: int) -> None:
        """Compute the op's clocks at its start and at its completion."""
        unit, count = self._unit_of[index], len(self._phase.ops)
        start = self._next_start[unit].copy()
        clocks = {After.DONE: self._done, After.FREE: self._free, After.FIRST: self._start}
        followed: list[_Clock] = []
        for dep in self._phase.deps[index]:
            other = instance - index - dep.lag * count + dep.op
            known = clocks[dep.after].get(other)
            if known is None:  # before the phase, or left out in that repetition
                continue
            # The op starts behind that event, so it knows all that was known there (vector clocks join by maximum).
            np.maximum(start, known, out=start)
            # The clock at an op's F is taken without the op itself, but whoever waits for that F knows it.
            if dep.after is After.FREE:
                other_unit = self._unit_of[dep.op]
                start[other_unit] = max(start[other_unit], other)
            if dep.after is After.FIRST:
                # The first word orders only the start; F of this op comes at or after D of the one that it follows.
                followed.append(self._done[other])
        free = np.maximum.reduce([start, *followed]) if followed else start
        # In-order retirement: D comes after D of the op before on this unit, and so after all that one knew.
        done = np.maximum(free, self._next_done[unit])
        done[unit] = instance
        done[self._units + unit] = instance
        self._start[instance] = start
        self._free[instance] = free
        self._done[instance] = done
        self._next_done[unit] = done
        # The next op of the unit starts at or after F of this one, and need not know its D.
        follower = free.copy()
        follower[unit] = instance
        self._next_start[unit] = follower

    def _check(self, op: Op, index: int, repetition: int, instance: int) -> None:
        unit, units = self._unit_of[index], self._units
        start, done = self._start[instance].tolist(), self._done[instance].tolist()
        for region in op.updates:
            self._check_initialized(op, region, repetition)
        for region in op.reads:
            self._check_initialized(op, region, repetition)
            if region.buffer.name not in self._changed:
                continue
            access = self._access_of(region, repetition)
            first, stop = self._segments.span(region)
            key = (unit, first, stop)
            if access.proven.get(key) != access.version:
                # A FIFO is read until F.
                known = self._free[instance].tolist() if region.buffer.stream else start
                ordered = self._report("RAW", op, repetition, region, access.writer[first:stop], known[units:])
                # Later ops of this unit start behind this one; an op that may be left out proves nothing for them.
                if ordered and not op.conditional:
                    access.proven[key] = access.version
            reader = access.readers.setdefault(unit, [_NOBODY] * len(access.writer))
            reader[first:stop] = [instance] * (stop - first)
        for region in op.writes:
            access = self._access_of(region, repetition)
            first, stop = self._segments.span(region)
            # A write takes effect at D: it must lie behind D of the last write and behind F of its readers.
            self._report("WAW", op, repetition, region, access.writer[first:stop], done[units:], itself=instance)
            for reading in sorted(access.readers):
                reader = access.readers[reading]
                self._report("WAR", op, repetition, region, reader[first:stop], done[:units], itself=instance)
                reader[first:stop] = [_NOBODY] * (stop - first)
            access.writer[first:stop] = [instance] * (stop - first)
            access.version += 1
            self._written_entries(region, repetition)[region.start : region.stop] = True

    def _report(
        self,
        kind: str,
        op: Op,
        repetition: int,
        region: Region,
        others: list[int],
        known: list[int],
        itself: int = _NOBODY,
    ) -> bool:
        """Report each of `others` (op instances) that `known` (youngest ordered instance a unit) does not reach."""
        count, unit_of = len(self._phase.ops), self._unit_of
        # Nobody's number is below all others: every unit's clock reaches it.
        late = sorted(other for other in set(others) if known[unit_of[other % count]] < other != itself)
        for other in late:
            index = other % count
            lag = repetition - other // count
            earlier = f"'{self._phase.ops[index].label}' {lag} repetitions before" if lag else ""
            first = earlier or f"'{self._phase.ops[index].label}'"
            where = f"both use {region_name(region)} and nothing orders them"
            self._hazards.append(Hazard(kind, self._phase.name, first, f"'{op.label}'", where))
        return not late

    def _check_initialized(self, op: Op, region: Region, repetition: int) -> None:
        key = (region.buffer.name, region.slot(repetition), region.start, region.stop)
        if region.buffer.is_input or region.buffer.is_cleared or key in self._initialized:
            return
        written = self._written_entries(region, repetition)
        if region.buffer.slots is None:
            written = written | self._written.get((region.buffer.name, _ANY_TIME), False)
        if written[region.start : region.stop].all():
            self._initialized.add(key)
        else:
            where = f"reads {region_name(region)} before anything has written it"
            self._hazards.append(Hazard("uninitialized", self._phase.name, f"'{op.label}'", "", where))

    def _written_entries(self, region: Region, repetition: int) -> npt.NDArray[np.bool_]:
        key = (region.buffer.name, region.slot(repetition))
        written = self._times if region.buffer.slots is None else self._written
        if key not in written:
            written[key] = np.zeros(region.buffer.entries, np.bool_)
        return written[key]

    def _access_of(self, region: Region, repetition: int) -> _Access:
        key = (region.buffer.name, region.slot(repetition))
        access = self._access.get(key)
        if access is None:
            access = self._access[key] = _Access([_NOBODY] * self._segments.count(region.buffer.name))
        return access
