"""Designs a second: from the file of a space to rows on disk, beside designs evaluated one by one."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import pytest
from batches import forget_structures
from figure import ARCHSIM, command, measure, processor_seconds
from one_program import SPACE
from pytest_benchmark.fixture import BenchmarkFixture

from archsim.explore import Space, explore
from archsim.explore.results.study import Point
from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task
from archsim.explore.run.watcher import Watcher

pytestmark = pytest.mark.benchmark(timer=processor_seconds)

ALONE = 60
"""Designs that are evaluated one by one, once their programs are there."""

MORE = """\
  clock_mhz: {{linear: {{from: 750, to: {last}, step: 1}}}}
objectives:
"""


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of programs in a folder of the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def one_by_one(space: Space) -> Callable[[], object]:
    """The evaluation of ALONE designs one after the other, each time of others."""
    evaluator, places = DesignEvaluator(Setup.from_space(space, "auto")), count()

    def some() -> None:
        done = 0
        while done < ALONE:
            design = space.design(next(places) * 7_919_317 % space.size)
            if design.reason is None:
                evaluator.run(Task(design.key, design.number, design.schedule))
                done += 1

    return some


def many(path: Path, clocks: int) -> Space:
    """4,000 designs of one program at so many clocks."""
    path.write_text(SPACE.format(steps=70).replace("objectives:\n", MORE.format(last=750 + clocks - 1), 1))
    return Space.load(path)


def bench_one_program(benchmark: BenchmarkFixture, own_cache: Path) -> None:
    """64,000 designs of one program, in this process."""
    space, numbers = many(own_cache / "space.yaml", 16), count()

    def whole() -> None:
        explore(space, out=own_cache / f"out{next(numbers)}", workers=1, prune=False)

    measure(
        benchmark,
        whole,
        one_by_one(space),
        than="one by one",
        asked="20,000 designs a second, one core",
        unit="design",
        count=space.size,
        other_count=ALONE,
    )


@pytest.mark.parametrize(
    ("name", "budget", "kept", "asked"),
    [
        ("edge", None, False, "5,000 designs a second, nothing kept"),
        ("edge", None, True, ""),
        ("cloud", 2_000, False, "2,000 designs a second"),
        ("cloud", 2_000, True, ""),
    ],
    ids=["edge cold", "edge, programs kept", "cloud cold", "cloud, programs kept"],
)
def bench_space(
    benchmark: BenchmarkFixture, own_cache: Path, name: str, budget: int | None, kept: bool, asked: str
) -> None:
    """A whole space in this process, all points evaluated."""
    space, numbers = Space.load(name).with_budget(budget), count()
    points = space.size if budget is None else budget

    def whole() -> None:
        if not kept:
            shutil.rmtree(own_cache / "cache", ignore_errors=True)
        forget_structures()
        explore(space, out=own_cache / f"out{next(numbers)}", workers=1, prune=False)

    measure(
        benchmark,
        whole,
        one_by_one(space),
        than="one by one",
        asked=asked,
        unit="design",
        count=points,
        other_count=ALONE,
    )


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="two workers need two cores")
@pytest.mark.benchmark(timer=time.perf_counter)
def bench_two_workers(benchmark: BenchmarkFixture, own_cache: Path) -> None:
    """1,024,000 designs of one program by two workers, beside one, by the clock."""
    space, numbers = many(own_cache / "space.yaml", 256), count()

    def by(workers: int) -> None:
        explore(space, out=own_cache / f"out{next(numbers)}", workers=workers, prune=False)

    measure(
        benchmark,
        lambda: by(2),
        lambda: by(1),
        than="one worker",
        asked="1.8 times as fast as one",
        unit="design",
        count=space.size,
        timer=time.perf_counter,
        rounds=2,
    )


class _FirstPoint(Exception):
    """The first point is there."""


class _Stop(Watcher):
    def counted(self, points: Sequence[Point], fresh: int) -> None:
        raise _FirstPoint


@pytest.mark.benchmark(timer=time.perf_counter)
def bench_first_point(benchmark: BenchmarkFixture, own_cache: Path) -> None:
    """`archsim explore edge` as a process, until its first point is known; programs are kept from before."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\\n"
        "from bench_designs import explore_to_the_first_point; explore_to_the_first_point(sys.argv[2])"
    ).replace("\\n", "\n")
    here, numbers = str(Path(__file__).parent), count()

    def first() -> None:
        command(
            (sys.executable, "-c", script, here, str(own_cache / f"out{next(numbers)}")),
            environment={"PYTHONPATH": _path()},
        )

    measure(
        benchmark,
        first,
        lambda: command((*ARCHSIM, "--help")),
        than="archsim --help",
        asked="1.5 s",
        timer=time.perf_counter,
    )


def _path() -> str:
    here = Path(__file__).resolve()
    return os.pathsep.join(map(str, (here.parents[2], here.parents[1], here.parent)))


def explore_to_the_first_point(out: str) -> None:
    """Explore `edge` until a point is known."""
    try:
        explore("edge", out=Path(out), workers=1, prune=False, watcher=_Stop())
    except _FirstPoint:
        return
    raise RuntimeError("no point came")
