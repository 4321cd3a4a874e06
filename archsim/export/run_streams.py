"""Writes traces and tables of a run while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from archsim.api import Simulation
from archsim.api.explain import Findings
from archsim.config.run_files import TableFormat, TableKind, TraceArrows, TraceKind
from archsim.export.run_tables import RunTables
from archsim.export.traces.trace_end import TraceEnd
from archsim.export.traces.traced_run import TracedRun
from archsim.export.traces.writer import Traces
from archsim.program.ir import Program
from archsim.trace import OpTimes
from archsim.trace.in_order import InOrder, TimedOp


@dataclass(frozen=True, slots=True)
class Streams:
    """Which traces and tables are to be written."""

    traces: tuple[TraceKind, ...] = ()
    tables: tuple[TableKind, ...] = ()
    table_format: TableFormat = TableFormat.PARQUET
    arrows: TraceArrows = TraceArrows.PATH

    @property
    def any(self) -> bool:
        """Whether any is."""
        return bool(self.traces or self.tables)


class Written:
    """Traces and tables under way; the machine calls `listeners` with the times of each op."""

    def __init__(self, streams: Streams, folder: Path, run: TracedRun, program: Program) -> None:
        self._every = streams.arrows is TraceArrows.ALL
        self._traces = Traces(streams.traces, folder, run, program) if streams.traces else None
        self._tables = RunTables(streams.tables, streams.table_format, folder, program) if streams.tables else None
        self.listeners: Sequence[Callable[[OpTimes], None]] = (InOrder(program, self._add).add,) if streams.any else ()

    def _add(self, timed: TimedOp) -> None:
        for found in (self._traces, self._tables):
            if found is not None:
                found.add(timed)

    def finish(self, simulation: Simulation, findings: Findings) -> None:
        """Write what is known at the end."""
        if self._traces is not None:
            cycles, times = simulation.trace.total_cycles, simulation.times
            self._traces.finish(TraceEnd.of(cycles, simulation.program, findings.path, times, self._every))
        if self._tables is not None:
            self._tables.finish(simulation.trace)

    def close(self) -> None:
        """Close all files."""
        for found in (self._traces, self._tables):
            if found is not None:
                found.close()


@contextmanager
def written(streams: Streams, folder: Path, run: TracedRun, program: Program) -> Iterator[Written]:
    """Open the files of a run that is about to begin; they are closed when the block ends."""
    found = Written(streams, folder, run, program)
    try:
        yield found
    finally:
        found.close()
