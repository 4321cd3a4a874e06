"""Says of each op what memories it moves how fast, and how many accumulators are in use from when to when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archsim.program.ir import Op, Phase, Program, Region
from archsim.trace.in_order import TimedOp

ACCUMULATORS = "accumulators"


def moved_bytes(op: Op) -> Mapping[str, float]:
    """Memory -> bytes that an op reads and writes there."""
    bits: dict[str, int] = {}
    for region in (*op.reads, *op.updates, *op.writes):
        bits[region.buffer.memory] = bits.get(region.buffer.memory, 0) + region.bits
    return {memory: amount / 8 for memory, amount in bits.items() if memory}


@dataclass(frozen=True, slots=True)
class Held:
    """Accumulators that become used at an op's start (`entries` > 0) or free when it has read them (< 0)."""

    cycle: int
    entries: int


class AccumulatorUse:
    """The accumulators in use: each from the start of the op that begins a sum in it until the last op has read it."""

    def __init__(self, program: Program) -> None:
        self._freed = [_freed(phase) for phase in program.phases]

    def of(self, timed: TimedOp) -> Iterator[Held]:
        """What an op changes."""
        record = timed.times.record
        begun = sum(region.values for region in _begun(timed.op))
        if begun:
            yield Held(record.start, begun)
        freed = self._freed[record.phase][timed.index]
        if freed:
            yield Held(record.free, -freed)


def _begun(op: Op) -> Iterator[Region]:
    """The regions in which an op begins new sums."""
    old = set(op.updates)
    return (region for region in op.writes if region.buffer.memory == ACCUMULATORS and region not in old)


def _freed(phase: Phase) -> list[int]:
    """For each op how many accumulators it is the last to read, in its repetition, before others begin a sum there."""
    freed = [0] * len(phase.ops)
    last: dict[tuple[str, int, int], tuple[int, int]] = {}
    for index, op in enumerate(phase.ops):
        for region in _begun(op):
            for row in range(region.start, region.stop):
                reader, values = last.pop((region.buffer.name, region.offset, row), (index, 0))
                freed[reader] += values
        for region in op.reads:
            if region.buffer.memory == ACCUMULATORS:
                for row in range(region.start, region.stop):
                    last[region.buffer.name, region.offset, row] = index, region.buffer.width
    for reader, values in last.values():
        freed[reader] += values
    return freed
