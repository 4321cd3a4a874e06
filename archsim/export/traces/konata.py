"""Writes a run for Konata, a viewer of pipelines: an op is an instruction, with its stages queue, unit and pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archsim.export.traces.time_order import TimeOrder
from archsim.export.traces.trace_end import TraceEnd
from archsim.trace.in_order import TimedOp

QUEUE, EXECUTE, DRAIN = "Q", "X", "D"
"""The stages: in the unit's queue; on the unit; its results in the pipeline behind."""

_RETIRE, _ISSUE, _BEGIN = range(3)
"""The order of events of one cycle."""


@dataclass(frozen=True, slots=True)
class _Event:
    number: int
    begins: str
    """The stage that begins; "" where the op retires."""
    text: str = ""


class KonataTrace:
    """A trace.konata (Kanata log, version 4) under way, an op after the other; stages of no cycles are left out."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w", encoding="utf-8", newline="\n")
        self._file.write("Kanata\t0004\nC=\t0\n")
        self._now = 0
        self._number = 0
        self._retired = 0
        self._stage: dict[int, str] = {}
        self._order = TimeOrder[_Event](self._take)

    def add(self, timed: TimedOp) -> None:
        """Write an op."""
        times, record, number = timed.times, timed.times.record, self._number
        self._number += 1
        waited = f", waited {times.waited_cycles} for {times.cause.value}" if times.cause is not None else ""
        text = f"{timed.op.unit}: {timed.op.label}, step {timed.step}{waited}"
        if record.start > times.issue:
            self._order.add(times.issue, _ISSUE, _Event(number, QUEUE, text))
            text = ""
        self._order.add(record.start, _BEGIN, _Event(number, EXECUTE, text))
        if record.done > record.free:
            self._order.add(record.free, _BEGIN, _Event(number, DRAIN))
        self._order.add(record.done, _RETIRE, _Event(number, ""))
        self._order.complete_before(times.issue)

    def finish(self, end: TraceEnd) -> None:
        """Write the rest."""
        self._order.complete_before(None)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _take(self, cycle: int, event: _Event) -> None:
        if cycle > self._now:
            self._file.write(f"C\t{cycle - self._now}\n")
            self._now = cycle
        number = event.number
        if event.text:
            self._file.write(f"I\t{number}\t{number}\t0\nL\t{number}\t0\t{event.text}\n")
        if number in self._stage:
            self._file.write(f"E\t{number}\t0\t{self._stage.pop(number)}\n")
        if event.begins:
            self._file.write(f"S\t{number}\t0\t{event.begins}\n")
            self._stage[number] = event.begins
        else:
            self._file.write(f"R\t{number}\t{self._retired}\t0\n")
            self._retired += 1
