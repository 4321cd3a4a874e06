"""Designs a second of this checkout and of another one, by turns, and their ratio. Prints figures; asserts nothing.

    git worktree add /tmp/before 3c924de5          # the last commit before the timing rules of hardware
    python benchmarks/against.py /tmp/before       # 4 rounds
    python benchmarks/against.py /tmp/before --rounds 8

Three figures: 400 designs of one program by the second executor, one by one; `archsim explore` of the space `edge`,
5,376 points; `archsim explore` of 4,000 designs of one program, which batches are for.

Both checkouts run in processes of their own with this Python, each with its own cache. Times are those of the
processor, which a busy machine lengthens less than the clock's. Round 0 fills the caches and is not counted.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from one_program import SPACE

HERE = Path(__file__).resolve().parent.parent

ONE_BY_ONE = """
import itertools, sys, time
from archsim.api.evaluate import Evaluator
from archsim.families.load import Arch, load_arch
from archsim.workload import load_workload

base, count = load_arch("edge_64x64"), int(sys.argv[1])
archs = []
columns_and_lanes = itertools.product((8, 16, 32, 64, 128), (4, 8, 16, 32, 64))
for (columns, lanes), depth, bits in itertools.product(columns_and_lanes, (2, 4, 8, 16), (64, 256, 512, 1024)):
    document = base.config.model_dump()
    document["mac_array"]["columns"], document["activation"]["lanes"] = columns, lanes
    document["sequencer"]["queue_depth"], document["weight_sram"]["port_bits"] = depth, bits
    archs.append(Arch(base.name, type(base.config).model_validate(document)))
workload, evaluator = load_workload("lstm_200_1000_t70"), Evaluator()
evaluator.evaluate(archs[0], workload, "fused", "fast")
begun = time.process_time()
for arch in archs[:count]:
    evaluator.evaluate(arch, workload, "fused", "fast")
print(count / (time.process_time() - begun))
"""
"""Up to 400 designs of one program by the second executor, through what both checkouts have; prints their rate."""

EXPLORE = "import sys; from archsim.cli.main import main; sys.argv = ['archsim', *sys.argv[1:]]; main()"


def one_by_one(environment: Mapping[str, str], designs: int) -> float:
    """Designs a second of processor time, one by one, once the program is built."""
    command = [sys.executable, "-P", "-c", ONE_BY_ONE, str(designs)]
    return float(subprocess.run(command, env=environment, check=True, text=True, stdout=subprocess.PIPE).stdout)


def explored(environment: Mapping[str, str], space: str, points: int, folder: Path) -> float:
    """Points a second of processor time of the whole command, from its start to its files."""
    options = ["--budget", str(points), "--workers", "1", "--executor", "fast", "--no-prune", "--no-plots", "--quiet"]
    command = [sys.executable, "-P", "-c", EXPLORE, "explore", space, "--out", str(folder), *options]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return points / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def check_import(environment: Mapping[str, str], checkout: Path) -> None:
    """Exit with a message if this Python would import another archsim than the checkout's."""
    command = [sys.executable, "-P", "-c", "import archsim; print(archsim.__file__)"]
    found = Path(subprocess.run(command, env=environment, check=True, text=True, stdout=subprocess.PIPE).stdout.strip())
    if not found.is_relative_to(checkout):
        sys.exit(f"{checkout}: this Python imports archsim from {found.parent}")


def rates(checkout: Path, name: str, work: Path, number: int) -> dict[str, float]:
    """Designs a second of a checkout, by what is measured."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "XDG_CACHE_HOME": str(work / f"{name}_cache")}
    check_import(environment, checkout)
    space = work / "one_program.yaml"
    space.write_text(SPACE.format(steps=70), encoding="utf-8")
    return {
        "one by one": one_by_one(environment, 400),
        "explore edge": explored(environment, "edge", 5_376, work / f"{name}_edge_{number}"),
        "explore one program": explored(environment, str(space), 4_000, work / f"{name}_one_{number}"),
    }


def main() -> None:
    """Measure both by turns and print all rates, medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="another checkout of archsim")
    parser.add_argument("--rounds", type=int, default=4)
    asked = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {"before": [], "here": []}
    with tempfile.TemporaryDirectory() as work:
        for number in range(asked.rounds + 1):
            for name, checkout in (("before", asked.other.resolve()), ("here", HERE)):
                measured = rates(checkout, name, Path(work), number)
                shown = ", ".join(f"{what} {rate:,.0f}" for what, rate in measured.items())
                print(f"round {number}, {name}: {shown}", flush=True)
                if number > 0:
                    found[name].append(measured)
    for what in found["here"][0]:
        before, here = ([measured[what] for measured in found[name]] for name in ("before", "here"))
        print(
            f"{what}: best {max(before):,.0f} and {max(here):,.0f} a second, ratio {max(here) / max(before):.2f}; "
            f"median {median(before):,.0f} and {median(here):,.0f}, ratio {median(here) / median(before):.2f}"
        )


if __name__ == "__main__":
    main()
