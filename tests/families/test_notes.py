"""What a reader of a run's figures must know is said: thresholds that do nothing, cycles that nothing holds."""

from __future__ import annotations

import json

import pytest

from archsim.api import simulate
from archsim.errors import ScheduleError
from archsim.families.load import load_arch
from archsim.families.npu.config import NpuConfig
from archsim.report import report_text
from archsim.report.files.saved import stats_json
from archsim.workload import load_workload


@pytest.mark.parametrize(
    ("thresholds", "notes"),
    [
        ("0", ()),
        ("0.0078125", ()),
        # In q8.8 a change is 1/256 or more, and 65,535/256 or less.
        (
            "0.00390625/0.5",
            ("threshold 0.00390625 of x: no change in input q8.8 is smaller than 0.00390625",),
        ),
        ("0.5/0.001", ("threshold 0.001 of h: no change in hidden q8.8 is smaller than 0.00390625",)),
        (
            "255.99609375/256",
            ("threshold 256 of h: no change in hidden q8.8 is larger than 255.996",),
        ),
    ],
)
def test_thresholds_that_are_not_what_they_look_like(thresholds: str, notes: tuple[str, ...]) -> None:
    arch, workload = load_arch("edgedrnn"), load_workload(f"gru:8,8,t=2,delta={thresholds}")
    found = arch.config.notes(workload.spec)
    assert len(found) == len(notes)
    for note, beginning in zip(found, notes, strict=True):
        assert note.startswith(beginning)
    run = simulate(arch, workload, timing_only=True)
    text = " ".join(report_text(run).split())
    assert all(note in text for note in found)
    assert json.loads(stats_json(run)).get("notes", []) == list(found)


def test_such_thresholds_skip_as_much_as_the_note_says() -> None:
    """The least change is 1/256: a threshold of that is 0; beyond the largest one nothing but biases is multiplied."""
    columns = [
        simulate("edgedrnn", f"gru:8,8,t=6,delta={threshold}", timing_only=True).trace.counts["pe_array"]["columns"]
        for threshold in ("0", "0.00390625", "0.125", "256")
    ]
    assert columns[0] == columns[1] > columns[2] > columns[3] == 1


@pytest.mark.parametrize(("hidden", "dropped"), [(40, 5), (256, 5), (280, 5), (281, 0), (512, 0)])
def test_an_npu_run_that_nothing_holds_says_so(hidden: int, dropped: int) -> None:
    """12 words of a short vector, and place for 7 in the tiles; from 281 numbers on two in each tile."""
    arch = load_arch("npu_s10nx").config
    assert isinstance(arch, NpuConfig)
    assert arch.dropped_words(hidden) == dropped
    notes = arch.notes(load_workload(f"lstm:512,{hidden},t=2,b=6").spec)
    beginning = f"cycles with {hidden} hidden units are held to nothing published"
    assert [note[: len(beginning)] for note in notes] == [beginning] * bool(dropped)


def test_the_note_stands_in_the_report_and_in_json() -> None:
    run = simulate("npu_s10nx", "rnn:256,256,t=2,b=6", timing_only=True)
    assert "cycles with 256 hidden units are held to nothing published" in " ".join(report_text(run).split())
    assert len(json.loads(stats_json(run))["notes"]) == 1
    assert "notes" not in json.loads(stats_json(simulate("npu_s10nx", "rnn:320,320,t=2,b=6", timing_only=True)))


def test_a_machine_without_an_encoder_is_refused_with_what_to_set() -> None:
    """And with that, the q format that it needs too, and room for the sums it runs."""
    workload = load_workload("gru:8,16,t=2,delta=0.5")
    needed = (
        'with --set "delta_encoder={lanes: 16, latency_cycles: 2, capacity_bytes: 4KiB, port_bits: 272}" '
        "--set formats=q4.12"
    )
    with pytest.raises(ScheduleError) as default:
        simulate("edge_16x16", workload)
    split = "split_interleaved, split_gate_major"
    wavefronts = "split_interleaved_wavefront, split_gate_major_wavefront"
    assert str(default.value).endswith(f"those that do: {split}, {wavefronts}, {needed}")
    with pytest.raises(ScheduleError) as other:
        simulate("edge_16x16", workload, "split_interleaved")
    assert str(other.value).endswith(f"skips nothing on a machine that has no section delta_encoder: {needed[5:]}")
    sets = ["delta_encoder={lanes: 16, latency_cycles: 2, capacity_bytes: 4KiB, port_bits: 272}", "formats=q4.12"]
    assert simulate(load_arch("edge_16x16", sets), workload, "split_interleaved").validation.passed
