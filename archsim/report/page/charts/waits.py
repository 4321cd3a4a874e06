"""Says of ops on record what each had waited for: the op whose token came last, or the sequencer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archsim.program.ir import After, Dep, Program
from archsim.trace import OpRecord

_Key = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Waited:
    """For how long the unit stood still before an op, and for what; "" if it did not."""

    cycles: int
    reason: str


class Waits:
    """The waits of the ops on record, by the rule of starts: the unit, the last token, or the issue."""

    def __init__(self, program: Program, records: Sequence[OpRecord], token_latency_cycles: int) -> None:
        self._program = program
        self._latency = token_latency_cycles
        self._records: dict[_Key, OpRecord] = {(one.phase, one.repetition, one.op): one for one in records}
        self._before: dict[_Key, OpRecord] = {}
        last: dict[tuple[int, str], OpRecord] = {}
        for one in sorted(records, key=lambda one: (one.phase, one.start, one.free)):
            place = one.phase, self._unit(one)
            if place in last:
                self._before[one.phase, one.repetition, one.op] = last[place]
            last[place] = one

    def of(self, record: OpRecord) -> Waited:
        """What an op had waited for; without the op before on its unit on record the length is not known: 0."""
        before = self._before.get((record.phase, record.repetition, record.op))
        if before is None:
            return Waited(0, "")
        cycles = record.start - before.free
        return Waited(cycles, self._reason(record)) if cycles > 0 else Waited(0, "")

    def _reason(self, record: OpRecord) -> str:
        missing = False
        for dep, sender in self._senders(record):
            if sender is None:
                missing = True
            elif self._arrival(dep, sender) == record.start:
                event = "is done" if dep.after is After.DONE else "is free"
                return f"{dep.cause.value}: until {self._label(sender)} {event}"
        for dep, sender in self._senders(record):
            if sender is not None and dep.after is After.FIRST:
                return f"{dep.cause.value}: until the first word of {self._label(sender)} is through"
        return "an op before those shown" if missing else "wait_issue: until the sequencer has issued it"

    def _senders(self, record: OpRecord) -> Iterator[tuple[Dep, OpRecord | None]]:
        """The dependencies of an op, each with what is on record of the op that it waits for."""
        phase = self._program.phases[record.phase]
        for dep in phase.deps[record.op]:
            repetition = record.repetition - dep.lag
            if repetition >= 0 and phase.ops[dep.op].active(repetition, phase.repeat):
                yield dep, self._records.get((record.phase, repetition, dep.op))

    def _arrival(self, dep: Dep, sender: OpRecord) -> int | None:
        """The cycle in which the token comes; None of one that follows word by word."""
        if dep.after is After.FIRST:
            return None
        return (sender.done if dep.after is After.DONE else sender.free) + self._latency

    def _label(self, record: OpRecord) -> str:
        op = self._program.phases[record.phase].ops[record.op]
        return f"{op.label} ({op.unit}, step {op.step(record.repetition)})"

    def _unit(self, record: OpRecord) -> str:
        return self._program.phases[record.phase].ops[record.op].unit
