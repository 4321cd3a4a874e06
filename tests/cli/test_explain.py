"""`archsim explain` on the command line."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

TINY = ("tiny_2x2", "lstm_3_2_t4")


def test_json(cli: Cli) -> None:
    """The chain has no gap and, folded, is the stack; both sum to the latency that a run has."""
    outcome = cli("explain", *TINY, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    chain = found["chain"]
    assert [set(item) for item in chain] == [{"phase", "repetition", "unit", "label", "start", "end", "cause"}] * len(
        chain
    )
    assert (chain[0]["start"], chain[-1]["end"]) == (0, found["latency_cycles"])
    assert all(one["end"] == other["start"] for one, other in pairwise(chain))
    stack = found["latency_stack"]
    assert sum(cycles for causes in stack.values() for cycles in causes.values()) == found["latency_cycles"]
    for unit, causes in stack.items():
        own = [item for item in chain if item["unit"] == unit]
        assert sum(item["end"] - item["start"] for item in own) == sum(causes.values())
    run = json.loads(cli("run", *TINY, "--json", "--no-plots", "--out", "x").out)
    assert (run["latency_cycles"], run["cycles_per_step"]) == (found["latency_cycles"], found["max_cycle_ratio"])


def test_the_chain_of_a_step_by_hand(cli: Cli) -> None:
    """tiny_2x2, fused_interleaved, two hidden units in groups of one, i.e. two tiles each; tokens of a cycle.

    h arrives (1); four tiles of (3 + 2) inputs in 3 chunks, 12 cycles; the last one drains: read 1, multiplier 1, tree
    1, accumulator 1 = 4; sigmoid of 3 and tanh of 1 value, a token and 4 cycles, then 2 stages; the cell update, a
    token, 1 and 2 stages; tanh(c), a token, 1 and 2 stages; the hidden update, a token, 1 and 1 stage:
    1 + 12 + 4 + (1 + 4 + 2) + (1 + 1 + 2) + (1 + 1 + 2) + (1 + 1 + 1) = 35. 40 weights of 4 are 10 of the 12 cycles.
    """
    (step,) = json.loads(cli("explain", *TINY, "--json").out)["steps"]
    assert (step["cycles_per_step"], step["recurrence_cycles_per_step"], step["steps"]) == (35, 35, 1)
    assert step["stack"] == {
        "mac_array": {"useful": 10, "padding": 2, "drain": 4, "token": 1},
        "activation": {"useful": 5, "drain": 4, "token": 2},
        "elementwise": {"useful": 2, "drain": 3, "token": 2},
    }
    lengths = [(item["label"], item["cause"], item["end"] - item["start"]) for item in step["chain"]]
    assert lengths[:6] == [
        ("mac[0.0]", "token", 1),
        ("mac[0.0]", "compute", 3),
        ("mac[0.1]", "compute", 3),
        ("mac[1.0]", "compute", 3),
        ("mac[1.1]", "compute", 3),
        ("mac[1.1]", "drain", 4),
    ]
    assert step["chain"][-1]["end"] == 35


def test_queues_that_bind_are_in_the_chain(cli: Cli) -> None:
    """silero_vad on edge_64x64: 88 cycles, of which the sequencer has 6; with queues of 16 the dependencies' 83."""
    run = ("explain", "edge_64x64", "silero_vad", "--json")
    (step,) = json.loads(cli(*run).out)["steps"]
    assert (step["cycles_per_step"], step["recurrence_cycles_per_step"]) == (88, 83)
    assert step["stack"]["sequencer"] == {"issue": 6}
    (deeper,) = json.loads(cli(*run, "--set", "sequencer.queue_depth=16").out)["steps"]
    assert deeper["cycles_per_step"] == 83
    assert "sequencer" not in deeper["stack"]


def test_banks_that_bind_are_the_ports_cycles(cli: Cli) -> None:
    """128 rows behind 64 banks: a tile's weights take twice as long as its products, and the stack says so.

    LSTM(200, 1000): 31 tiles of 128 rows and one of 32. x and h are accumulated apart: ceil(200 / 64) + ceil(1000 / 64)
    = 20 chunks. 64 x 512 bits are a word: 128 x 200 weights of 8 bits are 7 of them, 128 x 1,000 are 32. A chunk of 64
    needs two words, so that none but the port counts: 39 cycles a tile, 19 of them waiting. 32 rows are 2 + 8 words.
    """
    rows = ("--set", "mac_array.rows=128", "--set", "accumulators.entries=1024")
    run = ("explain", "edge_64x64", "lstm:200,1000,t=12", "--json", *rows)
    (step,) = json.loads(cli(*run).out)["steps"]
    port, works = step["stack"]["mac_array"]["wait_port"], step["stack"]["mac_array"]
    assert port == 31 * 19
    assert works["useful"] + works["padding"] == 32 * 20
    (banks,) = json.loads(cli(*run, "--set", "weight_sram.banks=128").out)["steps"]
    assert "wait_port" not in banks["stack"]["mac_array"]


def test_where_times_depend_on_the_run_there_is_no_step(cli: Cli) -> None:
    machine = ("--set", "state_buffer.banks=one", "--set", "state_buffer.ports=1RW")
    found = json.loads(cli("explain", *TINY, *machine, "--json").out)
    assert (found["steps"], found["max_cycle_ratio"]) == ([], None)
    assert "here times depend on when ops start" in cli("explain", *TINY, *machine).out
    once = cli("explain", "tiny_2x2", "lstm:3,2,t=1")
    assert "There is one time step: nothing is passed on to another." in once.out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (
            ("edgedrnn", "gru:8,8,t=3,delta=0.1"),
            "here a step's times follow from its own data (delta_encoder, pe_array: columns that have changed).",
        ),
        ((*TINY, "--set", "weight_sram.ports=1RW"), "on when ops start (the one port of weight_sram)."),
        (
            (*TINY, "--set", "dram_type=lpddr4", "--set", "dram={kind: ddr, device: lpddr4_3200, channels: 1, "
             "controller_latency_cycles: 4}"),
            "here times depend on when ops start (dram).",
        ),
    ],
)  # fmt: skip
def test_why_there_is_no_step_is_what_is_so(cli: Cli, arguments: tuple[str, ...], why: str) -> None:
    """A delta machine has neither DRAM of kind ddr nor memories of one port, and is not said to have them."""
    run = cli("explain", *arguments)
    assert (run.code, run.err) == (0, "")
    assert why in " ".join(run.out.split("in the long run is not said: ")[1].split())


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_same_bytes_every_time_and_in_a_file(cli: Cli, options: tuple[str, ...]) -> None:
    first = cli("explain", *TINY, *options)
    assert first.code == 0
    assert cli("explain", *TINY, *options).out == first.out
    assert all(len(line) <= 100 and line == line.rstrip() for line in first.out.splitlines() if not options)
    assert cli("explain", *TINY, *options, "--out", "found").out == ""
    assert Path("found").read_text(encoding="utf-8") == first.out


def test_a_long_run_is_refused_in_one_line(cli: Cli) -> None:
    outcome = cli("explain", "edge_64x64", "lstm:200,1000,t=100000")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert "2,000,000 whose times are kept" in outcome.err
