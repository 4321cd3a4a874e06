"""Looks at the points of a space whose sampler learns nothing: in ranges, of which workers write the rows.

The order of all points is known in advance. It is cut into parts, as an exploration in rounds cuts it, and what is
missing of a part into jobs of about JOB_SECONDS. A worker evaluates a job's points, writes them as a piece, and reports
no more of them than the piece's digest, counts and local front. When all points of a part are in pieces, they are made
one file, in the order of the parts. So this process keeps the front and the numbers of the parts that are under way.
"""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from archsim.errors import OutputError
from archsim.explore.parts.part_file import PartFiles
from archsim.explore.parts.part_folder import PartFolder, kept_words
from archsim.explore.parts.part_merge import Rows, merged
from archsim.explore.parts.part_plan import PartPlan
from archsim.explore.parts.part_rows import EVALUATED, FAILED, PartRows
from archsim.explore.parts.parts_on_disk import PartsOnDisk
from archsim.explore.parts.piece_folder import PieceFolder
from archsim.explore.parts.stored_study import StoredStudy
from archsim.explore.ranges.piece_job import PieceError, PieceJob, PieceReport
from archsim.explore.ranges.pieces import PieceBackend
from archsim.explore.ranges.range_check import RangeCheck
from archsim.explore.results.study import Point
from archsim.explore.run.backend import ChunkSize
from archsim.explore.run.journal import Journal
from archsim.explore.run.watcher import Watcher
from archsim.explore.search.front import Front
from archsim.explore.search.point_classifier import PointClassifier
from archsim.explore.space.parameters import SCHEDULE
from archsim.explore.space.space import Space

JOB_SECONDS = 0.75
"""About how long a worker is busy with a job: what a crash costs."""
FIRST_JOB = 256
MOST_IN_JOB = 1 << 15
MOST_OPEN = 64
"""Parts that are under way at once at most; 8 bytes a point are kept of them, and some 40 while it waits."""


@dataclass(slots=True, eq=False)
class _OpenPart:
    """A part that is under way.

    `waiting`: its points that are not given out yet; `missing`: how many are in no source yet; `pieces`: the digests of
    its pieces, each with whether rows of designs that failed do not count; `before`: what an earlier exploration made
    of it, some of whose designs failed; `on_disk`: whether its file is whole.
    """

    plan: PartPlan
    waiting: list[int] = field(default_factory=list)
    missing: int = 0
    on_disk: bool = False
    pieces: list[tuple[str, bool]] = field(default_factory=list)
    before: bytes | None = None


