"""Parts that workers write, compared with those of the path that hands out designs: all files are the same bytes."""

import hashlib
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.errors import OutputError
from archsim.explore import Space, Status, Study, explore
from archsim.explore.parts.part_plan import part_plans
from archsim.explore.parts.piece_folder import piece_name
from archsim.explore.ranges import range_search
from archsim.explore.ranges.piece_job import PieceJob, PieceReport
from archsim.explore.results.write_results import write_results
from archsim.explore.run.journal import sealed_line
from archsim.explore.run.local_process import LocalProcess
from archsim.explore.run.watcher import Watcher
from archsim.explore.search.front import Values
from archsim.explore.search.samplers import Sampler
from tests.explore.conftest import Write
from tests.explore.parts.test_parts import MANY, _kill_at, files
from tests.optional import need
from tests.rings import exhaustive

pyarrow: Any = need("pyarrow")
need("pyarrow.parquet")

PARTS, JOBS = 100, 30
MODULE = sys.modules["archsim.explore.run.explore"]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 100 points, in jobs of 30, however long they take: 256 points are nine jobs, 144 are five."""
    monkeypatch.setattr(MODULE, "PART_POINTS", PARTS)
    monkeypatch.setattr(range_search, "FIRST_JOB", JOBS)
    monkeypatch.setattr(range_search, "MOST_IN_JOB", JOBS)
    monkeypatch.setattr(range_search, "JOB_SECONDS", 1e9)


def results(folder: Path) -> dict[str, bytes]:
    """All files but those of what is under way, which are in the order in which it was finished."""
    under_way = ("journal", "parts/pieces")
    return {name: data for name, data in files(folder).items() if not name.startswith(under_way)}


def whole(path: Path, out: Path, budget: int | None = None, workers: int = 1, **options: object) -> Study:
    space = Space.load(path).with_budget(budget)
    study = explore(space, out=out, workers=workers, prune=False, **options)  # type: ignore[arg-type]
    write_results(study, out, plots=False)
    return study


def by_designs(path: Path, out: Path, budget: int | None = None) -> Study:
    """The same by the path that hands out designs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "in_ranges", lambda space, pruning: False)
        return whole(path, out, budget)


def same(one: Study, other: Study) -> None:
    assert list(one.points) == list(other.points)
    assert one.pareto() == other.pareto()
    assert one.same_as() == other.same_as()
    assert [one.count(status) for status in Status] == [other.count(status) for status in Status]
    assert one.reasons() == other.reasons()
    assert np.array_equal(one.values(), other.values())
    assert np.array_equal(one.asked_values(), other.asked_values(), equal_nan=True)
    assert one.others(7) == other.others(7)


SPACES = {
    "grid": (),
    "random": (("objectives:", "sampler: random\nbudget: 350\nobjectives:"),),
    "sobol": (("objectives:", "sampler: sobol\nbudget: 350\nobjectives:"),),
    "two workloads": (('["lstm:3,4,t=3"]', '["lstm:3,4,t=3", "lstm:5,6,t=2"]'), ("body_us", "latency_us")),
    "reasons": (("mac_array.rows * mac_array.columns <= 512", "body_us <= 40"), ("[256, 2KiB]", "[2, 256, 2KiB]")),
}


@pytest.mark.parametrize(
    ("kind", "workers"),
    [
        ("grid", 1),
        *(pytest.param(kind, n, marks=exhaustive) for kind in SPACES for n in (1, 2) if (kind, n) != ("grid", 1)),
    ],
)
def test_all_files_are_those_of_designs_handed_out(write: Write, tmp_path: Path, kind: str, workers: int) -> None:
    if kind == "sobol":
        need("scipy")
    path = write(*MANY, *SPACES[kind])
    expected = by_designs(path, tmp_path / "a" / "out")
    study = whole(path, tmp_path / "b" / "out", workers=workers)
    assert results(tmp_path / "b" / "out") == results(tmp_path / "a" / "out")
    same(study, expected)
    assert study.simulated == expected.simulated
    assert study.count(Status.EVALUATED) > 0 < study.count(Status.INFEASIBLE)


