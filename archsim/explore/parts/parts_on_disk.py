"""Reads what is asked for of an exploration's points from the files of its parts, and keeps nothing of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.explore.parts.part_columns import statuses_of
from archsim.explore.parts.part_rows import Numbers
from archsim.explore.parts.stored_parts import PartSequence
from archsim.explore.search.front import Values


class PartsOnDisk(PartSequence):
    """Parts that are on the disk."""

    def add(self, points: int) -> None:
        """Add the next part, of which so many points count, the first ones."""
        self._starts.append(self.count)
        self.count += points

    def with_numbers(self, numbers: Sequence[int]) -> dict[int, int]:
        wanted, found = set(numbers), dict[int, int]()
        for start, table in self._tables("point"):
            there = self._files.numbers_in(table)
            rows = np.flatnonzero(np.isin(there, numbers)) if len(wanted) > len(found) else ()
            found |= {int(there[row]): start + int(row) for row in rows}
        return found

    def objectives(self) -> Values:
        return np.concatenate([self._files.objectives_in(table) for _, table in self._tables(*self._files.objectives)])

    def statuses(self) -> npt.NDArray[np.int8]:
        return np.concatenate([statuses_of(table) for _, table in self._tables("status")])

    def _numbers(self) -> Numbers:
        return np.concatenate([self._files.numbers_in(table) for _, table in self._tables("point")])

    def _tables(self, *columns: str) -> Iterator[tuple[int, Any]]:
        """The first row of each part, and these columns of its points."""
        for part, (start, end) in enumerate(itertools.pairwise([*self._starts, self.count])):
            yield start, self._files.table(self._folder.read(part), list(columns)).slice(0, end - start)
