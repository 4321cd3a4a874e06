"""Says what a hazard is, and finds those of a phase that can be seen without its order: faults of its structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.program.codes import FIRST_CODE
from archsim.program.ir import After, Op, Phase, Region

NO_LENGTH = np.iinfo(np.int64).max
"""The time steps of a buffer that has any."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """Two accesses that conflict and that nothing orders, or an access that can never be right.

    `kind` is "RAW", "WAR", "WAW", "uninitialized" or "structure"; `first` and `second` are op labels with their
    repetition ("" where there is only one op).
    """

    kind: str
    phase: str
    first: str
    second: str
    where: str

    def __str__(self) -> str:
        between = f"{self.first} and {self.second}" if self.second else self.first
        return f"{self.kind} hazard in phase {self.phase}: {between}: {self.where}"


def region_name(region: Region) -> str:
    """A region as messages show it: memory, buffer and entries."""
    return f"{region.buffer.memory}.{region.buffer.name}[{region.start}:{region.stop}]"


def structure_faults(phase: Phase) -> list[Hazard]:
    """The faults that need no clock: dependencies forward (a deadlock) or nowhere, and bad regions.

    A region is bad outside its buffer, or where strides are mixed.
    """
    alike = phase.repeat == 1 or phase.accesses.move_alike
    faults = [] if alike else _mixed_strides(phase)
    for index in _suspects(phase):
        op, deps = phase.ops[index], phase.deps[index]
        for dep in deps:
            if not 0 <= dep.op < len(phase.ops) or dep.lag < 0:
                faults.append(_structure(phase, op, f"depends on op {dep.op} at lag {dep.lag}, which does not exist"))
            elif dep.lag == 0 and dep.op >= index:
                faults.append(_structure(phase, op, f"waits for op {dep.op}, which comes after it: a deadlock"))
            elif dep.after is After.FIRST:
                faults += _stream_faults(phase, op, phase.ops[dep.op], dep.lag)
        faults += [
            _structure(phase, op, f"{region_name(region)} is outside the buffer")
            for region in op.reads + op.writes
            if not 0 <= region.start < region.stop <= region.buffer.entries
        ]
        faults += [
            _structure(
                phase, op, f"{region_name(region)} is at time step {step}, outside the buffer's {region.buffer.length}"
            )
            for region in op.reads + op.writes
            for step in _steps_outside(phase, op, region)
        ]
    return faults


def _suspects(phase: Phase) -> list[int]:
    """The numbers of the ops that may have such a fault: few of a program that has none."""
    accesses, ops = phase.accesses, len(phase.ops)
    op, other, lag, after = phase.order
    bad = (other < 0) | (other >= ops) | (lag < 0) | ((lag == 0) & (other >= op)) | (after == FIRST_CODE)
    entries = accesses.of_buffer([buffer.entries for buffer in accesses.buffers])
    outside = (accesses.start < 0) | (accesses.start >= accesses.stop) | (accesses.stop > entries)
    first, last = accesses.skip_first[accesses.op], phase.repeat - 1 - accesses.skip_last[accesses.op]
    lengths = [NO_LENGTH if buffer.length is None else buffer.length for buffer in accesses.buffers]
    for repetition in (first, last):
        step = repetition * accesses.stride + accesses.offset
        outside |= (accesses.slots == 0) & ((step < 0) | (step >= accesses.of_buffer(lengths)))
    return sorted({*op[bad].tolist(), *accesses.op[outside].tolist()})


def _stream_faults(phase: Phase, op: Op, source: Op, lag: int) -> list[Hazard]:
    """The faults of an op that follows a FIFO.

    It must follow within a repetition, in none of which it is there without the other, and take the very words that
    the other writes. Words that nobody takes, in a repetition without the op, are in nobody's way.
    """
    if lag or op.skip_first < source.skip_first or op.skip_last < source.skip_last:
        return [_structure(phase, op, f"follows '{source.label}', which is not always of the same repetition")]
    written = {region for region in source.writes if region.buffer.stream}
    if written.isdisjoint(op.reads):
        return [_structure(phase, op, f"follows '{source.label}', but does not read the words that it writes")]
    return []


def _steps_outside(phase: Phase, op: Op, region: Region) -> list[int]:
    """The time steps that a region reaches in the op's first or last repetition, but its buffer does not have."""
    length = region.buffer.length
    if region.buffer.slots is not None or length is None or not op.instances(phase.repeat):
        return []
    ends = {region.slot(op.skip_first), region.slot(phase.repeat - op.skip_last - 1)}
    return sorted(step for step in ends if not 0 <= step < length)


def _mixed_strides(phase: Phase) -> list[Hazard]:
    """The conflicts of accesses to the same entries that move through the slots at different strides.

    Which slots they share then changes from repetition to repetition, so no dependency with a fixed lag can order them.
    """
    if phase.repeat == 1:
        return []
    accesses: dict[str, dict[tuple[int, int, int, bool], Op]] = {}
    for op in phase.ops:
        for regions, writes in ((op.reads, False), (op.writes, True)):
            for region in regions:
                stride = region.stride if region.buffer.slots is None else region.stride % region.buffer.slots
                key = (stride, region.start, region.stop, writes)
                accesses.setdefault(region.buffer.name, {}).setdefault(key, op)
    faults = []
    for name, found in accesses.items():
        if len({stride for stride, *_ in found}) == 1:
            continue
        for (stride, start, stop, writes), op in found.items():
            for (other_stride, other_start, other_stop, other_writes), other in found.items():
                apart = start >= other_stop or other_start >= stop
                if stride < other_stride and not apart and (writes or other_writes):
                    where = f"both move through {name}[{start}:{stop}], at strides {stride} and {other_stride}"
                    faults.append(Hazard("structure", phase.name, f"'{op.label}'", f"'{other.label}'", where))
    return faults


def _structure(phase: Phase, op: Op, where: str) -> Hazard:
    return Hazard("structure", phase.name, op.label, "", where)