class RangeSearch:
    """One exploration in ranges under way, of at most `budget` points."""

    def __init__(
        self,
        space: Space,
        plans: Iterator[PartPlan],
        budget: int,
        backend: PieceBackend,
        files: PartFiles,
        folder: PartFolder,
        pieces: PieceFolder,
        journal: Journal,
        check: RangeCheck,
        watcher: Watcher,
    ) -> None:
        self.size = space.size
        self._space, self._plans, self._files, self._folder = space, plans, files, folder
        self._pieces, self._journal, self._watcher = pieces, journal, watcher
        self._budget, self._backend, self._check = budget, backend, check
        known = [files.declared.outcome(outcome) for outcome in journal.known.values()]
        if journal.header.settings is None:  # of a smaller exploration, with every figure
            journal.renew(known, folder.settings)
        self._known = {outcome.key: outcome for outcome in known}
        self._evaluated = self._simulated = 0
        self._unplanned = budget
        self._alone: Counter[str] = Counter()
        self._open: deque[_OpenPart] = deque()
        self._sizes = ChunkSize(FIRST_JOB, MOST_IN_JOB, JOB_SECONDS)
        self._front = Front(len(space.objectives))
        self._signs = [objective.sign for objective in space.objectives]
        self._stored = PartsOnDisk(space, files, folder)

    @property
    def evaluated(self) -> int:
        """How many points of finished designs are on disk."""
        return self._evaluated + len(self._known)

    @property
    def _left(self) -> int:
        """How many points are not given out yet, at most."""
        return self._unplanned + sum(len(part.waiting) for part in self._open)

    def run(self) -> StoredStudy:
        """Look at all points."""
        begun = time.perf_counter()
        self._watcher.begin(self._budget, self._space)
        try:
            for report in self._backend.run(self):
                self._sizes.took(report.points, report.seconds)
                self._count(report)
        except PieceError as error:
            raise OutputError(f"{error}{kept_words(self.evaluated)}") from error
        rows = self._stored.with_numbers(self._front.members)
        self._check.last(self._front, lambda numbers: self._stored.points([rows[n] for n in numbers]), self.evaluated)
        self._pieces.end()
        return StoredStudy(
            *(self._space, self._stored.all_points(), self._simulated, time.perf_counter() - begun),
            dropped=self._journal.dropped,
            alone=dict(sorted(self._alone.items())),
            dropped_parts=self._folder.dropped + self._pieces.dropped,
            stored=self._stored,
            front_rows=tuple(rows[number] for number in self._front.members),
            where=self._folder.where,
        )

    def take(self, workers: int) -> PieceJob | None:
        """The next job, of the first part that has points left.

        Towards the end jobs become smaller, so that of several workers none is long alone with the last one.
        """
        while True:
            part = next((part for part in self._open if part.waiting), None)
            if part is not None:
                size = self._sizes.size
                if workers > 1:
                    size = min(size, max(FIRST_JOB, self._left // (2 * workers)))
                numbers, part.waiting = part.waiting[:size], part.waiting[size:]
                return PieceJob(part.plan.place, tuple(numbers))
            plan = next(self._plans, None) if len(self._open) < MOST_OPEN else None
            if plan is None:
                return None
            self._begin(plan)

    def _count(self, report: PieceReport) -> None:
        """Take a report: put the piece's line on the disk, then its front and counts count."""
        part = next(part for part in self._open if part.plan.place == report.part)
        if report.data is not None and self._pieces.write(report.part, report.data, self.evaluated) != report.digest:
            raise OutputError("a worker's piece is not what it says it is; --resume evaluates it again")
        self._pieces.add(report.part, report.digest, self.evaluated)
        part.pieces.append((report.digest, False))
        part.missing -= report.points
        self._evaluated += report.designs
        self._simulated += report.simulated
        self._alone.update(report.alone)
        values = np.array([values for _, values in report.front], np.float64).reshape(-1, len(self._signs))
        self._front.add([number for number, _ in report.front], values.tolist())
        self._watcher.reported(report.points, report.simulated, values * self._signs)
        self._close_all()

    def _begin(self, plan: PartPlan) -> None:
        """Open a part, with what is on the disk of it."""
        part = _OpenPart(plan)
        self._open.append(part)
        place, numbers, there = plan.place, plan.numbers.tolist(), set[int]()
        self._unplanned -= len(numbers)
        data = self._folder.whole(place)
        rows = None if data is None else self._read(data, place)
        self._folder.dropped += data is not None and rows is None
        if rows is not None and not (rows.statuses == FAILED).any():
            if rows.numbers[: len(numbers)].tolist() != numbers:
                raise _other_points(place)
            self._restore(rows, np.arange(len(numbers)), data)
            part.on_disk = True
            self._close_all()
            return
        if rows is not None:
            part.before = data
            self._restore(rows, _known_rows(rows, set(numbers), there), data)
        for digest, piece in self._pieces.of_part(place):
            found = self._read(piece, place)
            if found is None:
                raise _other_points(place)
            part.pieces.append((digest, True))
            self._restore(found, _known_rows(found, set(numbers), there), piece)
        if self._known:
            self._take_known(part, there)
        part.waiting = like_points_together(self._space, [number for number in numbers if number not in there])
        part.missing = len(part.waiting)
        self._close_all()

    def _read(self, data: bytes, place: int) -> PartRows | None:
        """The rows of a file of a part; None if it is none. OutputError if it is of other designs."""
        try:
            rows = self._files.read_rows(data)
        except Exception:  # whatever pyarrow raises of a file that is no part
            return None
        self._files.check_designs(data, rows, place)
        return rows

    def _restore(self, rows: PartRows, places: npt.NDArray[np.intp], data: bytes | None) -> None:
        """Take some of the rows of a file that is on the disk."""
        assert data is not None  # it has rows
        evaluated = places[rows.keys[places].any(axis=1)]
        self._evaluated += len(evaluated)
        having = places[rows.statuses[places] == EVALUATED]
        row_of = dict(zip(rows.numbers[evaluated].tolist(), evaluated.tolist(), strict=True))
        self._check.first(
            list(row_of),
            rows.numbers[having].tolist(),
            lambda numbers: self._files.read_points(data, [row_of[n] for n in numbers]),
            self.evaluated,
        )
        values = rows.objectives[having]
        self._front.add(rows.numbers[having].tolist(), (values * self._signs).tolist())
        self._watcher.restored(len(places), values)

    def _take_known(self, part: _OpenPart, there: set[int]) -> None:
        """Make a piece of the points whose designs are in the journal; it is of the first part that is not whole."""
        place = part.plan.place
        left = [number for number in part.plan.numbers.tolist() if number not in there]
        classifier = PointClassifier(self._space)
        points: list[Point] = []
        keys: dict[int, str] = {}
        for design in self._space.designs(left):
            if design.key in self._known and classifier.before(design) is None:
                points.append(classifier.after(design, self._known[design.key]))
                keys[design.number] = design.key
        if points:
            found = {point.number: point for point in points}
            with_figures = [number for number, point in found.items() if point.outputs]
            self._check.first(list(found), with_figures, lambda numbers: [found[n] for n in numbers], self.evaluated)
            data = self._files.write(points, keys)
            digest = self._pieces.write(place, data, self.evaluated)
            self._pieces.add(place, digest, self.evaluated)
            part.pieces.append((digest, True))
            self._known = {}
            rows = self._files.read_rows(data)
            self._restore(rows, _known_rows(rows, set(left), there), data)
        self._known = {}
        self._journal.renew((), self._folder.settings)

    def _close_all(self) -> None:
        """Make files of the parts all of whose points are there, in their order."""
        while self._open and not self._open[0].missing:
            part = self._open.popleft()
            plan = part.plan
            if not part.on_disk:
                data = merged(self._files, plan.numbers, self._sources(part))
                self._folder.write(plan.place, data, plan.whole, self.evaluated)
            if plan.whole:
                self._pieces.forget(plan.place)
            self._stored.add(len(plan.numbers))

    def _sources(self, part: _OpenPart) -> list[Rows]:
        before = [] if part.before is None else [Rows(part.before, without_failed=True)]
        return before + [Rows(self._pieces.read(part.plan.place, digest), old) for digest, old in part.pieces]


def _known_rows(rows: PartRows, wanted: set[int], there: set[int]) -> npt.NDArray[np.intp]:
    """The rows of points that are wanted and not there yet, but for designs that failed; then they are there."""
    failed = (rows.statuses == FAILED).tolist()
    numbers = rows.numbers.tolist()
    good = [row for row, number in enumerate(numbers) if number in wanted and number not in there and not failed[row]]
    there.update(numbers[row] for row in good)
    return np.array(good, np.intp)


def _other_points(place: int) -> OutputError:
    return OutputError(
        f"part {place} of the exploration does not hold the points that are asked for; choose another --out"
    )


def like_points_together(space: Space, numbers: Sequence[int]) -> list[int]:
    """Numbers in an order in which those stand together that are likely to share a program: by schedule and place.

    A job then has few programs; the order in which a sampler asks for points is spread over all of them.
    """
    paths = [parameter.path for parameter in space.parameters]
    if SCHEDULE not in paths:
        return sorted(numbers)
    place = paths.index(SCHEDULE)
    below, count = math.prod(space.sizes[place + 1 :]), space.sizes[place]
    return sorted(numbers, key=lambda number: (number // below % count, number))
