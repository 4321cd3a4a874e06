"""The longest chain from one time step to the next, compiled: the bound `recurrence` of archsim.metrics.bounds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from archsim.fast.compiled import compiled
from archsim.fast.tables import DONE_CODE, FIRST_CODE, Ints, PhaseTables
from archsim.fast.timing import ServiceTimes
from archsim.program.ir import Dep, Phase


@dataclass(frozen=True, slots=True, eq=False)
class ChainTables:
    """Of a body: its `tables`, each op's window as a number (n), and the dependencies that close a chain (m).

    Such a one passes h from op `last` to op `first`, `lag` repetitions later.
    """

    tables: PhaseTables
    window: Ints
    first: Ints
    last: Ints
    lag: Ints

    @classmethod
    def of(cls, body: Phase, tables: PhaseTables, closing: tuple[tuple[int, Dep], ...]) -> ChainTables:
        """`closing`: (op that waits, dependency) in the order of the ops that wait."""
        windows: dict[tuple[int, int], int] = {}
        numbers = [windows.setdefault(op.window, len(windows)) for op in body.ops]
        rows = [(first, dep.op, dep.lag) for first, dep in closing]
        first, last, lag = np.ascontiguousarray(np.array(rows, np.int64).reshape(-1, 3).T)
        return cls(tables, np.array(numbers, np.int64), first, last, lag)

    def longest(self, services: ServiceTimes) -> Fraction:
        """Cycles a repetition."""
        t = self.tables
        lengths = chain_lengths(
            t.unit,
            t.first_dep,
            t.dep_op,
            t.dep_lag,
            t.dep_after,
            self.window,
            services.occupancy,
            services.depth,
            services.first_word,
            self.first,
            self.last,
        )
        found = zip(lengths.tolist(), self.lag.tolist(), strict=True)
        return max((Fraction(length, lag) for length, lag in found if length >= 0), default=Fraction(0))


@compiled
def chain_lengths(
    unit: Ints,
    first_dep: Ints,
    dep_op: Ints,
    dep_lag: Ints,
    dep_after: Ints,
    window: Ints,
    occupancy: Ints,
    depth: Ints,
    first_word: Ints,
    first: Ints,
    last: Ints,
) -> Ints:
    """For each closing dependency (m) the cycles from the start of `first` to the done of `last`; -1 if none does.

    Ops follow each other along dependencies of the same repetition (after DONE: occupancy and depth; after FREE:
    occupancy; after FIRST: until the first word) and, on one unit, in order (occupancy); only ops of the same window as
    `first` are on the way.
    """
    count = len(unit)
    lengths = np.full(len(first), -1, np.int64)
    starts = np.full(count, -1, np.int64)
    before = np.full(count, -1, np.int64)
    for m in range(len(first)):
        begin = first[m]
        if m == 0 or first[m - 1] != begin:
            starts[:] = -1
            before[:] = -1
            starts[begin] = 0
            before[unit[begin]] = begin
            for k in range(begin + 1, count):
                if window[k] != window[begin]:
                    continue
                start = -1
                for d in range(first_dep[k], first_dep[k + 1]):
                    other = dep_op[d]
                    if dep_lag[d] == 0 and starts[other] >= 0:
                        until = occupancy[other]
                        if dep_after[d] == DONE_CODE:
                            until += depth[other]
                        elif dep_after[d] == FIRST_CODE:
                            until = first_word[other]
                        start = max(start, starts[other] + until)
                other = before[unit[k]]
                if other >= 0:
                    start = max(start, starts[other] + occupancy[other])
                if start >= 0:
                    starts[k] = start
                    before[unit[k]] = k
        if starts[last[m]] >= 0:
            lengths[m] = starts[last[m]] + occupancy[last[m]] + depth[last[m]]
    return lengths
