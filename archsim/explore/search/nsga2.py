"""Draws points with NSGA-II, whole generations at a time: all of it is arithmetic on arrays.

K. Deb, A. Pratap, S. Agarwal and T. Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE
Trans. Evolutionary Computation 6 (2002): tournaments by front and crowding, parents and children together, constraints
by domination (section VI). Genes are places of the parameters' values. Children have uniform crossover (G. Syswerda,
1989); a gene mutates to a neighbour half of the time where its values are numbers, else to any value. Points that were
asked for before are not asked for again: their results are known, and the best of them are the parents.

Libraries take 8 times as long a point and more: benchmarks/samplers.py measures them beside it (docs/explore.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.explore.search.samplers import Sampler, Told
from archsim.explore.space.space import Space

CROSSOVER = 0.9
"""The share of children that have two parents."""
TRIES = 16
"""How often children are drawn until there are enough that are new."""
_COUNTABLE = 1 << 20
"""Up to this size of a space, the points that are left are listed when children find no more new ones."""

Genes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Nsga2(Sampler):
    """NSGA-II over the places of the parameters' values, `population` points a generation."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._sizes = np.array(space.sizes, np.int64)
        self._ordered = np.array([parameter.numeric for parameter in space.parameters], np.bool_)
        self._random = np.random.default_rng(space.config.seed)
        self._population = space.config.population
        self._asked: set[int] = set()
        self._children: Genes = np.empty((0, len(self._sizes)), np.int64)
        self._parents = Parents.none(len(self._sizes), len(space.objectives))

    def ask(self) -> list[int]:
        numbers: dict[int, Genes] = {}
        for _ in range(TRIES):
            genes = self._drawn() if not len(self._parents.genes) else self._crossed()
            self._take(genes, numbers)
            if len(numbers) == self._population:
                break
        if len(numbers) < self._population:
            self._take(self._left(numbers), numbers)
        self._asked.update(numbers)
        self._children = np.array(list(numbers.values()), np.int64).reshape(len(numbers), len(self._sizes))
        return list(numbers)

    def tell(self, results: Sequence[Told]) -> None:
        nothing = (0.0,) * len(self._space.objectives)
        values = np.array([nothing if told.values is None else told.values for told in results], np.float64)
        violation = np.array([told.violation for told in results], np.float64)
        self._parents = self._parents.followed_by(self._children, values, violation, self._population)

    def _take(self, genes: Genes, numbers: dict[int, Genes]) -> None:
        """Add those that are new, until there are enough."""
        for number, row in zip(self._numbers(genes), genes, strict=True):
            if number not in self._asked and len(numbers) < self._population:
                numbers.setdefault(number, row)

    def _numbers(self, genes: Genes) -> list[int]:
        if self._space.size < 1 << 62:
            steps = np.cumprod([1, *self._sizes[:0:-1]])[::-1]
            found: list[int] = (genes @ steps).tolist()
            return found
        return [self._space.number(tuple(row)) for row in genes.tolist()]

    def _drawn(self) -> Genes:
        return self._random.integers(0, self._sizes, (self._population, len(self._sizes)))

    def _left(self, taken: dict[int, Genes]) -> Genes:
        """Points that were not asked for, at random: as many as are missing, if the space is small enough to list."""
        if self._space.size > _COUNTABLE:
            return self._drawn()
        known = [*self._asked, *taken]
        left = np.setdiff1d(np.arange(self._space.size), np.array(known, np.int64), assume_unique=True)
        chosen = self._random.permutation(left)[: self._population - len(taken)]
        return np.stack(np.unravel_index(chosen, tuple(self._sizes.tolist())), axis=1).astype(np.int64)

    def _crossed(self) -> Genes:
        """Children of the parents: of two, mixed gene by gene, or of one; then mutated."""
        random, shape = self._random, (self._population, len(self._sizes))
        mothers, fathers = (self._parents.genes[self._parents.tournament(random, shape[0])] for _ in range(2))
        mixed = (random.random(shape) < 0.5) & (random.random((shape[0], 1)) < CROSSOVER)
        children = np.where(mixed, fathers, mothers)
        # A gene a child, in the mean.
        mutated = random.random(shape) < 1 / max(1, int((self._sizes > 1).sum()))
        near = random.integers(0, 2, shape) * 2 - 1 + children
        steps = self._ordered & (random.random(shape) < 0.5) & (near >= 0) & (near < self._sizes)
        return np.where(mutated, np.where(steps, near, random.integers(0, self._sizes, shape)), children)


