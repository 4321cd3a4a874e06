"""Frames of a stream on the command line: figures in --json, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.rings import exhaustive

STREAM = ("tiny_2x2", "lstm:3,2,t=4,streaming=1")
QUIET = ("--no-plots", "--out", "x", "--force")


def test_the_figures_of_a_frame_in_json(cli: Cli) -> None:
    found = json.loads(cli("run", *STREAM, "--set", "period_us=1", "--json", *QUIET).out)
    assert (found["frame_latency_cycles"], found["frame_interval_cycles"]) == (49, 43)
    assert sum(sum(causes.values()) for causes in found["latency_stack"].values()) == 49
    assert found["frame_energy_uj"] > found["frame_dynamic_energy_uj"] > 0
    assert found["arrivals"]["p50_cycles"] == 49
    assert found["latency_cycles"] > 4 * 43
    assert found["validation"]["passed"] is True
    assert Path("x/stats.json").read_text(encoding="utf-8") == json.dumps(found, indent=2) + "\n"


def test_the_stack_of_a_run_sums_to_its_latency(cli: Cli) -> None:
    found = json.loads(cli("run", "tiny_2x2", "lstm_3_2_t4", "--json", *QUIET).out)
    assert sum(sum(causes.values()) for causes in found["latency_stack"].values()) == found["latency_cycles"]
    assert "frame_latency_cycles" not in found


def test_the_report_begins_with_the_frame_and_names_the_other_question(cli: Cli) -> None:
    out = cli("run", *STREAM, "--full", *QUIET).out
    assert out.index("A frame") < out.index("All that follows is of another question") < out.index("\nLatency")
    assert "null" not in out
    assert "A frame" not in cli("run", "tiny_2x2", "lstm_3_2_t4", "--full", *QUIET).out


def test_a_delta_network_s_frames_differ_and_the_report_says_how(cli: Cli) -> None:
    encoder = "delta_encoder={lanes: 1, latency_cycles: 1, capacity_bytes: 4KiB, port_bits: 64}"
    sets = [encoder, "activation.method=table", "formats=q4.12", "mac_array.columns=1"]
    words = ["run", "tiny_2x2", "lstm:3,2,t=6,streaming=1,delta=0.125", "-s", "split_interleaved"]
    words += [word for text in sets for word in ("--set", text)]
    found = json.loads(cli(*words, "--json", *QUIET).out)
    each = found["differing_frames"]
    assert each["frames"] == 5
    assert found["frame_latency_cycles"] == each["p50_cycles"] <= each["max_cycles"]
    out = " ".join(cli(*words, *QUIET).out.split())
    assert f"frames differ mean {each['mean_cycles']:,.1f}, p95 {each['p95_cycles']}, max {each['max_cycles']}" in out
    skipped = f"{100 * found['activity']['skipped_share']:.1f} % of the model that is skipped"
    assert f"of the multipliers, frame behind frame, counting the {skipped} energy" in out
    whole = cli(*words, "--full", *QUIET).out
    assert "mean alone" in whole
    assert "counts what is skipped, too" in " ".join(whole.split())
    assert "null" not in whole


def test_a_run_that_is_all_loading_names_the_other_question(cli: Cli) -> None:
    """The complaint: of a run of one step nearly all is the loading of weights, which no frame on a chip waits for."""
    cold = " ".join(cli("run", "edge_16x16", "lstm:40,64,t=1", "--timing-only", *QUIET).out.split())
    assert "This run is a cold start: " in cold
    assert "streaming=1 (--set streaming=true)" in cold
    one_step = ("run", "edge_16x16", "lstm:40,64,t=1", "--timing-only")
    hoisted = " ".join(cli(*one_step, "-s", "hoisted", *QUIET).out.split())
    assert "cold start" in hoisted
    assert "streaming=1" not in hoisted
    assert "cold start" not in cli("run", "tiny_2x2", "lstm_3_2_t4", *QUIET).out


def test_a_frame_is_explained(cli: Cli) -> None:
    found = json.loads(cli("explain", *STREAM, "--json").out)
    assert found["latency_cycles"] == 49
    assert (found["chain"][0]["start"], found["chain"][-1]["end"]) == (0, 49)
    assert found["max_cycle_ratio"] == 43
    assert found["latency_stack"] == json.loads(cli("run", *STREAM, "--json", *QUIET).out)["latency_stack"]


@exhaustive
def test_the_best_change_of_a_frame_gives_the_figures_that_were_predicted(cli: Cli) -> None:
    best, *_ = json.loads(cli("whatif", *STREAM, "--json").out)
    assert best["before_cycles"] == 49 > best["after_cycles"]
    made = json.loads(cli("run", *STREAM, *best["change"].split(), "--json", *QUIET).out)
    assert made["frame_latency_cycles"] == best["after_cycles"]
    assert made["frame_interval_cycles"] == best["after_cycles_per_step"]
    assert made["frame_energy_uj"] == best["energy_uj"]
    assert "49 cycles a frame" in cli("whatif", *STREAM).out


@pytest.mark.parametrize(
    ("workload", "sets", "said"),
    [
        ("lstm:3,2,t=4,streaming=2", (), "streaming is 0 or 1, not '2'"),
        ("lstm:3,2,t=4,streaming=1,bidirectional=1", (), "a layer in reverse begins with the last frame"),
        ("lstm:3,2,t=4", ("period_us=1",), "period_us is for a workload with streaming: true"),
        ("lstm:3,2,t=4,b=2,streaming=1", ("sequence_lens=[4,2]",), "sequences that end (sequence_lens) are no streams"),
        ("lstm:3,2,t=2,streaming=1", ("arrivals_us=[0]",), "expected a time for each of the 2 frames, got 1"),
        ("lstm:3,2,t=2,streaming=1", ("arrivals_us=[1,0]",), "a frame does not come before the one before it"),
        ("lstm:3,2,t=2,streaming=1", ("period_us=1", "jitter_us=2"), "would come after the next one"),
        ("lstm:3,2,t=2,streaming=1", ("jitter_us=2",), "needs period_us"),
        ("lstm:3,2,t=2,streaming=1", ("deadline_us=2",), "needs period_us or arrivals_us"),
        ("lstm:3,2,t=2,streaming=1", ("period_us=1", "arrivals_us=[0,1]"), "either one by one or by period_us"),
    ],
)
def test_what_is_no_stream_is_one_line(cli: Cli, workload: str, sets: tuple[str, ...], said: str) -> None:
    run = cli("run", "tiny_2x2", workload, *(word for text in sets for word in ("--set", text)))
    assert run.code == 2
    assert said in run.err
    assert run.err.count("\n") == 1


def test_more_frames_than_times_are_kept_of_is_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame on tiny_2x2 has 16 ops; with the prologue's and the epilogue's 10, 4 frames are 74."""
    monkeypatch.setattr("archsim.api.timed_frames.MAX_OPS", 73)
    run = cli("run", *STREAM, "--set", "period_us=1", *QUIET)
    assert (run.code, run.out) == (2, "")
    assert "4 frames of a stream are 74 ops, more than the 73 whose times are kept" in run.err
    assert not Path("x").exists()


@pytest.mark.parametrize("command", ["run", "explain", "whatif", "validate", "program"])
def test_a_hoisted_schedule_is_refused_by_every_command(cli: Cli, command: str) -> None:
    run = cli(command, *STREAM, "--schedule", "hoisted")
    assert (run.code, run.out) == (2, "")
    assert "takes no frames one at a time" in run.err
