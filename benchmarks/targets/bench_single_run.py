"""What a user waits for in a single run."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from figure import ARCHSIM, NUMPY, ROOT, command, keep, measure, processor_seconds
from pytest_benchmark.fixture import BenchmarkFixture
from single_run import TIMEOUTS, timeouts

from archsim.api.machine_spec import machine_spec
from archsim.checking.numbers import prepare
from archsim.config import parse_override
from archsim.engines.events import Options, execute
from archsim.families.load import load_arch, load_workload_for
from archsim.families.registry import build_units
from archsim.families.schedules import build_program, find_schedule
from archsim.program.interpreter import interpret
from archsim.program.joined import interpret_joined

pytestmark = pytest.mark.benchmark(timer=processor_seconds)

ARCH, WORKLOAD = "edge_64x64", "lstm_200_1000_t70"
FLOAT = str(ROOT / "tests" / "machines" / "edge_64x64.yaml")
SECTIONS = ("weight_sram", "bias_buffer", "state_buffer", "input_buffer")


def _numpy() -> str:
    return command(NUMPY)


@pytest.mark.parametrize(
    ("words", "code"),
    [(("--help",), 0), (("list",), 0), (("run", "nope"), 2)],
    ids=["--help", "list", "a line of error"],
)
def bench_commands(benchmark: BenchmarkFixture, words: tuple[str, ...], code: int) -> None:
    measure(
        benchmark, lambda: command((*ARCHSIM, *words), code), _numpy, than="import numpy", asked="under 0.3 s", rounds=5
    )


@pytest.mark.parametrize(
    ("words", "asked"),
    [((ARCH,), "1.2 s"), ((FLOAT,), "1.0 s"), ((ARCH, "--timing-only"), "")],
    ids=["int8", "float32", "timing only"],
)
def bench_run(benchmark: BenchmarkFixture, tmp_path: Path, words: tuple[str, ...], asked: str) -> None:
    arch, *options = words
    run = (*ARCHSIM, "run", arch, WORKLOAD, *options, "--no-plots", "--force", "--out", str(tmp_path / "run"))
    measure(benchmark, lambda: command(run), _numpy, than="import numpy", asked=asked, rounds=5)


def bench_first_run(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """With nothing kept: copies of the package that nobody has used, with bytecode, as an installation makes it."""
    homes = [tmp_path / f"home{number}" for number in range(3)]
    none = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": ""}
    for home in homes:
        for name in ("archsim", "arch_configs", "workloads"):
            shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        command((sys.executable, "-m", "compileall", "-q", str(home / "archsim")), folder=home, environment=none)
    unused = iter(homes)

    def first() -> None:
        home = next(unused)
        run = (*ARCHSIM, "run", ARCH, WORKLOAD, "--no-plots", "--out", str(home / "run"))
        cache = str(home / "cache")
        command(run, folder=home, environment=none | {"PYTHONPATH": str(home), "XDG_CACHE_HOME": cache})

    measure(benchmark, first, _numpy, than="import numpy", asked="under 5 s", rounds=2)


def bench_numbers_in_batches_of_64(benchmark: BenchmarkFixture) -> None:
    """The numbers of LSTM(1024, 1024), T = 70, B = 64, int8, beside BLAS with matrices of these sizes in float32."""
    fits = [f"{section}.capacity_bytes=1GiB" for section in SECTIONS]
    arch = load_arch(ARCH, [parse_override(text) for text in (*fits, "accumulators.entries=4096")])
    workload, units = load_workload_for(arch, "lstm:1024,1024,t=70,b=64"), build_units(arch.config)
    program = build_program(find_schedule(None, arch.config.family), workload.spec, arch.config)
    prepared = prepare(program, arch.config, workload)
    left, right = np.ones((4096, 2048), np.float32), np.ones((2048, 64), np.float32)

    def numbers() -> None:
        run = prepared.begin(units)
        interpret_joined(program, run.datapath, run.state)

    def blas() -> None:
        for _ in range(70):
            left @ right

    gigamacs = 70 * 64 * 4096 * 2048 / 1e9
    measure(benchmark, numbers, blas, than="float32 BLAS", asked="20 GMAC/s", unit="GMAC", count=gigamacs)


@pytest.mark.parametrize("name", [ARCH, FLOAT], ids=["int8", "float32"])
def bench_numbers(benchmark: BenchmarkFixture, name: str) -> None:
    """The numbers of the reference workload, ops joined, beside op by op."""
    arch = load_arch(name)
    workload, units = load_workload_for(arch, WORKLOAD), build_units(arch.config)
    program = build_program(find_schedule(None, arch.config.family), workload.spec, arch.config)
    prepared = prepare(program, arch.config, workload)

    def joined() -> None:
        run = prepared.begin(units)
        interpret_joined(program, run.datapath, run.state)

    def alone() -> None:
        run = prepared.begin(units)
        interpret(program, run.datapath, run.state)

    measure(benchmark, joined, alone, than="op by op", asked="")


def bench_machine(benchmark: BenchmarkFixture) -> None:
    """Ops of the machine of events, timing only, beside timeouts of SimPy."""
    arch = load_arch(ARCH)
    workload, units = load_workload_for(arch, WORKLOAD), build_units(arch.config)
    program = build_program(find_schedule(None, arch.config.family), workload.spec, arch.config)
    machine = machine_spec(program, arch, units)

    compiled = sys.modules["archsim.engines.events.machine"].__file__ or ""
    benchmark.extra_info["compiled"] = compiled.endswith(".so")
    measure(
        benchmark,
        lambda: execute(program, machine, Options()),
        timeouts,
        than="a timeout of SimPy",
        asked="300,000 ops a second, compiled or not",
        unit="op",
        count=program.op_instances,
        other_count=TIMEOUTS,
        rounds=7,
    )


@pytest.mark.parametrize(("layers", "asked"), [(1, "6 bytes a weight"), (8, "under 30 s and 8 GB")])
def bench_memory(benchmark: BenchmarkFixture, layers: int, asked: str) -> None:
    """LSTM(4096, 4096), int8, T = 10, with numbers and checks: most bytes a weight, beside those of float32 tensors."""
    script = str(ROOT / "benchmarks" / "single_run.py")
    out = benchmark.pedantic(lambda: command((sys.executable, script, "--memory", "4096", "--layers", str(layers))))
    (value,) = [float(line.split()[-4]) for line in out.splitlines() if "bytes a weight" in line]
    keep(benchmark, value, "bytes a weight", "the float32 tensors", 4.0, asked)
