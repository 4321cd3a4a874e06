"""Derives a phase's dependencies from its ops' reads and writes, so that a schedule's author cannot forget one.

Rules (docs/microarchitecture/rules.md, "Dependencies"): a read waits for the last write to be visible (RAW, after
DONE); a write waits until the readers of the old value have read it (WAR, after FREE) and until the old write is
visible (WAW, after DONE). A read of a FIFO follows its writer from the first word on (RAW, after FIRST). Units take
their ops in order and retire them in order, so only the youngest op of each unit has to be named, nothing has to be
named on the op's own unit but a RAW, and nothing that an earlier op of the same unit has already waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from archsim.program.ir import (
    After,
    DataKind,
    Dep,
    Op,
    Phase,
    PhaseKind,
    Region,
    Wait,
    phase_reuse_distance,
)

_NOBODY = -1


def build_phase(
    name: str, kind: PhaseKind, ops: Sequence[Op], repeat: int = 1, steps: int | None = None, unroll: int = 1
) -> Phase:
    """A phase with its dependencies derived; `steps` and `unroll` as Phase has them.

    Work and result do not grow with `repeat`.
    """
    body = tuple(ops)
    return Phase(name=name, kind=kind, repeat=repeat, ops=body, deps=_derive(body), steps=steps, unroll=unroll)


def _derive(ops: tuple[Op, ...]) -> tuple[tuple[Dep, ...], ...]:
    """Derive the dependencies of each op: walk the body until every slot has come round once, and on to its end.

    The dependencies found from then on hold for all repetitions: what is left out at the end lets an earlier instance
    be the last to write or to read.
    """
    history = _History(ops)
    # From here on every access finds the slot's last users as it will in all later repetitions, at the same lags.
    settled = phase_reuse_distance(ops)
    # The repetitions that leave ops out at the end come once more behind that: there others are the last users.
    repeat = settled + 1 + max((op.skip_last for op in ops), default=0)
    deps: list[dict[tuple[int, int, str], Dep]] = [{} for _ in ops]
    for repetition in range(repeat):
        for index, op in enumerate(ops):
            if repetition >= repeat - op.skip_last:
                continue
            instance = repetition * len(ops) + index
            # Needs are found before the op itself is recorded: else it would wait for its own accesses.
            needs = history.needs(op, repetition)
            kept = history.reduce(op, repetition, needs)
            history.record(op, repetition, instance)
            history.follow(instance, needs)
            # Before, not every slot has come round yet, so that needs of earlier repetitions are missing.
            if repetition >= settled:
                for dep in _as_deps(kept, instance, len(ops)):
                    deps[index].setdefault((dep.lag, dep.op, dep.after.value), dep)
    return tuple(tuple(found[place] for place in sorted(found)) for found in deps)


@dataclass(frozen=True, slots=True)
class _Need:
    """An op instance that must have reached an event; `cause` as in Dep."""

    instance: int
    unit: str
    after: After
    cause: Wait


_Window = tuple[int, int]
_ALWAYS: _Window = (0, 0)


@dataclass(slots=True)
class _Slot:
    """The last writer of each entry of one buffer slot, and its last reader on each unit since.

    Kept apart by the repetitions in which ops take part: one that may be left out does not hide the one before it.
    """

    entries: int
    writers: dict[_Window, npt.NDArray[np.int64]] = field(default_factory=dict)
    readers: dict[tuple[str, _Window], npt.NDArray[np.int64]] = field(default_factory=dict)
    version: int = 0

    def write(self, op: Op, part: slice, instance: int) -> None:
        """Note that the op has written those entries."""
        self.version += 1
        # Whoever waits for this op waits for those before it too: it has waited for them, so they may be forgotten. An
        # op that some repetitions leave out hides only ops of its own window, which are left out with it.
        for window, writers in self.writers.items():
            if op.window in (_ALWAYS, window):
                writers[part] = _NOBODY
        for (_, window), readers in self.readers.items():
            if op.window in (_ALWAYS, window):
                readers[part] = _NOBODY
        if op.window not in self.writers:
            self.writers[op.window] = self._nobody()
        self.writers[op.window][part] = instance

    def read(self, op: Op, part: slice, instance: int) -> None:
        """Note that the op has read those entries."""
        key = (op.unit, op.window)
        if key not in self.readers:
            self.readers[key] = self._nobody()
        self.readers[key][part] = instance

    def _nobody(self) -> npt.NDArray[np.int64]:
        return np.full(self.entries, _NOBODY, np.int64)


class _History:
    def __init__(self, ops: tuple[Op, ...]) -> None:
        self._ops = ops
        self._units = [op.unit for op in ops]
        self._written = {region.buffer.name for op in ops for region in op.writes}
        self._slots: dict[tuple[str, int], _Slot] = {}
        self._seen: dict[tuple[str, str, int, int, int], int] = {}
        self._known: dict[tuple[object, ...], int] = {}
        self._upstream: dict[int, frozenset[int]] = {}

    def needs(self, op: Op, repetition: int) -> list[_Need]:
        found: list[_Need] = []
        for region in op.reads + op.awaits:
            slot = self._slot(region, repetition)
            if slot is None:
                continue
            if region.buffer.stream:
                for writers in slot.writers.values():
                    found += self._to(writers[region.start : region.stop], After.FIRST, Wait.OPERAND)
                continue
            # A unit that has read this version of this region before has waited for all its writers.
            key = (op.unit, region.buffer.name, region.slot(repetition), region.start, region.stop)
            if self._seen.get(key) == slot.version and not op.conditional:
                continue
            if not op.conditional:
                self._seen[key] = slot.version
            for writers in slot.writers.values():
                found += self._to(writers[region.start : region.stop], After.DONE, _read_cause(region))
        # What comes to an op word by word has been read before the op writes: its last word follows theirs.
        upstream = self._sources(found)
        for region in op.writes:
            slot = self._slot(region, repetition)
            if slot is None:
                continue
            cause = _write_cause(region)
            for (unit, _), readers in slot.readers.items():
                # The op's own unit takes ops in order: it has read the old value before this op starts.
                if unit != op.unit:
                    before = self._to(readers[region.start : region.stop], After.FREE, cause)
                    found += [need for need in before if need.instance not in upstream]
            for writers in slot.writers.values():
                before = self._to(writers[region.start : region.stop], After.DONE, cause)
                # And it retires in order: the old write of the own unit is visible before this one.
                found += [need for need in before if need.unit != op.unit]
        return found

    def reduce(self, op: Op, repetition: int, needs: list[_Need]) -> list[_Need]:
        """Drop what other needs, or earlier waits of the same unit, already imply."""
        # FIRST says only that the writer has begun: it implies no other need, and is kept whatever the op waits for.
        kept: list[_Need] = [need for need in needs if need.after is After.FIRST]
        found = {(need.instance, need.after): need for need in reversed(needs) if need.after is not After.FIRST}
        covered: set[tuple[object, ...]] = set()
        for need in sorted(found.values(), key=lambda n: (-n.instance, n.after is After.FREE)):
            keys = [(*key, need.after) for key in self._keys(op, repetition, need)]
            # Youngest first, DONE before FREE: those before it are of later instances, or of a later event of the same
            # one. A unit retires in order, so a later instance's event is behind this one's.
            if not covered.isdisjoint(keys) or need.instance <= max(self._known.get(key, _NOBODY) for key in keys):
                continue
            kept.append(need)
            for key in keys:
                covered.add(key)
                if need.after is After.DONE:  # an op that is done has read its operands
                    covered.add((*key[:-1], After.FREE))
        for need in kept:
            if need.after is After.FIRST:
                continue
            for key in self._keys(op, repetition, need):
                for after in (After.DONE, After.FREE) if need.after is After.DONE else (After.FREE,):
                    self._known[*key, after] = max(self._known.get((*key, after), _NOBODY), need.instance)
        return kept

    def record(self, op: Op, repetition: int, instance: int) -> None:
        for region in op.reads:
            slot = self._slot(region, repetition)
            if slot is not None:
                slot.read(op, slice(region.start, region.stop), instance)
        for region in op.writes:
            slot = self._slot(region, repetition)
            if slot is not None:
                slot.write(op, slice(region.start, region.stop), instance)

    def follow(self, instance: int, needs: list[_Need]) -> None:
        """Remember which op instances the op follows word by word, directly or through others."""
        sources = self._sources(needs)
        if sources:
            self._upstream[instance] = sources

    def _sources(self, needs: list[_Need]) -> frozenset[int]:
        direct = frozenset(need.instance for need in needs if need.after is After.FIRST)
        return direct.union(*(self._upstream.get(instance, frozenset()) for instance in direct))

    def _keys(self, op: Op, repetition: int, need: _Need) -> list[tuple[object, ...]]:
        """The keys under which a wait of this op for that instance is known to later ops of its unit.

        Waits of ops that always take part, for ops that always do, are known for good. Otherwise only to ops that take
        part in the same repetitions, in this one, and of waits for such ops of one repetition.
        """
        producer = self._ops[need.instance % len(self._ops)]
        keys: list[tuple[object, ...]] = []
        if not op.conditional and not producer.conditional:
            keys.append((op.unit, need.unit))
        there = need.instance // len(self._ops)
        keys.append((op.unit, op.window, repetition, need.unit, producer.window, there))
        return keys

    def _slot(self, region: Region, repetition: int) -> _Slot | None:
        """The slot's record; None where no write of this phase can ever conflict."""
        name = region.buffer.name
        if name not in self._written:
            return None
        key = (name, region.slot(repetition))
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = _Slot(region.buffer.entries)
        return slot

    def _to(self, instances: npt.NDArray[np.int64], after: After, cause: Wait) -> list[_Need]:
        """The needs for the youngest of `instances` of each unit and repetition.

        The instances are of one window, and retire in order.
        """
        youngest: dict[tuple[str, int], int] = {}
        count = len(self._ops)
        for instance in set(instances.tolist()):
            if instance != _NOBODY:
                repetition, number = divmod(instance, count)
                key = (self._units[number], repetition)
                youngest[key] = max(instance, youngest.get(key, instance))
        return [_Need(instance, unit, after, cause) for (unit, _), instance in youngest.items()]


def _as_deps(needs: list[_Need], instance: int, count: int) -> list[Dep]:
    repetition = instance // count
    deps: list[Dep] = []
    for need in needs:
        lag = repetition - need.instance // count
        # What comes out of this very step is an operand; only what comes from an earlier one is recurrence.
        cause = Wait.OPERAND if need.cause is Wait.RECURRENCE and lag == 0 else need.cause
        deps.append(Dep(need.instance % count, lag, need.after, cause))
    return deps


def _read_cause(region: Region) -> Wait:
    match region.buffer.kind:
        case DataKind.H | DataKind.C:
            return Wait.RECURRENCE
        case DataKind.X:
            return Wait.INPUT
        case DataKind.W_IH | DataKind.W_HH | DataKind.W_HR | DataKind.WEIGHT_TILE | DataKind.BIAS | DataKind.PEEPHOLE:
            return Wait.WEIGHTS
        case _:
            return Wait.OPERAND


def _write_cause(region: Region) -> Wait:
    return Wait.ACCUMULATOR if region.buffer.kind is DataKind.PARTIAL_SUM else Wait.BUFFER
