"""Measures what a user waits for in a single run, each as a ratio to another way in the same process or machine.

    python benchmarks/single_run.py              # commands, numbers, the machine of events
    python benchmarks/single_run.py --memory 2048   # a network of H = I = 2048, in a process of its own

Times are processor time, the best of several. Commands are compared with a Python process that imports NumPy alone,
numbers with the untimed program op by op and with the machine that executes them as it goes, an op of the machine with
a timeout of SimPy.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import simpy

from archsim.api.machine_spec import machine_spec
from archsim.checking.integer_reference import integer_golden
from archsim.checking.numbers import prepare
from archsim.engines.events import Arithmetic, Options, execute
from archsim.families.load import load_arch, load_workload_for
from archsim.families.registry import build_units
from archsim.families.schedules import build_program, find_schedule
from archsim.program.interpreter import interpret
from archsim.program.joined import interpret_joined

ARCH, WORKLOAD = "edge_64x64", "lstm_200_1000_t70"
FLOAT = Path(__file__).resolve().parents[1] / "tests" / "machines" / "edge_64x64.yaml"
NUMPY = (sys.executable, "-c", "import numpy")
ARCHSIM = (sys.executable, "-m", "archsim")
TIMEOUTS = 50_000

_SIZED = """
import resource, sys
from archsim.api import simulate
from archsim.families.load import load_arch
size, layers = int(sys.argv[1]), int(sys.argv[2])
sections = ("weight_sram", "bias_buffer", "state_buffer", "input_buffer")
arch = load_arch("edge_64x64", [f"{section}.capacity_bytes=16GiB" for section in sections])
print(simulate(arch, f"lstm:{size},{size},layers={layers},t=10").validation.passed)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def best(function: Callable[[], object], times: int = 3) -> float:
    """The least seconds of processor time that a call takes."""
    found = []
    for _ in range(times):
        begun = time.process_time()
        function()
        found.append(time.process_time() - begun)
    return min(found)


def of_process(command: tuple[str, ...], times: int = 3) -> float:
    """The least seconds of processor time that a command takes, after a first time."""
    found = []
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    for _ in range(times + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found[1:])


def commands() -> None:
    """Processor time of commands, and as multiples of a process that imports NumPy."""
    with tempfile.TemporaryDirectory() as folder:
        run = (*ARCHSIM, "run", "--no-plots", "--force", "--out", f"{folder}/run")
        cases = {
            "archsim --help": (*ARCHSIM, "--help"),
            "archsim list": (*ARCHSIM, "list"),
            "archsim run nope": (*ARCHSIM, "run", "nope"),
            "archsim run, int8": (*run, ARCH, WORKLOAD),
            "archsim run, float32": (*run, str(FLOAT), WORKLOAD),
            "archsim run, timing only": (*run, ARCH, WORKLOAD, "--timing-only"),
        }
        unit = of_process(NUMPY)
        print(f"{'import numpy':28} {unit:6.3f} s")
        for name, command in cases.items():
            seconds = of_process(command)
            print(f"{name:28} {seconds:6.3f} s {seconds / unit:6.1f} times import numpy")


def numbers(title: str, name: str) -> None:
    """The numbers of a run on a machine, three ways."""
    arch = load_arch(name)
    workload = load_workload_for(arch, WORKLOAD)
    schedule, units = find_schedule(None, arch.config.family), build_units(arch.config)
    program = build_program(schedule, workload.spec, arch.config)
    prepared, machine = prepare(program, arch.config, workload), machine_spec(program, arch, units)

    def joined() -> None:
        run = prepared.begin(units)
        interpret_joined(program, run.datapath, run.state)

    def alone() -> None:
        run = prepared.begin(units)
        interpret(program, run.datapath, run.state)

    def joint() -> None:
        run = prepared.begin(units)
        execute(program, machine, Options(Arithmetic(run.state, run.datapath)))

    begin = best(lambda: prepared.begin(units))
    found = [best(way) - begin for way in (joined, alone, joint)]
    print(
        f"numbers, {title:8} joined {found[0]:.3f} s; op by op {found[1] / found[0]:.1f} times as long, "
        f"by the machine, which times it, too, {found[2] / found[0]:.1f}"
    )
    if prepared.formats.exact:
        reference = best(lambda: integer_golden(prepared, arch.config, schedule))
        print(f"integer reference            {reference:.3f} s, {reference / found[0]:.1f} times the joined numbers")


def timeouts() -> None:
    """TIMEOUTS timeouts of SimPy, one after the other."""
    environment = simpy.Environment()

    def process() -> simpy.events.ProcessGenerator:
        for _ in range(TIMEOUTS):
            yield environment.timeout(1)

    environment.process(process())
    environment.run()


def events() -> None:
    """An op of the machine, timing only, beside a timeout of SimPy."""
    arch = load_arch(ARCH)
    workload, units = load_workload_for(arch, WORKLOAD), build_units(arch.config)
    program = build_program(find_schedule(None, arch.config.family), workload.spec, arch.config)
    machine = machine_spec(program, arch, units)

    op = best(lambda: execute(program, machine, Options()), 5) / program.op_instances
    timeout = best(timeouts, 5) / TIMEOUTS
    print(f"machine                      {op * 1e6:.2f} us an op, {op / timeout:.1f} timeouts of SimPy")


def memory(size: int, layers: int) -> None:
    """Most memory that a run with numbers has, by weight, and its processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    command = (sys.executable, "-c", _SIZED, str(size), str(layers))
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    most, weights = int(found[1]), 8 * size * size * layers
    print(f"LSTM({size}, {size}) x {layers}, int8, T = 10, valid: {found[0]}")
    print(f"                             {seconds:.1f} s, {most / 1e6:,.0f} MB, {most / weights:.1f} bytes a weight")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--memory", type=int, metavar="H", help="only this: a network of that many hidden units")
    parser.add_argument("--layers", type=int, default=1, help="its layers")
    options = parser.parse_args()
    if options.memory is not None:
        memory(options.memory, options.layers)
        return
    commands()
    numbers("int8", ARCH)
    numbers("float32", str(FLOAT))
    events()


if __name__ == "__main__":
    main()
