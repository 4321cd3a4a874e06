"""Traces for viewers: each is read again by its viewer's rules, and says of every op what the machine says."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.api import Simulation, simulate
from archsim.api.explain import find
from archsim.api.tables import Table
from archsim.config import parse_override
from archsim.config.run_files import TableFormat, TableKind, TraceKind, table_file
from archsim.critical import AllTimes
from archsim.export.run_streams import Streams, written
from archsim.export.traces import trace_end
from archsim.export.traces.perfetto import PerfettoTrace
from archsim.export.traces.trace_end import TraceEnd
from archsim.export.traces.traced_run import TracedRun
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import build_program, find_schedule
from archsim.trace import OpTimes
from archsim.workload import load_workload
from tests.optional import need
from tests.rings import exhaustive, few

RUNS = [
    ("tiny_2x2", "lstm_3_2_t4", "fused", ()),
    ("tiny_2x2", "lstm:3,5,t=6,layers=2,bidirectional=1", "split_gate_major", ()),
    ("tiny_2x2", "lstm:3,5,t=7", "hoisted", ()),
    ("tiny_2x2", "gru:3,5,t=4,layers=2", "fused-wavefront", ()),
    ("edge_16x16", "lstm:20,24,t=5,b=2", "fused_streamed", ("weight_sram.capacity_bytes=2KiB",)),
    ("npu_s10nx", "lstm:16,16,t=3", None, ()),
    ("tpu_v1", "lstm:32,32,t=3", None, ()),
]


def traced(folder: Path, arch: str, workload: str, schedule: str | None, sets: tuple[str, ...] = ()) -> Simulation:
    """A run with all traces, and its tables as CSV."""
    machine, work = load_arch(arch, [parse_override(text) for text in sets]), load_workload(workload)
    found = find_schedule(schedule, machine.config.family)
    program = build_program(found, work.spec, machine.config)
    about = TracedRun("a run", machine.config.clock_mhz, tuple(build_units(machine.config)))
    streams = Streams(tuple(TraceKind), tuple(TableKind), TableFormat.CSV)
    with written(streams, folder, about, program) as files:
        run = simulate(machine, work, found, timing_only=True, listeners=files.listeners)
        files.finish(run, find(run))
    return run


def perfetto(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((folder / TraceKind.PERFETTO.file).read_bytes()))
    return found


@pytest.fixture(params=few([(run,) for run in RUNS], 3), ids=lambda run: "-".join(map(str, run[:3])))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Simulation, Table]:
    run = traced(tmp_path, *request.param)
    return tmp_path, run, run.ops()


def test_perfetto_has_a_slice_for_each_op_and_they_nest(case: tuple[Path, Simulation, Table]) -> None:
    folder, run, ops = case
    found = perfetto(folder)
    assert found["metadata"]["note"] == "1 us is 1 cycle"
    events = found["traceEvents"]
    tracks = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert sorted(tracks) == list(range(1, len(tracks) + 1)), "0 is the process itself in viewers"
    slices = [event for event in events if event["ph"] == "X"]
    assert len(slices) == run.program.op_instances == len(ops)
    for name, column in (("name", "label"), ("ts", "start_cycle")):
        assert [event[name] for event in slices] == ops[column].tolist()
    assert [event["ts"] + event["dur"] for event in slices] == ops["free_cycle"].tolist()
    for argument, column in (
        ("done", "done_cycle"),
        ("issue", "issue_cycle"),
        ("step", "step"),
        ("waited_cycles", "waited_cycles"),
    ):
        assert [event["args"][argument] for event in slices] == ops[column].tolist()
    assert [event["args"].get("waited_for", "") for event in slices] == ops["waited_for"].tolist()
    assert [tracks[event["tid"]] for event in slices] == ops["unit"].tolist()
    for track in tracks:
        mine = sorted((event["ts"], event["ts"] + event["dur"]) for event in slices if event["tid"] == track)
        assert all(free <= start for (_, free), (start, _) in pairwise(mine))


def test_perfetto_counts(case: tuple[Path, Simulation, Table]) -> None:
    """Queues are never deeper than they may be, accumulators never more than there are, and both end empty."""
    folder, run, ops = case
    counters: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for event in perfetto(folder)["traceEvents"]:
        if event["ph"] == "C":
            counters[event["name"]].append((event["ts"], event["args"]["value"]))
    config = run.arch.config
    for name, values in counters.items():
        assert [cycle for cycle, _ in values] == sorted(cycle for cycle, _ in values), name
        assert min(value for _, value in values) == values[-1][1] == 0, name
    for unit in dict.fromkeys(ops["unit"].tolist()):
        depth = max(value for _, value in counters[f"{unit}: queue, ops"])
        assert 0 < depth <= config.sequencer.queue_depth + 1  # one may start in the cycle in which another comes
    if config.family == "gemv":
        used = max(value for _, value in counters["accumulators in use"])
        assert 0 < used <= config.accumulators.entries  # type: ignore[attr-defined]
    moved = 0.0
    for name, values in counters.items():
        if name.endswith("weight_sram, B/cycle") and name.startswith("mac_array"):
            moved += sum(rate * (end - begin) for (begin, rate), (end, _) in pairwise(values))
    if config.family == "gemv":
        read = sum(run.stats.traffic_bytes["weight_sram"]["read"].values())
        assert moved == pytest.approx(read, rel=2e-3)


def test_perfetto_s_arrows_are_the_critical_path(case: tuple[Path, Simulation, Table]) -> None:
    folder, run, _ = case
    events = perfetto(folder)["traceEvents"]
    begins, ends = ({e["id"]: e for e in events if e["ph"] == kind} for kind in "sf")
    path = find(run).path
    units = [run.program.phases[s.instance.phase].ops[s.instance.op].unit for s in path]
    assert len(begins) == len(ends) == sum(one != other for one, other in pairwise(units))
    slices = {(event["tid"], event["ts"]) for event in events if event["ph"] == "X"}
    assert all((e["tid"], e["ts"]) in slices for e in (*begins.values(), *ends.values()))
    assert all(begins[n]["tid"] != ends[n]["tid"] for n in begins)


def test_perfetto_s_other_arrows_are_the_dependencies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An arrow for each dependency of each instance whose sender there is; of too many the first, and that is said."""
    machine, work = load_arch("tiny_2x2"), load_workload("lstm_3_2_t4")
    found = find_schedule(None, machine.config.family)
    program = build_program(found, work.spec, machine.config)
    times = AllTimes(program)
    executed: set[tuple[int, int, int]] = set()

    def add(one: OpTimes) -> None:
        times.add(one)
        executed.add((one.record.phase, one.record.repetition, one.record.op))

    run = simulate(machine, work, found, timing_only=True, listeners=(add,))
    wanted = [
        ((phase.ops[dep.op].unit, times.start[number][r - dep.lag, dep.op]), (op.unit, times.start[number][r, place]))
        for number, phase in enumerate(program.phases)
        for r in range(phase.repeat)
        for place, op in enumerate(phase.ops)
        for dep in phase.deps[place]
        if {(number, r, place), (number, r - dep.lag, dep.op)} <= executed
    ]
    for most in (100_000, 5):
        monkeypatch.setattr(trace_end, "MOST_DEPENDENCIES", most)
        end = TraceEnd.of(run.stats.latency_cycles, program, (), times, every=True)
        about = TracedRun("a run", machine.config.clock_mhz, tuple(build_units(machine.config)))
        trace = PerfettoTrace(tmp_path / TraceKind.PERFETTO.file, about, program)
        trace.finish(end)
        trace.close()
        events = perfetto(tmp_path)["traceEvents"]
        tracks = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
        begins, ends = ({e["id"]: (tracks[e["tid"]], e["ts"]) for e in events if e["ph"] == kind} for kind in "sf")
        assert [(begins[n], ends[n]) for n in sorted(begins)] == wanted[:most]
        labels = [e["args"]["labels"] for e in events if e["name"] == "process_labels"]
        assert labels == ([f"arrows of the first 5 of {len(wanted)} dependencies"] if most == 5 else [])


