"""Makes the sequencer's program and the token network: segments of entries, and a credit counter for each edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from archsim.families.rtl import RtlError
from archsim.program.ir import After, Phase, Program


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the sequencer's program: an op of a phase, put into its unit's queue or left out."""

    phase: int
    index: int
    left_out: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """Entries that are issued `repeat` times; `barrier`: only when all ops before are done."""

    entries: tuple[Entry, ...]
    repeat: int
    barrier: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """A credit counter: the numbers of producer and consumer, the producer's event, and the credits at the start."""

    producer: int
    consumer: int
    after_done: bool
    initial: int


def segments(program: Program) -> list[Segment]:
    """The segments of a program: repetitions with the same ops are one."""
    found: list[Segment] = []
    for number, phase in enumerate(program.phases):
        if not phase.op_instances:
            continue
        active = (tuple(op.active(r, phase.repeat) for op in phase.ops) for r in range(phase.repeat))
        for place, (takes_part, group) in enumerate(groupby(active)):
            entries = tuple(Entry(number, index, not there) for index, there in enumerate(takes_part))
            found.append(Segment(entries, len(list(group)), not place))
    return found


def edges(program: Program, numbers: Mapping[tuple[int, int], int]) -> list[Edge]:
    """The edges of a program; `numbers`: of (phase, op), as the RTL numbers ops."""
    return [edge for number, phase in enumerate(program.phases) for edge in _edges(number, phase, numbers)]


def _edges(number: int, phase: Phase, numbers: Mapping[tuple[int, int], int]) -> Sequence[Edge]:
    found: list[Edge] = []
    for index, deps in enumerate(phase.deps):
        consumer = phase.ops[index]
        for dep in deps:
            producer = phase.ops[dep.op]
            if not consumer.instances(phase.repeat) or not producer.instances(phase.repeat):
                continue
            # A consumer behind the producer's last repetitions would wait for a token that nobody sends.
            if phase.repeat - consumer.skip_last - 1 - dep.lag >= phase.repeat - producer.skip_last:
                raise RtlError(f"no RTL of a token from '{producer.label}' to '{consumer.label}', which outlives it")
            initial = producer.skip_first + dep.lag - consumer.skip_first
            after_done = dep.after is After.DONE
            found.append(Edge(numbers[number, dep.op], numbers[number, index], after_done, initial))
    return found
