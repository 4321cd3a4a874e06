"""Places a program's buffers in the memories of the RTL, and makes the pointers of operands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from archsim.families.cells.activation import Activate
from archsim.hardware.dram.transfers import Transfer
from archsim.program.ir import Buffer, DataKind, Op, Program, Region


class Memory(Enum):
    """A memory of the RTL that holds vectors."""

    X = "x"
    H = "h"
    C = "c"
    GATES = "gates"
    SCRATCH = "scratch"
    VECTOR = "vector"
    SUMS = "sums"
    DRAM = "dram"


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where an operand is in its first repetition, and how it moves on from each to the next."""

    first: int
    step: int
    limit: int
    span: int


@dataclass(frozen=True, slots=True)
class Place:
    """A buffer's memory and first element there."""

    memory: Memory
    base: int


@dataclass(frozen=True, slots=True)
class VectorMap:
    """The places of all buffers of vectors, and how many elements each memory holds."""

    places: Mapping[str, Place]
    sizes: Mapping[Memory, int]
    steps: int

    def memory(self, region: Region) -> Memory:
        """The memory that holds a region."""
        return self.places[region.buffer.name].memory

    def pointer(self, region: Region, op: Op) -> Pointer:
        """The pointer of an operand of an op: its elements in row-major order, entry by entry."""
        buffer = region.buffer
        size = buffer.entries * buffer.width
        base = self.places[buffer.name].base + region.start * buffer.width
        first = base + region.slot(op.skip_first) * size
        if buffer.slots is None:
            return Pointer(first, region.stride * size, -1, 0)
        span = buffer.slots * size
        return Pointer(first, region.stride % buffer.slots * size, base + span, span)


def map_vectors(program: Program, steps: int) -> VectorMap:
    """Place the buffers one after the other in the order of the program; `steps`: slots of one with a time axis."""
    of = _memories(program)
    places: dict[str, Place] = {}
    sizes = dict.fromkeys(Memory, 0)
    for buffer in program.buffers:
        memory = of.get(buffer.name)
        if memory is not None:
            places[buffer.name] = Place(memory, sizes[memory])
            sizes[memory] += (steps if buffer.slots is None else buffer.slots) * buffer.entries * buffer.width
    return VectorMap(places, sizes, steps)


def _memories(program: Program) -> dict[str, Memory]:
    ops = [op for phase in program.phases for op in phase.ops]
    loaded = {op.target.buffer.name for op in ops if isinstance(op, Transfer)}
    gates = {op.target.buffer.name for op in ops if isinstance(op, Activate) and op.gates}
    found: dict[str, Memory] = {}
    for buffer in program.buffers:
        memory = _memory(buffer, loaded, gates)
        if memory is not None:
            found[buffer.name] = memory
    return found


def _memory(buffer: Buffer, loaded: set[str], gates: set[str]) -> Memory | None:
    if buffer.memory == "dram":
        vectors = (DataKind.X, DataKind.H, DataKind.C, DataKind.OUTPUT)
        return Memory.DRAM if buffer.kind in vectors else None
    match buffer.kind:
        case DataKind.X:
            return Memory.X
        case DataKind.C:
            return Memory.C
        case DataKind.PARTIAL_SUM:
            return Memory.SUMS
        case DataKind.H:
            return Memory.H if buffer.name in loaded else Memory.VECTOR
        case DataKind.GATE:
            return Memory.GATES if buffer.name in gates else Memory.SCRATCH
        case _:
            return None
