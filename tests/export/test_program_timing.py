"""A model outside, which knows the exported program alone, gives every op the times of the exported trace."""

from __future__ import annotations

import copy
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.export import timing_model
from tests.export.exports import exported_program, exported_trace
from tests.rings import few

ONE_PORT = (
    *("weight_sram.ports=1RW", "input_buffer.ports=1RW"),
    *("state_buffer.banks=one", "state_buffer.ports=1RW"),
)

CASES = [
    ("tiny_2x2", "lstm_3_2_t4", None),
    ("edge_16x16", "lstm:20,24,t=5", "split_interleaved", "sequencer.token_latency_cycles=1"),
    ("edge_16x16", "gru:20,24,t=7,layers=3", "fused_gate_major_wavefront"),
    ("edge_16x16", "rnn:12,20,t=5", None, "sequencer.queue_depth=1"),
    (
        *("tiny_2x2", "lstm:3,2,t=5,layers=2", "split_wavefront"),
        *("state_buffer.capacity_bytes=4096", "sequencer.token_latency_cycles=3"),
    ),
    ("edge_16x16", "gru:12,20,t=5", "fused_gate_major", "sequencer.issue_cycles=0"),
    ("edge_16x16", "lstm:20,24,t=5,layers=2,bidirectional=1", "fused"),
    ("npu_s10nx", "lstm:64,64,t=4,b=6", None),
    ("edge_16x16", "lstm:20,24,t=7", "hoisted"),
    ("edge_16x16", "lstm:20,24,t=5", "fused_streamed", "weight_sram.capacity_bytes=3KiB"),
    ("edge_16x16", "gru:12,20,t=5,b=3", "split_gate_major", "sequencer.issue_cycles=3"),
    ("edge_64x64_q4_12", "silero_vad", "split", "steps=20"),
    ("edge_64x64", "silero_vad", None, "steps=20"),
    ("tpu_v1", "lstm:64,64,t=3,b=2", None),
    ("cloud_256x256", "lstm:200,300,t=3", "split"),
    ("edge_16x16", "lstm:20,24,t=5", "split", *ONE_PORT),
    ("edge_16x16", "gru:12,20,t=5,b=3", "fused", *ONE_PORT, "sequencer.issue_cycles=0", "state_buffer.port_bits=48"),
    ("tiny_2x2", "lstm:3,2,t=5,layers=2", "split_wavefront", *ONE_PORT, "state_buffer.capacity_bytes=4096"),
    ("edge_16x16", "lstm:20,24,t=5", "fused_streamed", *ONE_PORT, "weight_sram.capacity_bytes=3KiB"),
]

RANDOM = [case for case in CASES if case[0] in ("tiny_2x2", "edge_16x16", "npu_s10nx")]
"""Small enough to be run often."""


