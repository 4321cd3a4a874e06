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

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from archsim.errors import ScheduleError
from archsim.program.accesses import Flags, Ints, Role
from archsim.program.clocks import At, Clocks
from archsim.program.hazards import Hazard, region_name, structure_faults
from archsim.program.ir import Phase, Program
from archsim.program.known import KnownPrograms
from archsim.program.unrolled import Unrolled, Users, Versions
from archsim.program.written import Written

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
    written = Written()
    found: dict[tuple[str, str, str, str], Hazard] = {}
    for phase in program.phases:
        structure = structure_faults(phase)
        for hazard in structure or _PhaseCheck(phase, written).run():
            found.setdefault((hazard.kind, hazard.phase, hazard.first, hazard.second), hazard)
        if structure:
            break
    return tuple(found.values())


@dataclass(frozen=True, slots=True, eq=False)
class _Conflicts:
    """Op instances, each with another one before it that has accessed the same entries, one of them for a write."""

    instance: Ints
    access: Ints
    """The row of the instance's access."""
    at: Ints
    """At which of the instance's events the other's must lie behind."""
    other: Ints
    done: Ints
    """1 if D of the other must, 0 if F."""

    @property
    def columns(self) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """All of it."""
        return self.instance, self.access, self.at, self.other, self.done

    def of_which(self, chosen: Flags) -> _Conflicts:
        """Some of the rows."""
        return _Conflicts(*(column[chosen] for column in self.columns))


_Place = tuple[int, int, int, int, int]
"""Where a hazard stands among others: instance, updates before reads before writes, row, kind and unit, the other."""


