"""The oracle of the planted-fault tests: which pairs of conflicting accesses does nothing order?

Written from the order rules alone and as naively as possible: unroll every repetition, number the events of every op
instance (S starts, F has read its operands, D is visible), keep for each event the bit set of all events before it,
and look at every pair of accesses. It shares no code and no idea (clocks, last accesses, shortening) with
archsim.program.verifier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from archsim.program.ir import After, Op, Phase, Program, Region

START, FREE, DONE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Pair:
    """Two op instances (numbers into Unrolled.instances, the first earlier in program order) that conflict."""

    kind: str
    first: int
    second: int


def instances(phase: Phase) -> list[tuple[int, int]]:
    """(repetition, op) of all that a phase executes, in program order."""
    return [
        (repetition, index)
        for repetition in range(phase.repeat)
        for index, op in enumerate(phase.ops)
        if op.skip_first <= repetition < phase.repeat - op.skip_last
    ]


class Unrolled:
    """All op instances of a phase and the order of their events."""

    def __init__(self, phase: Phase) -> None:
        self.phase = phase
        self.instances = instances(phase)
        self.number = {instance: number for number, instance in enumerate(self.instances)}
        self.before: list[int] = []
        """For each event (3 * instance + START, FREE or DONE) the bit set of the events at or before it."""
        last_on: dict[str, int] = {}
        for number, (repetition, index) in enumerate(self.instances):
            start = 1 << self.event(number, START)
            done = 0
            previous = last_on.get(phase.ops[index].unit)
            if previous is not None:
                start |= self.before[self.event(previous, FREE)]
                done |= self.before[self.event(previous, DONE)]
            for dep in phase.deps[index]:
                other = self.number.get((repetition - dep.lag, dep.op))
                if other is not None:
                    assert other < number, "a dependency that points forward has no place in this oracle"
                    start |= self.before[self.event(other, DONE if dep.after is After.DONE else FREE)]
            free = start | 1 << self.event(number, FREE)
            self.before += [start, free, done | free | 1 << self.event(number, DONE)]
            last_on[phase.ops[index].unit] = number

    @staticmethod
    def event(instance: int, kind: int) -> int:
        return 3 * instance + kind

    def precedes(self, first: int, first_kind: int, second: int, second_kind: int) -> bool:
        """Whether an event lies at or before another in every execution."""
        return bool(self.before[self.event(second, second_kind)] >> self.event(first, first_kind) & 1)

    @cached_property
    def hazards(self) -> list[Pair]:
        """Every pair of conflicting accesses, however far apart, that nothing orders."""
        return [pair for pair in self._conflicts() if not self._ordered(pair)]

    def _ordered(self, pair: Pair) -> bool:
        if pair.kind == "RAW":  # the value must be visible when the reader starts
            return self.precedes(pair.first, DONE, pair.second, START)
        if pair.kind == "WAR":  # the old value must have been read when the new one appears
            return self.precedes(pair.first, FREE, pair.second, DONE)
        return self.precedes(pair.first, DONE, pair.second, DONE)  # WAW, and the old value of an update

    def _conflicts(self) -> Iterator[Pair]:
        touched: dict[tuple[str, int], list[tuple[int, int, int, bool]]] = {}
        for number, (repetition, index) in enumerate(self.instances):
            for region, writes in _accesses(self.phase.ops[index]):
                slot = repetition * region.stride + region.offset
                if region.buffer.slots is not None:
                    slot %= region.buffer.slots
                touched.setdefault((region.buffer.name, slot), []).append((number, region.start, region.stop, writes))
        for accesses in touched.values():
            if not any(writes for _, _, _, writes in accesses):
                continue
            for later, (second, start, stop, second_writes) in enumerate(accesses):
                for first, first_start, first_stop, first_writes in accesses[:later]:
                    if first == second or first_stop <= start or stop <= first_start:
                        continue
                    if first_writes:
                        yield Pair("WAW" if second_writes else "RAW", first, second)
                    elif second_writes:
                        yield Pair("WAR", first, second)


def faulty(program: Program) -> bool:
    """Whether anything is wrong with a program whose dependencies point backward: the oracle's verdict."""
    broken = reads_before_writes(program) or leaves_its_buffers(program)
    return broken or any(Unrolled(phase).hazards for phase in program.phases)


def leaves_its_buffers(program: Program) -> bool:
    """Whether some op, at some time, accesses entries or a time step that its buffer does not have."""
    for phase in program.phases:
        for repetition, index in instances(phase):
            for region, _ in _accesses(phase.ops[index]):
                b = region.buffer
                step = repetition * region.stride + region.offset
                if not 0 <= region.start < region.stop <= b.entries:
                    return True
                if b.slots is None and b.length is not None and not 0 <= step < b.length:
                    return True
    return False


def reads_before_writes(program: Program) -> bool:
    """Whether some op, in program order, reads (or adds to) an entry that is no input and that nothing has written."""
    written: set[tuple[str, int, int]] = set()
    for phase in program.phases:
        for repetition, index in instances(phase):
            op = phase.ops[index]
            for region in op.reads + op.updates:
                if not region.buffer.is_input and not _entries(region, repetition) <= written:
                    return True
            for region in op.writes:
                written |= _entries(region, repetition)
    return False


def _entries(region: Region, repetition: int) -> set[tuple[str, int, int]]:
    slot = repetition * region.stride + region.offset
    if region.buffer.slots is not None:
        slot %= region.buffer.slots
    return {(region.buffer.name, slot, entry) for entry in range(region.start, region.stop)}


def _accesses(op: Op) -> Iterator[tuple[Region, bool]]:
    for region in op.reads:
        yield region, False
    for region in op.writes:
        yield region, True
