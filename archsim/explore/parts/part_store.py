"""Keeps what a large exploration has found: parts in files, and of each point some 80 bytes in memory.

A part ends with the round that fills it. Rounds are the same whenever a space is explored, so parts are too, and a part
that is on the disk is taken round by round, without a look at its designs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from archsim.errors import OutputError
from archsim.explore.parts.part_file import PartFiles, outcome_of
from archsim.explore.parts.part_folder import PartFolder
from archsim.explore.parts.part_rows import FAILED, PartRows
from archsim.explore.parts.stored_parts import StoredParts
from archsim.explore.parts.stored_study import StoredStudy
from archsim.explore.results.study import Point
from archsim.explore.run.found import Effort, Found, add_points, told_of
from archsim.explore.run.journal import Journal
from archsim.explore.run.outcome import Outcome
from archsim.explore.search.front import Front, Values
from archsim.explore.search.samplers import Told
from archsim.explore.space.space import Space


class FoundInParts(Found):
    """The points that were looked at, those of whole parts as columns; a part is whole with `part_points` of them."""

    def __init__(
        self, space: Space, files: PartFiles, folder: PartFolder, journal: Journal | None, part_points: int
    ) -> None:
        super().__init__(journal)
        if journal is not None and journal.header.settings is None:  # of a smaller exploration, with every figure
            journal.renew([files.declared.outcome(outcome) for outcome in self.known.values()], folder.settings)
            self.known = dict(journal.known)
        self._space, self._files, self._folder, self._part_points = space, files, folder, part_points
        self._stored = StoredParts(space, files, folder)
        self._now: dict[int, Point] = {}
        self._order: list[int] = []
        self._keys: dict[int, str] = {}
        self._signs = [objective.sign for objective in space.objectives]
        self._taken = 0
        self._on_disk = self._next_on_disk()

    def __len__(self) -> int:
        return self._stored.count + len(self._now)

    @property
    def evaluated(self) -> int:
        return super().evaluated + self._stored.designs

    def fresh(self, numbers: Sequence[int]) -> list[int]:
        new = [number for number in dict.fromkeys(numbers) if number not in self._now]
        seen = self._stored.with_numbers(new)
        return [number for number in new if number not in seen] if seen else new

    def count(self, points: Iterable[Point], key: str | None) -> None:
        for point in points:
            self._now[point.number] = point
            if key is not None:
                self._keys[point.number] = key

    def points(self, numbers: Sequence[int]) -> list[Point]:
        rows = self._stored.with_numbers([number for number in numbers if number not in self._now])
        stored = dict(zip(rows, self._stored.points(list(rows.values())), strict=True))
        return [self._now[number] if number in self._now else stored[number] for number in numbers]

    def told(self, number: int) -> Told:
        if number in self._now:
            return told_of(self._space, self._now[number])
        part, place = self._stored.place(self._stored.with_numbers([number])[number])
        return self._stored.parts[part].told(place, self._signs)

    def outcomes(self, keys: Sequence[str]) -> dict[str, Outcome]:
        rows = self._stored.with_keys(keys)
        points = self._stored.points(list(rows.values()))
        before = {key: outcome_of(key, point) for key, point in zip(rows, points, strict=True)}
        return before | super().outcomes(keys)

    def restore(self, numbers: Sequence[int], front: Front) -> Values | None:
        rows = self._on_disk
        if rows is None:
            return None
        taken = slice(self._taken, self._taken + len(numbers))
        if rows.numbers[taken].tolist() != list(numbers):
            raise OutputError(
                f"part {len(self._stored.parts) - 1} of the exploration does not hold the points that are asked for; "
                "choose another --out"
            )
        self._stored.show(len(numbers))
        values = rows.objectives[taken]
        having = np.flatnonzero(~np.isnan(values[:, 0]))
        front.add([numbers[place] for place in having.tolist()], (values[having] * self._signs).tolist())
        self._taken = taken.stop
        if self._taken >= len(rows):
            self._on_disk = self._next_on_disk()
        return values[having]

    def end_round(self, numbers: Sequence[int], whole: bool, front: Front) -> None:
        self._order += numbers
        add_points(front, self._space, [self._now[number] for number in numbers])
        if whole and len(self._now) >= self._part_points:
            self._close(whole=True)
            self._on_disk = self._next_on_disk()

    def study(self, front: Front, effort: Effort) -> StoredStudy:
        if self._now:
            self._close(whole=False)
        rows = self._stored.with_numbers(front.members)
        return StoredStudy(
            *(self._space, self._stored.all_points(), effort.simulated, effort.seconds),
            dropped=effort.dropped,
            alone=effort.alone,
            dropped_parts=self._folder.dropped,
            stored=self._stored,
            front_rows=tuple(rows[number] for number in front.members),
            where=self._folder.where,
        )

    def _close(self, whole: bool) -> None:
        """Make a part of the points under way. Of a whole one the journal need no longer keep the designs."""
        points, place = [self._now[number] for number in self._order], len(self._stored.parts)
        data = self._files.write(points, self._keys)
        self._folder.write(place, data, whole, self.evaluated)
        self._stored.open(self._files.read_rows(data))
        self._stored.show(len(points))
        self._now, self._keys, self._order = {}, {}, []
        if whole:
            kept = self._stored.with_keys(list(self.known))
            self.known = {key: outcome for key, outcome in self.known.items() if key not in kept}
            if self.journal is not None:
                self.journal.renew(self.known.values(), self._folder.settings)

    def _next_on_disk(self) -> PartRows | None:
        """The next part, if it is on the disk; one with failures is made anew, from what is known of the others."""
        self._taken, place = 0, len(self._stored.parts)
        data = self._folder.whole(place)
        if data is None:
            return None
        try:
            rows = self._files.read_rows(data)
        except Exception:  # whatever pyarrow raises of a file that is no part
            self._folder.dropped += 1
            return None
        self._files.check_designs(data, rows, place)
        if (rows.statuses == FAILED).any():
            self.known |= self._files.read_outcomes(data)
            return None
        self._stored.open(rows)
        return rows
