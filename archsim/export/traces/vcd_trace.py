"""Writes a run as a VCD, which GTKWave and Surfer show: what each unit does, its queue, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vcd import VCDWriter
from vcd.writer import Variable

from archsim import __version__
from archsim.export.traces.activity import AccumulatorUse, moved_bytes
from archsim.export.traces.time_order import TimeOrder
from archsim.export.traces.trace_end import TraceEnd
from archsim.export.traces.traced_run import TracedRun
from archsim.program.ir import Program
from archsim.trace.in_order import TimedOp

_FREE, _ISSUE, _WAIT, _START = range(4)
"""The order of events of one cycle: what ends comes before what begins."""


@dataclass(frozen=True, slots=True)
class _Change:
    unit: str
    op: str | None = None
    """The op that holds the unit from now on; "" if none does, None if that stays."""
    queued: int = 0
    """How many more ops are in its queue."""
    waits: str | None = None
    """What it waits for from now on; "" for nothing, None if that stays."""
    rates: tuple[tuple[str, float], ...] = ()
    """(memory, bytes a cycle) from now on."""
    accumulators: int = 0
    """How many more are in use."""


class VcdTrace:
    """A trace.vcd under way; 1 cycle is 1 ns there. What an op's unit waits for is shown from the op's issue on."""

    def __init__(self, file: Path, run: TracedRun, program: Program) -> None:
        self._file = file.open("w", encoding="utf-8", newline="\n")
        comment = f"{run.title}; 1 ns is 1 cycle of {run.clock_mhz:g} MHz; archsim {__version__}"
        self._vcd = VCDWriter(self._file, timescale="1 ns", date="", comment=comment)
        self._busy: dict[str, Variable[str]] = {}
        self._op: dict[str, Variable[str]] = {}
        self._waits: dict[str, Variable[str]] = {}
        self._queue: dict[str, Variable[str]] = {}
        self._depth = dict.fromkeys(run.units, 0)
        self._rates: dict[tuple[str, str], Variable[float]] = {}
        memories = _memories(program)
        for unit in run.units:
            self._busy[unit] = self._vcd.register_var(unit, "busy", "wire", size=1, init=0)
            self._op[unit] = self._vcd.register_var(unit, "op", "string", init="")
            self._waits[unit] = self._vcd.register_var(unit, "waits_for", "string", init="")
            self._queue[unit] = self._vcd.register_var(unit, "queue_ops", "integer", size=32, init=0)
            for memory in memories.get(unit, ()):
                name = f"{memory}_bytes_per_cycle"
                self._rates[unit, memory] = self._vcd.register_var(unit, name, "real", init=0.0)
        self._in_use = self._vcd.register_var("accumulators", "in_use", "integer", size=32, init=0)
        self._held = 0
        self._use = AccumulatorUse(program)
        self._order = TimeOrder[_Change](self._take)

    def add(self, timed: TimedOp) -> None:
        """Write an op."""
        op, times, record = timed.op, timed.times, timed.times.record
        held = max(1, record.free - record.start)
        moved = moved_bytes(op)
        self._order.add(times.issue, _ISSUE, _Change(op.unit, queued=1))
        if times.cause is not None:
            begin = max(times.issue, record.start - times.waited_cycles)
            self._order.add(begin, _WAIT, _Change(op.unit, waits=times.cause.value))
        rates = tuple((memory, amount / held) for memory, amount in moved.items())
        self._order.add(record.start, _START, _Change(op.unit, op.label, -1, "", rates))
        stopped = tuple((memory, 0.0) for memory in moved)
        self._order.add(record.free, _FREE, _Change(op.unit, "", rates=stopped))
        for change in self._use.of(timed):
            rank = _START if change.entries > 0 else _FREE
            self._order.add(change.cycle, rank, _Change(op.unit, accumulators=change.entries))
        self._order.complete_before(times.issue)

    def finish(self, end: TraceEnd) -> None:
        """Write the rest, up to the end of the run."""
        self._order.complete_before(None)
        self._vcd.close(end.total_cycles)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _take(self, cycle: int, change: _Change) -> None:
        vcd, unit = self._vcd, change.unit
        if change.op is not None:
            vcd.change(self._busy[unit], cycle, int(bool(change.op)))
            vcd.change(self._op[unit], cycle, change.op.replace(" ", "_"))
        if change.queued:
            self._depth[unit] += change.queued
            vcd.change(self._queue[unit], cycle, self._depth[unit])
        if change.waits is not None:
            vcd.change(self._waits[unit], cycle, change.waits)
        for memory, rate in change.rates:
            vcd.change(self._rates[unit, memory], cycle, rate)
        if change.accumulators:
            self._held += change.accumulators
            vcd.change(self._in_use, cycle, self._held)


def _memories(program: Program) -> dict[str, tuple[str, ...]]:
    """Unit -> memories that its ops move, in the order in which they first do."""
    found: dict[str, dict[str, None]] = {}
    for phase in program.phases:
        for op, _ in phase.distinct:
            found.setdefault(op.unit, {}).update(dict.fromkeys(moved_bytes(op)))
    return {unit: tuple(memories) for unit, memories in found.items()}
