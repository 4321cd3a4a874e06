"""Defines the program's representation: buffers, regions, ops, dependencies and phases, all frozen.

A program is a short sequence of *phases*; a phase is a body of ops that is repeated (for an LSTM: once per time
step). A dependency names an op of the same body and a lag: 0 is this repetition, 1 the one before. A phase starts
when every op of the phase before has completed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from math import gcd
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from archsim.formats import NumberFormat
from archsim.program.packing import Packing
from archsim.program.sparsity import DENSE, Sparsity

if TYPE_CHECKING:
    from archsim.program.accesses import Accesses

WIDE = "wide"
"""The format kind of a buffer of integers that are not yet narrowed, each in a scale that the ops know: held in 64 bits
here, so that no bit is lost, whatever the width of the accumulators that they stand for."""


DELTA = "delta"
"""The format kind of a buffer of differences of two numbers of a q format: a bit more, in the same scale."""


class DataKind(StrEnum):
    """What a buffer holds; traffic is reported by it."""

    W_IH = "W_ih"
    W_HH = "W_hh"
    W_HR = "W_hr"
    WEIGHT_TILE = "weight_tile"
    BIAS = "bias"
    PEEPHOLE = "peephole"
    LAYER_NORM = "layer_norm"
    X = "x"
    H = "h"
    C = "c"
    PARTIAL_SUM = "partial_sum"
    GATE = "gate"
    OUTPUT = "output"
    VALID = "valid"
    STREAM = "stream"
    DELTA = "delta"

    @property
    def is_matrix(self) -> bool:
        """Whether data of this kind are a weight matrix of a cell."""
        return self in (DataKind.W_IH, DataKind.W_HH, DataKind.W_HR)


class PhaseKind(StrEnum):
    """The kind of a phase.

    Prologue (loads what stays on the chip, and what fills it first), body (the time steps), epilogue (stores what
    remains). A handover stands between two layers that run one after the other: the first inputs of the next are
    loaded.
    """

    PROLOGUE = "prologue"
    BODY = "body"
    HANDOVER = "handover"
    EPILOGUE = "epilogue"


class After(StrEnum):
    """Which event of the earlier op a dependency waits for."""

    DONE = "done"
    """Its results are visible (read after write, write after write)."""
    FREE = "free"
    """It has read its operands, at the end of its occupancy (write after read)."""
    FIRST = "first"
    """Its first word is visible, the others follow (read after write, word by word through a FIFO). The op that waits
    for it is free no earlier than the earlier op is done."""


class Wait(StrEnum):
    """The reason why a unit waits: the buckets of its cycle stack that are not work."""

    RECURRENCE = "wait_recurrence"
    INPUT = "wait_input"
    WEIGHTS = "wait_weights"
    ACCUMULATOR = "wait_accumulator"
    OPERAND = "wait_operand"
    BUFFER = "wait_buffer"
    ISSUE = "wait_issue"


@dataclass(frozen=True, slots=True, eq=False)
class Buffer:
    """A named array in one memory: `slots` copies of `entries` rows of `width` elements.

    `slots=None` means one slot for each repetition of the body, never re-used: a tensor with a time axis in DRAM.
    """

    name: str
    memory: str
    kind: DataKind
    entries: int
    width: int
    number_format: NumberFormat
    slots: int | None = 1
    length: int | None = None
    """Time steps of a buffer with a time axis, if they are known: a slot beyond them is a structure hazard."""
    is_input: bool = False
    """Filled from the workload before the program starts (a DRAM tensor)."""
    format_kind: str = ""
    """Which of the architecture's formats its numbers have, as "gate"; "" where that is no question (a bit)."""
    stream: bool = False
    """A FIFO between two units: an op that reads it follows, word by word, the op that writes it."""
    tensor: str = ""
    """The tensor of the workload that fills it before the program starts; "" for the one of its own name."""
    encoding: str = ""
    """The name under which its encoding is known; "" for its own."""
    matrix: bool = False
    """An entry is a row of a matrix, the vector whose numbers may share an exponent; else a column of entries is."""
    sparsity: Sparsity = DENSE
    """Which of a matrix's weights are stored, each with its index; in simulation the others stand as zeros."""
    packing: Packing | None = None
    """How the tiles of a matrix lie one after the other, if it is not stored whole."""
    bank: str = ""
    """Which bank it lies in, where its memory has one for each kind of data; "" for the one bank of others."""
    is_result: bool = False
    """Its content at the end is a result of the run: the last h or c of a machine that stores neither outside."""
    is_cleared: bool = False
    """Zero before the program starts, so that it may be read before anything has written it."""

    def __reduce__(self) -> tuple[type[Buffer], tuple[object, ...]]:
        """Pickled as its fields, without looking for what fields it has."""
        return Buffer, _buffer_fields(self)

    def bits_of(self, entries: int) -> int:
        """The bits of so many consecutive entries."""
        if self.matrix:
            return entries * self.sparsity.row_bits(self.width, self.number_format)
        return self.width * self.number_format.vector_bits(entries)

    @property
    def size_bytes(self) -> int:
        """The bytes of all slots together; only for a buffer with a fixed number of slots."""
        assert self.slots is not None
        return -(-self.slots * self.bits_of(self.entries) // 8)


_buffer_fields: Callable[[Buffer], tuple[object, ...]] = attrgetter(*(field.name for field in fields(Buffer)))


@dataclass(frozen=True, slots=True)
class Region:
    """The entries [start, stop) of one slot of a buffer.

    In repetition r the slot is (r * stride + offset) mod slots.
    """

    buffer: Buffer
    start: int
    stop: int
    offset: int = 0
    stride: int = 0
    encoding: str = ""
    """The name under which its numbers' encoding is known, if they have another than the rest; "" for the buffer's."""

    def __reduce__(self) -> tuple[type[Region], tuple[object, ...]]:
        """Pickled as its fields, without looking for what fields it has."""
        return Region, (self.buffer, self.start, self.stop, self.offset, self.stride, self.encoding)

    def slot(self, repetition: int) -> int:
        """The slot this region addresses in a repetition (0-based)."""
        slot = repetition * self.stride + self.offset
        return slot if self.buffer.slots is None else slot % self.buffer.slots

    @property
    def entries(self) -> int:
        """How many entries the region covers."""
        return self.stop - self.start

    @property
    def values(self) -> int:
        """How many values the region holds."""
        return self.entries * self.buffer.width

    @property
    def bits(self) -> int:
        """The bits that reading or writing the whole region moves."""
        return self.buffer.bits_of(self.entries)

    @property
    def reuse_distance(self) -> int | None:
        """The number of repetitions after which the same slot comes round again; None if it never does."""
        if self.buffer.slots is None:
            return None
        return self.buffer.slots // gcd(self.buffer.slots, self.stride)


@dataclass(frozen=True, slots=True)
class Observed:
    """The rows of an op's result that an observer may keep: a part of a quantity of a cell at a time step.

    `quantity`: "c", or a gate's name (i, f, g, o; r, z, n). `first_row` and `rows` are counted in the op's first write;
    `first_unit` is the hidden unit that the first row stands for.
    """

    quantity: str
    first_row: int
    rows: int
    first_unit: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A result whose entries say which columns are multiplied, those that are not 0: bias, then x, then h of a cell.

    Of a batch those that are not 0 in some sequence. `cell`: its number; `inputs`: I. `first`: the number of the first
    entry's column, where x and h are results of their own.
    """

    region: Region
    cell: int
    inputs: int
    first: int = 0


@dataclass(frozen=True, kw_only=True)
class Op(ABC):
    """One piece of work on one unit. Subclasses (one per kind, beside their unit) name their operands.

    Operands in `reads` are sampled while the op holds its unit; regions in `writes` change when it completes. A
    region in `updates` is also in `writes`: it is read, changed and written back at completion (accumulation), so
    that an op that continues the sum of the op before it on the same unit need not wait for the pipeline to drain.
    """

    unit: str
    label: str
    skip_first: int = 0
    """Inactive in that many first repetitions of the phase."""
    skip_last: int = 0
    """Inactive in that many last repetitions of the phase."""
    joined: bool = False
    """Part of the instruction of the op before it: issued with it, in the same cycle."""
    step_stride: int = 1
    step_offset: int = 0
    """In repetition r of a body the op works on time step r * step_stride + step_offset of its layer."""

    @property
    @abstractmethod
    def reads(self) -> tuple[Region, ...]:
        """The regions sampled at the start."""

    @property
    @abstractmethod
    def writes(self) -> tuple[Region, ...]:
        """The regions written at completion."""

    @property
    def updates(self) -> tuple[Region, ...]:
        """The regions of `writes` whose old value goes into the new one."""
        return ()

    @property
    def awaits(self) -> tuple[Region, ...]:
        """The regions that must be written as a whole before the op starts, though it may read but a part."""
        return ()

    @property
    def observed(self) -> tuple[Observed, ...]:
        """The rows of its first write that an observer may keep, to measure cells and gates over time."""
        return ()

    @property
    def sent(self) -> Sent | None:
        """The result that says which columns of a layer's weights are multiplied; None of an op that makes none."""
        return None

    @property
    def block_steps(self) -> int:
        """The time steps whose W_ih x the op makes at once, ahead of them; 0 if it makes none ahead."""
        return 0

    def moved_share(self, region: Region) -> int | Fraction:
        """The share of an operand or result that a repetition moves, in the mean of all; 1 but where data decide it."""
        return 1

    @property
    def streams(self) -> bool:
        """Whether the op reads word by word what another op of the same repetition is still writing."""
        return any(region.buffer.stream for region in self.reads)

    @property
    def macs(self) -> int:
        """The multiply-accumulates of the model that this op does (padding not counted)."""
        return 0

    @property
    def conditional(self) -> bool:
        """Whether some repetition leaves the op out."""
        return bool(self.skip_first or self.skip_last)

    @property
    def window(self) -> tuple[int, int]:
        """The pair (skip_first, skip_last): ops of one window take part in the same repetitions."""
        return self.skip_first, self.skip_last

    def step(self, repetition: int) -> int:
        """The time step of a sequence that the op works on in a repetition of a body."""
        return repetition * self.step_stride + self.step_offset

    def active(self, repetition: int, repeat: int) -> bool:
        """Whether the op takes part in a repetition of a phase with `repeat` repetitions."""
        return self.skip_first <= repetition < repeat - self.skip_last

    def instances(self, repeat: int) -> int:
        """The number of the `repeat` repetitions in which the op takes part."""
        return max(0, repeat - self.skip_first - self.skip_last)


@dataclass(frozen=True, slots=True)
class Dep:
    """A wait for op number `op` of the body, `lag` repetitions ago; `cause` is where the wait is booked."""

    op: int
    lag: int
    after: After
    cause: Wait


@dataclass(frozen=True)
class Phase:
    """A body of ops in program order with their dependencies, repeated `repeat` times.

    `steps`: time steps of the network (or of one layer) that a body completes, all repetitions together; 0 if it only
    prepares some; None: one a repetition. `unroll`: how many of them a repetition completes. `marks_all`: the end of
    every repetition stands in the trace, as where no two need be alike.
    """

    name: str
    kind: PhaseKind
    repeat: int
    ops: tuple[Op, ...]
    deps: tuple[tuple[Dep, ...], ...]
    steps: int | None = None
    unroll: int = 1
    marks_all: bool = False

    @property
    def marked_repetitions(self) -> tuple[int, ...]:
        """The repetitions whose ends stand in the trace, in order."""
        if self.marks_all:
            return tuple(range(self.repeat))
        return tuple(sorted({0, *self.steady_repetitions, self.repeat - 1}))

    @property
    def time_steps(self) -> int:
        """The number of time steps that the phase completes."""
        return self.repeat if self.steps is None else self.steps

    def repetitions_of(self, first: int, stop: int) -> range:
        """The repetitions of a body in which time steps [first, stop) stand; all of one that completes none.

        Where layers are delayed against each other a repetition counts as the step of the first layer in it.
        """
        if not self.time_steps:
            return range(self.repeat)
        before = -self.time_steps % self.unroll
        last = -(-(stop + before) // self.unroll)
        return range(max(0, first + before) // self.unroll, max(0, min(self.repeat, last)))

    def times_per_step(self, number: int) -> Fraction:
        """How often op number `number` takes part for each time step of a body that completes some."""
        return Fraction(self.ops[number].instances(self.repeat), self.time_steps)

    @cached_property
    def max_lag(self) -> int:
        """The longest lag of any dependency."""
        return int(self.order[2].max(initial=0))

    @cached_property
    def accesses(self) -> Accesses:
        """What the ops touch, as arrays."""
        from archsim.program.accesses import Accesses  # it is about the classes above

        return Accesses.of(self.ops)

    def with_accesses(self, accesses: Accesses) -> Phase:
        """The phase itself, which need not look again for what its ops touch."""
        self.__dict__["accesses"] = accesses  # where the property above keeps it
        return self

    @cached_property
    def order(self) -> npt.NDArray[np.int64]:
        """The dependencies as columns: the op that waits, the one that it waits for, the lag, and the event's code."""
        from archsim.program.codes import EVENT_CODES  # of events that stand above

        rows: list[int] = []
        for number, deps in enumerate(self.deps):
            for dep in deps:
                rows += number, dep.op, dep.lag, EVENT_CODES[dep.after]
        return np.ascontiguousarray(np.array(rows, np.int64).reshape(-1, 4).T)

    @property
    def reuse_distance(self) -> int:
        """The repetitions after which every slot that the phase writes has come round again (at least 1)."""
        return self.accesses.reuse_distance

    @cached_property
    def accessed(self) -> tuple[Buffer, ...]:
        """The buffers that ops read or write, in the order of their first access."""
        return self.accesses.used

    @cached_property
    def shapes(self) -> tuple[tuple[Op, ...], tuple[int, ...]]:
        """One op of each shape (program/shapes.py), and for each op the number of its shape among them."""
        from archsim.program.shapes import shapes_of  # it is about the classes above

        return shapes_of(self.ops)

    @cached_property
    def distinct(self) -> tuple[tuple[Op, int], ...]:
        """One op of each shape, and how often the phase executes ops of that shape."""
        distinct, places = self.shapes
        times = [0] * len(distinct)
        for op, place in zip(self.ops, places, strict=True):
            times[place] += op.instances(self.repeat)
        return tuple(zip(distinct, times, strict=True))

    @cached_property
    def steady_repetitions(self) -> tuple[int, int]:
        """The repetitions (a, b) between whose ends the steady state is measured.

        b is the last repetition in which every op takes part (the very last one of all if that is the first or there is
        none), and a half of it, or the first in which every op does.
        """
        last = self.repeat - 1 - max((op.skip_last for op in self.ops), default=0)
        last = last if last >= 1 else self.repeat - 1
        return min(max(last // 2, self.head), last), last

    @cached_property
    def head(self) -> int:
        """The number of repetitions at the beginning in which some op is left out: a wavefront fills."""
        return max((op.skip_first for op in self.ops), default=0)

    @cached_property
    def op_instances(self) -> int:
        """The number of ops executed over all repetitions."""
        return sum(op.instances(self.repeat) for op in self.ops)


@dataclass(frozen=True, repr=False)
class Program:
    """What the machine executes. `schedule` is the name of the way it was ordered."""

    schedule: str
    buffers: tuple[Buffer, ...]
    phases: tuple[Phase, ...]

    def __repr__(self) -> str:
        """One line: how it is ordered, and how long it is."""
        return f"<program {self.schedule}: {len(self.phases)} phases, {self.op_instances:,} ops executed>"

    @property
    def op_instances(self) -> int:
        """The number of ops executed in a whole run."""
        return sum(phase.op_instances for phase in self.phases)

    @property
    def macs(self) -> int:
        """The multiply-accumulates of the model over the whole run."""
        return sum(op.macs * times for phase in self.phases for op, times in phase.distinct)

    def of_kind(self, kind: PhaseKind) -> tuple[Phase, ...]:
        """All phases of a kind, in order."""
        return tuple(phase for phase in self.phases if phase.kind is kind)

    def phase(self, kind: PhaseKind) -> Phase:
        """The first phase of a kind; KeyError if there is none."""
        for phase in self.of_kind(kind):
            return phase
        raise KeyError(kind)
