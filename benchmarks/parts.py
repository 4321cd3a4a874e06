"""Measures what a large exploration keeps: bytes on disk and in memory a design, and the time of writing and resuming.

    python benchmarks/parts.py [POINTS]       (by default 1,000,000)

Designs are not evaluated: a stand-in gives each figures that are drawn from its number, two objectives of which all
bits vary and one of few values. So what is measured is what keeping, searching and resuming cost by themselves. The
space is a real one, its points are resolved as always. Times are of this process (processor time).
"""

from __future__ import annotations

import gc
import resource
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from archsim.explore import Space
from archsim.explore.parts.part_file import PartFiles
from archsim.explore.parts.part_folder import PartFolder
from archsim.explore.parts.part_store import FoundInParts
from archsim.explore.results.study import Study
from archsim.explore.results.study_folder import open_journal
from archsim.explore.run.backend import Backend
from archsim.explore.run.declared import Declared, settings_digest
from archsim.explore.run.evaluation import Task
from archsim.explore.run.explore import PART_POINTS, Search
from archsim.explore.run.outcome import Kind, Outcome
from archsim.explore.run.watcher import Watcher
from archsim.explore.search.samplers import make_sampler

SPACE = """\
summary: a million points
architecture: edge_64x64
workloads: ["lstm:200,1000,t=70"]
parameters:
  mac_array.rows: {log2: {from: 2, to: 64}}
  activation.lanes: {linear: {from: 1, to: 16, step: 1}}
  elementwise.lanes: {linear: {from: 1, to: 16, step: 1}}
  sequencer.queue_depth: {linear: {from: 1, to: 16, step: 1}}
  weight_sram.capacity_bytes: {linear: {from: 8388608, to: 8450048, step: 1024}}
derived:
  accumulators.entries: 4 * mac_array.rows
objectives:
  - minimize: latency_us
  - minimize: energy.total_uj
  - minimize: area.area_mm2
sampler: grid
"""
TASKS_AT_ONCE = 4096


class Drawn(Backend):
    """Answers with figures that follow from a design's number."""

    def __init__(self, workload: str) -> None:
        self._workload = workload

    def run(self, tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
        for begin in range(0, len(tasks), TASKS_AT_ONCE):
            some = tasks[begin : begin + TASKS_AT_ONCE]
            numbers = np.array([task.number for task in some], np.uint64)
            bits = (numbers * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11)
            first = 1.0 + bits.astype(np.float64) / (1 << 53)
            second = 1.0 + (bits * bits % np.uint64(1 << 53)).astype(np.float64) / (1 << 53)
            rows = zip(some, first.tolist(), second.tolist(), (bits % np.uint64(97)).tolist(), strict=True)
            yield [
                Outcome(task.key, Kind.DONE, {self._workload: _figures(a, b, float(c))}, "fast")
                for task, a, b, c in rows
            ]


def _figures(latency_us: float, energy_uj: float, area_mm2: float) -> dict[str, int | float | str | None]:
    return {"latency_us": latency_us, "energy.total_uj": energy_uj, "area.area_mm2": area_mm2}


def explored(space: Space, folder: Path, resume: bool) -> Study:
    """Explore as `archsim explore` does, with designs that are drawn."""
    settings = settings_digest(space, pruning=False)
    with open_journal(folder, space, resume, settings) as journal:
        files = PartFiles(space, Declared.of(space))
        found = FoundInParts(space, files, PartFolder(folder, settings), journal, PART_POINTS)
        backend = Drawn(space.workloads[0].workload.name)
        return Search(space, make_sampler(space, False), backend, found, False, Watcher()).run()


def main(points: int) -> None:
    """Explore, resume, and print what it took."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "million.yaml"
        path.write_text(SPACE)
        space = Space.load(path).with_budget(points)
        folder = Path(temporary) / "out"
        start_bytes = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun = time.process_time()
        study = explored(space, folder, resume=False)
        most_bytes = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"{len(study.points):,} points explored: {_rate(points, time.process_time() - begun)}")
        print(
            f"the process took {most_bytes / 1e6:,.0f} MB at most, of which {start_bytes / 1e6:,.0f} MB before it began"
        )
        parts = sum(file.stat().st_size for file in (folder / "parts").iterdir())
        everything = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        print(f"on disk: {parts / points:.1f} bytes a design in parts, {everything / points:.1f} with the journal")
        front = [point.number for point in study.pareto()]
        del study
        gc.collect()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        study = explored(space, folder, resume=True)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(f"in memory: {(after - before) / points:.1f} bytes a design")
        del study
        begun = time.process_time()
        study = explored(space, folder, resume=True)
        print(f"resumed: {_rate(points, time.process_time() - begun)}; {study.simulated:,} evaluated again")
        if [point.number for point in study.pareto()] != front:
            raise SystemExit("the front is another one")


def _rate(points: int, seconds: float) -> str:
    return f"{seconds:.1f} s, {1e6 * seconds / points:.1f} us a design"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
