"""Writes when every op of a run was issued, started, free and done, as JSON or CSV, while the run goes on."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter

from archsim.config.csv_cells import harmless_row
from archsim.engines.events import Options, execute
from archsim.errors import ScheduleError
from archsim.export.head import VerifiedRun
from archsim.export.plain import ObjectWriter, Write
from archsim.families.load import Arch
from archsim.families.schedules import AskedSchedule
from archsim.trace import Trace, Window
from archsim.trace.in_order import InOrder, TimedOp
from archsim.workload import Workload

FORMAT = "archsim-trace"
VERSION = 1


@dataclass(frozen=True, slots=True)
class OpRow:
    """One op of one repetition, with its times in cycles from the start of the run."""

    phase: int
    repetition: int
    op: int
    label: str
    unit: str
    issue_cycle: int
    start_cycle: int
    free_cycle: int
    done_cycle: int
    compute_cycles: int
    port_cycles: int


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """When a phase started and ended."""

    phase: int
    name: str
    kind: str
    repeat: int
    start_cycle: int
    end_cycle: int


@dataclass(frozen=True, slots=True)
class CycleWindow:
    """The cycles [first, last] in which an op must be issued, at work or done to be written; None: to the end."""

    first: int = 0
    last: int | None = None

    def has(self, row: OpRow) -> bool:
        """Whether some cycle from the op's issue to its completion is in the window."""
        return row.done_cycle >= self.first and (self.last is None or row.issue_cycle <= self.last)

    def check(self, trace: Trace) -> None:
        """ScheduleError if the run ends before the window begins."""
        if self.first > trace.total_cycles:
            raise ScheduleError(f"--from {self.first:,}: the run ends at cycle {trace.total_cycles:,}")


@dataclass(frozen=True, slots=True)
class TracedRun:
    """A run that has not begun, whose ops are written as it is executed."""

    run: VerifiedRun

    @classmethod
    def make(cls, arch: Arch, workload: Workload, schedule: AskedSchedule) -> TracedRun:
        """Build and verify the program; raises what `simulate` raises before it executes anything."""
        return cls(VerifiedRun.make(arch, workload, schedule))

    def write_json(self, write: Write, window: CycleWindow) -> None:
        """Execute the run and write a JSON object with an object for each op."""
        out = ObjectWriter(write)
        self.run.write_head(out, FORMAT, VERSION)
        out.field("clock_mhz", self.run.arch.config.clock_mhz)
        with out.open_array("ops") as add:
            trace = self._execute(lambda row: add(row) if window.has(row) else None)
            window.check(trace)
        phases = zip(self.run.program.phases, trace.phases, strict=True)
        rows = (
            PhaseRow(number, phase.name, phase.kind.value, phase.repeat, times.start, times.end)
            for number, (phase, times) in enumerate(phases)
        )
        out.array("phases", rows)
        out.field("total_cycles", trace.total_cycles)
        out.end()

    def write_csv(self, write: Write, window: CycleWindow) -> None:
        """Execute the run and write a line of comma-separated values for each op, below a line of names."""
        line = io.StringIO()
        table = csv.writer(line, lineterminator="\n")

        def add(values: tuple[object, ...]) -> None:
            table.writerow(harmless_row(values))
            write(line.getvalue())
            line.seek(0)
            line.truncate()

        names = tuple(field.name for field in fields(OpRow))
        values = attrgetter(*names)
        add(names)
        window.check(self._execute(lambda row: add(values(row)) if window.has(row) else None))

    def _execute(self, take: Callable[[OpRow], None]) -> Trace:
        """Execute the run, and call `take` with every op in program order."""
        ordered = InOrder(self.run.program, lambda timed: take(_row(timed)))
        steps = self.run.workload.spec.steps + len(
            self.run.workload.spec.layers
        )  # layers may be delayed against each other
        return execute(self.run.program, self.run.spec, Options(window=Window(0, steps), listener=ordered.add))


def _row(timed: TimedOp) -> OpRow:
    times, record = timed.times, timed.times.record
    return OpRow(
        phase=record.phase,
        repetition=record.repetition,
        op=record.op,
        label=timed.op.label,
        unit=timed.op.unit,
        issue_cycle=times.issue,
        start_cycle=record.start,
        free_cycle=record.free,
        done_cycle=record.done,
        compute_cycles=times.compute_cycles,
        port_cycles=times.port_cycles,
    )
