"""Points in several parts by hand: which row is of which part, of which number, and of which design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from archsim.explore import Space, Status
from archsim.explore.parts.part_file import PartFiles
from archsim.explore.parts.part_folder import PartFolder
from archsim.explore.parts.parts_on_disk import PartsOnDisk
from archsim.explore.parts.stored_parts import PartSequence, StoredParts
from archsim.explore.parts.stored_study import StoredStudy
from archsim.explore.results.study import Point
from archsim.explore.run.declared import Declared
from archsim.explore.space.design import Reason
from tests.explore.conftest import Write
from tests.optional import need

need("pyarrow")

NUMBERS = ((7, 3, 30), (5, 0), (47, 1, 2))
"""Three parts; of the last one two points are shown."""


def point(space: Space, number: int) -> Point:
    """The larger its number the worse a point is in the first objective; multiples of five are infeasible."""
    design = space.design(number)
    found = Point(number, design.inputs, design.schedule, Status.EVALUATED, (float(number), 100.0 - number % 3))
    if number % 5 == 0:
        reason = Reason("capacity", f"sram: {number}", 3.0, 2.0, "bytes")
        return replace(found, status=Status.INFEASIBLE, objectives=None, reason=reason)
    return replace(found, outputs={"lstm_3_4_t3_b1": {"body_us": float(number)}}, executor="fast")


def both(write: Write) -> tuple[Space, Sequence[PartSequence]]:
    """The same parts, in memory and read from their files."""
    space = Space.load(write())
    files, folder = PartFiles(space, Declared.of(space)), PartFolder(None, "mine")
    kept, on_disk = StoredParts(space, files, folder), PartsOnDisk(space, files, folder)
    for place, numbers in enumerate(NUMBERS):
        keys = {number: space.design(number).key for number in numbers if number % 5}
        data = files.write([point(space, number) for number in numbers], keys)
        folder.write(place, data, True, 0)
        shown = min(2, len(numbers)) if place == 2 else len(numbers)
        kept.open(files.read_rows(data))
        kept.show(1)
        kept.show(shown - 1)
        on_disk.add(shown)
    return space, (kept, on_disk)


def test_rows_parts_and_numbers(write: Write) -> None:
    """Rows 0 to 2 are of the first part, 3 and 4 of the second, 5 and 6 of the third, whose last point is not shown."""
    space, sequences = both(write)
    for parts in sequences:
        assert parts.count == 7
        assert [parts.place(row) for row in range(7)] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0), (2, 1)]
        assert parts.with_numbers([1, 2, 5, 7, 9]) == {1: 6, 5: 3, 7: 0}
        assert parts.with_numbers([]) == {}
        assert parts.by_number().tolist() == [4, 6, 1, 3, 0, 2, 5]
        assert [p.number for p in parts.points([6, 0, 3, 2])] == [1, 7, 5, 30]
        assert [p.number for p in parts.all_points()] == [0, 1, 3, 5, 7, 30, 47]
        assert [p.number for p in parts.all_points()[1:3]] == [1, 3]
        assert parts.all_points()[-1] == parts.points([5])[0]
        assert len(parts.all_points()) == 7
        assert parts.objectives()[:, 0].tolist()[:2] == [7, 3]
        assert np.isnan(parts.objectives()[[2, 3, 4]]).all()
        evaluated = [True, True, False, False, False, True, True]
        assert (parts.statuses() == list(Status).index(Status.EVALUATED)).tolist() == evaluated
        # 4 x 3 x 2 x 2 points: rows are number // 12, columns // 4 % 3, schedules // 2 % 2, capacities % 2.
        assert parts.places(0).tolist() == [0, 0, 2, 0, 0, 3, 0]
        assert parts.places(1).tolist() == [1, 0, 1, 1, 0, 2, 0]
        assert parts.places(2).tolist() == [1, 1, 1, 0, 0, 1, 0]
        assert parts.places(3).tolist() == [1, 1, 0, 1, 0, 1, 1]
        ((_, found),) = parts.reasons().items()
        assert (found.count, found.number, found.same) == (3, 0, False)
    kept = sequences[0]
    assert isinstance(kept, StoredParts)
    assert kept.designs == 4
    keys = {number: space.design(number).key for number in (3, 47, 2, 9)}
    assert kept.with_keys(list(keys.values())) == {keys[3]: 1, keys[47]: 5}
    assert kept.with_keys([]) == {}


def test_a_study_of_parts(write: Write) -> None:
    """Of the evaluated 1, 3, 7 and 47 the second objectives are 99, 100, 99 and 98: 1 and 47 are the front."""
    space, sequences = both(write)
    for parts in sequences:
        rows = parts.with_numbers([47, 1])
        study = StoredStudy(
            *(space, parts.all_points(), 4, 2.0), stored=parts, front_rows=(rows[47], rows[1]), where="here/*.parquet"
        )
        assert [p.number for p in study.pareto()] == [1, 47]
        assert [study.count(status) for status in Status] == [4, 3, 0, 0]
        assert [p.number for p in study.with_status(Status.INFEASIBLE)] == [0, 5, 30]
        assert study.values().tolist() == [[1, 99], [3, 100], [7, 99], [47, 98]]
        assert study.places(0).tolist() == [0, 0, 0, 3]
        assert study.asked_values()[:2].tolist() == [[7, 99], [3, 100]]
        assert [p.number for p in study.others(9)] == [3, 7]
        assert [p.number for p in study.others(1)] == [3]
        assert [p.number for p in study.extract(1)] == [0, 1, 47]
        assert [p.number for p in study.extract(3)] == [0, 1, 5, 47]
        assert (study.every_figure, study.files_of_all) == (False, "here/*.parquet")
        assert study.designs_per_second == 2
