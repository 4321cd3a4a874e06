"""Two rings of tests: the fast one that plain `pytest` runs, and the exhaustive one behind `pytest -m exhaustive`.

Every kind of check is in the fast ring. Of a test over many combinations of parameters it takes a few that cover all
values, or all pairs of values; of a law it takes fewer examples; and it leaves out what takes longest, which
tests/slow_tests.txt lists (`python -m tools.slow_tests` makes it from measured times). The exhaustive ring takes the
other combinations, and laws at length. Half an hour of that is too long for every change, so a run takes one share of
24 of the tests that only this ring has, which ARCHSIM_SHARE names (0 to 23): CI takes another one with every commit.
Of the laws it takes all, or where they have passed in the fast ring (ARCHSIM_PASSED) a quarter, which goes round with
the shares. ARCHSIM_LONG=1 takes all of both.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import pytest
from _pytest.mark import ParameterSet
from hypothesis import settings

Value = TypeVar("Value")

FAST_EXAMPLES, EXHAUSTIVE_EXAMPLES, LONG_EXAMPLES = 5, 10, 40
"""Examples of a law that asks for no number of its own: in each ring, and where ARCHSIM_LONG=1 asks for more."""

SHARES, LAW_SHARES = 24, 4
"""How many shares there are of the tests that only the exhaustive ring has, and of laws that passed in the fast one."""

SLOW_TESTS = frozenset((Path(__file__).parent / "slow_tests.txt").read_text(encoding="utf-8").split("\n")) - {""}
"""The ids of tests that take so long that the fast ring leaves them out."""

exhaustive = pytest.mark.exhaustive
"""A test, or a parameter, that the fast ring leaves out."""

law = pytest.mark.law
"""A test with a law in it, which is longer in the exhaustive ring."""

every_value = pytest.mark.covering(strength=1)
"""Of a test's combinations of parameters the fast ring takes a few that together have every value."""

every_pair = pytest.mark.covering(strength=2)
"""Of a test's combinations of parameters the fast ring takes a few that together have every pair of values."""


def selects_exhaustive(expression: str) -> bool:
    """Whether a -m expression lets exhaustive tests run; the default, "not exhaustive", does not."""
    return not expression or "exhaustive" in re.sub(r"\bnot\s+exhaustive\b", "", expression)


def law_examples(thorough: bool) -> int:
    """How many examples a law gets that asks for no number of its own."""
    if not thorough:
        return FAST_EXAMPLES
    return LONG_EXAMPLES if share() is None else EXHAUSTIVE_EXAMPLES


def share() -> int | None:
    """Which of the shares (from 0) runs; None: all of them."""
    if os.environ.get("ARCHSIM_LONG") == "1":
        return None
    given = os.environ.get("ARCHSIM_SHARE", "0")
    if given not in map(str, range(SHARES)):
        raise pytest.UsageError(f"ARCHSIM_SHARE is {given}: 0 to {SHARES - 1}")
    return int(given)


def share_of(test: str, shares: int = SHARES) -> int:
    """The share that a test is in, by its id: whatever other tests there are, and spread over all values."""
    return crc32(test.encode()) % shares


def part_asked() -> tuple[int, int] | None:
    """(k, n) if ARCHSIM_PART is k/n: of every n tests only the k-th runs, from 0; else None, and all of them run."""
    given = os.environ.get("ARCHSIM_PART")
    if given is None:
        return None
    match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", given)
    if match is None or not int(match[1]) < int(match[2]):
        raise pytest.UsageError(f"ARCHSIM_PART is {given}: k/n, with k below n")
    return int(match[1]), int(match[2])


def examples(count: int) -> int:
    """How many examples a law gets in the ring that runs, if it gets `count` where ARCHSIM_LONG=1 asks for all."""
    return max(1, count * settings().max_examples // LONG_EXAMPLES)


def few(values: Iterable[object], count: int) -> list[ParameterSet]:
    """A test's parameters (a tuple is several of them), of which the fast ring takes `count`, spread over all."""
    given = list(values)
    kept = {place * (len(given) - 1) // max(1, count - 1) for place in range(count)}
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=() if place in kept else exhaustive)
        for place, value in enumerate(given)
    ]


def part(values: Sequence[Value], place: int) -> Sequence[Value]:
    """What a test loops over: every fourth in the fast ring, every third in the exhaustive one, from `place` on.

    With ARCHSIM_LONG=1 all of it.
    """
    step = {FAST_EXAMPLES: 4, EXHAUSTIVE_EXAMPLES: 3}.get(settings().max_examples, 1)
    return values[place % min(step, len(values)) :: step]


def covering(rows: Sequence[Mapping[str, Hashable]], strength: int) -> list[int]:
    """The places of a few rows that together hold every value (strength 1) or pair of values (2) that any row holds.

    Greedy and without chance: always a row that adds most, and of these the first whose values were used least.
    """
    held = [frozenset(_combinations(row, strength)) for row in rows]
    holders: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, found in enumerate(held):
        for combination in found:
            holders[combination].append(place)
    added = [len(found) for found in held]
    used: Counter[tuple[str, Hashable]] = Counter()
    chosen = []
    while holders:
        most = max(added)
        best = [place for place, count in enumerate(added) if count == most]
        place = min(best, key=lambda place: sum(used[item] for item in rows[place].items()))
        chosen.append(place)
        used.update(rows[place].items())
        for combination in held[place] & holders.keys():
            for other in holders.pop(combination):
                added[other] -= 1
    return sorted(chosen)


def _combinations(row: Mapping[str, Hashable], strength: int) -> Iterable[tuple[tuple[str, Hashable], ...]]:
    return combinations(sorted(row.items(), key=lambda item: item[0]), min(strength, len(row)))
