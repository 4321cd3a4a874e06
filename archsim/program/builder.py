"""Derives a phase's dependencies from its ops' reads and writes, so that a schedule's author cannot forget one.

Rules (docs/microarchitecture.md, "Dependencies"): a read waits for the last write to be visible (RAW, after DONE);
a write waits until the readers of the old value have read it (WAR, after FREE) and until the old write is visible
(WAW, after DONE). Units take their ops in order and retire them in order, so only the youngest op of each unit has
to be named, nothing has to be named on the op's own unit but a RAW, and nothing that an earlier op of the same unit
has already waited for.
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


def build_phase(name: str, kind: PhaseKind, ops: Sequence[Op], repeat: int = 1) -> Phase:
    """A phase with its dependencies derived. Work and result do not grow with `repeat`."""
    body = tuple(ops)
    return Phase(name=name, kind=kind, repeat=repeat, ops=body, deps=_derive(body))


def _derive(ops: tuple[Op, ...]) -> tuple[tuple[Dep, ...], ...]:
    """Walk the body until every slot has come round once; the last repetition's dependencies hold for all."""
    written = {region.buffer.name for op in ops for region in op.writes}
    history = _History(written)
    last = phase_reuse_distance(ops)
    deps: list[tuple[Dep, ...]] = []
    for repetition in range(last + 1):
        for index, op in enumerate(ops):
            instance = repetition * len(ops) + index
            needs = history.needs(op, repetition)
            kept = history.reduce(op, needs, ops)
            history.record(op, repetition, instance)
            if repetition == last:
                deps.append(_as_deps(kept, instance, index, len(ops)))
    return tuple(deps)


@dataclass(frozen=True, slots=True)
class _Need:
    """An op instance that must have reached an event; `cause` as in Dep."""

    instance: int
    unit: str
    after: After
    cause: Wait


@dataclass(slots=True)
class _Slot:
    """Last writer of each entry of one buffer slot, and its last reader on each unit since."""

    writer: npt.NDArray[np.int64]
    readers: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    version: int = 0


class _History:
    def __init__(self, written: set[str]) -> None:
        self._written = written
        self._slots: dict[tuple[str, int], _Slot] = {}
        self._units: dict[int, str] = {}
        self._seen: dict[tuple[str, str, int, int, int], int] = {}
        self._known: dict[tuple[str, str, After], int] = {}

    def needs(self, op: Op, repetition: int) -> list[_Need]:
        found: list[_Need] = []
        for region in op.reads:
            slot = self._slot(region, repetition)
            if slot is None:
                continue
            # A unit that has read this version of this region before has waited for all its writers.
            key = (op.unit, region.buffer.name, region.slot(repetition), region.start, region.stop)
            if self._seen.get(key) == slot.version and not op.conditional:
                continue
            if not op.conditional:
                self._seen[key] = slot.version
            found += self._to(slot.writer[region.start : region.stop], After.DONE, _read_cause(region))
        for region in op.writes:
            slot = self._slot(region, repetition)
            if slot is None:
                continue
            cause = _write_cause(region)
            for unit, readers in slot.readers.items():
                if unit != op.unit:
                    found += self._to(readers[region.start : region.stop], After.FREE, cause)
            writers = self._to(slot.writer[region.start : region.stop], After.DONE, cause)
            found += [need for need in writers if need.unit != op.unit]
        return found

    def reduce(self, op: Op, needs: list[_Need], ops: tuple[Op, ...]) -> list[_Need]:
        """Drop what other needs, or earlier waits of the same unit, already imply."""
        kept: list[_Need] = []
        for need in sorted(needs, key=lambda n: (-n.instance, n.after is After.FREE)):
            known = self._known.get((op.unit, need.unit, need.after), _NOBODY)
            implied = any(
                other.unit == need.unit
                and other.instance >= need.instance
                and other.after in (After.DONE, need.after)
                and not ops[other.instance % len(ops)].conditional
                for other in kept
            )
            if need.instance > known and not implied and need not in kept:
                kept.append(need)
        if not op.conditional:
            for need in kept:
                if not ops[need.instance % len(ops)].conditional:
                    self._learn(op.unit, need)
        return kept

    def record(self, op: Op, repetition: int, instance: int) -> None:
        self._units[instance] = op.unit
        for region in op.reads:
            slot = self._slot(region, repetition)
            if slot is not None:
                readers = slot.readers.get(op.unit)
                if readers is None:
                    readers = slot.readers[op.unit] = np.full(region.buffer.entries, _NOBODY, np.int64)
                readers[region.start : region.stop] = instance
        for region in op.writes:
            slot = self._slot(region, repetition)
            if slot is not None:
                slot.writer[region.start : region.stop] = instance
                slot.version += 1
                for readers in slot.readers.values():
                    readers[region.start : region.stop] = _NOBODY

    def _learn(self, unit: str, need: _Need) -> None:
        for after in (After.DONE, After.FREE) if need.after is After.DONE else (After.FREE,):
            key = (unit, need.unit, after)
            self._known[key] = max(self._known.get(key, _NOBODY), need.instance)

    def _slot(self, region: Region, repetition: int) -> _Slot | None:
        """The slot's record; None where no write of this phase can ever conflict."""
        name = region.buffer.name
        if name not in self._written:
            return None
        key = (name, region.slot(repetition))
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = _Slot(np.full(region.buffer.entries, _NOBODY, np.int64))
        return slot

    def _to(self, instances: npt.NDArray[np.int64], after: After, cause: Wait) -> list[_Need]:
        found = set(instances.tolist())
        found.discard(_NOBODY)
        return [_Need(i, self._units[i], after, cause) for i in found]


def _as_deps(needs: list[_Need], instance: int, index: int, count: int) -> tuple[Dep, ...]:
    repetition = instance // count
    deps = []
    for need in needs:
        lag = repetition - need.instance // count
        # What comes out of this very step is an operand; only what comes from an earlier one is recurrence.
        cause = Wait.OPERAND if need.cause is Wait.RECURRENCE and lag == 0 else need.cause
        deps.append(Dep(need.instance % count, lag, need.after, cause))
    return tuple(sorted(deps, key=lambda d: (d.lag, d.op, d.after.value)))


def _read_cause(region: Region) -> Wait:
    match region.buffer.kind:
        case DataKind.H | DataKind.C:
            return Wait.RECURRENCE
        case DataKind.X:
            return Wait.INPUT
        case DataKind.W_IH | DataKind.W_HH | DataKind.W_HR | DataKind.BIAS | DataKind.PEEPHOLE:
            return Wait.WEIGHTS
        case _:
            return Wait.OPERAND


def _write_cause(region: Region) -> Wait:
    return Wait.ACCUMULATOR if region.buffer.kind is DataKind.PARTIAL_SUM else Wait.BUFFER
