"""Whoever goes on from a folder evaluates a few of its designs again: what was changed there is refused in one line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.errors import OutputError
from archsim.explore import Space, explore
from archsim.explore.run import kept_points
from archsim.explore.run.evaluation import DesignEvaluator, Task
from archsim.explore.run.journal import sealed_line, unsealed
from archsim.explore.run.kept_points import FIRST, LAST, evenly, of_front, telling
from archsim.explore.run.outcome import Kind, Outcome
from archsim.explore.search.front import Front
from tests.explore.conftest import Write
from tests.explore.test_journal import MANY
from tests.optional import need

REFUSED = r"{folder}: point [\d,]+: {what}; what is kept was changed, or is of another archsim; choose another --out"


def one_by_one(path: Path, out: Path) -> Space:
    """An exploration whose journal has a line a design."""
    space = Space.load(path)
    explore(space, out=out, workers=1, executor="machine", prune=False)
    return space


def change(journal: Path, key: str | None, figure: str, factor: float) -> int:
    """Multiply a figure of a design, or of all, and make the checksum right; the number of lines that changed."""
    lines = journal.read_bytes().splitlines(keepends=True)
    changed = 0
    for place, line in enumerate(lines[1:], 1):
        record = json.loads(unsealed(line) or b"")
        if key is not None and record["key"] != key:
            continue
        for figures in record.get("outputs", {}).values():
            figures[figure] *= factor
            changed += 1
        lines[place] = sealed_line(json.dumps(record))
    journal.write_bytes(b"".join(lines))
    return changed


def resume(space: Space, out: Path) -> object:
    return explore(space, out=out, workers=1, resume=True, prune=False)


def refused(space: Space, out: Path, what: str) -> None:
    with pytest.raises(OutputError) as caught:
        resume(space, out)
    assert re.fullmatch(REFUSED.format(folder=re.escape(str(out)), what=what), str(caught.value)), caught.value


def test_a_design_that_was_made_better_than_all_others_is_refused(write: Write, tmp_path: Path) -> None:
    """Its checksum is right, and its figure possible: it would be the best of the front."""
    out = tmp_path / "out"
    space = one_by_one(write(), out)
    points = [point for point in explore(space, workers=1, prune=False).points if point.objectives is not None]
    worst = max(points, key=lambda point: point.objectives or ())
    key = space.designs([worst.number])[0].key
    assert change(out / "journal.jsonl", key, "body_us", 1e-3) == 1
    before = (out / "journal.jsonl").read_bytes()
    refused(space, out, r"body_us is [\d.e-]+ on the disk, and evaluated again [\d.]+")
    assert (out / "journal.jsonl").read_bytes() == before


@pytest.mark.parametrize("figure", ["body_us", "latency_cycles", "energy.total_uj"])
def test_figures_that_were_changed_everywhere_are_refused(write: Write, tmp_path: Path, figure: str) -> None:
    """Whether objectives name them or not, as of another state of archsim with the same version."""
    out = tmp_path / "out"
    space = one_by_one(write(), out)
    assert change(out / "journal.jsonl", None, figure, 1 + 1e-6 if "cycles" not in figure else 2) > 1
    refused(space, out, rf"{re.escape(figure)} is .* on the disk, and evaluated again .*")


def test_a_design_that_was_made_infeasible_is_refused_where_all_are_looked_at(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no figures any more, which a sample finds if it is in it; here everything is."""
    monkeypatch.setattr("archsim.explore.run.explore.SHARE", 1)
    monkeypatch.setattr("archsim.explore.run.explore.FIRST", 1000)
    out = tmp_path / "out"
    space = one_by_one(write(), out)
    journal = out / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if b'"outputs":' in line)
    record = json.loads(unsealed(lines[place]) or b"")
    record = {"key": record["key"], "kind": "infeasible", "reason": ["capacity", "too small", 2, 1, "bytes"]}
    lines[place] = sealed_line(json.dumps(record))
    journal.write_bytes(b"".join(lines))
    refused(space, out, "it has no figures on the disk, and evaluated again some")


