"""Puts the ops of a body in order one access at a time, in Python alone: what `derive` does for all at once in arrays.

It walks the repetitions in the order of the program and keeps, for each segment of each slot, who wrote it last and who
has read it since. Slow, and plain to read: the rules are those of docs/microarchitecture/rules.md, "Dependencies".
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from archsim.program.accesses import Accesses
from archsim.program.causes import read_cause, write_cause
from archsim.program.ir import After, Buffer, Dep, Op, Region, Wait

_NOBODY = -1


def walked_order(ops: tuple[Op, ...]) -> tuple[tuple[Dep, ...], ...]:
    """Derive the dependencies of each op: walk the body until every slot has come round once, and on to its end.

    The dependencies found from then on hold for all repetitions: what is left out at the end lets an earlier instance
    be the last to write or to read.
    """
    history = _History(ops)
    # From here on every access finds the slot's last users as it will in all later repetitions, at the same lags.
    settled = Accesses.of(ops).reuse_distance
    # The repetitions that leave ops out at the end come once more behind that: there others are the last users.
    repeat = settled + 1 + max((op.skip_last for op in ops), default=0)
    deps: list[dict[tuple[int, int, str], Dep]] = [{} for _ in ops]
    for repetition in range(repeat):
        for index, op in enumerate(ops):
            if repetition >= repeat - op.skip_last:
                continue
            instance = repetition * len(ops) + index
            # Needs are found before the op itself is recorded: else it would wait for its own accesses.
            needs = history.needs(index, repetition)
            kept = history.reduce(index, repetition, needs)
            history.record(index, repetition, instance)
            history.follow(instance, needs)
            # Before, not every slot has come round yet, so that needs of earlier repetitions are missing.
            if repetition >= settled:
                for dep in _as_deps(kept, instance, len(ops)):
                    deps[index].setdefault((dep.lag, dep.op, dep.after.value), dep)
    return tuple(tuple(found[place] for place in sorted(found)) for found in deps)


class _Need(NamedTuple):
    """An op instance that must have reached an event; `cause` as in Dep."""

    instance: int
    unit: str
    after: After
    cause: Wait


_Window = tuple[int, int]
_ALWAYS: _Window = (0, 0)


@dataclass(slots=True)
class _Slot:
    """The last writer of each segment of one buffer slot, and its last reader on each unit since.

    Kept apart by the repetitions in which ops take part: one that may be left out does not hide the one before it.
    """

    segments: int
    writers: dict[_Window, list[int]] = field(default_factory=dict)
    readers: dict[tuple[str, _Window], list[int]] = field(default_factory=dict)
    version: int = 0

    def write(self, window: _Window, part: slice, instance: int) -> None:
        """Note that an op of that window has written those segments."""
        self.version += 1
        # Whoever waits for this op waits for those before it too: it has waited for them, so they may be forgotten. An
        # op that some repetitions leave out hides only ops of its own window, which are left out with it.
        count = part.stop - part.start
        nobody = [_NOBODY] * count
        for other, writers in self.writers.items():
            if window in (_ALWAYS, other):
                writers[part] = nobody
        for (_, other), readers in self.readers.items():
            if window in (_ALWAYS, other):
                readers[part] = nobody
        if window not in self.writers:
            self.writers[window] = [_NOBODY] * self.segments
        self.writers[window][part] = [instance] * count

    def read(self, unit: str, window: _Window, part: slice, instance: int) -> None:
        """Note that an op of that unit and window has read those segments."""
        readers = self.readers.get((unit, window))
        if readers is None:
            readers = self.readers[unit, window] = [_NOBODY] * self.segments
        readers[part] = [instance] * (part.stop - part.start)


@dataclass(frozen=True, slots=True, eq=False)
class _Access:
    """An access of an op to a buffer that the phase writes: its segments, and the cause of a wait for it."""

    region: Region
    part: slice
    cause: Wait
    slots: dict[int, _Slot]
    """The slots of the buffer, by number, as far as they have been accessed."""
    segments: int
    """How many segments a slot has."""

    def slot(self, repetition: int) -> tuple[int, _Slot]:
        """The slot that the region addresses in a repetition, with its number."""
        number = self.region.slot(repetition)
        slot = self.slots.get(number)
        if slot is None:
            slot = self.slots[number] = _Slot(self.segments)
        return number, slot


@dataclass(frozen=True, slots=True)
class _Accesses:
    """An op's accesses to buffers that the phase writes; no write can conflict with any other."""

    reads: tuple[_Access, ...]
    waits: tuple[_Access, ...]
    """The reads, and what else must have been written."""
    writes: tuple[_Access, ...]


