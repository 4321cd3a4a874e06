"""Large explorations: parts of columns on disk, the same points as in memory, and every promise of the journal."""

import errno
import json
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from archsim.errors import OutputError
from archsim.explore import Point, Space, Status, Study, explore
from archsim.explore.parts.part_folder import PartFolder
from archsim.explore.parts.part_rows import key_words, number_words, numbers_array, violations
from archsim.explore.parts.word_index import WordIndex
from archsim.explore.results.write_results import write_results
from archsim.explore.run import evaluation
from archsim.explore.run.journal import sealed_line
from archsim.explore.run.outcome import Kind, Outcome
from archsim.explore.search.point_classifier import violation
from archsim.explore.space.design import Reason
from tests.explore.conftest import Write, keys_in
from tests.optional import need

need("pyarrow")

PARTS = 100
MANY = (
    ("{from: 2, to: 16}", "{from: 2, to: 32}"),
    ("mac_array.columns <= 64", "mac_array.columns <= 512"),
    ("step: 2", "step: 1"),
    ("[256, 2KiB]", "[256, 2KiB]\n  activation.lanes: [1, 2, 3, 4]"),
)
"""400 points; rounds of 256 and 144."""

Parts = Callable[[int], None]


def test_only_whole_lines_of_the_same_settings_name_parts(tmp_path: Path) -> None:
    """Lines of other settings are of another exploration; one without a sum says nothing; others are counted."""
    digest = "0" * 64
    (tmp_path / "parts").mkdir()
    lines = [
        sealed_line(json.dumps({"settings": settings, "part": part, "sha256": sha256}))
        for settings, part, sha256 in (("mine", 0, digest), ("other", 1, digest), ("mine", 2, 7), ("mine", -1, digest))
    ]
    (tmp_path / "parts" / "manifest.jsonl").write_bytes(b"".join([*lines, b"no sum\n"]))
    folder = PartFolder(tmp_path, "mine")
    assert (folder.places, folder.dropped) == ([0], 2)


@pytest.fixture(autouse=True)
def parts_of(monkeypatch: pytest.MonkeyPatch) -> Parts:
    """Sets how many points fill a part, here and now 100."""
    module = sys.modules["archsim.explore.run.explore"]

    def set_points(points: int) -> None:
        monkeypatch.setattr(module, "PART_POINTS", points)

    set_points(PARTS)
    return set_points


def shown(point: Point) -> tuple[object, ...]:
    """All of a point but figures that were not asked for."""
    return (
        point.number,
        dict(point.inputs),
        point.schedule,
        point.status,
        point.objectives,
        point.executor,
        point.reason,
    )


def umask() -> int:
    """What this process takes from the permissions of new files."""
    os.umask(found := os.umask(0))
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def results(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in files(folder).items() if not name.startswith("journal")}


def whole(path: Path, out: Path, **options: object) -> Study:
    study = explore(Space.load(path), out=out, workers=1, **options)  # type: ignore[arg-type]
    write_results(study, out, plots=False)
    return study


