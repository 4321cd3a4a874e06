"""How fast archsim is. Prints figures; asserts nothing: machines differ, and this one may be busy.

    python benchmarks/speed.py            # all figures and the profile's top five
    python benchmarks/speed.py --quick    # fewer repetitions

Targets: at least 100,000 program ops a second timing-only on one core; `archsim run edge_64x64 lstm_200_1000_t70
--no-plots` under 2 s from a cold start in float32; numerics of that workload in int8 under 2 s; `archsim --help` under
0.5 s; memory of timing-only runs that does not grow with T.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.checking.numbers import Computation, Numbers
    from archsim.engines.events import MachineSpec
    from archsim.families.machine_config import MachineConfig
    from archsim.families.schedule import Schedule
    from archsim.program.ir import Program

REFERENCE = ("edge_64x64", "lstm_200_1000_t70")


def best(repetitions: int, action: Callable[[], object]) -> float:
    """The shortest of some runs, in seconds: what the code takes when nothing else runs."""
    times = []
    for _ in range(repetitions):
        begun = time.perf_counter()
        action()
        times.append(time.perf_counter() - begun)
    return min(times)


def archsim(*arguments: str) -> None:
    """Run the command line in a new process, quietly."""
    command = [sys.executable, "-c", "from archsim.cli.main import main; main()", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def machine_speed(repetitions: int) -> None:
    """Program ops a second of the timing-only machine, for each schedule."""
    from archsim.api.machine_spec import machine_spec
    from archsim.engines.events import Options, execute
    from archsim.families.gemv.config import GemvConfig
    from archsim.families.gemv.schedules import GEMV_SCHEDULES
    from archsim.families.load import load_arch
    from archsim.families.registry import build_units
    from archsim.workload import load_workload

    arch, workload = load_arch(REFERENCE[0]), load_workload(REFERENCE[1])
    assert isinstance(arch.config, GemvConfig)
    units = build_units(arch.config)
    for schedule in GEMV_SCHEDULES:
        program = schedule.build(workload.spec, arch.config)
        spec = machine_spec(program, arch, units)

        def run(program: Program = program, spec: MachineSpec = spec) -> None:
            execute(program, spec, Options())

        seconds = best(repetitions, run)
        rate = program.op_instances / seconds
        print(f"machine, timing only, {schedule.name:28s} {program.op_instances:7,} ops  {rate:9,.0f} ops/s")


def numerics_speed(repetitions: int) -> None:
    """Seconds of arithmetic alone: the untimed program, and on integers the reference it must agree with."""
    from archsim.checking.integer_reference import integer_golden
    from archsim.checking.numbers import prepare
    from archsim.config import parse_override
    from archsim.families.load import load_arch
    from archsim.families.registry import build_units
    from archsim.families.schedules import find_schedule
    from archsim.program.interpreter import interpret
    from archsim.workload import load_workload

    workload = load_workload(REFERENCE[1])
    for formats in ("float32", "tflite_int8", "q4.12"):
        overrides = [f"formats={formats}", "weight_sram.capacity_bytes=24MiB"]
        arch = load_arch(REFERENCE[0], [parse_override(text) for text in overrides]).config
        schedule = find_schedule("fused")
        program, units = schedule.build(workload.spec, arch), build_units(arch)
        numbers = prepare(program, arch, workload)
        runs = [numbers.begin(units) for _ in range(repetitions)]
        rest = iter(runs)

        def compute(program: Program = program, rest: Iterator[Computation] = rest) -> None:
            run = next(rest)
            interpret(program, run.datapath, run.state)

        line = f"numerics of {workload.name}, {formats:11s}   {best(repetitions, compute):5.2f} s"
        if arch.formats.exact:

            def refer(
                numbers: Numbers = numbers, arch: MachineConfig = arch, schedule: Schedule[Any] = schedule
            ) -> None:
                integer_golden(numbers, arch, schedule)

            seconds = best(repetitions, refer)
            line += f"   integer reference {seconds:5.2f} s"
        print(line)


def memory_growth() -> None:
    """Peak memory of timing-only runs of very different length, each in its own process."""
    for steps in (100, 10_000):
        code = (
            "import resource; from archsim.api import simulate; from archsim.families.load import load_arch; "
            "from archsim.workload import load_workload; "
            f"workload = load_workload('lstm:16,16,t={steps}'); "
            "simulate(load_arch('edge_16x16'), workload, timing_only=True, executor='machine'); "
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        print(f"peak memory, timing only, T = {steps:6,}   {int(out.stdout) / 1024:7.1f} MiB")


def profile() -> None:
    """The five functions in which a reference run spends most time."""
    from archsim.api import simulate
    from archsim.families.load import load_arch
    from archsim.workload import load_workload

    arch, workload = load_arch(REFERENCE[0]), load_workload(REFERENCE[1])
    profiler = cProfile.Profile()
    profiler.runcall(simulate, arch, workload)
    stats = pstats.Stats(profiler)
    rows = sorted(stats.stats.items(), key=lambda row: -row[1][2])  # type: ignore[attr-defined]
    print("profile of simulate(), own time, top five:")
    for (file, line, name), (_, calls, own, _, _) in rows[:5]:
        print(f"  {own:6.3f} s  {calls:9,} calls  {name} ({Path(file).name}:{line})")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    repetitions = 2 if parser.parse_args().quick else 7
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    memory_growth()  # first: a new process's peak begins with that of the process it comes from
    machine_speed(repetitions)
    with tempfile.TemporaryDirectory() as folder:
        seconds = best(min(repetitions, 5), lambda: archsim("run", *REFERENCE, "--no-plots", "--out", f"{folder}/run"))
    print(f"archsim run {' '.join(REFERENCE)} --no-plots, cold   {seconds:5.2f} s")
    print(f"archsim --help, cold   {best(repetitions, lambda: archsim('--help')):5.2f} s")
    numerics_speed(min(repetitions, 3))
    profile()
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
