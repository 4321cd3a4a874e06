"""All figures of all runs that ship, and a hash of their outputs: tests/golden_metrics.json.

    python -m tools.golden_metrics --check [--only TEXT]    compare; exit code 1 and the first differences if any
    python -m tools.golden_metrics --write [--only TEXT]    make the file, or only the runs whose name holds TEXT

A run is an architecture preset, a workload and a schedule of the machine's family; what is kept of it is what
`archsim run --json` prints, or the error if it does not run. A change of the file is a change of what archsim says, to
be reviewed as such.

Long runs are timed by the compiled recurrence, which gives the machine's figures, and the discrete-event machine
computes numbers for their first time steps alone ("numbers"). Short ones run whole. The figures of timing are the same
everywhere; those of numbers follow from pinned arithmetic (tools/pinned_cpu.py).
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from archsim.api import Simulation, simulate
from archsim.api.evaluate import Evaluator
from archsim.config.presets import PresetKind, preset_names
from archsim.errors import ArchsimError
from archsim.families.load import Arch, load_arch, load_workload_for
from archsim.families.registry import FAMILIES
from archsim.report.files.saved import run_figures, torch_outputs
from archsim.workload import Workload, load_tensors, load_workload
from tools.pinned_cpu import restart_pinned

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "tests" / "golden_metrics.json"

PUBLISHED = {
    "brainwave_s10": ("lstm:2048,2048,t=25", "lstm:1024,1024,t=25", "gru:2816,2816,t=25", "gru:2048,2048,t=25"),
    "koios_lstm": ("lstm:100,64,t=10",),
    "npu_s10nx": (
        *(f"lstm:512,512,t={steps},b=6" for steps in (1, 2, 4, 8)),
        "rnn:1024,1024,t=8,b=6",
        "gru:512,512,t=8,b=6",
    ),
    "tpu_v1": ("lstm:768,768,layers=11,t=2,b=64", "rnn:600,600,t=3,b=64"),
}
"""The workloads of a machine's published figures, as `archsim fidelity` has them."""

SMALL_NETWORKS = (
    "lstm:6,5,t=5,b=2,layers=2,proj=3",
    "gru:6,5,t=5,b=2,layers=2,bidirectional=1",
    "rnn:6,5,t=5,layers=3",
)
"""What no preset has: several layers (else no wavefront), both directions, projections, other cells, a batch."""

SMALL_ON = ("tiny_2x2", "edge_16x16", "edge_64x64_q4_12", "npu_s10nx", "tpu_v1")
"""Machines for them: one for each kind of arithmetic, and one of each family."""

ONE_SCHEDULE = {("koios_lstm", "lstm_200_1000_t70"): "fused_interleaved_streamed"}
"""Where one schedule has to stand for all: programs of 7,760 ops a step."""

SHORT_STEPS = 10
"""Workloads of so few time steps run whole."""
NUMBER_OPS = 1_500
"""Ops for which numbers are computed, about: some 0.2 ms each."""
LEAST_STEPS = 3
"""Time steps for which numbers are computed, at least: one to begin, one in the middle, one to end.

Where so many have more ops than NUMBER_OPS, no numbers are computed.
"""
MOST_WEIGHTS = 6_000_000
"""MACs of a time step above which no numbers are computed: drawing and encoding the weights takes too long."""

LONG = 40
"""Characters of a figure that is not said twice."""

RUNS_OF_A_PROCESS = 50
"""Another process pays from so many runs on."""

SHOWN = 20
"""Differences that --check prints."""

SEPARATOR = " | "
AS = "as "

Metrics = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Run:
    """A preset's name, a workload (a preset's name or inline) and a schedule's name."""

    arch: str
    workload: str
    schedule: str

    @property
    def key(self) -> str:
        """Its name in the file."""
        return SEPARATOR.join((self.arch, self.workload, self.schedule))


def all_runs() -> list[Run]:
    """Every run of the file, sorted by key."""
    presets = preset_names(PresetKind.WORKLOAD)
    found = []
    for arch in preset_names(PresetKind.ARCH):
        small = SMALL_NETWORKS if arch in SMALL_ON else ()
        schedules = FAMILIES[_arch(arch).config.family].schedules
        for workload in (*presets, *small, *PUBLISHED.get(arch, ())):
            one = ONE_SCHEDULE.get((arch, workload))
            found += [Run(arch, workload, way.name) for way in schedules if one in (None, way.name)]
    return sorted(found, key=lambda run: run.key)


