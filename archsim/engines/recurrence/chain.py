"""The longest chain from one time step to the next, compiled: the bound `recurrence` of archsim.metrics.bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import NamedTuple, Protocol

import numpy as np

from archsim.engines.recurrence.compiled import compiled
from archsim.engines.recurrence.phase_arrays import Flags, Ints, PhaseArrays
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


class ChainGroups(NamedTuple):
    """The G groups of a body's n ops: from any op with which one begins there is a chain to any with which it ends.

    In a group all chains close after the same number of chains and count alike, and all ops with which they begin take
    part in the same repetitions. So the longest of all is found in one pass: it is the longest way from anywhere in the
    group's beginnings to anywhere in its ends.
    """

    begins: Flags
    """(G, n) whether chains of the group begin with the op."""
    ends: Flags
    """(G, n) whether chains of the group end with the op."""
    skip_first: Ints
    """(G) how many of the first repetitions leave out the ops with which the chains begin."""
    skip_last: Ints
    """(G) the same of the last repetitions."""

    @classmethod
    def empty(cls, groups: int, ops: int) -> ChainGroups:
        """Groups of no chains."""
        return cls(
            begins=np.zeros((groups, ops), np.bool_),
            ends=np.zeros((groups, ops), np.bool_),
            skip_first=np.zeros(groups, np.int64),
            skip_last=np.zeros(groups, np.int64),
        )


@dataclass(frozen=True, eq=False)
class ChainTables:
    """A body as `arrays`, and the chains that close in it by groups (G each): their lag, and how often a step."""

    arrays: PhaseArrays
    groups: ChainGroups
    lag: tuple[int, ...]
    per_step: tuple[Fraction, ...]

    @classmethod
    def from_chains(cls, arrays: PhaseArrays, closing: Sequence[Chain]) -> ChainTables:
        """The tables of a body's chains."""
        ends: dict[tuple[int, int, Fraction], set[int]] = {}
        for chain in closing:
            ends.setdefault((chain.first, chain.lag, chain.per_step), set()).add(chain.last)
        begins: dict[tuple[int, Fraction, int, int, frozenset[int]], list[int]] = {}
        for (first, lag, per_step), of_first in ends.items():
            window = int(arrays.skip_first[first]), int(arrays.skip_last[first])
            begins.setdefault((lag, per_step, *window, frozenset(of_first)), []).append(first)
        groups = ChainGroups.empty(len(begins), len(arrays.unit))
        for place, ((_, _, skip_first, skip_last, last), firsts) in enumerate(begins.items()):
            groups.begins[place, firsts] = True
            groups.ends[place, sorted(last)] = True
            groups.skip_first[place], groups.skip_last[place] = skip_first, skip_last
        return cls(arrays, groups, tuple(key[0] for key in begins), tuple(key[1] for key in begins))

    @cached_property
    def denominator(self) -> int:
        """The least common denominator of all chains' cycles a time step."""
        return lcm(*(share.denominator for share in self._shares))

    @cached_property
    def weights(self) -> tuple[int, ...]:
        """By how much the cycles of each group's chains count for a time step, times the denominator."""
        return tuple(int(share * self.denominator) for share in self._shares)

    @property
    def _shares(self) -> list[Fraction]:
        return [share / lag for lag, share in zip(self.lag, self.per_step, strict=True)]

    def longest(self, services: ServiceTimes, token_latency_cycles: int) -> Fraction:
        """The cycles a time step of the chain that takes longest; 0 if none closes."""
        lengths = np.zeros(len(self.lag), np.int64)
        scratch = np.zeros((2, len(self.arrays.unit)), np.int64)
        chain_lengths(self.arrays, services, token_latency_cycles, self.groups, scratch, lengths)
        found = zip(lengths.tolist(), self.lag, self.per_step, strict=True)
        return max(
            (Fraction(cycles, lag) * chains for cycles, lag, chains in found if cycles >= 0), default=Fraction(0)
        )


@compiled
def chain_lengths(
    arrays: PhaseArrays,
    services: ServiceTimes,
    token_latency_cycles: int,
    groups: ChainGroups,
    scratch: Ints,
    lengths: Ints,
) -> None:
    """Write to `lengths` (G) the cycles of each group's longest way, from a first start to the token after an end.

    It is -1 where there is none. `scratch` (2, n) may hold anything.

    Ops follow each other along dependencies of the same repetition (after DONE: occupancy and depth; after FREE:
    occupancy, each with the token's latency; after FIRST: until the first word) and, on one unit, in order (occupancy);
    only ops that take part whenever the beginnings do are on the way. A beginning that others lead to is on their ways.
    """
    starts = scratch[0]  # (n) how long after the first start each op starts; -1: it does not follow
    before = scratch[1]  # the op of each unit that was last on the way; there are no more units than ops
    for g in range(len(lengths)):
        starts[:] = -1
        before[:] = -1
        longest = -1
        for k in range(len(arrays.unit)):
            if arrays.skip_first[k] > groups.skip_first[g] or arrays.skip_last[k] > groups.skip_last[g]:
                continue
            start = 0 if groups.begins[g, k] else -1
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
                if groups.ends[g, k]:
                    longest = max(longest, start + services.occupancy[k] + services.depth[k] + token_latency_cycles)
        lengths[g] = longest
