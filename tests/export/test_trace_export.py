"""The exported trace is the run's, op by op, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from archsim.api import simulate
from archsim.cli.options import load_inputs
from archsim.export.op_times import CycleWindow, TracedRun
from archsim.trace import Window
from tests.export.exports import exported_trace

RUN = ("edge_16x16", "lstm:20,24,t=6,layers=2", "split_interleaved_wavefront")


def run_of(arch: str, workload: str, schedule: str | None, *sets: str) -> TracedRun:
    machine, work = load_inputs(arch, workload, list(sets))
    return TracedRun.make(machine, work, schedule)


def test_the_first_ops_are_those_of_the_worked_example() -> None:
    """docs/microarchitecture/cycles.md, "Worked example": issue, start, free and done, counted there by hand."""
    ops = exported_trace("tiny_2x2", "lstm_3_2_t4", None)["ops"]
    first = {op["label"]: op for op in reversed(ops) if op["repetition"] == 0}
    for label, issue, start, free, done in (
        ("load W_ih[0]", 2, 2, 10, 14),
        ("load x_0", 10, 36, 38, 42),
        ("load x[t+1]", 44, 44, 46, 50),
        ("mac[0.0]", 45, 45, 48, 52),
        ("sigmoid_ifo[0]", 47, 56, 59, 61),
        ("hidden[0]", 56, 71, 72, 73),
        ("store h", 59, 80, 81, 85),
        ("store c_n", 193, 193, 194, 198),
    ):
        op = first[label]
        times = op["issue_cycle"], op["start_cycle"], op["free_cycle"], op["done_cycle"]
        assert times == (issue, start, free, done), label
    assert (first["mac[0.0]"]["compute_cycles"], first["mac[0.0]"]["port_cycles"]) == (3, 3)
    assert (first["cell[0]"]["compute_cycles"], first["cell[0]"]["port_cycles"]) == (1, 1)


def test_every_repetition_is_there_and_as_the_simulation_has_it() -> None:
    arch, workload, schedule = RUN
    machine, work = load_inputs(arch, workload, [])
    simulation = simulate(machine, work, schedule, timing_only=True, window=Window(0, 8))
    trace = exported_trace(*RUN)
    names = ("phase", "repetition", "op", "start_cycle", "free_cycle", "done_cycle")
    expected = [
        (found.phase, found.repetition, found.op, found.start, found.free, found.done)
        for found in simulation.trace.records
    ]
    assert [tuple(op[name] for name in names) for op in trace["ops"]] == expected
    assert len(expected) == simulation.program.op_instances
    assert trace["total_cycles"] == simulation.trace.total_cycles
    phases = [(phase["start_cycle"], phase["end_cycle"]) for phase in trace["phases"]]
    assert phases == [(phase.start, phase.end) for phase in simulation.trace.phases]


def test_csv_says_the_same_as_json() -> None:
    text = io.StringIO()
    run_of(*RUN).write_csv(text.write, CycleWindow())
    rows = list(csv.DictReader(io.StringIO(text.getvalue())))
    assert rows == [{name: str(value) for name, value in op.items()} for op in exported_trace(*RUN)["ops"]]


@pytest.mark.parametrize(("first", "last"), [(0, 0), (100, 120), (300, None)])
def test_a_window_of_cycles_has_the_ops_under_way_in_it(first: int, last: int | None) -> None:
    text = io.StringIO()
    run_of(*RUN).write_json(text.write, CycleWindow(first, last))
    found = json.loads(text.getvalue())["ops"]
    every = exported_trace(*RUN)["ops"]
    end = float("inf") if last is None else last
    assert found == [op for op in every if op["issue_cycle"] <= end and op["done_cycle"] >= first]
    assert len(found) < len(every)


def test_behind_a_single_port_the_port_cycles_are_those_granted() -> None:
    ops = exported_trace(*RUN, "state_buffer.banks=one", "state_buffer.ports=1RW")["ops"]
    alone = exported_trace(*RUN, "state_buffer.banks=one")["ops"]
    for op in ops:
        assert op["free_cycle"] - op["start_cycle"] == max(op["compute_cycles"], op["port_cycles"])
    assert sum(op["port_cycles"] for op in ops) > sum(op["port_cycles"] for op in alone)


def test_a_long_run_is_written_in_small_pieces_as_it_goes_on() -> None:
    """Nothing grows with the number of steps: neither a piece of text nor what is held back until its turn."""
    pieces: list[int] = []

    def write(text: str) -> Any:
        pieces.append(len(text))

    run_of("tiny_2x2", "lstm:3,2,t=400", None).write_json(write, CycleWindow())
    assert max(pieces) < 400
    assert len(pieces) > 400 * 16
