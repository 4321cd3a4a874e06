"""What a delta machine computes: bit for bit that of the reference, and the ordinary cell's at threshold 0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archsim.api import Simulation, simulate
from archsim.api.explain import explain
from archsim.checking.integer_delta import integer_delta_golden
from archsim.checking.integer_grids import cell_grids
from archsim.checking.integer_methods import integer_method
from archsim.checking.reference import directions
from archsim.config import parse_override
from archsim.errors import ArchError, ScheduleError, WorkloadError
from archsim.export.op_times import CycleWindow, TracedRun
from archsim.families.load import load_arch
from archsim.golden.delta import delta_direction
from archsim.golden.integer_layers import run_integer
from archsim.golden.integer_units import IntegerMachine
from archsim.workload import load_workload

KINDS = ("gru", "lstm", "rnn")
SMALL = "pe_array.pes=4"


def run(workload: str, *sets: str, timing_only: bool = False) -> Simulation:
    """A run on EdgeDRNN with 4 PEs."""
    arch = load_arch("edgedrnn", [parse_override(text) for text in (SMALL, *sets)])
    return simulate(arch, load_workload(workload), timing_only=timing_only)


@pytest.mark.parametrize("delta", ["", ",delta=0.25/0.03"])
@pytest.mark.parametrize("kind", KINDS)
def test_numbers_are_those_of_the_reference_in_every_bit(kind: str, delta: str) -> None:
    """Also with accumulators that round each product, or that are too narrow for the sums, and a q2.6 gate."""
    network = f"{kind}:8,4,layers=2,t=8{delta}"
    for sets in ((), ("formats.accumulator=q9.11",), ("formats.accumulator=q1.15", "formats.gate=q2.6")):
        found = run(network, *sets)
        assert found.validation.passed, found.validation
    assert found.accuracy is not None
    overflowed = {count.kind: count.overflowed for count in found.accuracy.overflows}
    assert overflowed["accumulator"] > 0


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_bias_sums_begin_at_0(kind: str) -> None:
    workload = load_workload(f"{kind}:8,4,layers=2,t=8,delta=0.25/0.03", [parse_override("bias=false")])
    found = simulate(load_arch("edgedrnn", [parse_override(SMALL)]), workload)
    assert found.validation.passed, found.validation


@pytest.mark.parametrize("kind", KINDS)
def test_with_thresholds_0_it_is_the_ordinary_cell_where_sums_are_exact(kind: str) -> None:
    """Gates with all bits of the accumulators' fraction: nothing is rounded twice."""
    sets = ("formats.gate=q9.15", "activation.address_format=q4.8")
    found = run(f"{kind}:8,4,t=20", *sets)
    assert found.numbers is not None
    assert found.results is not None
    arch = load_arch("edgedrnn", [parse_override(text) for text in (SMALL, *sets)]).config
    ((direction,),) = directions(found.numbers.tensors, found.numbers.spec)
    machine = IntegerMachine(1, split=False, method=integer_method(arch, found.numbers.spec), interleaved=False)
    x = np.asarray(found.numbers.tensors.x, np.float64)
    ordinary = run_integer(x, direction, cell_grids(found.numbers, "", "dram.x"), machine)
    assert np.array_equal(ordinary.output, found.results.output)
    assert np.array_equal(ordinary.h_n, found.results.h_n[0])


def test_without_any_rounding_to_speak_of_it_is_near_the_delta_network_in_float64() -> None:
    """Formats of 20 and more bits of fraction decide as float64 does, at thresholds that no change comes close to."""
    fine = ("weight=q2.20", "input=q4.20", "hidden=q4.20", "accumulator=q8.40", "gate=q8.24", "activation=q2.24")
    sets = [f"formats.{text}" for text in fine] + ["activation.method=exact"]
    found = run("gru:8,4,t=15,delta=0.1/0.05", *sets)
    assert found.validation.passed
    assert found.numbers is not None
    assert found.results is not None
    ((direction,),) = directions(found.numbers.tensors, found.numbers.spec)
    real = delta_direction(np.asarray(found.numbers.tensors.x, np.float64), direction, 0.1, 0.05)
    assert np.allclose(found.results.output, real.output, rtol=0, atol=1e-4)
    assert 0 < real.sent_h.mean() < 1


def test_the_machine_times_what_it_computes(tmp_path: Path) -> None:
    """The activity that it finds is the reference's; written to a file and given, it takes the same cycles."""
    found = run("gru:8,4,layers=2,t=30,delta=0.125")
    assert found.numbers is not None
    assert found.workload.activity is not None
    first, second = found.workload.activity
    assert first.steps[0].x[0] == second.steps[0].x[0] == 0
    assert not any(0 in step.x for layer in (first, second) for step in layer.steps[1:])
    real = integer_delta_golden(found.numbers, load_arch("edgedrnn").config)
    assert np.array_equal(real.output, np.asarray(found.results and found.results.output))
    lines = []
    for one, two in zip(first.steps, second.steps, strict=True):
        parts = (one.x, one.h, tuple(c + 13 for c in two.x), tuple(c + 13 for c in two.h))
        lines.append(" | ".join(" ".join(map(str, part)) for part in parts) + " |\n")
    (tmp_path / "a.txt").write_text("".join(lines))
    given = load_workload("gru:8,4,layers=2,t=30", (), tmp_path / "a.txt")
    arch = load_arch("edgedrnn", [parse_override(SMALL)])
    recorded = simulate(arch, given, timing_only=True)
    assert recorded.step_end_cycles == found.step_end_cycles
    assert run("gru:8,4,layers=2,t=30,delta=0.125", timing_only=True).step_end_cycles == found.step_end_cycles


