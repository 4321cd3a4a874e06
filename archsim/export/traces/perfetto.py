"""Writes a run as a Chrome trace of events, which Perfetto (ui.perfetto.dev) and chrome://tracing show.

A process is the machine, a track a unit, a slice an op from its start until it frees its unit. 1 cycle is 1 us there.
"""

from __future__ import annotations

import gzip
import json
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from archsim import __version__
from archsim.export.traces.activity import AccumulatorUse, moved_bytes
from archsim.export.traces.time_order import TimeOrder
from archsim.export.traces.trace_end import Arrow, TraceEnd
from archsim.export.traces.traced_run import TracedRun
from archsim.program.ir import Op, PhaseKind, Program, Region
from archsim.trace.in_order import TimedOp

_PID = 1

_Plain = str | int | float | list[str]


class PerfettoTrace:
    """A trace.json.gz under way.

    Counters: ops in each unit's queue, bytes a cycle that each unit moves of each memory, accumulators in use. Arrows
    go along the critical path and, if asked for, along dependencies.
    """

    def __init__(self, file: Path, run: TracedRun, program: Program) -> None:
        self._raw = file.open("wb")
        # Neither a name nor a time in its head: the same bytes for the same run.
        self._zip = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, mtime=0)
        self._program = program
        self._tracks = {unit: place + 1 for place, unit in enumerate(run.units)}
        self._use = AccumulatorUse(program)
        self._held = 0
        self._accumulators = TimeOrder[int](self._count_accumulators)
        self._started: dict[str, deque[int]] = {unit: deque() for unit in run.units}
        self._moves: dict[tuple[str, str], tuple[int, float]] = {}
        note = {"note": "1 us is 1 cycle", "clock_mhz": run.clock_mhz, "generator": f"archsim {__version__}"}
        self._write(
            '{"displayTimeUnit":"ns","metadata":' + json.dumps({"run": run.title, **note}) + ',"traceEvents":[\n'
        )
        self._write(json.dumps(_meta("process_name", {"name": run.title})))
        for unit, track in self._tracks.items():
            self._event(_meta("thread_name", {"name": unit}, track))
            self._event(_meta("thread_sort_index", {"sort_index": track}, track))

    def add(self, timed: TimedOp) -> None:
        """Write an op as a slice, and what it changes in counters."""
        op, times, record = timed.op, timed.times, timed.times.record
        arguments: dict[str, _Plain] = {
            "phase": self._program.phases[record.phase].name,
            "repetition": record.repetition,
            "step": timed.step if self._program.phases[record.phase].kind is PhaseKind.BODY else -1,
            "issue": times.issue,
            "done": record.done,
            "compute_cycles": times.compute_cycles,
            "port_cycles": times.port_cycles,
            "waited_cycles": times.waited_cycles,
            "macs": op.macs,
            "reads": [_operand(region, record.repetition) for region in op.reads],
            "writes": [_operand(region, record.repetition) for region in op.writes],
        }
        if times.cause is not None:
            arguments["waited_for"] = times.cause.value
        self._event(
            {
                "ph": "X",
                "name": op.label,
                "cat": op.unit,
                "pid": _PID,
                "tid": self._tracks[op.unit],
                "ts": record.start,
                "dur": record.free - record.start,
                "args": arguments,
            }
        )
        self._count_queue(op, times.issue, record.start)
        self._count_moves(op, record.start, record.free)
        for held in self._use.of(timed):
            self._accumulators.add(held.cycle, 0, held.entries)
        self._accumulators.complete_before(times.issue)

    def finish(self, end: TraceEnd) -> None:
        """Write what counters end with, and the arrows of the critical path."""
        for unit, starts in self._started.items():
            self._empty(unit, starts, end.total_cycles)
        for (unit, memory), (until, _) in self._moves.items():
            self._counter(f"{unit}: {memory}, B/cycle", until, 0)
        self._accumulators.complete_before(None)
        self._arrows("critical path", end.handovers, 0)
        self._arrows("dependency", end.dependencies, len(end.handovers))
        if len(end.dependencies) < end.all_dependencies:
            text = f"arrows of the first {len(end.dependencies):,} of {end.all_dependencies:,} dependencies"
            self._event(_meta("process_labels", {"labels": text}))
        self._write("\n]}\n")

    def _arrows(self, name: str, arrows: Sequence[Arrow], first: int) -> None:
        """Write arrows from slice to slice, numbered from `first` on."""
        for number, (source, target) in enumerate(arrows, first):
            arrow = {"id": number, "name": name, "cat": name, "pid": _PID}
            self._event({"ph": "s", **arrow, "tid": self._tracks[source.unit], "ts": source.start})
            self._event({"ph": "f", **arrow, "tid": self._tracks[target.unit], "ts": target.start, "bp": "e"})

    def close(self) -> None:
        """Close the file."""
        self._zip.close()
        self._raw.close()

    def _count_queue(self, op: Op, issue: int, start: int) -> None:
        """Ops in the unit's queue: one more at an issue, one less at a start; a unit's come in order."""
        starts = self._started[op.unit]
        self._empty(op.unit, starts, issue)
        starts.append(start)
        self._counter(f"{op.unit}: queue, ops", issue, len(starts))

    def _empty(self, unit: str, starts: deque[int], until: int) -> None:
        while starts and starts[0] <= until:
            cycle = starts.popleft()
            self._counter(f"{unit}: queue, ops", cycle, len(starts))

    def _count_moves(self, op: Op, start: int, free: int) -> None:
        """Bytes a cycle while an op holds its unit, of each memory that it moves."""
        moved = moved_bytes(op)
        before_it = (name for unit, name in self._moves if unit == op.unit)
        for memory in dict.fromkeys((*moved, *before_it)):
            rate = moved.get(memory, 0.0) / (free - start) if free > start else 0.0
            key = op.unit, memory
            until, before = self._moves.get(key, (0, 0.0))
            if before and until < start:
                self._counter(f"{op.unit}: {memory}, B/cycle", until, 0)
                before = 0.0
            if rate != before:
                self._counter(f"{op.unit}: {memory}, B/cycle", start, round(rate, 3))
            self._moves[key] = free, rate

    def _count_accumulators(self, cycle: int, entries: int) -> None:
        self._held += entries
        self._counter("accumulators in use", cycle, self._held)

    def _counter(self, name: str, cycle: int, value: float) -> None:
        self._event({"ph": "C", "name": name, "pid": _PID, "ts": cycle, "args": {"value": value}})

    def _event(self, event: Mapping[str, object]) -> None:
        self._write(",\n" + json.dumps(event, separators=(",", ":")))

    def _write(self, text: str) -> None:
        self._zip.write(text.encode())


def _meta(name: str, arguments: Mapping[str, object], track: int = 0) -> Mapping[str, object]:
    return {"ph": "M", "name": name, "pid": _PID, "tid": track, "args": arguments}


def _operand(region: Region, repetition: int) -> str:
    return f"{region.buffer.name}[{region.slot(repetition)}][{region.start}:{region.stop}]"
