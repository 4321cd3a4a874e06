"""Points of a job as columns are those that one design after the other gives: files, fronts and counts."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import pytest

from archsim.api.batch.designs import distinct
from archsim.explore import Space
from archsim.explore.parts.part_file import PartFiles
from archsim.explore.ranges.job_points import JobPoints
from archsim.explore.ranges.piece_job import PieceJob
from archsim.explore.results.study import Point, Status
from archsim.explore.run.declared import Declared
from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task
from archsim.explore.run.found import add_points
from archsim.explore.search.front import Front
from archsim.explore.search.point_classifier import PointClassifier
from archsim.explore.space.joined_digests import digests_of
from archsim.explore.space.parameters import Choice, Parameter
from tests.explore.conftest import Write
from tests.optional import need

pyarrow: Any = need("pyarrow")

TWO_WORKLOADS = (
    ('["lstm:3,4,t=3"]', '[{workload: "lstm:3,4,t=3", weight: 2}, "gru:5,3,t=2"]\naggregate: weighted'),
    ("  - minimize: body_us\n", "  - minimize: edp\n  - minimize: traffic\n  - maximize: utilization\n"),
    ("columns <= 64\n", "columns <= 64\n  - latency_us <= 2.6 or schedule == 'split'\n  - bounds.compute * 2 < 50\n"),
)
STREAMS = (
    ("t=3", "t=3,streaming=1"),
    ("body_us\n", "frame_latency_us\n  - minimize: latency\n"),
    ("columns <= 64\n", "columns <= 64\n  - frame_energy_uj < 0.3\n"),
)
WORKLOADS_FIELDS = (
    ("  schedule: [fused, split]\n", "  schedule: [fused, split]\n  steps: [1, 4]\n  batch: [1, 2]\n"),
    ("body_us\n", "total(energy.part_uj) / macs\n  - minimize: area\n"),
    ("columns <= 64\n", "columns <= 64\n  - binding_bound != 'compute'\n  - steps * mac_array.rows <= 32\n"),
)
NO_MACHINE = (
    ("weight_sram.banks: mac_array.rows", "weight_sram.banks: mac_array.rows / 2 - 1"),
    ("entries: 4 * mac_array.rows", "entries: 32 * mac_array.rows / (mac_array.rows - 8)"),
)
SPACES = {"plain": (), "workloads": TWO_WORKLOADS, "streams": STREAMS, "fields": WORKLOADS_FIELDS, "none": NO_MACHINE}


def _one_by_one(space: Space, setup: Setup, numbers: Sequence[int]) -> tuple[list[Point], dict[int, str]]:
    evaluator, classifier = DesignEvaluator(setup), PointClassifier(space)
    points, keys = [], {}
    for number in numbers:
        design = space.design(number)
        point = classifier.before(design)
        if point is None:
            outcome = evaluator.run(Task(design.key, number, design.schedule))
            point, keys[number] = classifier.after(design, outcome), design.key
        points.append(point)
    return points, keys


def _check(space: Space, numbers: Sequence[int]) -> list[Point]:
    """Compare a job with its points one by one, which it returns."""
    declared = Declared.of(space)
    setup = Setup.from_space(space, "auto", declared)
    files = PartFiles(space, declared)
    found = JobPoints(space, files, DesignEvaluator(setup)).of(PieceJob(0, tuple(numbers)))
    points, keys = _one_by_one(space, setup, numbers)
    assert files.written(found.table(numbers)) == files.write(points, keys)
    front = Front(len(space.objectives))
    add_points(front, space, points)
    assert sorted(zip(found.front.members, found.front.values.tolist(), strict=True)) == sorted(
        zip(front.members, front.values.tolist(), strict=True)
    )
    assert (found.designs, found.simulated) == (len(keys), len(set(keys.values())))
    assert not found.alone
    return points


@pytest.mark.parametrize("name", SPACES)
def test_a_job_has_the_points_that_there_are_one_by_one(write: Write, name: str) -> None:
    space = Space.load(write(*SPACES[name]))
    numbers = [place * 37 % space.size for place in range(space.size)]
    points = _check(space, numbers)
    assert {point.status for point in points} == {Status.EVALUATED, Status.INFEASIBLE}
    for status in (Status.EVALUATED, Status.INFEASIBLE):  # nothing but columns, and nothing but objects
        _check(space, [point.number for point in points if point.status is status])


def test_points_that_are_the_same_machine_are_evaluated_once(write: Write) -> None:
    space = Space.load(write())
    rows = Parameter("mac_array.rows", (Choice("four", 4), Choice("more", 8), Choice("also four", 4)))
    again = dataclasses.replace(space, parameters=(rows, *space.parameters[1:]), derived=())
    _check(again, range(again.size))


def test_what_a_batch_cannot_do_is_done_one_by_one(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise ZeroDivisionError

    space = Space.load(write())
    files = PartFiles(space, Declared.of(space))
    evaluator = DesignEvaluator(Setup.from_space(space, "auto", Declared.of(space)))
    job = PieceJob(0, tuple(range(space.size)))
    whole = JobPoints(space, files, evaluator).of(job)
    monkeypatch.setattr("archsim.explore.run.table_evaluation.TableEvaluation.parts", failing)
    found = JobPoints(space, files, evaluator).of(job)
    assert files.written(found.table(job.numbers)) == files.written(whole.table(job.numbers))
    assert dict(found.alone) == {"a batch failed: ZeroDivisionError": whole.simulated}
    assert (found.designs, found.simulated) == (whole.designs, whole.simulated)


def test_digests_are_those_of_the_whole_texts() -> None:
    pieces = [["a"], ["b", "cc", "b"], ["", "x"], ["same"], ["é", "f", "g", "h"]]
    columns = [distinct([piece[place % len(piece)] for place in range(12)]) for piece in pieces]
    texts = ["".join(column.of(row) for column in columns) for row in range(12)]
    assert len(set(texts)) > 6
    assert digests_of(columns) == [hashlib.sha256(text.encode()).digest() for text in texts]
