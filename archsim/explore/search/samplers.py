"""Chooses which points are looked at, round by round; the same space, seed and results give the same points."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsim.errors import OutputError
from archsim.explore.space.space import Space
from archsim.explore.space.space_config import SamplerName

ROUND = 256
"""Points of the first round. A round is chosen, and pruned, from the results of those before it, so that no result
depends on how many workers there are."""
LARGEST_ROUND = 1 << 14
"""Points of a later one at most, of samplers that learn nothing: the more designs there are at once, the more of them
share a program."""
_PERMUTED = 1 << 22
"""Up to this size a random order is a permutation of the whole grid."""
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Told:
    """What a sampler learns of a point. `values` are to be minimized, None if there are none; `violation` is above 0
    for an infeasible point, the larger the further it is from feasible."""

    number: int
    values: tuple[float, ...] | None
    violation: float


class Sampler(ABC):
    """Chooses points of a space. `repeats`: whether it may ask for a point again."""

    repeats = True

    @abstractmethod
    def ask(self) -> list[int]:
        """The points of the next round; some may have been asked before. Empty when there are no more."""

    def tell(self, results: Sequence[Told]) -> None:  # noqa: B027 most samplers learn nothing
        """Learn the results of the points of the last `ask`, in its order."""


class Rounds:
    """The sizes of rounds, each four times as large as the one before it; without pruning the second is the largest.

    Which points are looked at, and in which order, does not depend on them.
    """

    def __init__(self, pruning: bool) -> None:
        self._next = ROUND
        self._growth = 4 if pruning else LARGEST_ROUND

    def next(self) -> int:
        """The size of the next round."""
        size, self._next = self._next, min(LARGEST_ROUND, self._growth * self._next)
        return size


class Grid(Sampler):
    """Takes every point, in an order whose every beginning is spread over the whole: steps of the golden ratio."""

    repeats = False

    def __init__(self, space: Space, pruning: bool) -> None:
        self._size = space.size
        self._step = max(1, round(self._size * _GOLDEN))
        while math.gcd(self._step, self._size) != 1:
            self._step += 1
        self._asked = 0
        self._rounds = Rounds(pruning)

    def ask(self) -> list[int]:
        first, self._asked = self._asked, min(self._size, self._asked + self._rounds.next())
        return [place * self._step % self._size for place in range(first, self._asked)]


class Random(Sampler):
    """Draws points uniformly, none twice."""

    def __init__(self, space: Space, pruning: bool) -> None:
        self._size = space.size
        self._random = np.random.default_rng(space.config.seed)
        self._order = self._random.permutation(self._size) if self._size <= _PERMUTED else None
        self.repeats = self._order is None
        self._sizes = space.sizes
        self._space = space
        self._place = 0
        self._rounds = Rounds(pruning)

    def ask(self) -> list[int]:
        size = self._rounds.next()
        if self._order is not None:
            first, self._place = self._place, min(self._size, self._place + size)
            return [int(number) for number in self._order[first : self._place]]
        places = self._random.integers(0, self._sizes, size=(size, len(self._sizes)))
        return [self._space.number(tuple(int(place) for place in row)) for row in places]


class Sobol(Sampler):
    """Takes points of a scrambled Sobol sequence, each axis of the cube cut into a part for each value.

    scipy.stats.qmc.Sobol: directions of Joe and Kuo (SIAM J. Sci. Comput. 30, 2008), scrambled after Matousek (1998).
    """

    def __init__(self, space: Space, pruning: bool) -> None:
        try:
            from scipy.stats import qmc
        except ModuleNotFoundError:
            raise OutputError('the sampler sobol needs SciPy: pip install "archsim[explore]"') from None
        self._space = space
        self._sizes = np.array(space.sizes)
        self._sequence = qmc.Sobol(len(space.sizes), scramble=True, rng=np.random.default_rng(space.config.seed))
        self._rounds = Rounds(pruning)

    def ask(self) -> list[int]:
        cube = self._sequence.random(self._rounds.next())
        places = np.minimum((cube * self._sizes).astype(np.int64), self._sizes - 1)
        return [self._space.number(tuple(int(place) for place in row)) for row in places]


def make_sampler(space: Space, pruning: bool) -> Sampler:
    """The sampler that the space names; `pruning`: whether a round's results prune points of the next."""
    name = space.config.sampler
    if name is SamplerName.GRID:
        return Grid(space, pruning)
    if name is SamplerName.RANDOM:
        return Random(space, pruning)
    if name is SamplerName.SOBOL:
        return Sobol(space, pruning)
    if name is SamplerName.NSGA2:
        from archsim.explore.search.nsga2 import Nsga2

        return Nsga2(space)
    from archsim.explore.search.optuna_sampler import OptunaSampler

    return OptunaSampler(space)
