"""Takes down the times of ops of a run as it goes: of all, and the records of those in the window beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from archsim.critical import AllTimes
from archsim.program.ir import PhaseKind, Program
from archsim.trace import OpRecord, OpTimes, Trace, Window

Listener = Callable[[OpTimes], None]


class OpTimesTaken:
    """What a machine tells its listener: all times, for the critical path, and a trace's records.

    `keep`: whether all times are kept. `others`: what else listens.
    """

    def __init__(self, program: Program, window: Window, keep: bool, others: Sequence[Listener] = ()) -> None:
        self.all = AllTimes(program) if keep else None
        self._others = others
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
        if self.all is not None:
            self.all.add(times)
        for listener in self._others:
            listener(times)
        record = times.record
        if record.repetition in self._inside[record.phase]:
            self._records.append(record)

    def trace(self, trace: Trace) -> Trace:
        """The trace of the run with the records that it has where nobody listens."""
        found = sorted(self._records, key=lambda record: (record.phase, record.repetition, record.op))
        return replace(trace, records=tuple(found))
