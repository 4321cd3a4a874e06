"""A sample of faults, the same for the same tree and seed: spread over packages by size, within them over kinds."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from tools.faults.fault import Fault, Kind
from tools.faults.sites import is_sound

AT_LEAST = 4
"""Faults of each package, if it admits as many."""


def sample(root: Path, faults: Sequence[Fault], count: int, seed: int) -> list[Fault]:
    """Some of a tree's faults in random order: the first n of them are a sample too. No two change the same text."""
    chosen: list[Fault] = []
    by_package: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        by_package[fault.package].append(fault)
    shares = _shares({name: len(faults) for name, faults in by_package.items()}, count)
    for name in sorted(by_package):
        drawn = _drawn(root, by_package[name], random.Random(f"{seed} {name}"))
        chosen.extend(islice(drawn, shares[name]))
    random.Random(seed).shuffle(chosen)
    return chosen


def _shares(sizes: Mapping[str, int], count: int) -> dict[str, int]:
    """How many faults of each package: in proportion to its size, AT_LEAST each, `count` together."""
    least = {name: min(AT_LEAST, size) for name, size in sizes.items()}
    rest, total = max(count - sum(least.values()), 0), sum(sizes.values())
    exact = {name: least[name] + rest * sizes[name] / total for name in sizes}
    shares = {name: int(exact[name]) for name in sizes}
    by_remainder = sorted(sizes, key=lambda name: (shares[name] - exact[name], name))
    for name in by_remainder[: max(count - sum(shares.values()), 0)]:
        shares[name] += 1
    return shares


def _drawn(root: Path, faults: Sequence[Fault], chance: random.Random) -> Iterator[Fault]:
    """Faults in random order; a kind comes up as often as the root of its number, so that rare kinds come up too."""
    pools: dict[Kind, list[Fault]] = defaultdict(list)
    for fault in faults:
        pools[fault.kind].append(fault)
    for pool in pools.values():
        chance.shuffle(pool)
    weights = {kind: math.sqrt(len(pools[kind])) for kind in Kind if kind in pools}
    taken: set[tuple[str, int, int]] = set()
    while any(pools.values()):
        kinds = [kind for kind in weights if pools[kind]]
        fault = pools[chance.choices(kinds, [weights[kind] for kind in kinds])[0]].pop()
        place = (fault.path, fault.start, fault.end)
        if place not in taken and is_sound(fault, (root / fault.path).read_text(encoding="utf-8")):
            taken.add(place)
            yield fault