def test_the_points_are_those_of_an_exploration_in_memory(write: Write, tmp_path: Path, parts_of: Parts) -> None:
    path = write(*MANY)
    study = explore(Space.load(path), out=tmp_path / "out", workers=1, prune=True)
    nowhere = explore(Space.load(path), workers=1, prune=True)
    parts_of(1000)
    plain = explore(Space.load(path), workers=1, prune=True)
    for found in (study, nowhere):
        assert list(map(shown, found.points)) == list(map(shown, plain.points))
        assert [point.number for point in found.pareto()] == [point.number for point in plain.pareto()]
        assert [found.count(status) for status in Status] == [plain.count(status) for status in Status]
        assert found.count(Status.EVALUATED) > 0 < found.count(Status.INFEASIBLE)
        assert found.reasons() == plain.reasons()
        assert np.array_equal(found.values(), plain.values())
        assert np.array_equal(found.asked_values(), plain.asked_values(), equal_nan=True)
        assert [point.number for point in found.others(7)] == [point.number for point in plain.others(7)]
        for place in range(len(plain.space.parameters)):
            assert len(set(zip(found.places(place).tolist(), plain.places(place).tolist(), strict=True))) == len(
                set(plain.places(place).tolist())
            )
        for status in Status:
            assert [p.number for p in found.with_status(status)] == [p.number for p in plain.with_status(status)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out" / "parts").iterdir()} == {0o666 & ~umask()}
    first = next(point for point in study.points if point.status is Status.EVALUATED)
    assert [set(found) for found in (first.outputs or {}).values()] == [{"body_us"}]
    assert sorted(files(tmp_path / "out" / "parts")) == [
        "manifest.jsonl", "part-000000.parquet", "part-000001.parquet",
    ]  # fmt: skip


@pytest.mark.exhaustive
def test_results_are_the_same_bytes_after_any_resumption(write: Write, tmp_path: Path) -> None:
    path = write(*MANY)
    study = whole(path, tmp_path / "a" / "out")
    expected = results(tmp_path / "a" / "out")
    again = whole(path, tmp_path / "a" / "out", resume=True)
    assert (again.simulated, again.dropped_parts) == (0, 0)
    assert results(tmp_path / "a" / "out") == expected
    explore(Space.load(path).with_budget(150), out=tmp_path / "b" / "out", workers=1)
    grown = whole(path, tmp_path / "b" / "out", resume=True)
    assert grown.simulated < study.simulated
    assert results(tmp_path / "b" / "out") == expected


@pytest.mark.exhaustive
def test_a_smaller_exploration_becomes_a_large_one_and_no_design_is_evaluated_twice(
    write: Write, tmp_path: Path, parts_of: Parts
) -> None:
    path, out = write(*MANY), tmp_path / "out"
    parts_of(1000)
    first = explore(Space.load(path).with_budget(150), out=out, workers=1)
    parts_of(PARTS)
    study = explore(Space.load(path), out=out, workers=1, resume=True)
    alone = explore(Space.load(path), workers=1)
    assert first.simulated + study.simulated == alone.simulated
    assert first.simulated > 0
    parts_of(1000)
    with pytest.raises(OutputError, match="choose a larger --budget or another --out"):
        explore(Space.load(path), out=out, workers=1, resume=True)


@pytest.mark.exhaustive
@pytest.mark.parametrize("damage", ["cut", "bit", "gone", "manifest", "torn"])
def test_a_damaged_part_is_dropped_and_made_anew(write: Write, tmp_path: Path, damage: str) -> None:
    path, out = write(*MANY), tmp_path / "out"
    whole(path, out)
    expected, parts = results(out), out / "parts"
    part, manifest = parts / "part-000000.parquet", parts / "manifest.jsonl"
    lines = manifest.read_bytes()
    if damage == "cut":
        part.write_bytes(part.read_bytes()[:-1])
    elif damage == "bit":
        data = bytearray(part.read_bytes())
        data[len(data) // 2] ^= 1
        part.write_bytes(data)
    elif damage == "gone":
        part.unlink()
    elif damage == "manifest":
        manifest.write_bytes(lines.replace(b'"part": 0', b'"part": 7', 1))
    else:
        manifest.write_bytes(lines + lines[: len(lines) // 3])
    study = whole(path, out, resume=True)
    assert (study.simulated > 0) == (damage != "torn")
    assert study.dropped_parts == (damage != "gone")
    now = results(out)
    assert {name for name in now if now[name] != expected.get(name)} <= {"parts/manifest.jsonl"}
    assert whole(path, out, resume=True).simulated == 0


def test_a_forged_part_is_refused(write: Write, tmp_path: Path) -> None:
    """It is whole, as its manifest says, but of another exploration."""
    path, out, other = write(*MANY), tmp_path / "out", tmp_path / "other"
    whole(path, out)
    changed = write(*MANY, ("accumulators.entries: 4", "accumulators.entries: 8"), name="changed")
    whole(changed, other)
    for name in ("manifest.jsonl", "part-000000.parquet"):
        (out / "parts" / name).write_bytes((other / "parts" / name).read_bytes())
    with pytest.raises(OutputError, match="part 0 was explored with other numbers"):
        whole(path, out, resume=True)


@pytest.mark.exhaustive
def test_other_objectives_are_refused(write: Write, tmp_path: Path) -> None:
    explore(Space.load(write(*MANY)), out=tmp_path / "out", workers=1)
    changed = write(*MANY, ("minimize: body_us", "minimize: latency_us"))
    with pytest.raises(OutputError, match="other objectives or constraints, or pruned otherwise"):
        explore(Space.load(changed), out=tmp_path / "out", workers=1, resume=True)


def test_without_pyarrow_one_line_says_what_is_needed(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(OutputError, match="so many points are kept as Parquet, which needs pyarrow: pip install"):
        explore(Space.load(write(*MANY)), out=tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()
    assert explore(Space.load(write()).with_budget(PARTS), workers=1).points


@pytest.mark.exhaustive
def test_a_failed_design_is_tried_again(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, out = write(*MANY), tmp_path / "out"
    parts = evaluation.DesignEvaluator.parts

    def some_fail(self: evaluation.DesignEvaluator, tasks: list[evaluation.Task]) -> Iterator[list[Outcome]]:
        bad = {task.key for task in tasks if task.number % 7 == 0}
        for some in parts(self, tasks):
            yield [Outcome(o.key, Kind.FAILED, {}, reason=Reason("bug", "x")) if o.key in bad else o for o in some]

    monkeypatch.setattr(evaluation.DesignEvaluator, "parts", some_fail)
    failed = explore(Space.load(path), out=out, workers=1, prune=False).count(Status.FAILED)
    monkeypatch.setattr(evaluation.DesignEvaluator, "parts", parts)
    study = explore(Space.load(path), out=out, workers=1, prune=False, resume=True)
    assert study.simulated == failed > 0 == study.count(Status.FAILED)
    assert list(map(shown, study.points)) == list(map(shown, explore(Space.load(path), workers=1, prune=False).points))


def test_a_full_disk_keeps_what_was_done(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part has no room: a line, and what was counted is in the journal."""
    path, out = write(*MANY), tmp_path / "out"

    replace = os.replace

    def full(source: Path, target: Path) -> None:
        if target.suffix == ".parquet":
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    with monkeypatch.context() as context:
        context.setattr(os, "replace", full)
        with pytest.raises(OutputError, match=r"000000.parquet: cannot be written: No space left .*; [1-9][0-9]* "):
            explore(Space.load(path), out=out, workers=1)
    assert [file.name for file in (out / "parts").iterdir()] == ["manifest.jsonl"]
    kept = len(keys_in(out / "journal.jsonl"))
    study = explore(Space.load(path), out=out, workers=1, resume=True)
    assert study.simulated == explore(Space.load(path), workers=1).simulated - kept
    assert kept > 0


@pytest.mark.exhaustive
def test_kills_at_every_step_of_closing_a_part(write: Write, tmp_path: Path) -> None:
    """Killed before each write, fsync and rename: nothing that was counted is evaluated again, bytes are the same."""
    path = write(*MANY)
    study = whole(path, tmp_path / "whole" / "out")
    for step in range(60):
        out = tmp_path / f"killed{step}" / "out"
        child = os.fork()
        if child == 0:
            _kill_at(step)
            whole(path, out)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        kept = len(keys_in(out / "journal.jsonl")) if (out / "journal.jsonl").exists() else 0
        parts = len(list((out / "parts").glob("*.parquet"))) if (out / "parts").exists() else 0
        again = whole(path, out, resume=True)
        assert again.simulated <= study.simulated - (0 if parts else kept)
        assert results(out) == results(tmp_path / "whole" / "out"), step
        if not os.WIFSIGNALED(status):
            break
    assert step > 10
    assert not os.WIFSIGNALED(status), "more steps than were tried"


def _kill_at(step: int) -> None:
    """From here on, end this process before its call of that number of what puts things on the disk."""
    left = [step]

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def killed(*arguments: object, **options: object) -> object:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return call(*arguments, **options)

        return killed

    for name in ("fsync", "rename", "replace", "write"):
        setattr(os, name, counted(getattr(os, name)))


@pytest.mark.parametrize("budget", [None, 300])
@pytest.mark.exhaustive
def test_a_sampler_that_learns_is_told_the_same(write: Write, tmp_path: Path, budget: int | None) -> None:
    need("optuna")
    learns = ("objectives:", "sampler: nsga2\npopulation: 32\nbudget: 350\nobjectives:")
    space = Space.load(write(*MANY, learns)).with_budget(budget)
    study = explore(space, out=tmp_path / "out", workers=1)
    again = explore(space, out=tmp_path / "out", workers=1, resume=True)
    assert again.simulated == 0
    assert list(again.points) == list(study.points)


def test_rows_are_found_by_words_also_where_several_have_one() -> None:
    index, random = WordIndex(), np.random.default_rng(1)
    words = random.integers(0, 50, 200).astype(np.uint64)
    for first in range(0, 200, 7):
        index.add(words[first : first + 7], first)
    found = {(place, row) for place, row in index.find(np.arange(60, dtype=np.uint64))}
    assert found == {(int(word), row) for row, word in enumerate(words)}
    assert len(index) == 200


def test_numbers_beyond_64_bits_have_words_too() -> None:
    large = numbers_array([3, 1 << 70, (1 << 70) + 1], 1 << 80)
    assert len(set(number_words(large).tolist())) == 3
    assert number_words(numbers_array([3, 5], 9)).tolist() == [3, 5]
    assert key_words([None, "01" * 32]).tolist() == [[0, 0], [0x0101010101010101] * 2]


def test_violations_are_those_of_points() -> None:
    reasons = [None, Reason("a", "b"), Reason("a", "b", 3, 2), Reason("a", "b", 5.0, 0.25), Reason("a", "b", 1, 1)]
    statuses = [Status.EVALUATED] + [Status.INFEASIBLE] * 4
    points = [
        Point(n, {}, "", status, reason=reason)
        for n, (status, reason) in enumerate(zip(statuses, reasons, strict=True))
    ]
    need = np.array([np.nan, np.nan, 3, 5.0, 1])
    have = np.array([np.nan, np.nan, 2, 0.25, 1])
    found = violations(np.array([list(Status).index(s) for s in statuses], np.int8), need, have)
    assert found.tolist() == [violation(point) for point in points]


@pytest.mark.exhaustive
def test_notes_and_files_say_where_everything_is(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archsim.explore.results import write_results as module

    monkeypatch.setattr(module, "MOST_OTHERS", 20)
    study = explore(Space.load(write(*MANY)), out=tmp_path / "out", workers=1)
    (note,) = write_results(study, tmp_path / "out")
    rows = (tmp_path / "out" / "points.csv").read_text().splitlines()
    assert note.startswith(f"points.csv has {len(rows) - 1} of 400 points, the front and others evenly spaced; parts/")
    assert 20 < len(rows) - 1 <= 20 + len(study.pareto())
    assert "every evaluated design" in (tmp_path / "out" / "index.html").read_text()
    assert not (tmp_path / "out" / "points.parquet").exists()
    assert json.loads(module.study_json(study))["evaluated"] == study.count(Status.EVALUATED)
