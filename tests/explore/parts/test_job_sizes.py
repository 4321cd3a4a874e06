"""How many points a job has: as many as are done in about its time, and fewer where little is left for many workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archsim.explore import Space
from archsim.explore.parts.part_file import PartFiles
from archsim.explore.parts.part_folder import PartFolder
from archsim.explore.parts.part_plan import part_plans
from archsim.explore.parts.piece_folder import PieceFolder
from archsim.explore.parts.stores import address_of_parts
from archsim.explore.ranges import range_search
from archsim.explore.ranges.piece_job import PieceReport
from archsim.explore.ranges.pieces import Jobs, PieceBackend
from archsim.explore.ranges.range_check import RangeCheck
from archsim.explore.ranges.range_search import RangeSearch
from archsim.explore.results.study_folder import open_journal
from archsim.explore.run.declared import Declared, settings_digest
from archsim.explore.run.evaluation import Setup
from archsim.explore.run.watcher import Watcher
from archsim.explore.search.samplers import make_sampler
from tests.explore.conftest import Write
from tests.optional import need

pyarrow: Any = need("pyarrow")

MANY = ("mac_array.rows: {log2: {from: 2, to: 16}}", "mac_array.rows: {linear: {from: 1, to: 100, step: 1}}")


class _NoBackend(PieceBackend):
    def run(self, jobs: Jobs) -> Iterator[PieceReport]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("workers", "sizes"),
    [
        # 1,200 points, 400 in a job by the time that they take: one worker takes so many each time.
        (1, [400, 400, 400]),
        # Two: the quarter of what is left, 1200 / 4 = 300, 900 / 4 = 225 and so on, until that is less than 50.
        (2, [300, 225, 168, 126, 95, 71, 53, 50, 50, 50, 12]),
        # Sixteen: 1200 / 32 = 37 is less than 50 at once.
        (16, [50] * 24),
    ],
)
def test_jobs_become_smaller_towards_the_end(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, sizes: list[int]
) -> None:
    monkeypatch.setattr(range_search, "FIRST_JOB", 50)
    space, out = Space.load(write(MANY)), tmp_path / "out"
    assert space.size == 1200
    declared, settings = Declared.of(space), settings_digest(space, False)
    setup = Setup.from_space(space, "auto", declared)
    with open_journal(out, space, False, settings) as journal:
        address = address_of_parts(out, None)
        plans = part_plans(make_sampler(space, False), space.size, space.size, space.size)
        search = RangeSearch(
            *(space, plans, space.size, _NoBackend()),
            *(PartFiles(space, declared), PartFolder(out, settings, address), PieceFolder(out, settings, address)),
            *(journal, RangeCheck(space, setup, out), Watcher()),
        )
        search._sizes.size = 400
        found = []
        while (job := search.take(workers)) is not None:
            found.append(len(job.numbers))
    assert sum(found) == space.size
    assert found == sizes