def collect(runs: Sequence[Run], processes: int, report: TextIO | None = None) -> dict[str, Metrics]:
    """The metrics of runs, by key; `report` gets a line for each when it is done."""
    if processes == 1:
        return _reported(map(_timed, runs), report)
    # The longest come first, so that the processes end together; spawned: what a compiler's threads hold is not forked.
    ordered = sorted(runs, key=_duration_rank)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return _reported(pool.imap_unordered(_timed, ordered), report)


def _timed(run: Run) -> tuple[str, Metrics, float]:
    """A run's key, its metrics, and the seconds of the processor that they took."""
    begun = time.process_time()
    return run.key, metrics(run), time.process_time() - begun


def _reported(results: Iterable[tuple[str, Metrics, float]], report: TextIO | None) -> dict[str, Metrics]:
    found = {}
    for key, result, seconds in results:
        found[key] = result
        if report is not None:
            print(f"{seconds:7.2f} s  {key}", file=report, flush=True)
    return found


def metrics(run: Run) -> Metrics:
    """All that is kept of a run."""
    try:
        arch = _arch(run.arch)
        return _metrics(arch, load_workload_for(arch, run.workload), run.schedule)
    except ArchsimError as error:
        return {"error": f"{type(error).__name__}: " + "; ".join(str(error).replace(f"{ROOT}/", "").splitlines())}


def _metrics(arch: Arch, workload: Workload, schedule: str) -> Metrics:
    if workload.spec.steps <= SHORT_STEPS and _macs_per_step(workload) <= MOST_WEIGHTS:
        return _simulated(arch, workload, schedule)
    stats = _evaluator().evaluate(arch, workload, schedule).stats
    found: Metrics = json.loads(json.dumps(dataclasses.asdict(stats), allow_nan=False))
    steps = NUMBER_OPS * workload.spec.steps // stats.program_ops
    if steps >= LEAST_STEPS and _macs_per_step(workload) <= MOST_WEIGHTS:
        begun = _first_steps(workload, min(steps, workload.spec.steps))
        numbers = _simulated(arch, begun, schedule)
        kept = ("latency_cycles", "validation", "accuracy", "outputs_sha256")
        found["numbers"] = {"steps": begun.spec.steps} | {name: numbers[name] for name in kept}
    return found


def _simulated(arch: Arch, workload: Workload, schedule: str) -> Metrics:
    """What stats.json says of a whole run, but for its executor and latency stack, and the outputs' hashes."""
    simulation = simulate(arch, workload, schedule)
    found: Metrics = json.loads(json.dumps(run_figures(simulation), allow_nan=False))
    del found["executor"]
    return found | {"outputs_sha256": _hashes(simulation)}


def _hashes(simulation: Simulation) -> dict[str, str]:
    """SHA-256 of output, h_n and c_n: type, shape and bytes."""
    assert simulation.results is not None
    arrays = torch_outputs(simulation.workload, simulation.results)
    return {name: _hash(array) for name, array in arrays.items()}


def _hash(array: np.ndarray[Any, Any]) -> str:
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return hashlib.sha256(f"{array.dtype.name} {array.shape} ".encode() + little.tobytes()).hexdigest()


def _macs_per_step(workload: Workload) -> int:
    """Multiply-accumulates of a time step of one sequence, about the number of weights."""
    return sum(cell.rows * (cell.input_size + cell.output_size) for cell in workload.spec.cells)


def _first_steps(workload: Workload, steps: int) -> Workload:
    """The first time steps of a workload, without a witness where it has one; the same workload if that is all."""
    if steps == workload.spec.steps:
        return workload
    changes: dict[str, Any] = {"steps": steps, "expected": None}
    if workload.config.task is not None:
        changes["task"] = workload.config.task.model_copy(update={"expected": None})
    if workload.config.input.file is not None:
        file = _input_file(workload.source, steps)
        changes["input"] = workload.config.input.model_copy(update={"file": file, "tensor": "input"})
    return dataclasses.replace(workload, config=workload.config.model_copy(update=changes))


@lru_cache
def _scratch() -> Path:
    """A folder for inputs; it goes with the process."""
    return Path(_scratch_owner().name)


@lru_cache
def _scratch_owner() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


@lru_cache
def _input_file(workload: str, steps: int) -> str:
    """A file with the first time steps of a workload's input, (T, B, I) as torch has it by default."""
    path = _scratch() / f"{workload}_{steps}.npz"
    np.savez(path, input=load_tensors(_workload(workload)).x[:steps])
    return str(path)


@lru_cache
def _arch(name: str) -> Arch:
    return load_arch(name)


@lru_cache
def _workload(name: str) -> Workload:
    return load_workload(name)


