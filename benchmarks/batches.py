"""Designs a second in batches and one by one, and their ratio, in one run. Prints figures; asserts nothing.

    python benchmarks/batches.py            # 4,000 designs of one program, the space `edge`, 2,000 points of `cloud`
    python benchmarks/batches.py --quick    # fewer designs, no whole spaces

But for the last lines all of it is on one core. Times are those of the processor, which a busy machine lengthens less
than the clock's; spaces are explored twice, first with nothing in the cache of programs. Targets: 20,000
designs a second where a program has 2,000 designs or more, 5,000 for `edge`, 2,000 for `cloud`; two workers 1.8 times
one; the first point after 1.5 s.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from one_program import SPACE

from archsim.api.batch import BatchEvaluator, Designs
from archsim.api.evaluate import Evaluator
from archsim.explore import Space, explore
from archsim.explore.results.study import Point
from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task
from archsim.explore.run.outcome import Kind, Outcome
from archsim.explore.run.outcome_lines import lines_of
from archsim.explore.run.output_table import OutputTable
from archsim.explore.run.watcher import Watcher
from archsim.families.load import Arch
from archsim.program import builder, verifier
from archsim.program.known import KnownDeps, KnownPrograms


def seconds(action: Callable[[], object]) -> float:
    """The processor's time of an action."""
    begun = time.process_time()
    action()
    return time.process_time() - begun


def one_program(folder: Path, steps: int, batch: int, alone: int) -> None:
    """Designs that share a program: resolved, evaluated, and written as JSON, in batches and one by one."""
    path = folder / "one_program.yaml"
    path.write_text(SPACE.format(steps=steps))
    space = Space.load(path)
    numbers = [place * 1_237 % space.size for place in range(batch)]
    workload, evaluator = space.workloads[0].workload, Evaluator()
    batches = BatchEvaluator(evaluator.programs)
    first = space.design(0)
    assert first.config is not None
    evaluator.evaluate(Arch("", first.config), workload, first.schedule, "fast")  # the program, and compiled code
    batches.evaluate(Designs.from_configs([first.config], [first.schedule]), workload.spec)

    resolve = seconds(lambda: space.designs(numbers))
    resolver_alone = seconds(lambda: [space.design(number) for number in numbers[:alone]])
    table = space.resolver.resolve(numbers).designs
    found: list[OutputTable] = []
    evaluate = seconds(
        lambda: found.extend(OutputTable(part.columns) for part in batches.evaluate(table, workload.spec).figures)
    )
    rows = [Outcome(str(row), Kind.DONE, {"w": part.row(row)}, "fast") for part in found for row in range(part.rows)]
    write = seconds(lambda: list(lines_of(rows)))
    configs = [space.design(number).config for number in numbers[:alone]]
    evaluate_alone = seconds(lambda: _one_by_one(evaluator, configs, space))
    rates = batch / evaluate, alone / evaluate_alone
    print(f"LSTM(200, 1000), T = {steps:,}, {batch:,} designs of one program:")
    print(f"  resolved    {batch / resolve:10,.0f} a second, one by one {alone / resolver_alone:8,.0f}")
    print(f"  evaluated   {rates[0]:10,.0f} a second, one by one {rates[1]:8,.0f}, ratio {rates[0] / rates[1]:.0f}")
    print(f"  all of it   {batch / (resolve + evaluate + write):10,.0f} a second, with lines of the journal")


def _one_by_one(evaluator: Evaluator, configs: Sequence[object], space: Space) -> None:
    for config in configs:
        evaluator.evaluate(Arch("", config), space.workloads[0].workload, space.schedule, "fast")  # type: ignore[arg-type]


def whole_space(name: str, budget: int | None, folder: Path, prune: bool) -> None:
    """A space from its file to its journal, in this process: nothing kept from before, then programs alone."""
    space = Space.load(name).with_budget(budget)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache of those one by one")
    alone = one_by_one(space, 100)
    os.environ["XDG_CACHE_HOME"] = str(folder / f"cache {name} {prune}")
    for kept in ("nothing kept", "programs kept"):
        forget_structures()
        begun = time.process_time()
        study = explore(space, out=folder / f"{name} {prune} {kept}", workers=1, prune=prune)
        rate = len(study.points) / (time.process_time() - begun)
        how = f"{'pruning' if prune else 'all evaluated'}, {kept}"
        single = sum(study.alone.values())
        what = f"{name}, {how}: {len(study.points):,} points, {rate:,.0f} a second, {single:,} of them one by one"
        print(f"{what}; without batches {alone:,.0f}, ratio {rate / alone:.1f}", flush=True)


def one_by_one(space: Space, points: int) -> float:
    """Points a second that an evaluator takes one by one, once it has their programs."""
    evaluator = DesignEvaluator(Setup.from_space(space, "auto"))
    numbers = [place * 7_919_317 % space.size for place in range(2 * points)]
    designs = [space.design(number) for number in numbers]
    tasks = [Task(design.key, design.number, design.schedule) for design in designs if design.reason is None]
    first, others = tasks[:points], tasks[points:]
    for task in first:
        evaluator.run(task)
    built = evaluator.programs_built
    spent = seconds(lambda: [evaluator.run(task) for task in others])
    new = evaluator.programs_built - built
    print(f"{space.name}, one by one: {built} programs first, and {new} among the {len(others)} measured")
    return len(others) / spent


def forget_structures() -> None:
    """Forget what is known of programs' structures in this process, as a new one would."""
    builder._KNOWN = KnownDeps(builder.derive)
    verifier._KNOWN = KnownPrograms()


def several_workers(folder: Path) -> None:
    """The space `edge` by one worker and by two, by the clock; and when the first point is there."""
    first: list[float] = []

    class First(Watcher):
        def counted(self, points: Sequence[Point], fresh: int) -> None:
            first.append(time.perf_counter())

    spent: list[float] = []
    for workers in (1, 2):
        begun = time.perf_counter()
        explore("edge", out=folder / f"{workers} workers", workers=workers, prune=False, watcher=First())
        spent.append(time.perf_counter() - begun)
        print(f"edge, {workers} workers: {spent[-1]:.1f} s by the clock, first point after {first[0] - begun:.2f} s")
        first.clear()
    print(f"two workers are {spent[0] / spent[1]:.2f} times as fast as one")


def main() -> None:
    """Print all figures."""
    parts = ("one", "edge", "cloud", "workers")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer designs, no whole spaces")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts, help="what is measured")
    asked = parser.parse_args()
    quick: bool = asked.quick
    chosen = {"one"} if quick else set(asked.parts)
    print(f"Python {sys.version.split()[0]}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for steps in (70, 1_000_000) if "one" in chosen else ():
            one_program(folder, steps, 2_000 if quick else 4_000, 50 if quick else 300)
        if "edge" in chosen:
            whole_space("edge", None, folder, prune=False)
            whole_space("edge", None, folder, prune=True)
        if "cloud" in chosen:
            whole_space("cloud", 2_000, folder, prune=False)
        if "workers" in chosen:
            several_workers(folder)


if __name__ == "__main__":
    main()
