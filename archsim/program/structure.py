"""Names what the order of ops depends on, so that programs that are alike in it are put in order and checked once.

Dependencies follow from which ops touch the same entries of the same buffers, on which units and in which repetitions;
how long a vector is, what a buffer is called, in which memory it lies and what an op computes is nothing to them. Where
regions begin and end counts only by the order of these places. Ops that agree in all of it have the same digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from archsim.config.files.sources import PACKAGE, sources_digest, sources_of
from archsim.program.causes import read_cause, write_cause
from archsim.program.codes import CAUSE_CODES, EVENT_CODES
from archsim.program.ir import Buffer, Op, Phase, Program, Region

_FIELDS = 6
"""Numbers that stand for a region: buffer, start, stop, offset, stride, whether it lies inside its buffer."""


def ops_digest(ops: Sequence[Op]) -> bytes:
    """The digest of ops that become a phase: what their dependencies follow from."""
    found = _Encoded()
    found.add(ops)
    return found.digest("ops")


def program_digest(program: Program) -> bytes:
    """The digest of a program: what its hazards follow from, the dependencies that it has among it."""
    found = _Encoded()
    for phase in program.phases:
        found.add(phase.ops)
        found.add_order(phase)
    return found.digest("program")


class _Encoded:
    """Ops as numbers."""

    def __init__(self) -> None:
        self._heads: list[int] = []
        self._regions: list[int] = []
        self._units: dict[str, int] = {}
        self._names: dict[str, int] = {}
        self._numbers: dict[Buffer, int] = {}
        self._buffers: list[int] = []

    def add(self, ops: Sequence[Op]) -> None:
        """Add ops in their order."""
        heads, units = self._heads, self._units
        heads.append(len(ops))
        for op in ops:
            unit = units.setdefault(op.unit, len(units))
            reads, awaits, writes, updates = op.reads, op.awaits, op.writes, op.updates
            heads += unit, op.skip_first, op.skip_last, len(reads), len(awaits), len(writes), len(updates)
            self._add_regions(reads)
            self._add_regions(writes)
            if awaits:
                self._add_regions(awaits)
            if updates:
                self._add_regions(updates)

    def add_order(self, phase: Phase) -> None:
        """Add how often the ops of a phase are repeated, and what each of them waits for."""
        heads = self._heads
        heads += phase.repeat, len(phase.deps)
        for deps in phase.deps:
            heads.append(len(deps))
            for dep in deps:
                heads += dep.op, dep.lag, EVENT_CODES[dep.after]

    def digest(self, what: str) -> bytes:
        """32 bytes that differ where anything differs that was added; `what` tells kinds of digests apart."""
        found = hashlib.sha256(f"{what} {_sources()} {len(self._heads)} {len(self._buffers)} ".encode())
        for numbers in (self._heads, self._buffers):
            found.update(np.array(numbers, np.int64).tobytes())
        found.update(self._ranked().tobytes())
        return found.digest()

    def _add_regions(self, regions: Sequence[Region]) -> None:
        numbers, found = self._numbers, self._regions
        for region in regions:
            buffer, start, stop = region.buffer, region.start, region.stop
            number = numbers.get(buffer)
            if number is None:
                number = self._add_buffer(buffer)
            found += number, start, stop, region.offset, region.stride, 0 <= start < stop <= buffer.entries

    def _add_buffer(self, buffer: Buffer) -> int:
        number = self._numbers[buffer] = len(self._numbers)
        name = self._names.setdefault(buffer.name, len(self._names))
        slots, length = (-1 if count is None else count for count in (buffer.slots, buffer.length))
        kinds = buffer.is_input, buffer.is_cleared, buffer.stream
        self._buffers += name, slots, length, *kinds, CAUSE_CODES[read_cause(buffer)], CAUSE_CODES[write_cause(buffer)]
        return number

    def _ranked(self) -> npt.NDArray[np.int64]:
        """The regions with the place of each end among all ends of its buffer in place of the end itself."""
        rows = np.array(self._regions, np.int64).reshape(-1, _FIELDS)
        if len(rows):
            name = np.array(self._buffers, np.int64).reshape(len(self._numbers), -1)[rows[:, 0], 0]
            # Names after each other, and within each its ends in order: their numbers tell both.
            ends = np.stack([np.concatenate([name, name]), np.concatenate([rows[:, 1], rows[:, 2]])])
            order = np.lexsort((ends[1], ends[0]))
            new = np.any(np.diff(ends[:, order], axis=1, prepend=-1) != 0, axis=0)
            new[0] = True
            rank = np.empty(len(order), np.int64)
            rank[order] = np.cumsum(new)
            rows[:, 1], rows[:, 2] = rank[: len(rows)], rank[len(rows) :]
        return rows


@cache
def _sources() -> str:
    """A text that changes whenever anything changes that puts ops in order or checks them."""
    return sources_digest(sources_of(PACKAGE / "program"))