@exhaustive
def test_a_budget_that_cuts_a_part_off_may_grow_and_shrink(write: Write, tmp_path: Path) -> None:
    """300 of 400 points are a whole part of 256 and 44 more, whose pieces stay for a larger budget."""
    path, out = write(*MANY), tmp_path / "b" / "out"
    first = whole(path, out, 300)
    by_designs(path, tmp_path / "a" / "out", 300)
    assert results(out) == results(tmp_path / "a" / "out")
    assert list((out / "parts" / "pieces").iterdir())
    again = whole(path, out, 300, resume=True)
    assert (again.simulated, results(out)) == (0, results(tmp_path / "a" / "out"))
    grown = whole(path, out, resume=True)
    expected = by_designs(path, tmp_path / "c" / "out")
    assert results(out) == results(tmp_path / "c" / "out")
    assert not (out / "parts" / "pieces").exists()
    assert first.simulated + grown.simulated == expected.simulated
    same(whole(path, out, 200, resume=True), by_designs(path, tmp_path / "d" / "out", 200))


@exhaustive
def test_a_smaller_exploration_becomes_a_large_one_and_no_design_is_evaluated_twice(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write(*MANY), tmp_path / "out"
    with monkeypatch.context() as context:
        context.setattr(MODULE, "PART_POINTS", 1000)
        first = explore(Space.load(path).with_budget(150), out=out, workers=1, prune=False)
    study = whole(path, out, resume=True)
    expected = by_designs(path, tmp_path / "a" / "out")
    assert first.simulated + study.simulated == expected.simulated
    same(study, expected)
    monkeypatch.setattr(MODULE, "PART_POINTS", 1000)
    with pytest.raises(OutputError, match="choose a larger --budget or another --out"):
        explore(Space.load(path), out=out, workers=1, prune=False, resume=True)


@exhaustive
def test_kills_before_every_write(write: Write, tmp_path: Path) -> None:
    """Killed before each write, fsync and rename: what was counted is not evaluated again, and bytes are the same."""
    path = write(*MANY)
    study = whole(path, tmp_path / "whole" / "out")
    assert study.simulated == 400
    for step in range(0, 200, 7):
        out = tmp_path / f"killed{step}" / "out"
        child = os.fork()
        if child == 0:
            _kill_at(step)
            whole(path, out)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        kept = points_on_disk(out / "parts")
        again = whole(path, out, resume=True)
        assert again.simulated == 400 - len(kept), step
        assert results(out) == results(tmp_path / "whole" / "out"), step
        assert not (out / "parts" / "pieces").exists()
        if not os.WIFSIGNALED(status):
            break
    assert step > 30
    assert not os.WIFSIGNALED(status), "more steps than were tried"


def points_on_disk(parts: Path) -> set[int]:
    """The points of the files of a folder that a line names."""
    found: set[int] = set()
    for lines, name in ((parts / "manifest.jsonl", ""), (parts / "pieces.jsonl", "pieces/")):
        for line in lines.read_bytes().splitlines() if lines.exists() else ():
            said = json.loads(line[9:])
            file = piece_name(said["part"], said["sha256"]) if name else f"part-{said['part']:06}.parquet"
            if (parts / f"{name}{file}").exists():
                found.update(pyarrow.parquet.read_table(parts / f"{name}{file}")["point"].to_pylist())
    return found


class _Stopped(Exception):
    pass


class Counting(Watcher):
    """Adds up what it is told."""

    points, fresh = 0, 0

    def reported(self, points: int, fresh: int, objectives: Values) -> None:
        self.points += points
        self.fresh += fresh


def test_who_watches_is_told_of_all_points_and_of_the_designs_that_were_evaluated_for_them(
    write: Write, tmp_path: Path
) -> None:
    """Points with more than 64 MACs are infeasible at once, and no designs that were evaluated."""
    watcher = Counting()
    path = write(*MANY, ("mac_array.columns <= 512", "mac_array.columns <= 64"))
    study = whole(path, tmp_path / "out", watcher=watcher)
    assert (watcher.points, watcher.fresh) == (len(study.points), study.simulated)
    assert watcher.points > watcher.fresh


def stopped_after(reports: int, path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Begin an exploration that ends after so many reports; how many designs they were of."""
    count = range_search.RangeSearch._count
    seen: list[PieceReport] = []

    def counted(search: range_search.RangeSearch, report: PieceReport) -> None:
        if len(seen) == reports:
            raise _Stopped
        seen.append(report)
        count(search, report)

    with monkeypatch.context() as context:
        context.setattr(range_search.RangeSearch, "_count", counted)
        with pytest.raises(_Stopped):
            whole(path, out)
    return sum(report.simulated for report in seen)


@exhaustive
@pytest.mark.parametrize("damage", ["none", "cut", "gone", "torn line", "other settings"])
def test_pieces_that_were_reported_are_used_and_others_made_anew(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """The fourth piece was written, and its report did not come: it is removed."""
    path, out = write(*MANY), tmp_path / "out"
    done = stopped_after(3, path, out, monkeypatch)
    expected = by_designs(path, tmp_path / "a" / "out")
    lines, pieces = out / "parts" / "pieces.jsonl", sorted((out / "parts" / "pieces").iterdir())
    assert (len(lines.read_bytes().splitlines()), len(pieces)) == (3, 4)
    first = json.loads(lines.read_bytes().splitlines()[0][9:])
    piece = out / "parts" / "pieces" / piece_name(first["part"], first["sha256"])
    if damage == "cut":
        piece.write_bytes(piece.read_bytes()[:-1])
    elif damage == "gone":
        piece.unlink()
    elif damage == "torn line":
        lines.write_bytes(lines.read_bytes()[:-5])
    elif damage == "other settings":
        lines.write_bytes(b"")
    study = whole(path, out, resume=True)
    again = {"none": 0, "cut": JOBS, "gone": JOBS, "torn line": JOBS, "other settings": done}[damage]
    assert study.simulated == expected.simulated - done + again
    assert study.dropped_parts == (damage in ("cut", "torn line"))
    assert results(out) == results(tmp_path / "a" / "out")
    assert not (out / "parts" / "pieces").exists()


@exhaustive
def test_a_forged_piece_is_refused(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is whole, and has a line, but is of another machine."""
    path, out, other = write(*MANY), tmp_path / "out", tmp_path / "other"
    stopped_after(1, path, out, monkeypatch)
    changed = write(*MANY, ("accumulators.entries: 4", "accumulators.entries: 8"), name="changed")
    stopped_after(1, changed, other, monkeypatch)
    for file in (other / "parts").rglob("*"):
        if file.is_file():
            (out / file.relative_to(other)).write_bytes(file.read_bytes())
    with pytest.raises(OutputError, match="part 0 was explored with other numbers"):
        whole(path, out, resume=True)


@exhaustive
def test_a_piece_whose_figures_were_changed_is_refused(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named by its digest, and has a line: four of its designs are evaluated again."""
    path, out = write(*MANY), tmp_path / "out"
    stopped_after(1, path, out, monkeypatch)
    lines = out / "parts" / "pieces.jsonl"
    said = json.loads(lines.read_bytes()[9:])
    table = pyarrow.parquet.read_table(out / "parts" / "pieces" / piece_name(said["part"], said["sha256"]))
    figures = pyarrow.array([value and value / 2 for value in table["body_us"].to_pylist()])
    table = table.set_column(table.column_names.index("body_us"), "body_us", figures)
    pyarrow.parquet.write_table(table, tmp_path / "changed")
    data = (tmp_path / "changed").read_bytes()
    said["sha256"] = hashlib.sha256(data).hexdigest()
    (out / "parts" / "pieces" / piece_name(said["part"], said["sha256"])).write_bytes(data)
    lines.write_bytes(sealed_line(json.dumps(said)))
    with pytest.raises(OutputError, match=r"out: point \d+: body_us is .* on the disk, and evaluated again"):
        whole(path, out, resume=True)


@exhaustive
def test_a_worker_that_is_killed_costs_nothing_but_its_job(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real, killed = write(*MANY), LocalProcess.send, list[int]()

    def deadly(worker: LocalProcess, line: str) -> None:
        real(worker, line)
        if len(killed) < 2:
            killed.append(worker.process.pid)
            os.kill(worker.process.pid, signal.SIGKILL)

    by_designs(path, tmp_path / "a" / "out")
    monkeypatch.setattr(LocalProcess, "send", deadly)
    whole(path, tmp_path / "b" / "out", workers=2)
    assert len(killed) == 2
    assert results(tmp_path / "b" / "out") == results(tmp_path / "a" / "out")


@exhaustive
def test_a_design_over_which_workers_die_is_found_and_fails(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 30 points a job of 2, then one of 1, three workers in all for that one; others are as they would be."""
    path, real, guilty = write(*MANY), LocalProcess.send, 77
    plain = by_designs(path, tmp_path / "a" / "out")

    def deadly(worker: LocalProcess, line: str) -> None:
        real(worker, line)
        job = PieceJob.from_json(line)
        if guilty in job.numbers and job.deaths < 3:
            os.kill(worker.process.pid, signal.SIGKILL)

    monkeypatch.setattr(LocalProcess, "send", deadly)
    study = whole(path, tmp_path / "b" / "out", workers=2)
    (failed,) = study.with_status(Status.FAILED)
    assert failed.number == guilty
    assert failed.reason is not None
    assert failed.reason.what == "its worker process died 3 times, the last with exit code -9"
    assert [p for p in study.points if p.number != guilty] == [p for p in plain.points if p.number != guilty]
    again = whole(path, tmp_path / "b" / "out", resume=True)
    assert again.simulated == 1
    same(again, plain)


@exhaustive
def test_where_all_workers_die_that_is_said(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where they cannot begin: nothing is recorded as failed."""
    real = LocalProcess.send

    def deadly(worker: LocalProcess, line: str) -> None:
        real(worker, line)
        os.kill(worker.process.pid, signal.SIGKILL)

    monkeypatch.setattr(LocalProcess, "send", deadly)
    monkeypatch.setattr("archsim.explore.ranges.pieces.MOST_IN_VAIN", 3)
    with pytest.raises(
        OutputError, match="3 worker processes died, the last with exit code -9, and none has evaluated"
    ):
        whole(write(*MANY), tmp_path / "out", workers=2)
    assert not list((tmp_path / "out" / "parts").rglob("*.parquet"))


@exhaustive
def test_a_piece_that_cannot_be_written_is_a_line(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write(*MANY), tmp_path / "out"
    (tmp_path / "out" / "parts").mkdir(parents=True)
    (tmp_path / "out" / "parts" / "pieces").write_text("no folder")
    with pytest.raises(OutputError, match=r"pieces.jsonl: cannot be written: File exists"):
        whole(path, out, workers=2)


class Twice(Sampler):
    """Asks for points of a space of so many again and again."""

    def __init__(self, size: int) -> None:
        self.size, self.asked = size, 0

    def ask(self) -> list[int]:
        self.asked += 1
        return [self.asked % 7 + self.size - 9, self.asked % 5, self.asked % 7 + self.size - 9]


@pytest.mark.parametrize("size", [100, 1 << 70])
def test_no_point_is_planned_twice_whatever_the_size(size: int) -> None:
    """5 + 7 different numbers; after 20 rounds without a new one it ends."""
    sampler = Twice(size)
    plans = list(part_plans(sampler, size, 50, 4))
    numbers = [number for plan in plans for number in plan.numbers.tolist()]
    assert sorted(numbers) == sorted({*range(5), *range(size - 9, size - 2)})
    assert [len(plan.numbers) for plan in plans] == [4, 4, 4]
    assert sampler.asked == 7 + 20


NUMBERS = st.lists(st.integers(0, 999), min_size=1, max_size=40, unique=True)


@given(NUMBERS, st.integers(0, 9))
def test_jobs_are_what_they_were_after_their_journey(numbers: list[int], part: int) -> None:
    for size in (1000, 1 << 70):
        job = PieceJob(part, tuple(numbers), 2, -9)
        assert PieceJob.from_json(job.to_json(size)) == job


@given(st.integers(0, 999), st.integers(1, 999), st.integers(2, 500))
def test_steps_of_one_width_travel_as_such(first: int, step: int, count: int) -> None:
    job = PieceJob(0, tuple((first + place * step) % 1000 for place in range(count)))
    text = job.to_json(1000)
    assert PieceJob.from_json(text) == job
    assert len(text) < 80


@given(st.binary(max_size=9), st.floats(allow_nan=False, allow_infinity=False))
def test_reports_are_what_they_were_after_their_journey(data: bytes, value: float) -> None:
    for sent in (None, data):
        report = PieceReport(3, 9, "ab", sent, 5, 4, Counter({"why": 2}), [(1 << 70, (value, -value))], 0.25)
        assert PieceReport.from_json(report.to_json()) == report
