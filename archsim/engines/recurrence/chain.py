"""The longest chain from one time step to the next, compiled: the bound `recurrence` of archsim.metrics.bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Protocol

import numpy as np

from archsim.engines.recurrence.compiled import compiled, inlined
from archsim.engines.recurrence.phase_arrays import Ints, PhaseArrays
from archsim.engines.recurrence.timing import ServiceTimes
from archsim.program.codes import DONE_CODE, FIRST_CODE


class Chain(Protocol):
    """A chain of ops that closes: the op with which it begins waits, some chains later, for the one with which it ends.

    From the start of op `first` to the end of op `last`, on which the instance of `first` that is `lag` chains later
    waits; `per_step`: how many of its chains there are for each time step.
    """

    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...
    @property
    def lag(self) -> int: ...
    @property
    def per_step(self) -> Fraction: ...


class ClosingChains(NamedTuple):
    """The m chains that close a recurrence, as arrays; those that begin with the same op stand side by side."""

    first: Ints
    """(m) the op with which the chain begins."""
    last: Ints
    """(m) the op with which it ends."""


@dataclass(frozen=True, slots=True, eq=False)
class ChainTables:
    """A body as `arrays`, and the chains that close in it (m each), as Chain has them."""

    arrays: PhaseArrays
    chains: ClosingChains
    lag: Ints
    per_step: tuple[Fraction, ...]

    @classmethod
    def from_chains(cls, arrays: PhaseArrays, closing: Sequence[Chain]) -> ChainTables:
        """The tables of a body's chains, which are in the order of the ops that they begin with."""
        rows = [(chain.first, chain.last, chain.lag) for chain in closing]
        first, last, lag = np.ascontiguousarray(np.array(rows, np.int64).reshape(len(rows), 3).T)
        return cls(arrays, ClosingChains(first, last), lag, tuple(chain.per_step for chain in closing))

    def longest(self, services: ServiceTimes, token_latency_cycles: int) -> Fraction:
        """The cycles a time step of the chain that takes longest; 0 if none closes."""
        lengths = np.zeros(len(self.chains.first), np.int64)
        scratch = np.zeros((2, len(self.arrays.unit)), np.int64)
        chain_lengths(self.arrays, services, token_latency_cycles, self.chains, scratch, lengths)
        found = zip(lengths.tolist(), self.lag.tolist(), self.per_step, strict=True)
        return max(
            (Fraction(cycles, lag) * chains for cycles, lag, chains in found if cycles >= 0), default=Fraction(0)
        )


@compiled
def chain_lengths(
    arrays: PhaseArrays,
    services: ServiceTimes,
    token_latency_cycles: int,
    chains: ClosingChains,
    scratch: Ints,
    lengths: Ints,
) -> None:
    """Write to `lengths` (m) each chain's longest way in cycles from the start of `first` to the token after `last`.

    It is -1 where there is none. `scratch` (2, n) may hold anything.

    Ops follow each other along dependencies of the same repetition (after DONE: occupancy and depth; after FREE:
    occupancy, each with the token's latency; after FIRST: until the first word) and, on one unit, in order (occupancy);
    only ops that take part whenever `first` does are on the way.
    """
    starts = scratch[0]  # (n) how long after the start of `first` each op starts; -1: it does not follow
    before = scratch[1]  # the op of each unit that was last on the way; there are no more units than ops
    for m in range(len(chains.first)):
        begin, last = chains.first[m], chains.last[m]
        if m == 0 or chains.first[m - 1] != begin:
            _starts_after(arrays, services, token_latency_cycles, begin, starts, before)
        if starts[last] >= 0:
            lengths[m] = starts[last] + services.occupancy[last] + services.depth[last] + token_latency_cycles
        else:
            lengths[m] = -1


@inlined
def _starts_after(
    arrays: PhaseArrays, services: ServiceTimes, token_latency_cycles: int, begin: int, starts: Ints, before: Ints
) -> None:
    """Write to `starts` (n) when each op starts if op `begin` does at 0 and nothing else holds it up.

    `before` is a scratch array. One pass in program order: dependencies within a repetition point backwards.
    """
    starts[:] = -1
    before[:] = -1
    starts[begin] = 0
    before[arrays.unit[begin]] = begin
    for k in range(begin + 1, len(arrays.unit)):
        if arrays.skip_first[k] > arrays.skip_first[begin] or arrays.skip_last[k] > arrays.skip_last[begin]:
            continue
        start = -1
        for d in range(arrays.first_dep[k], arrays.first_dep[k + 1]):
            other = arrays.dep_op[d]
            if arrays.dep_lag[d] == 0 and starts[other] >= 0:
                until = services.occupancy[other] + token_latency_cycles
                if arrays.dep_after[d] == DONE_CODE:
                    until += services.depth[other]
                elif arrays.dep_after[d] == FIRST_CODE:
                    until = services.first_word[other]
                start = max(start, starts[other] + until)
        other = before[arrays.unit[k]]
        if other >= 0:
            start = max(start, starts[other] + services.occupancy[other])
        if start >= 0:
            starts[k] = start
            before[arrays.unit[k]] = k