def test_konata_by_the_rules_of_its_log(case: tuple[Path, Simulation, Table]) -> None:
    folder, _, ops = case
    head, first, *lines = (folder / TraceKind.KONATA.file).read_text().splitlines()
    assert (head, first) == ("Kanata\t0004", "C=\t0")
    cycle, stages = 0, dict[tuple[int, str], list[int]]()
    names: dict[int, str] = {}
    retired: list[int] = []
    for line in lines:
        kind, *parts = line.split("\t")
        if kind == "C":
            assert int(parts[0]) > 0
            cycle += int(parts[0])
        elif kind == "I":
            assert int(parts[0]) not in names
            names[int(parts[0])] = ""
        elif kind == "L":
            names[int(parts[0])] = parts[2]
        elif kind == "S":
            stages[int(parts[0]), parts[2]] = [cycle]
        elif kind == "E":
            stages[int(parts[0]), parts[2]].append(cycle)
        else:
            assert (kind, parts[1:]) == ("R", [str(len(retired)), "0"])
            retired.append(int(parts[0]))
    assert sorted(retired) == sorted(names) == list(range(len(ops)))
    for number in names:
        issue, start, free, done = (int(ops[f"{name}_cycle"][number]) for name in ("issue", "start", "free", "done"))
        wanted = {"Q": [issue, start], "X": [start, free], "D": [free, done]}
        found = {stage: stages[number, stage] for stage in "QXD" if (number, stage) in stages}
        assert found == {stage: span for stage, span in wanted.items() if span[0] < span[1] or stage == "X"}
        assert f"{ops['unit'][number]}: {ops['label'][number]}, step" in names[number]


