"""Measures explorations whose workers write parts, beside those whose designs are handed out one by one.

    python benchmarks/ranges.py [POINTS]       (by default 131,072)

Both look at the same points of a real space with two local workers, all designs evaluated, and write no results. Each
runs in a process of its own, twice: with POINTS, and with half of them. Times are processor time of the process that
searches and of its workers together; memory is the most that the process that searches took, and a point's is the
difference of both runs by that of their points.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from parts import SPACE

from archsim.explore import Space, explore

WORKERS = 2


def measured(path: Path, out: Path, points: int, in_ranges: bool) -> dict[str, float]:
    """Explore in a process of its own; what it took."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with mock.patch("archsim.explore.run.explore.in_ranges", return_value=in_ranges):
            begun = time.perf_counter()
            study = explore(Space.load(path).with_budget(points), out=out, workers=WORKERS, prune=False)
        mine, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        found = {
            "seconds": time.perf_counter() - begun,
            "search_seconds": mine.ru_utime + mine.ru_stime,
            "worker_seconds": others.ru_utime + others.ru_stime,
            "most_bytes": 1024 * mine.ru_maxrss,
            "front": sum(point.number for point in study.pareto()),
        }
        os.write(writing, json.dumps(found).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        text = file.read()
    os.waitpid(child, 0)
    data: dict[str, float] = json.loads(text)
    return data


def main(points: int) -> None:
    """Explore by both paths, and print what it took."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "million.yaml"
        path.write_text(SPACE)
        fronts = []
        for name, in_ranges in (("designs handed out", False), ("in ranges", True)):
            half, whole = (
                measured(path, Path(temporary) / f"{name}{count}", count, in_ranges) for count in (points // 2, points)
            )
            fronts.append(whole["front"])
            search_us, worker_us = (1e6 * whole[key] / points for key in ("search_seconds", "worker_seconds"))
            memory = (whole["most_bytes"] - half["most_bytes"]) / (points - points // 2)
            print(
                f"{name}: {whole['seconds']:.1f} s, {points / whole['seconds']:,.0f} designs a second; processor: "
                f"{search_us:.1f} us a design of the search, {worker_us:.1f} of {WORKERS} workers; memory of the "
                f"search {whole['most_bytes'] / 1e6:,.0f} MB, {memory:.0f} bytes a point more with twice the points",
                flush=True,
            )
        if len(set(fronts)) > 1:
            raise SystemExit("the fronts differ")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 131_072)
