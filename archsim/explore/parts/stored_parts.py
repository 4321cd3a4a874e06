"""Finds points in the parts of an exploration: by row, by number, by the key of their design."""

from __future__ import annotations

import bisect
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

from archsim.explore.parts.part_file import PartFiles
from archsim.explore.parts.part_folder import PartFolder
from archsim.explore.parts.part_rows import Numbers, PartRows, key_words, number_words, numbers_array
from archsim.explore.parts.word_index import WordIndex
from archsim.explore.results.study import Point, ReasonCount, ReasonKind, count_reasons
from archsim.explore.search.front import Values
from archsim.explore.space.space import Space

_AT_ONCE = 4096
"""Points that are made at once where all are looked at."""


class PartSequence(ABC):
    """Parts, one after the other; `count` points of them, the first ones, are shown. A row is a point's place."""

    def __init__(self, space: Space, files: PartFiles, folder: PartFolder) -> None:
        self.count = 0
        self._starts: list[int] = []
        self._space, self._files, self._folder = space, files, folder

    @abstractmethod
    def with_numbers(self, numbers: Sequence[int]) -> dict[int, int]:
        """The rows of those of some points that are shown."""

    @abstractmethod
    def objectives(self) -> Values:
        """The objectives of all points, by row; nan where there are none."""

    @abstractmethod
    def statuses(self) -> npt.NDArray[np.int8]:
        """The places in STATUSES of all points, by row."""

    @abstractmethod
    def _numbers(self) -> Numbers:
        """The numbers of all points, by row."""

    def place(self, row: int) -> tuple[int, int]:
        """The part that a row is of, and its place there."""
        part = bisect.bisect_right(self._starts, row) - 1
        return part, row - self._starts[part]

    def points(self, rows: Sequence[int]) -> list[Point]:
        """The points of some rows, in that order; each part's file is read once."""
        inside: dict[int, list[tuple[int, int]]] = {}
        for position, row in enumerate(rows):
            part, place = self.place(row)
            inside.setdefault(part, []).append((position, place))
        found: dict[int, Point] = {}
        for part, wanted in inside.items():
            made = self._files.read_points(self._folder.read(part), [place for _, place in wanted])
            found |= {position: point for (position, _), point in zip(wanted, made, strict=True)}
        return [found[position] for position in range(len(rows))]

    def reasons(self) -> dict[ReasonKind, ReasonCount]:
        """The reasons why points have no figures, by status, kind, and text up to the first colon."""
        return count_reasons(
            row
            for part, start in enumerate(self._starts)
            for row in self._files.read_reasons(self._folder.read(part))[: self.count - start]
        )

    def places(self, parameter: int) -> npt.NDArray[np.int64]:
        """Which value of a parameter each point has, by row."""
        sizes = self._space.sizes
        below = math.prod(sizes[parameter + 1 :])
        return (self._numbers() // below % sizes[parameter]).astype(np.int64)

    def by_number(self) -> npt.NDArray[np.uint32]:
        """The rows of all points in the order of their numbers."""
        return np.argsort(self._numbers(), kind="stable").astype(np.uint32)

    def all_points(self) -> StoredPoints:
        """All points that are shown, in the order of their numbers."""
        return StoredPoints(self, self.by_number())


class StoredParts(PartSequence):
    """Parts of which all numbers, keys and objectives are in memory."""

    def __init__(self, space: Space, files: PartFiles, folder: PartFolder) -> None:
        super().__init__(space, files, folder)
        self.parts: list[PartRows] = []
        self._by_number, self._by_key = WordIndex(), WordIndex()

    @property
    def designs(self) -> int:
        """How many of the points that are shown were evaluated."""
        return len(self._by_key)

    def open(self, rows: PartRows) -> None:
        """Add a part, of which nothing is shown yet."""
        self._starts.append(self.count)
        self.parts.append(rows)

    def show(self, count: int) -> None:
        """Show that many more points of the last part."""
        begin = self.count - self._starts[-1]
        rows, shown = self.parts[-1], slice(begin, begin + count)
        self._by_number.add(number_words(rows.numbers[shown]), self.count)
        keys = rows.keys[shown]
        having = np.flatnonzero(keys.any(axis=1))
        self._by_key.add(keys[having, 0], self.count, having)
        self.count += count

    def with_numbers(self, numbers: Sequence[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        if self.count and numbers:
            for place, row in self._by_number.find(number_words(numbers_array(numbers, self._space.size))):
                part, inside = self.place(row)
                if self.parts[part].numbers[inside] == numbers[place]:
                    found[numbers[place]] = row
        return found

    def with_keys(self, keys: Sequence[str]) -> dict[str, int]:
        """The rows of those of some designs that are shown."""
        found: dict[str, int] = {}
        if self.count and keys:
            words = key_words(keys)
            for place, row in self._by_key.find(words[:, 0].copy()):
                part, inside = self.place(row)
                if (self.parts[part].keys[inside] == words[place]).all():
                    found[keys[place]] = row
        return found

    def objectives(self) -> Values:
        return np.concatenate([part.objectives for part in self.parts])[: self.count]

    def statuses(self) -> npt.NDArray[np.int8]:
        return np.concatenate([part.statuses for part in self.parts])[: self.count]

    def _numbers(self) -> Numbers:
        return np.concatenate([part.numbers for part in self.parts])[: self.count]


class StoredPoints(Sequence[Point]):
    """Points of parts, each made when somebody looks at it."""

    def __init__(self, parts: PartSequence, rows: npt.NDArray[np.uint32]) -> None:
        self._parts, self.rows = parts, rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Point: ...
    @overload
    def __getitem__(self, place: slice) -> StoredPoints: ...
    def __getitem__(self, place: int | slice) -> Point | StoredPoints:
        if isinstance(place, slice):
            return StoredPoints(self._parts, self.rows[place])
        (point,) = self._parts.points([int(self.rows[place])])
        return point

    def __iter__(self) -> Iterator[Point]:
        for begin in range(0, len(self.rows), _AT_ONCE):
            yield from self._parts.points(self.rows[begin : begin + _AT_ONCE].tolist())
