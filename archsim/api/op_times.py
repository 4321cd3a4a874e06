"""Takes down the times of all ops of a run as it goes, and the records of those in the window beside them."""

from __future__ import annotations

from dataclasses import replace

from archsim.critical import AllTimes
from archsim.program.ir import PhaseKind, Program
from archsim.trace import OpRecord, OpTimes, Trace, Window


class OpTimesTaken:
    """What a machine tells its listener: all times, for the critical path, and a trace's records."""

    def __init__(self, program: Program, window: Window) -> None:
        self.all = AllTimes(program)
        self.window = Window(0, max(phase.repeat * phase.unroll for phase in program.phases))
        """The window to listen to: everything."""
        stop = window.first + window.count
        self._inside = [
            phase.repetitions_of(window.first, stop) if phase.kind is PhaseKind.BODY else range(phase.repeat)
            for phase in program.phases
        ]
        self._records: list[OpRecord] = []

    def add(self, times: OpTimes) -> None:
        """Take down the times of one op."""
        self.all.add(times)
        record = times.record
        if record.repetition in self._inside[record.phase]:
            self._records.append(record)

    def trace(self, trace: Trace) -> Trace:
        """The trace of the run with the records that it has where nobody listens."""
        found = sorted(self._records, key=lambda record: (record.phase, record.repetition, record.op))
        return replace(trace, records=tuple(found))
