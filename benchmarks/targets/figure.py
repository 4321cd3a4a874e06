"""Times a way beside another one, by turns in the same run, and says how many times as fast it is."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

ROOT = Path(__file__).resolve().parents[2]
ARCHSIM = (sys.executable, "-m", "archsim")
NUMPY = (sys.executable, "-c", "import numpy")


def processor_seconds() -> float:
    """Processor time of this process and of those that it has waited for."""
    mine, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + others.ru_utime + others.ru_stime


def command(
    words: Sequence[str], code: int = 0, folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> str:
    """What a command prints that is given in a folder, the checkout's if not said; it must end with this exit code."""
    variables = os.environ | {"PYTHONPATH": str(ROOT)} | dict(environment or {})
    done = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise RuntimeError(f"{' '.join(words)}: exit code {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def measure(
    benchmark: BenchmarkFixture,
    way: Callable[[], object],
    other: Callable[[], object],
    *,
    than: str,
    asked: str,
    unit: str = "",
    count: float = 1,
    other_count: float | None = None,
    rounds: int = 3,
    timer: Callable[[], float] = processor_seconds,
) -> None:
    """Time both by turns, of each the least of all rounds, and keep figures with pytest-benchmark.

    `than`: what the other way is; `asked`: the target in words; `count`: how many of `unit` the way does each time,
    `other_count` how many the other does, as many if it is not given.
    """
    others: list[float] = []

    def first() -> None:
        begun = timer()
        other()
        others.append(timer() - begun)

    first()  # what is loaded, compiled or kept once
    way()
    others.clear()
    benchmark.pedantic(way, setup=first, rounds=rounds)
    assert benchmark.stats is not None
    seconds = benchmark.stats.stats.min / count
    ratio = min(others) / (count if other_count is None else other_count) / seconds
    benchmark.extra_info.update(than=than, ratio=ratio, asked=asked, unit=unit)
    if unit:
        benchmark.extra_info["a_second"] = 1 / seconds


def keep(benchmark: BenchmarkFixture, value: float, unit: str, than: str, other: float, asked: str) -> None:
    """Keep a figure that is no time: bytes, or a ratio itself, beside the same of another way."""
    benchmark.extra_info.update(than=than, ratio=other / value, asked=asked, unit=unit, value=value)