class _History:
    def __init__(self, ops: tuple[Op, ...]) -> None:
        self._ops = ops
        self._units = [op.unit for op in ops]
        self._windows = [op.window for op in ops]
        self._segments = _Segments(ops)
        slots: dict[str, dict[int, _Slot]] = {region.buffer.name: {} for op in ops for region in op.writes}
        self._accesses = [self._accesses_of(op, slots) for op in ops]
        self._streams = any(op.streams for op in ops)
        self._seen: dict[tuple[str, str, int, int, int], int] = {}
        self._known: dict[tuple[object, ...], int] = {}
        self._upstream: dict[int, frozenset[int]] = {}

    def needs(self, index: int, repetition: int) -> list[_Need]:
        """What op number `index` must wait for in a repetition, with repetitions in it."""
        found: list[_Need] = []
        unit, always = self._units[index], self._windows[index] == _ALWAYS
        for access in self._accesses[index].waits:
            buffer, part = access.region.buffer, access.part
            number, slot = access.slot(repetition)
            if buffer.stream:
                for writers in slot.writers.values():
                    found += self._to(writers[part], After.FIRST, Wait.OPERAND)
                continue
            # A unit that has read this version of this region before has waited for all its writers.
            key = (unit, buffer.name, number, part.start, part.stop)
            if always:
                if self._seen.get(key) == slot.version:
                    continue
                self._seen[key] = slot.version
            for writers in slot.writers.values():
                found += self._to(writers[part], After.DONE, access.cause)
        # What comes to an op word by word has been read before the op writes: its last word follows theirs.
        upstream = self._sources(found)
        for access in self._accesses[index].writes:
            _, slot = access.slot(repetition)
            for (reader, _), readers in slot.readers.items():
                # The op's own unit takes ops in order: it has read the old value before this op starts.
                if reader != unit:
                    before = self._to(readers[access.part], After.FREE, access.cause)
                    found += [need for need in before if need.instance not in upstream] if upstream else before
            for writers in slot.writers.values():
                # And it retires in order: the old write of the own unit is visible before this one.
                for need in self._to(writers[access.part], After.DONE, access.cause):
                    if need.unit != unit:
                        found.append(need)
        return found

    def reduce(self, index: int, repetition: int, needs: list[_Need]) -> list[_Need]:
        """Drop what other needs, or earlier waits of the same unit, already imply."""
        # FIRST says only that the writer has begun: it implies no other need, and is kept whatever the op waits for.
        kept: list[_Need] = [need for need in needs if need.after is After.FIRST]
        found = {(need.instance, need.after): need for need in reversed(needs) if need.after is not After.FIRST}
        known = self._known
        waits: list[tuple[tuple[object, ...], _Need]] = []
        covered: set[tuple[object, ...]] = set()
        for need in sorted(found.values(), key=_youngest_done_first) if len(found) > 1 else found.values():
            key = self._key(index, repetition, need)
            # Youngest first, DONE before FREE: those before it are of later instances, or of a later event of the same
            # one. A unit retires in order, so a later instance's event is behind this one's.
            event = (key, need.after)
            if event in covered or need.instance <= known.get(event, _NOBODY):
                continue
            kept.append(need)
            waits.append((key, need))
            covered.add(event)
            if need.after is After.DONE:  # an op that is done has read its operands
                covered.add((key, After.FREE))
        for key, need in waits:
            for after in (After.DONE, After.FREE) if need.after is After.DONE else (After.FREE,):
                known[key, after] = max(known.get((key, after), _NOBODY), need.instance)
        return kept

    def record(self, index: int, repetition: int, instance: int) -> None:
        """Note the accesses of op number `index` in a repetition."""
        unit, window, accesses = self._units[index], self._windows[index], self._accesses[index]
        for access in accesses.reads:
            access.slot(repetition)[1].read(unit, window, access.part, instance)
        for access in accesses.writes:
            access.slot(repetition)[1].write(window, access.part, instance)

    def follow(self, instance: int, needs: list[_Need]) -> None:
        """Remember which op instances the op follows word by word, directly or through others."""
        sources = self._sources(needs)
        if sources:
            self._upstream[instance] = sources

    def _sources(self, needs: list[_Need]) -> frozenset[int]:
        if not self._streams:
            return frozenset()
        direct = frozenset(need.instance for need in needs if need.after is After.FIRST)
        return direct.union(*(self._upstream.get(instance, frozenset()) for instance in direct))

    def _key(self, index: int, repetition: int, need: _Need) -> tuple[object, ...]:
        """The key under which a wait of this op for that instance is known to later ops of its unit.

        Waits of ops that always take part, for ops that always do, are known for good. Otherwise only to ops that take
        part in the same repetitions, in this one, and of waits for such ops of one repetition.
        """
        there, producer = divmod(need.instance, len(self._ops))
        windows = self._windows[index], self._windows[producer]
        if windows == (_ALWAYS, _ALWAYS):
            return self._units[index], need.unit
        return self._units[index], need.unit, windows, repetition, there

    def _accesses_of(self, op: Op, slots: Mapping[str, dict[int, _Slot]]) -> _Accesses:
        """The op's accesses to the buffers that have slots, which are those that the phase writes."""

        def accesses(regions: Sequence[Region], cause: Callable[[Buffer], Wait]) -> tuple[_Access, ...]:
            mine = [(region, region.buffer.name) for region in regions if region.buffer.name in slots]
            count, span = self._segments.count, self._segments.span
            return tuple(_Access(r, slice(*span(r)), cause(r.buffer), slots[name], count(name)) for r, name in mine)

        reads = accesses(op.reads, read_cause)
        waits = (*reads, *accesses(op.awaits, read_cause))
        return _Accesses(reads, waits, accesses(op.writes, write_cause))

    def _to(self, instances: list[int], after: After, cause: Wait) -> list[_Need]:
        """The needs for the youngest of `instances` of each unit and repetition.

        The instances are of one window, and retire in order.
        """
        different = set(instances)
        different.discard(_NOBODY)
        youngest: dict[tuple[str, int], int] = {}
        for instance in different:
            repetition, number = divmod(instance, len(self._units))
            key = (self._units[number], repetition)
            youngest[key] = max(instance, youngest.get(key, instance))
        return [_Need(instance, unit, after, cause) for (unit, _), instance in youngest.items()]


