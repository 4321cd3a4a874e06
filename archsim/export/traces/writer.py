"""Opens the traces that are asked for of a run, and passes them its ops as it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from archsim.config.run_files import TraceKind
from archsim.export.traces.trace_end import TraceEnd
from archsim.export.traces.traced_run import TracedRun
from archsim.program.ir import Program
from archsim.trace.in_order import TimedOp


class TraceWriter(Protocol):
    """Writes a trace, an op after the other."""

    def add(self, timed: TimedOp) -> None:
        """Write an op; they come in program order."""

    def finish(self, end: TraceEnd) -> None:
        """Write what is known at the end."""

    def close(self) -> None:
        """Close the file, whole or not."""


class Traces:
    """Several traces of one run."""

    def __init__(self, kinds: Sequence[TraceKind], folder: Path, run: TracedRun, program: Program) -> None:
        self._writers = [_open(kind, folder / kind.file, run, program) for kind in dict.fromkeys(kinds)]

    def add(self, timed: TimedOp) -> None:
        """Write an op; they come in program order."""
        for writer in self._writers:
            writer.add(timed)

    def finish(self, end: TraceEnd) -> None:
        """Write the ends of all traces."""
        for writer in self._writers:
            writer.finish(end)

    def close(self) -> None:
        """Close all files."""
        for writer in self._writers:
            writer.close()


def _open(kind: TraceKind, file: Path, run: TracedRun, program: Program) -> TraceWriter:
    match kind:
        case TraceKind.PERFETTO:
            from archsim.export.traces.perfetto import PerfettoTrace

            return PerfettoTrace(file, run, program)
        case TraceKind.VCD:
            from archsim.export.traces.vcd_trace import VcdTrace

            return VcdTrace(file, run, program)
        case TraceKind.KONATA:
            from archsim.export.traces.konata import KonataTrace

            return KonataTrace(file)
