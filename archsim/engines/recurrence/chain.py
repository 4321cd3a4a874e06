"""The longest chain from one time step to the next, compiled: the bound `recurrence` of archsim.metrics.bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np

from archsim.engines.recurrence.compiled import compiled
from archsim.engines.recurrence.phase_arrays import DONE_CODE, FIRST_CODE, Ints, PhaseTables
from archsim.engines.recurrence.timing import ServiceTimes


class Chain(Protocol):
    """From the start of op `first` to the end of op `last`, on which the instance of `first` that is `lag` chains later
    waits; `per_step`: how many of its chains there are for each time step."""

    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...
    @property
    def lag(self) -> int: ...
    @property
    def per_step(self) -> Fraction: ...


@dataclass(frozen=True, slots=True, eq=False)
class ChainTables:
    """Of a body: its `tables`, and the chains that close (m), as Chain has them."""

    tables: PhaseTables
    first: Ints
    last: Ints
    lag: Ints
    per_step: tuple[Fraction, ...]

    @classmethod
    def of(cls, tables: PhaseTables, closing: Sequence[Chain]) -> ChainTables:
        """`closing`: in the order of the ops that they begin with."""
        rows = [(chain.first, chain.last, chain.lag) for chain in closing]
        first, last, lag = np.ascontiguousarray(np.array(rows, np.int64).reshape(-1, 3).T)
        return cls(tables, first, last, lag, tuple(chain.per_step for chain in closing))

    def longest(self, services: ServiceTimes) -> Fraction:
        """Cycles a time step."""
        t = self.tables
        lengths = chain_lengths(
            t.unit,
            t.first_dep,
            t.dep_op,
            t.dep_lag,
            t.dep_after,
            t.skip_first,
            t.skip_last,
            services.occupancy,
            services.depth,
            services.first_word,
            self.first,
            self.last,
        )
        found = zip(lengths.tolist(), self.lag.tolist(), self.per_step, strict=True)
        return max(
            (Fraction(cycles, lag) * chains for cycles, lag, chains in found if cycles >= 0), default=Fraction(0)
        )


@compiled
def chain_lengths(
    unit: Ints,
    first_dep: Ints,
    dep_op: Ints,
    dep_lag: Ints,
    dep_after: Ints,
    skip_first: Ints,
    skip_last: Ints,
    occupancy: Ints,
    depth: Ints,
    first_word: Ints,
    first: Ints,
    last: Ints,
) -> Ints:
    """For each closing dependency (m) the cycles from the start of `first` to the done of `last`; -1 if none does.

    Ops follow each other along dependencies of the same repetition (after DONE: occupancy and depth; after FREE:
    occupancy; after FIRST: until the first word) and, on one unit, in order (occupancy); only ops that take part
    whenever `first` does are on the way.
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
                if skip_first[k] > skip_first[begin] or skip_last[k] > skip_last[begin]:
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