@pytest.mark.parametrize("executor", ["auto", "machine"])
@pytest.mark.parametrize("cut", [False, True])
def test_what_was_not_changed_goes_on(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str, cut: bool
) -> None:
    """Also by the other executor, and where a part of it is there; few are evaluated again, and none counts."""
    again: list[str] = []
    run_all, parts = DesignEvaluator.run_all, DesignEvaluator.parts

    def watched(self: DesignEvaluator, tasks: Sequence[Task]) -> Any:
        again.extend(task.key for task in tasks)
        return parts(self, tasks)

    out = tmp_path / "out"
    space = Space.load(write())
    whole = explore(space, out=out, workers=1, executor=executor, prune=False)
    journal = out / "journal.jsonl"
    if cut:
        lines = journal.read_bytes().splitlines(keepends=True)
        journal.write_bytes(b"".join(lines[: 1 + len(lines) // 2]))
    before = journal.read_bytes()
    monkeypatch.setattr(DesignEvaluator, "parts", watched)
    study = explore(space, out=out, workers=1, resume=True, prune=False)
    assert study.points == whole.points or executor == "machine"
    assert [point.objectives for point in study.points] == [point.objectives for point in whole.points]
    assert journal.read_bytes().startswith(before)
    checked = len(again) - study.simulated
    assert 0 < checked <= min(FIRST + LAST, 2 * max(1, whole.simulated // kept_points.SHARE))
    assert run_all is DesignEvaluator.run_all


def test_figures_of_a_part_are_evaluated_again_too(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part is whole, and its digest in the manifest is right; its figures are not, or its objectives alone."""
    need("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    monkeypatch.setattr("archsim.explore.run.explore.PART_POINTS", 16)
    space, out = Space.load(write(*MANY)), tmp_path / "out"
    explore(space, out=out, workers=1, prune=False)
    part, manifest = out / "parts" / "part-000000.parquet", out / "parts" / "manifest.jsonl"
    table, lines = pq.read_table(part), manifest.read_bytes().splitlines(keepends=True)
    first = json.loads(unsealed(lines[0]) or b"")
    for column, what in (
        ("body_us", r"body_us is [\d.e-]+ on the disk, and evaluated again [\d.]+"),
        ("objective body_us", r"an objective is [\d.e-]+ on the disk, and by its figures [\d.]+"),
    ):
        values = [None if value is None else value / 1000 for value in table[column].to_pylist()]
        place = table.column_names.index(column)
        pq.write_table(table.set_column(place, column, pa.array(values, pa.float64())), part)
        lines[0] = sealed_line(json.dumps(first | {"sha256": hashlib.sha256(part.read_bytes()).hexdigest()}))
        manifest.write_bytes(b"".join(lines))
        refused(space, out, what)


def test_an_outcome_is_not_refused_because_the_design_cannot_be_evaluated_now(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where there is too little memory: that says nothing about the figures."""
    out = tmp_path / "out"
    space = one_by_one(write(), out)

    def fails(self: DesignEvaluator, tasks: Sequence[Task]) -> Any:
        yield [Outcome(task.key, Kind.FAILED, {}) for task in tasks]

    monkeypatch.setattr(DesignEvaluator, "parts", fails)
    resume(space, out)


def test_which_ones_are_evaluated_again() -> None:
    """By hand: of 3, 5, 9, 11, 20 three evenly spaced are the first, the middle and the last."""
    assert evenly([20, 3, 11, 9, 5], 3) == [3, 9, 20]
    assert evenly([7], 4) == [7]
    assert evenly([4, 2], 1) == [2]
    assert evenly([], 4) == []
    front = Front(2)
    assert of_front(front, 4) == []
    values = np.array([[1, 9], [2, 5], [3, 4], [4, 3], [5, 1]])
    front.add([50, 10, 20, 30, 40], values.tolist())
    assert of_front(front, 2) == [50, 40], "the best in the first objective, and in the second"
    assert of_front(front, 4) == [50, 40, 10, 20]
    assert of_front(front, 9) == [50, 40, 10, 20, 30]


def test_most_of_those_that_are_looked_at_have_figures() -> None:
    """A single one has, if any has; of four three; where there are too few, the others make up for them."""
    numbers, with_figures = list(range(10)), [2, 4, 6, 8, 9]
    assert telling(numbers, with_figures, 1) == [2]
    assert telling(numbers, with_figures, 4) == [2, 6, 9, 0]
    assert telling(numbers, [4], 4) == [4, 0, 5, 9]
    assert telling(numbers, [], 2) == [0, 9]
    assert telling(with_figures, with_figures, 8) == with_figures
    assert sorted(telling(numbers, with_figures, 100)) == numbers