class _PhaseCheck:
    def __init__(self, phase: Phase, written: Written) -> None:
        self._phase, self._accesses, self._written = phase, phase.accesses, written
        self._ops = max(len(phase.ops), 1)
        accesses, rows = self._accesses, np.arange(len(self._accesses.op))
        # So many repetitions at the beginning and at the end leave ops out.
        self._ends = int(accesses.skip_first.max(initial=0)), int(accesses.skip_last.max(initial=0))
        # One more than the distance, so that the last of them sees a whole distance of repetitions behind it.
        self._repeat = min(phase.repeat, sum(self._ends) + max(phase.reuse_distance, phase.max_lag) + 1)
        begin, end = accesses.skip_first, self._repeat - accesses.skip_last
        every = Unrolled.of(accesses, rows, begin[accesses.op], end[accesses.op])
        role = accesses.role[every.access]
        self._operands = every.of_which((role == Role.READ) | (role == Role.UPDATE))
        self._reads = every.of_which((role == Role.READ) & accesses.changed[every.access])
        self._writes = every.of_which(role == Role.WRITE)

    def run(self) -> list[Hazard]:
        hazards = list(self._unset())
        if self._accesses.conflict:
            hazards += self._races(self._unordered())
        self._written.add(self._accesses, self._writes)
        return [hazard for _, hazard in sorted(hazards, key=lambda found: found[0])]

    def _unordered(self) -> _Conflicts:
        """The conflicts whose order no op knows."""
        clocks = Clocks(self._phase, self._accesses, self._repeat)
        unordered, more = self._conflicts(each=False), True
        # Mostly dependencies name what is ordered: then little has to be learnt until all of it is proven.
        while len(unordered.instance) and more:
            more = clocks.learn()
            unordered = _unknown(unordered, clocks)
        return _unknown(self._conflicts(each=True), clocks) if len(unordered.instance) else unordered

    def _conflicts(self, *, each: bool) -> _Conflicts:
        """What must be ordered: reads behind writes (RAW), and writes behind both (WAW, WAR).

        Unless `each` of them is asked for, those that follow from others are left out. A unit's ops start behind an
        earlier op that has read this version of this region, if no repetition leaves that one out. And between those
        that leave out ops, repetitions are alike once the slots of a buffer have come round: one of them is checked.
        """
        accesses, writes, reads = self._accesses, self._writes, self._reads
        op = accesses.op[reads.access]
        skipped = (accesses.skip_first[op] > 0) | (accesses.skip_last[op] > 0)
        row, segment = writes.by_segment()
        writers = Users(segment, np.zeros_like(row), writes.instance[row], writes.instances)
        versions = Versions.of(accesses, reads, writes, 2 * accesses.unit[op] + skipped)
        asked = reads.of_which(((versions.first | skipped) & ~self._repeats(reads)) | each)
        read, of_read = asked.by_segment()
        found, _, other = writers.before(of_read, asked.instance[read])
        # A FIFO is read until F.
        event = np.where(accesses.stream[asked.access], At.FREE, At.START)
        raw = _conflicts(asked, read[found], event[read[found]], other, done=1)
        # A write takes effect at D: it must lie behind D of the last write and behind F of the readers since then.
        asking = each | ~self._repeats(writes)[row]
        row, segment = row[asking], segment[asking]
        place = segment, writes.instance[row]
        found, _, other = writers.before(*place)
        waw = _conflicts(writes, row[found], np.full(len(found), At.DONE), other, done=1)
        reads, unit = reads.of_which(versions.last), accesses.unit[op[versions.last]]
        read, of_read = reads.by_segment()
        readers = Users(of_read, unit[read], reads.instance[read], reads.instances)
        found, _, other = readers.before(*place)
        since = other > writers.last(place[0][found], place[1][found], 0)
        war = _conflicts(writes, row[found[since]], np.full(int(since.sum()), At.DONE), other[since], done=0)
        return _Conflicts(*map(np.concatenate, zip(raw.columns, waw.columns, war.columns, strict=True)))

    def _repeats(self, accesses: Unrolled) -> Flags:
        """Which accesses are as those of a repetition before, as far as it matters to the order of a buffer's slots."""
        repetition, (head, tail) = accesses.instance // self._ops, self._ends
        return (repetition > head + self._accesses.distance[accesses.access]) & (repetition < self._repeat - tail)

    def _races(self, late: _Conflicts) -> Iterator[tuple[_Place, Hazard]]:
        """The hazards of accesses that nothing orders, each with its place in the program."""
        ops, units = self._phase.ops, sorted({op.unit for op in self._phase.ops})
        for instance, access, _, other, done in zip(*(column.tolist() for column in late.columns), strict=True):
            (repetition, index), (before, first) = divmod(instance, self._ops), divmod(other, self._ops)
            writes = bool(self._accesses.role[access] == Role.WRITE)
            kind = ("WAW" if done else "WAR") if writes else "RAW"
            lag = repetition - before
            earlier = f"'{ops[first].label}' {lag} repetitions before" if lag else f"'{ops[first].label}'"
            where = f"both use {region_name(self._accesses.region(access))} and nothing orders them"
            place = (instance, 1 + writes, access, 1 if done else 2 + units.index(ops[first].unit), other)
            yield place, Hazard(kind, self._phase.name, earlier, f"'{ops[index].label}'", where)

    def _unset(self) -> Iterator[tuple[_Place, Hazard]]:
        """The hazards of operands that nothing has written, each with its place in the program."""
        unset = self._written.missing(self._accesses, self._operands, self._writes)
        for instance, access in zip(unset.instance.tolist(), unset.access.tolist(), strict=True):
            label = self._phase.ops[instance % self._ops].label
            where = f"reads {region_name(self._accesses.region(access))} before anything has written it"
            reads = bool(self._accesses.role[access] == Role.READ)
            hazard = Hazard("uninitialized", self._phase.name, f"'{label}'", "", where)
            yield (instance, int(reads), access, 0, 0), hazard


def _conflicts(of: Unrolled, row: Ints, at: Ints, other: Ints, *, done: int) -> _Conflicts:
    return _Conflicts(of.instance[row], of.access[row], at, other, np.full(len(row), done))


def _unknown(conflicts: _Conflicts, clocks: Clocks) -> _Conflicts:
    """The conflicts whose order is not known."""
    known = clocks.know(conflicts.at, conflicts.instance, conflicts.done, conflicts.other)
    return conflicts.of_which(~known)