def test_the_models_import_nothing_of_archsim() -> None:
    for name in ("timing_model", "integer_model", "normalization_model"):
        source = Path(timing_model.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
        lines = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
        assert lines
        lines = [line for line in lines if line != "from tests.export.normalization_model import normalized"]
        assert not [line for line in lines if "archsim" in line or "tests" in line or "numpy" in line]


@pytest.mark.parametrize("case", few(((case,) for case in CASES), 7))
def test_start_free_and_done_of_every_op_are_those_of_the_trace(case: tuple[str, ...]) -> None:
    arch, workload, schedule, *sets = case
    program = exported_program(arch, workload, schedule, *sets, timing_only=True)
    rows, most = timing_model.run(program)
    trace = exported_trace(arch, workload, schedule, *sets)
    assert rows == [{name: row[name] for name in rows[0]} for row in trace["ops"]]
    assert max(row["done_cycle"] for row in rows) == trace["total_cycles"]
    assert all(found <= edge["most"] for found, edge in zip(most, program["tokens"], strict=True))


def altered(program: dict[str, Any], fact: str) -> dict[str, Any]:
    """The program with one kind of fact changed everywhere."""
    other = copy.deepcopy(program)
    services = [op["service"] for op in other["ops"]]
    where: dict[str, list[dict[str, Any]]] = {
        "sequencer": [other["machine"]["sequencer"]],
        "service": services,
        "op": other["ops"],
        "token": other["tokens"],
        "port": [use for op in other["ops"] for use in op["single_ports"]],
    }
    kind, name, change = fact.split()
    for found in where[kind]:
        value = found[name]
        if isinstance(value, list):
            found[name] = [one + int(change) for one in value]
        else:
            found[name] = 0 if change == "=0" else value + int(change)
    return other


FACTS = [
    *("sequencer issue_cycles +1", "sequencer queue_depth +1", "sequencer token_latency_cycles =0"),
    *("service occupancy_cycles +1", "service depth_cycles +1", "service write_cycles =0"),
    *("service first_word_cycles +1", "op joined =0", "op skip_first =0", "op skip_last =0"),
    *("token initial =0", "token send_from +1", "token send_until -1", "token take_until -1"),
    *("port read_tails +1", "port read_tails -1", "port write_cycles =0"),
]
"""Every fact of the page's section "Time"."""


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_of_the_export_matters(fact: str) -> None:
    """Changed in the file, it changes the times of some program, or lets it stand still; so a wrong one is noticed."""
    for program in small_programs():
        expected, _ = timing_model.run(program)
        try:
            found, _ = timing_model.run(altered(program, fact), last_cycle=5000)
        except RuntimeError:
            return
        if found != expected:
            return
    pytest.fail(f"{fact}: changes nothing")


@cache
def small_programs() -> tuple[dict[str, Any], ...]:
    latency = ("sequencer.token_latency_cycles=1",)
    cases = [
        ("tiny_2x2", "lstm:3,2,t=4,layers=2", "split_wavefront", "state_buffer.capacity_bytes=4096", *latency),
        ("npu_s10nx", "lstm:20,20,t=2,b=2", None),
        ("tiny_2x2", "lstm:3,2,t=4", "fused", *ONE_PORT),
    ]
    return tuple(exported_program(arch, work, *rest, timing_only=True) for arch, work, *rest in cases)  # type: ignore[arg-type]


def most_under_random_services(program: dict[str, Any], runs: int) -> list[int]:
    """The most tokens under way on each edge in runs with random times, for some units much longer than for others."""
    units = [unit["name"] for unit in program["machine"]["units"]]
    found = [0] * len(program["tokens"])
    for seed in range(runs):
        rng = random.Random(seed)
        slow, depth = {unit: rng.choice([1, 1, 3, 20, 60]) for unit in units}, rng.choice([0, 1, 20, 90])
        longest = {id(op["service"]): slow[op["unit"]] for op in program["ops"]}

        def vary(service: dict[str, Any]) -> tuple[int, int]:
            return rng.randint(1, longest[id(service)]), rng.randint(0, depth)  # noqa: B023

        _, most = timing_model.run(program, vary)
        found = [max(pair) for pair in zip(found, most, strict=True)]
    return found


@pytest.mark.parametrize("case", few(((case,) for case in RANDOM), 3))
def test_no_service_times_bring_more_tokens_under_way_than_is_proven(case: tuple[str, ...]) -> None:
    """And the proof is no idle one: most edges do reach their number."""
    arch, workload, schedule, *sets = case
    program = exported_program(arch, workload, schedule, *sets, timing_only=True)
    found = most_under_random_services(program, 8)
    proven = [edge["most"] for edge in program["tokens"]]
    assert all(seen <= most for seen, most in zip(found, proven, strict=True))
    assert sum(seen == most for seen, most in zip(found, proven, strict=True)) > 0.6 * len(proven)


def test_phases_are_named_and_said_to_be_what_they_are() -> None:
    """The prologue loads, each layer has a body of four steps, a handover lies between them, an epilogue stores.

    Where no numbers are computed no scale is known, and zero points are 0.
    """
    program = exported_program("tiny_2x2", "lstm:3,2,t=4,layers=2", None, timing_only=True)
    assert [(phase["name"], phase["kind"], phase["repeat"]) for phase in program["phases"]] == [
        ("prologue", "prologue", 1),
        ("body of layer 0", "body", 4),
        ("handover to layer 1", "handover", 1),
        ("body of layer 1", "body", 4),
        ("epilogue", "epilogue", 1),
    ]
    assert [phase["ops"] for phase in program["phases"]] == [
        sum(op["phase"] == number for op in program["ops"]) for number in range(len(program["phases"]))
    ]
    assert {(buffer["scale"], buffer["zero"]) for buffer in program["buffers"]} == {(None, 0)}