def _youngest_done_first(need: _Need) -> tuple[int, bool]:
    return -need.instance, need.after is After.FREE


def _as_deps(needs: list[_Need], instance: int, count: int) -> list[Dep]:
    repetition = instance // count
    deps: list[Dep] = []
    for need in needs:
        lag = repetition - need.instance // count
        # What comes out of this very step is an operand; only what comes from an earlier one is recurrence.
        cause = Wait.OPERAND if need.cause is Wait.RECURRENCE and lag == 0 else need.cause
        deps.append(Dep(need.instance % count, lag, need.after, cause))
    return deps


class _Segments:
    """The entries of each buffer between two neighbouring ends of regions, which ops touch all or none of.

    What is known of accesses is then kept once a segment, not once an entry: a state vector of 1,000 numbers that is
    written in 16 parts has 16 segments.
    """

    def __init__(self, ops: Iterable[Op]) -> None:
        ends: dict[str, set[int]] = {}
        for op in ops:
            for region in op.reads + op.writes + op.awaits:
                ends.setdefault(region.buffer.name, set()).update((region.start, region.stop))
        self._ends = {name: sorted(found) for name, found in ends.items()}

    def count(self, name: str) -> int:
        """How many segments a buffer has."""
        return len(self._ends[name]) - 1

    def span(self, region: Region) -> tuple[int, int]:
        """The segments of a region of one of the ops."""
        ends = self._ends[region.buffer.name]
        return bisect_left(ends, region.start), bisect_left(ends, region.stop)