def changes(folder: Path) -> Mapping[str, list[tuple[int, str]]]:
    """The values of every signal, by its name, as another library reads them."""
    need("vcdvcd")
    from vcdvcd import VCDVCD

    found = VCDVCD(str(folder / TraceKind.VCD.file))
    return {name: found[name].tv for name in found.signals}


def texts(folder: Path, unit: str, name: str) -> list[tuple[int, str]]:
    """When a unit's signal of text changes and to what, which the other library leaves out."""
    scope, mine, cycle = "", "", 0
    found: list[tuple[int, str]] = []
    for line in (folder / TraceKind.VCD.file).read_text().splitlines():
        words = line.split()
        if words[:2] == ["$scope", "module"]:
            scope = words[2]
        elif words[:1] == ["$var"] and (scope, words[4]) == (unit, name):
            mine = words[3]
        elif line.startswith("#"):
            cycle = int(line[1:])
        elif line.startswith("s") and words[-1] == mine:
            found.append((cycle, words[0][1:]))
    assert found, (unit, name)
    return found


def test_vcd_as_another_library_reads_it(case: tuple[Path, Simulation, Table]) -> None:
    folder, run, ops = case
    signals = changes(folder)
    for unit in dict.fromkeys(ops["unit"].tolist()):
        mine = ops["unit"] == unit
        busy = int((ops["free_cycle"] - ops["start_cycle"])[mine].sum())
        values = [*signals[f"{unit}.busy"], (run.stats.latency_cycles, "0")]
        assert sum(end - begin for (begin, value), (end, _) in pairwise(values) if value == "1") == busy
        assert max(int(value, 2) for _, value in signals[f"{unit}.queue_ops"]) <= (
            run.arch.config.sequencer.queue_depth + 1
        )
        waits = [
            (max(issue, start - waited), cause)
            for issue, start, waited, cause in zip(
                *(ops[name][mine].tolist() for name in ("issue_cycle", "start_cycle", "waited_cycles", "waited_for")),
                strict=True,
            )
            if waited and max(issue, start - waited) < start
        ]
        if run.arch.config.family != "npu":  # there waits for words of a FIFO come on top
            assert set(waits) <= set(texts(folder, unit, "waits_for")), "a wait is shown from where it begins"
    assert signals["accumulators.in_use"][-1][1] == "0"


