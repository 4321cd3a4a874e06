"""What a million designs take: on disk, in memory, and to be resumed; and what asking for a point costs."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from bench_designs import many
from figure import command, keep, measure, processor_seconds
from pytest_benchmark.fixture import BenchmarkFixture
from samplers import of_archsim, of_optuna

from archsim.explore import Space

pytestmark = pytest.mark.benchmark(timer=processor_seconds)

CLOCKS = 256
POINTS = 2_560
_WHOLE = """
import json, resource, sys, time
from archsim.explore import Space, explore
if __name__ == "__main__":
    space = Space.load(sys.argv[1])
    begun = time.perf_counter()
    study = explore(space, out=sys.argv[2], workers=2, prune=False, resume=len(sys.argv) > 3)
    seconds = time.perf_counter() - begun
    most = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "most_bytes": most, "points": len(study.points)}))
"""
"""An exploration in a process of its own: what it took by the clock, and most memory of the process that searches."""


def explored(folder: Path, resume: bool) -> dict[str, float]:
    """What 1,024,000 designs of one program took, in two workers, or their resuming."""
    many(folder / "space.yaml", CLOCKS)
    (folder / "whole.py").write_text(_WHOLE)
    words = (sys.executable, str(folder / "whole.py"), str(folder / "space.yaml"), str(folder / "out"))
    found: dict[str, float] = json.loads(command((*words, "again") if resume else words))
    return found


def bench_a_million_on_disk(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Bytes of Parquet a design, beside the 12.3 KB of a design's line of JSON that there once was."""
    found = benchmark.pedantic(lambda: explored(tmp_path, resume=False))
    parts = sum(file.stat().st_size for file in (tmp_path / "out" / "parts").rglob("*") if file.is_file())
    keep(benchmark, parts / found["points"], "bytes a design", "a line of JSON", 12_300, "below 100 bytes")


def bench_a_million_in_memory(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Most memory of the process that searches, beside the 36 KB a design that there once were; by the clock, too."""
    found = benchmark.pedantic(lambda: explored(tmp_path, resume=False))
    benchmark.extra_info["by_the_clock"] = found["seconds"]
    megabytes = found["most_bytes"] / 1e6
    keep(benchmark, megabytes, "MB", "36 KB a design", 36e-3 * found["points"], "below 1 GB, in 2 minutes")


def bench_resumed(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Seconds by the clock in which a million designs that are there are taken up, beside exploring them."""
    anew = explored(tmp_path, resume=False)
    found = benchmark.pedantic(lambda: explored(tmp_path, resume=True))
    keep(benchmark, found["seconds"], "s by the clock", "exploring them", anew["seconds"], "seconds")


@pytest.mark.parametrize("population", [64, 256])
def bench_sampler(benchmark: BenchmarkFixture, population: int) -> None:
    """Points asked of NSGA-II and told to it, beside Optuna's sampler; 2,560 of `cloud`, three objectives."""
    pytest.importorskip("optuna")
    whole = Space.load("cloud")
    space = replace(whole, config=whole.config.model_copy(update={"population": population}))
    measure(
        benchmark,
        lambda: of_archsim(space, POINTS),
        lambda: of_optuna(space, 2 * population),
        than="Optuna's NSGAIISampler",
        asked="below 10 us a point",
        unit="point",
        count=POINTS,
        other_count=2 * population,
    )