def test_higher_thresholds_send_less_and_take_less_time() -> None:
    runs = [run(f"gru:8,4,t=40,delta={threshold}") for threshold in ("0", "0.125", "0.5")]
    columns = [found.trace.counts["pe_array"]["columns"] for found in runs]
    cycles = [found.stats.latency_cycles for found in runs]
    assert columns[0] > columns[1] > columns[2] > 0
    assert cycles[0] > cycles[1] > cycles[2]


def test_the_recurrence_of_a_step_without_changes_by_hand() -> None:
    """Nothing of GRU(8, 16) ever reaches the threshold: a step takes 50 cycles (test_layer_times.py).

    h is overwritten once the encoder has read it: 2 + 2 + 24 + 1 = 29 cycles; then three groups of 5, and 1 to feed it
    back: 45. What the last mark takes beside the encoder, 1 through the array and 4 behind it, no chain of ops has.
    """
    found = simulate(load_arch("edgedrnn"), load_workload("gru:8,16,t=3,delta=4"), "columns", timing_only=True)
    assert found.step_end_cycles == (50, 100, 150)
    assert found.stats.bounds["recurrence"] == 45
    assert found.stats.binding_bound == "recurrence"


def test_a_threshold_is_reached_by_a_change_as_large() -> None:
    """Codes of q8.8: at 3/256 a change of 3 codes is sent, at 3.5/256 it is not, 4 are."""
    codes = {threshold: run(f"rnn:8,4,t=40,delta={threshold}/0") for threshold in ("0.01171875", "0.0136")}
    found = {}
    for threshold, one in codes.items():
        assert one.numbers is not None
        assert one.workload.activity is not None
        x = np.rint(one.numbers.tensors.x[:, 0] * 256).astype(int)
        sent = np.zeros(8, int)
        smallest = []
        for step, given in zip(one.workload.activity[0].steps, x, strict=True):
            for column in (c for c in step.x if c):
                smallest.append(abs(given[column - 1] - sent[column - 1]))
                sent[column - 1] = given[column - 1]
        found[threshold] = min(smallest)
    assert found == {"0.01171875": 3, "0.0136": 4}


@pytest.mark.parametrize(("text", "x", "h"), [("1e-3", 0.001, 0.001), ("5e-4/0.5", 0.0005, 0.5), ("1.5e0", 1.5, 1.5)])
def test_a_threshold_may_have_an_exponent(text: str, x: float, h: float) -> None:
    found = load_workload(f"gru:8,16,t=3,delta={text}").config.delta
    assert found is not None
    assert (found.x, found.h) == (x, h)


def test_what_cannot_be_is_said_in_one_line() -> None:
    with pytest.raises(ScheduleError, match=r"skips no columns, and so takes no thresholds \(delta\)"):
        simulate("edge_16x16", load_workload("gru:8,16,t=2,delta=0.5"))
    with pytest.raises(ArchError, match="a delta machine computes in q formats alone; cell has another one"):
        run("gru:8,4,t=2", "formats.cell=float32")
    with pytest.raises(ArchError, match="input and hidden pass the same encoder and multipliers, and have one format"):
        run("gru:8,4,t=2", "formats.hidden=q4.4")
    with pytest.raises(ScheduleError, match="one forward direction, without projection"):
        run("lstm:8,4,t=2,bidirectional=1")
    for text, message in (
        ("delta=-1", "cannot read 'delta=-1': a threshold is a number"),
        ("delta=0.1/x", "cannot read"),
        ("delta=1,delta=2", "'delta' is given twice"),
    ):
        with pytest.raises(WorkloadError, match=message):
            load_workload(f"gru:8,4,t=2,{text}")
    assert load_workload("gru:8,4,t=2,delta=0.5/0.25").spec.delta == load_workload("gru:8,4,delta=0.5/0.25").spec.delta


def test_what_explains_and_exports_a_run_times_it_as_the_run_does() -> None:
    workload = load_workload("gru:8,16,t=10,delta=0.1")
    run_cycles = simulate("edgedrnn", workload, timing_only=True).stats.latency_cycles
    assert explain(load_arch("edgedrnn"), workload).latency_cycles == run_cycles
    lines: list[str] = []
    traced = TracedRun.make(load_arch("edgedrnn"), workload, None)
    traced.write_csv(lines.append, CycleWindow(0, None))
    assert int("".join(lines).splitlines()[-1].split(",")[8]) == run_cycles


@pytest.mark.exhaustive
def test_a_row_of_the_page() -> None:
    """docs/delta.md, weights in q2.6, threshold 0.0625: 30.4 % of the columns, 41.0 us a step, 23.1 dB, 0.015, 2."""
    arch = load_arch("edgedrnn", [parse_override("formats.weight=q2.6")])
    found = simulate(arch, load_workload("silero_vad", [parse_override("delta={x: 0.0625, h: 0.0625}")]))
    assert found.validation.passed
    assert found.accuracy is not None
    assert found.accuracy.task is not None
    assert (found.trace.counts["pe_array"]["columns"] - 1) / (310 * 256) == pytest.approx(0.304, abs=0.0005)
    assert found.stats.latency_us / 310 == pytest.approx(41.0, abs=0.05)
    assert found.accuracy.tensors[0].sqnr_db == pytest.approx(23.1, abs=0.05)
    assert found.accuracy.task.rms_difference == pytest.approx(0.015, abs=0.0005)
    assert found.accuracy.task.changed_side == 2
