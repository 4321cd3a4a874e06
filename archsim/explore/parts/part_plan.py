"""Says in advance which points an exploration looks at whose sampler learns nothing, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archsim.explore.parts.part_rows import Numbers, number_words, numbers_array
from archsim.explore.parts.word_index import WordIndex
from archsim.explore.search.samplers import Sampler

PATIENCE = 20
"""Rounds without a new point after which a sampler has nothing more to say."""
_WORD = 1 << 63


@dataclass(frozen=True, slots=True, eq=False)
class PartPlan:
    """The points of a part, in the order in which they are asked for.

    `whole`: it ends with a round that fills it; else with the exploration.
    """

    place: int
    numbers: Numbers
    whole: bool


def part_plans(sampler: Sampler, size: int, budget: int, part_points: int) -> Iterator[PartPlan]:
    """The parts of an exploration of at most `budget` points, of a space of `size`; rounds as Search has them."""
    fresh = _Fresh(size) if sampler.repeats else None
    now: list[int] = []
    looked_at = place = idle_rounds = 0
    while looked_at < budget and idle_rounds < PATIENCE:
        asked = sampler.ask()
        new = asked if fresh is None else fresh.of(asked)
        whole = len(new) <= budget - looked_at
        now += new[: budget - looked_at]
        looked_at += len(new[: budget - looked_at])
        idle_rounds = 0 if new else idle_rounds + 1
        if whole and len(now) >= part_points:
            yield PartPlan(place, numbers_array(now, size), True)
            place, now = place + 1, []
        if not asked or not whole:
            break
    if now:
        yield PartPlan(place, numbers_array(now, size), False)


class _Fresh:
    """Tells numbers that were asked for before from those that are new; 12 bytes a number of up to 64 bits."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._index, self._known, self._beyond_words = WordIndex(), 0, set[int]()

    def of(self, numbers: Sequence[int]) -> list[int]:
        """The numbers among these that were not drawn before, each once."""
        distinct = list(dict.fromkeys(numbers))
        if self._size >= _WORD:
            new = [number for number in distinct if number not in self._beyond_words]
            self._beyond_words.update(new)
            return new
        words = number_words(numbers_array(distinct, self._size))
        before = {place for place, _ in self._index.find(words)} if self._known else set()
        new = [number for place, number in enumerate(distinct) if place not in before]
        self._index.add(number_words(numbers_array(new, self._size)), self._known)
        self._known += len(new)
        return new