@dataclass(frozen=True, slots=True, eq=False)
class Parents:
    """The best points so far: genes (N, P), values (N, M), violations, and by what parents are chosen."""

    genes: Genes
    values: Floats
    violation: Floats
    rank: Ints
    """The number of the front that each is on."""
    crowding: Floats
    """How far its neighbours on the front are from each."""

    @staticmethod
    def none(parameters: int, objectives: int) -> Parents:
        """No parents yet."""
        nothing = np.empty(0)
        return Parents(
            np.empty((0, parameters), np.int64), np.empty((0, objectives)), nothing, nothing.astype(np.int64), nothing
        )

    def followed_by(self, genes: Genes, values: Floats, violation: Floats, count: int) -> Parents:
        """The `count` best of these and their children: whole fronts, and of the last one those with most room."""
        genes = np.concatenate([self.genes, genes])
        values = np.concatenate([self.values, values])
        violation = np.concatenate([self.violation, violation])
        rank = fronts(values, violation, count)
        crowding = room(values, rank)
        best = np.lexsort((np.arange(len(rank)), -crowding, rank))[:count]
        return Parents(genes[best], values[best], violation[best], rank[best], crowding[best])

    def tournament(self, random: np.random.Generator, count: int) -> Ints:
        """The better one of two parents at random, `count` times."""
        one, other = random.integers(0, len(self.rank), (2, count))
        better = (self.rank[one], -self.crowding[one]), (self.rank[other], -self.crowding[other])
        first = (better[0][0] < better[1][0]) | ((better[0][0] == better[1][0]) & (better[0][1] <= better[1][1]))
        chosen: Ints = np.where(first, one, other)
        return chosen


def fronts(values: Floats, violation: Floats, enough: int) -> Ints:
    """The number of the front that each point is on, from 0: the points that none of those that are left dominates.

    Feasible points dominate others, and of these the less violated the more. When `enough` points have a front, all
    others share the next.
    """
    count, feasible = len(values), violation <= 0
    no_worse, no_better = np.ones((count, count), np.bool_), np.ones((count, count), np.bool_)
    for column in values.T:
        # Places in order instead of values: short whole numbers are compared four times as fast.
        place: Ints = np.unique(column, return_inverse=True)[1].astype(np.int16 if count < 1 << 15 else np.int64)
        no_worse &= place[:, None] <= place
        no_better &= place[:, None] >= place
    dominates = no_worse & ~no_better
    if not feasible.all():
        both = feasible[:, None] & feasible
        dominates = np.where(both, dominates, violation[:, None] < violation)
    rank, left = np.full(count, -1, np.int64), np.ones(count, np.bool_)
    number = 0
    while count - np.count_nonzero(left) < min(enough, count):
        front = left & ~np.logical_or.reduce(dominates[left], axis=0)
        rank[front] = number
        left &= ~front
        number += 1
    rank[left] = number
    return rank


def room(values: Floats, rank: Ints) -> Floats:
    """The crowding distance of each point: the sum over objectives of the gap between its neighbours on its front.

    Gaps are shares of the front's width; the first and the last of a front have infinite room.
    """
    found = np.zeros(len(rank))
    for column in values.T:
        order = np.lexsort((column, rank))
        sorted_values, sorted_rank = column[order], rank[order]
        first = np.diff(sorted_rank, prepend=-1) != 0
        last = np.diff(sorted_rank, append=-1) != 0
        begins = np.flatnonzero(first)
        width = (sorted_values[last] - sorted_values[begins])[np.cumsum(first) - 1]
        gap = np.full(len(rank), math.inf)
        inner = ~(first | last)
        gaps = sorted_values[2:] - sorted_values[:-2]
        gap[1:-1] = np.divide(gaps, width[1:-1], out=np.zeros(len(gaps)), where=width[1:-1] > 0)
        gap[~inner] = math.inf
        found[order] += gap
    return found