def test_tables_are_those_of_the_run(case: tuple[Path, Simulation, Table]) -> None:
    folder, run, ops = case
    lines = (folder / table_file(TableKind.OPS, TableFormat.CSV)).read_text().splitlines()
    assert lines[0] == ",".join(ops.data)
    assert len(lines) == len(ops) + 1
    assert int(ops["macs"].sum()) == run.stats.macs
    assert int(ops["done_cycle"].max()) == run.stats.latency_cycles
    stack = run.stats.unit_cycle_stacks
    for unit, buckets in stack.items():
        mine = ops["unit"] == unit
        waits = Counter[str]()
        for cause, cycles in zip(ops["waited_for"][mine].tolist(), ops["waited_cycles"][mine].tolist(), strict=True):
            waits[cause] += cycles
        if run.arch.config.family != "npu":  # there waits for words of a FIFO come on top
            assert {name: n for name, n in waits.items() if n} == {
                name: n for name, n in buckets.items() if name.startswith("wait_") and name != "wait_port" and n
            }
    steps = run.steps()
    lines = (folder / table_file(TableKind.STEPS, TableFormat.CSV)).read_text().splitlines()
    assert lines[0] == ",".join(steps.data)
    assert [row[1] for row in csv.reader(lines[1:])] == [str(step) for step in steps["step"].tolist()]
    assert int(steps["macs"].sum()) == run.stats.macs


def test_steps_by_hand() -> None:
    """A step of LSTM(3, 2) on tiny_2x2 takes 35 cycles (tests/engines/events)."""
    steps = simulate(load_arch("tiny_2x2"), load_workload("lstm:3,2,t=8"), timing_only=True).steps()
    assert steps["step"].tolist() == list(range(8))
    assert (np.diff(steps["end_cycle"]) == steps["cycles"][1:]).all()
    assert steps["cycles"][3:6].tolist() == [35, 35, 35]
    assert set(steps["macs"].tolist()) == {4 * 2 * (3 + 2)}


@pytest.mark.parametrize("seed", few(["1", "2"], 1))
def test_the_same_bytes_whatever_the_seed_of_hashes(tmp_path: Path, seed: str) -> None:
    traced(tmp_path, "tiny_2x2", "lstm:3,5,t=4,layers=2", None)
    code = (
        "import sys; from pathlib import Path; from tests.export.test_traces import traced; "
        "traced(Path(sys.argv[1]), 'tiny_2x2', 'lstm:3,5,t=4,layers=2', None)"
    )
    other = tmp_path / "other"
    other.mkdir()
    root = Path(__file__).resolve().parents[2]
    import os

    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", code, str(other)], cwd=root, env=environment, check=True)
    for file in other.iterdir():
        assert file.read_bytes() == (tmp_path / file.name).read_bytes(), file.name


@exhaustive
def test_a_million_slices_in_bounded_memory(tmp_path: Path) -> None:
    """The peak is that of a run a hundredth as long, and less than 40 MB on top."""
    code = """
import resource, sys
from pathlib import Path
from archsim.config.run_files import TraceKind
import tests.export.test_traces as here
here.TraceKind = (TraceKind.PERFETTO,)
here.TableKind = ()
run = here.traced(Path(sys.argv[1]), "tiny_2x2", f"lstm:3,2,t={sys.argv[2]}", None)
print(run.program.op_instances, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    root = Path(__file__).resolve().parents[2]
    found = []
    for steps in ("700", "70000"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path), steps], cwd=root, check=True, capture_output=True, text=True
        )
        found.append([int(word) for word in done.stdout.split()])
    (_, short), (ops, long) = found
    assert ops > 10**6
    assert long - short < 40 * 1024