@lru_cache
def _evaluator() -> Evaluator:
    """One for each process; few programs, since runs hardly share any."""
    return Evaluator(programs=2)


def _duration_rank(run: Run) -> tuple[int, int]:
    """Sorts the longest runs first: many time steps, and of these the large ones on the machine of single rows."""
    spec = _workload(run.workload).spec
    return -spec.steps * _macs_per_step(_workload(run.workload)), run.arch != "koios_lstm"


def file_text(found: dict[str, Metrics]) -> str:
    """JSON, sorted, a line for each run and for each of its figures; a long figure is said once for all schedules."""
    runs = []
    said: dict[tuple[str, str, str], str] = {}
    for key, run in sorted(found.items()):
        group, schedule = key.rsplit(SEPARATOR, 1)
        lines = []
        for name, value in sorted(run.items()):
            text = _line(value)
            if len(text) > LONG:
                first = said.setdefault((group, name, text), schedule)
                text = text if first == schedule else _line(f"{AS}{first}")
            lines.append(f"  {_line(name)}: {text}")
        runs.append(f"{_line(key)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(runs) + "\n}\n"


def read_file(text: str) -> dict[str, Metrics]:
    """The runs of a file_text, each with all of its figures."""
    runs: dict[str, Metrics] = json.loads(text)
    for key, run in runs.items():
        group = key.rsplit(SEPARATOR, 1)[0]
        for name, value in run.items():
            if isinstance(value, str) and value.startswith(AS):
                run[name] = runs[f"{group}{SEPARATOR}{value.removeprefix(AS)}"][name]
    return runs


def _line(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def differences(want: object, got: object, path: str = "") -> Iterator[str]:
    """A line for each figure that differs."""
    if isinstance(want, dict) and isinstance(got, dict):
        for name in sorted(want.keys() | got.keys()):
            inside = f"{path}: {name}" if path else name
            if name not in got:
                yield f"{inside}: is not there any more"
            elif name not in want:
                yield f"{inside}: is new"
            else:
                yield from differences(want[name], got[name], inside)
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for number, (one, other) in enumerate(zip(want, got, strict=True)):
            yield from differences(one, other, f"{path}[{number}]")
    elif _line(want) != _line(got):
        yield f"{path}: was {_line(want)}, is {_line(got)}"


def _holds(key: str, text: str) -> bool:
    """Whether --only TEXT means a run: its name, closed so that the whole of it can be asked for, holds the text."""
    return text in f"{key} |"


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 done or the same, 1 something differs, 2 wrong arguments."""
    options = _parser().parse_args(arguments)
    only: list[str] = options.only or [""]
    known = all_runs()
    for text in only:
        if not any(_holds(run.key, text) for run in known):
            example = "edge_64x64 | silero_vad | split_interleaved"
            print(f"--only {text}: no run's name holds that, as {example}", file=sys.stderr)
            return 2
    saved = read_file(options.file.read_text(encoding="utf-8")) if options.file.exists() else {}
    runs = [run for run in known if any(_holds(run.key, text) for text in only)]
    processes = min(options.processes, 1 + len(runs) // RUNS_OF_A_PROCESS)
    found = collect(runs, processes, sys.stderr if options.verbose else None)
    if options.check:
        return _check({key: run for key, run in saved.items() if any(_holds(key, text) for text in only)}, found)
    keys = {run.key for run in known}
    kept = {key: run for key, run in saved.items() if key in keys}
    options.file.write_text(file_text(kept | found), encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tools.golden_metrics", description="All figures of all runs that ship.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", action="store_true", help="compare with the file; exit code 1 if a figure differs")
    what.add_argument("--write", action="store_true", help="write the file")
    parser.add_argument(
        "--only", action="append", metavar="TEXT", help="runs whose name and a closing ' |' hold TEXT; repeatable"
    )
    parser.add_argument("--file", type=Path, default=FILE, help="another file than tests/golden_metrics.json")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    parser.add_argument("--verbose", action="store_true", help="a line for each run on stderr, with its seconds")
    return parser


def _check(want: dict[str, Metrics], got: dict[str, Metrics]) -> int:
    lines = list(differences(want, got))
    for line in lines[:SHOWN]:
        print(line)
    if len(lines) > SHOWN:
        print(f"... and {len(lines) - SHOWN:,} more")
    print(f"{len(got):,} runs, {len(lines):,} figures differ")
    return 1 if lines else 0


if __name__ == "__main__":
    restart_pinned("tools.golden_metrics", sys.argv[1:])
    sys.exit(main(sys.argv[1:]))
