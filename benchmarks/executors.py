"""Designs a second by the machine and by the second executor, and their ratio, in one run. Prints; asserts nothing.

    python benchmarks/executors.py            # 1,000 designs by the second executor, 10 by the machine
    python benchmarks/executors.py --quick    # fewer

A design goes from its validated configuration to all its figures. Targets: 1,000 designs a second on one core for
LSTM(200, 1000), T = 70, by the second executor; T = 1,000,000 at the cost of T = 100.
"""

from __future__ import annotations

import argparse
import cProfile
import itertools
import os
import pstats
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from archsim.api.evaluate import Evaluator
from archsim.families.load import Arch, load_arch
from archsim.workload import Workload, load_workload

REFERENCE = "edge_64x64"
SPEEDS = {
    "mac_array.columns": (8, 16, 32, 64, 128),
    "activation.lanes": (4, 8, 16, 32, 64),
    "elementwise.lanes": (2, 4, 8, 16),
    "sequencer.queue_depth": (1, 2, 4, 8, 16),
    "weight_sram.port_bits": (32, 64, 128, 256),
}
"""What differs between designs of one program."""


def designs(base: Arch, speeds: dict[str, tuple[int, ...]]) -> Iterator[Arch]:
    """All combinations of the values."""
    for values in itertools.product(*speeds.values()):
        document = base.config.model_dump()
        for path, value in zip(speeds, values, strict=True):
            section, field = path.split(".")
            document[section][field] = value
        yield Arch(base.name, type(base.config).model_validate(document))


def rate(evaluator: Evaluator, archs: Sequence[Arch], workload: Workload, executor: str) -> float:
    """Designs a second, once the program is built and the code loaded."""
    evaluator.evaluate(archs[0], workload, "fused", executor)
    begun = time.perf_counter()
    for arch in archs:
        evaluator.evaluate(arch, workload, "fused", executor)
    return len(archs) / (time.perf_counter() - begun)


def by_both(archs: Sequence[Arch], machine_designs: int) -> None:
    """LSTM(200, 1000), T = 70, by both executors."""
    workload, evaluator = load_workload("lstm_200_1000_t70"), Evaluator()
    fast = rate(evaluator, archs, workload, "fast")
    machine = rate(evaluator, archs[:: max(1, len(archs) // machine_designs)], workload, "machine")
    print(
        f"{workload.name}: second executor {fast:8,.0f} designs/s, machine {machine:6.2f}, ratio {fast / machine:,.0f}"
    )


def by_length(archs: Sequence[Arch]) -> None:
    """The second executor on short and long sequences."""
    for steps in (100, 10_000, 1_000_000):
        workload = load_workload(f"lstm:200,1000,t={steps}")
        print(f"T = {steps:9,}: second executor {rate(Evaluator(), archs, workload, 'fast'):8,.0f} designs/s")


def first_of_a_program(base: Arch) -> None:
    """What a design costs whose program no design before it had: build, verify, tables."""
    workload = load_workload("lstm_200_1000_t70")
    for rows in (16, 64, 256):
        (arch,) = designs(base, {"mac_array.rows": (rows,)})
        evaluator = Evaluator()
        begun = time.perf_counter()
        evaluator.evaluate(arch, workload, "fused", "fast")
        print(f"first design with {rows:3} rows: {time.perf_counter() - begun:6.3f} s")


def loading() -> None:
    """What the compiled code costs a new process, once it is on disk."""
    code = "import time; t = time.perf_counter(); import archsim.engines.recurrence; print(time.perf_counter() - t)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    print(f"import of the second executor, cold: {float(out.stdout):.2f} s")


def profile(archs: Sequence[Arch]) -> None:
    """The five functions in which designs spend most time."""
    workload, evaluator = load_workload("lstm_200_1000_t70"), Evaluator()
    profiler = cProfile.Profile()
    profiler.runcall(rate, evaluator, archs, workload, "fast")
    stats = pstats.Stats(profiler)
    rows = sorted(stats.stats.items(), key=lambda row: -row[1][2])  # type: ignore[attr-defined]
    print(f"profile of {len(archs)} designs, own time, top five:")
    for (file, line, name), (_, calls, own, _, _) in rows[:5]:
        print(f"  {own:6.3f} s  {calls:9,} calls  {name} ({Path(file).name}:{line})")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer designs")
    count, machine_designs = (200, 3) if parser.parse_args().quick else (1_000, 10)
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, one used")
    base = load_arch(REFERENCE)
    archs = list(designs(base, SPEEDS))[::2][:count]
    by_both(archs, machine_designs)
    by_length(archs)
    first_of_a_program(base)
    loading()
    profile(archs)


if __name__ == "__main__":
    main()
