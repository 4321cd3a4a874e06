"""Holds what the search needs of the points of a part: about 60 bytes a point."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.explore.parts.word_index import Words
from archsim.explore.results.study import Status
from archsim.explore.search.front import Values
from archsim.explore.search.samplers import Told

STATUSES = tuple(Status)
EVALUATED = STATUSES.index(Status.EVALUATED)
FAILED = STATUSES.index(Status.FAILED)
KEY_BYTES = 16
"""Bytes of a design's key that are kept: two designs of a trillion have the same ones with a chance of 10^-15."""
_WORD = 1 << 63

Numbers = npt.NDArray[Any]
"""Numbers of points: as 64-bit integers, or in larger spaces as Python's own."""


@dataclass(frozen=True, slots=True, eq=False)
class PartRows:
    """Points in the order in which they were asked for.

    `statuses`: places in STATUSES; `objectives` (N, M): nan where there are none; `violations`: as samplers are told;
    `keys` (N, 2): the beginning of the key of a design that was evaluated, else zeros.
    """

    numbers: Numbers
    statuses: npt.NDArray[np.int8]
    objectives: Values
    violations: npt.NDArray[np.float64]
    keys: Words

    def __len__(self) -> int:
        return len(self.statuses)

    def told(self, place: int, signs: Sequence[int]) -> Told:
        """What a sampler learns of a point."""
        values = None
        if self.statuses[place] == EVALUATED:
            values = tuple(sign * value for sign, value in zip(signs, self.objectives[place].tolist(), strict=True))
        return Told(int(self.numbers[place]), values, float(self.violations[place]))


def numbers_array(numbers: Sequence[int], size: int) -> Numbers:
    """Numbers of points of a space of so many."""
    return np.array(numbers, np.int64 if size < _WORD else object)


def number_words(numbers: Numbers) -> Words:
    """The word of each number: itself, or of larger ones a hash."""
    if numbers.dtype == np.int64:
        return numbers.view(np.uint64)
    digests = (hashlib.blake2b(str(number).encode(), digest_size=8).digest() for number in numbers.tolist())
    return np.frombuffer(b"".join(digests), np.uint64)


def key_bytes(key: str) -> bytes:
    """The beginning of a key."""
    return bytes.fromhex(key[: 2 * KEY_BYTES])


def key_words(keys: Sequence[str | None]) -> Words:
    """The beginnings of keys, (N, 2); zeros where there is none."""
    none = bytes(KEY_BYTES)
    data = b"".join(none if key is None else key_bytes(key) for key in keys)
    return np.frombuffer(data, np.uint64).reshape(-1, 2)


def violations(statuses: npt.NDArray[np.int8], need: Values, have: Values) -> npt.NDArray[np.float64]:
    """How far points are from feasible, as search.point_classifier.violation says of one; nan is no number."""
    gap = np.abs(need - have)
    known = np.maximum(gap / np.maximum(np.abs(have), 1.0), 1e-9)
    return np.where(statuses == EVALUATED, 0.0, np.where(np.isnan(gap), 1.0, known))
