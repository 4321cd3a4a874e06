"""Puts the ops of a run into program order as they come from the machine, with few of them held back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from archsim.program.ir import Op, Program
from archsim.trace.data import OpTimes

_Key = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class TimedOp:
    """An op of a repetition, and when it was where: cycles from the start of the run."""

    op: Op
    index: int
    """Its place in the program order of its phase."""
    times: OpTimes

    @property
    def step(self) -> int:
        """The time step that it works on; of phases that are no bodies the repetition."""
        return self.op.step(self.times.record.repetition)


class InOrder:
    """Passes ops on in program order; those that come early are kept, which are as many as the queues let ahead."""

    def __init__(self, program: Program, take: Callable[[TimedOp], None]) -> None:
        self._program = program
        self._take = take
        self._early: dict[_Key, OpTimes] = {}
        self._expected = _instances(program)
        self._next = next(self._expected, None)

    def add(self, times: OpTimes) -> None:
        """Take the times of one op; pass on all whose turn it is."""
        record = times.record
        self._early[record.phase, record.repetition, record.op] = times
        while self._next in self._early:
            assert self._next is not None
            phase, _, index = self._next
            self._take(TimedOp(self._program.phases[phase].ops[index], index, self._early.pop(self._next)))
            self._next = next(self._expected, None)


def _instances(program: Program) -> Iterator[_Key]:
    """Every op instance of a program, in program order."""
    for number, phase in enumerate(program.phases):
        for repetition in range(phase.repeat):
            for index, op in enumerate(phase.ops):
                if op.active(repetition, phase.repeat):
                    yield number, repetition, index
