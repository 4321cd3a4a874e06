"""Keeps the times of every op of a run, and finds the ops that stand before another one."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archsim.hardware.unit import Service
from archsim.program.ir import Phase, Program
from archsim.trace import OpTimes

MAX_OPS = 2_000_000
"""Most ops of a run whose times are kept: 48 bytes each."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What starts follow from besides the program: service times by phase and op, and the sequencer's settings.

    `with_history`: units whose service times are lower bounds, since they depend on what was before.
    """

    services: tuple[tuple[Service, ...], ...]
    issue_cycles: int
    queue_depth: int
    token_latency_cycles: int
    with_history: frozenset[str] = frozenset()
    releases: tuple[int, ...] = ()
    """For each repetition of a body the cycle, from the body's begin, before which it is not issued."""


class Instance(NamedTuple):
    """An op in a repetition of a phase, each counted from 0."""

    phase: int
    repetition: int
    op: int


class AllTimes:
    """The times of all ops of a run, in cycles, a matrix (repetitions, ops) for each phase; 0 where an op is left out.

    `add` takes them as the machine's listener, in any order; another executor fills the matrices. `held`: for how long
    an op needs its unit, the longer of what datapath and ports need.
    """

    def __init__(self, program: Program) -> None:
        shapes = [(phase.repeat, len(phase.ops)) for phase in program.phases]
        # NumPy takes three times as long as an array to set one number; it shows the same numbers as a matrix.
        self._cells = [tuple(array("q", bytes(8 * rows * ops)) for _ in range(6)) for rows, ops in shapes]
        self._ops = [ops for _, ops in shapes]
        self.issue, self.start, self.free, self.done, self.compute, self.held = (
            [_matrix(cells[kind], shape) for cells, shape in zip(self._cells, shapes, strict=True)] for kind in range(6)
        )

    def add(self, times: OpTimes) -> None:
        """Keep the times of one op."""
        record = times.record
        issue, start, free, done, compute, held = self._cells[record.phase]
        place = record.repetition * self._ops[record.phase] + record.op
        issue[place], start[place] = times.issue, record.start
        free[place], done[place] = record.free, record.done
        compute[place], held[place] = times.compute_cycles, max(times.compute_cycles, times.port_cycles)


def _matrix(cells: array[int], shape: tuple[int, int]) -> NDArray[np.int64]:
    """The cells, row after row, as they are at any time."""
    return np.frombuffer(cells, np.int64).reshape(shape) if len(cells) else np.zeros(shape, np.int64)


class Order:
    """The order of a phase's ops: what the sequencer issued before an op, and what its unit executed before it."""

    def __init__(self, phase: Phase) -> None:
        self._phase = phase
        self._of_unit: dict[str, list[int]] = {}
        self._place: list[int] = []
        for index, op in enumerate(phase.ops):
            ops = self._of_unit.setdefault(op.unit, [])
            self._place.append(len(ops))
            ops.append(index)

    def on_unit(self, repetition: int, op: int, back: int = 1) -> tuple[int, int] | None:
        """The (repetition, op) that the op's unit takes `back` places before it; None in front of the first."""
        ops = self._of_unit[self._phase.ops[op].unit]
        return self._before(ops, repetition, self._place[op], back)

    def issued_before(self, repetition: int, op: int) -> tuple[tuple[int, int] | None, int]:
        """The (repetition, op) issued before, or None; and how many left-out ops are passed over between."""
        passed, index = 0, op
        while True:
            index -= 1
            if index < 0:
                repetition, index = repetition - 1, len(self._phase.ops) - 1
            if repetition < 0:
                return None, passed
            found = self._phase.ops[index]
            if found.active(repetition, self._phase.repeat):
                return (repetition, index), passed
            passed += not found.joined

    def _before(self, ops: Sequence[int], repetition: int, place: int, back: int) -> tuple[int, int] | None:
        phase = self._phase
        while True:
            place -= 1
            if place < 0:
                repetition, place = repetition - 1, len(ops) - 1
            if repetition < 0:
                return None
            if phase.ops[ops[place]].active(repetition, phase.repeat):
                back -= 1
                if not back:
                    return repetition, ops[place]


def last_op(times: NDArray[np.int64]) -> tuple[int, int]:
    """(repetition, op) with the latest of a phase's times, the first of equals."""
    repetition, op = np.unravel_index(int(times.argmax()), times.shape)
    return int(repetition), int(op)
