"""What the number formats cost: as text, as JSON and as CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math

import numpy as np
import pytest

from archsim.api import Simulation
from archsim.checking.format_error import OverflowCount
from archsim.metrics import declared
from archsim.report import report_text
from archsim.report.files.accuracy_figures import (
    AccuracyFigures,
    CalibrationFigures,
    OverflowFigures,
    RangeFigures,
    ScoreFigures,
    TaskSummary,
    TensorFigures,
    _overflow,
    accuracy_csv,
    accuracy_figures,
)
from archsim.report.files.saved import stats_json
from archsim.report.text.advice_formats import _integer_bits
from archsim.report.text.figures_as_text import error, percent
from archsim.report.text.sections.accuracy_section import _trend
from archsim.report.text.values import golden_values
from tests.present import present
from tests.report.accuracy_runs import MIXED, WRAPS, run_formats, words
from tests.rings import exhaustive


@pytest.fixture(scope="module")
def speech() -> Simulation:
    """A trained network with a task, in int8: it saturates here and there."""
    return run_formats("tflite_int8", workload="silero_vad")


@pytest.fixture(scope="module")
def layers() -> Simulation:
    """Two layers, both ways, sequences of different lengths, in few bits that wrap."""
    workload = "lstm:5,9,t=12,b=3,layers=2,bidirectional=1"
    return run_formats(WRAPS, workload=workload, changes=("sequence_lens=[3, 11, 7]",))


def section(text: str, name: str) -> list[list[str]]:
    """The lines of a section as their cells."""
    body = text.split(f"\n{name}")[1].split("\n\n")[0]
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in body.splitlines()[1:]]


def test_a_row_for_every_tensor_with_its_figures(layers: Simulation) -> None:
    rows = {row[0]: row[1:] for row in section(report_text(layers), "Accuracy") if row}
    assert rows["tensor"] == ["max error", "RMS error", "largest", "SQNR"]
    places = ("l0", "l0 reverse", "l1", "l1 reverse")
    gates = [f"gate {gate} {place}" for place in places for gate in "ifog"]
    assert {tensor.name for tensor in present(layers.accuracy).tensors} == {
        "output",
        *(f"c {p}" for p in places),
        *gates,
    }
    for tensor in present(layers.accuracy).tensors:
        row = rows[tensor.name]
        assert row[:2] == [f"{tensor.max_abs_error:.1e}", f"{tensor.rms_error:.1e}"]
        assert float(row[2]) == pytest.approx(tensor.largest, rel=1e-3)
        assert row[3] == f"{tensor.sqnr_db:.1f} dB"
    assert list(rows)[1:3] == ["output", "c l0"], "the output, then each cell: c, then its gates"


def test_the_only_cell_needs_no_name() -> None:
    rows = [row[0] for row in section(report_text(run_formats("q4.12")), "Accuracy") if row]
    assert rows[:7] == ["tensor", "output", "c", "gate i", "gate f", "gate o", "gate g"]


def test_very_many_cells_leave_their_gates_to_the_file() -> None:
    run = run_formats("q4.12", workload="lstm:3,4,t=3,layers=6")
    text = report_text(run)
    assert "gate g l5" not in text
    assert "c l5" in text
    assert "The gates of each cell are in stats.json." in words(text)
    assert "gate g l5" in stats_json(run)


def test_growth_is_the_error_of_the_last_quarter_over_that_of_the_first(layers: Simulation) -> None:
    """By hand from the definition: root of the mean square over all numbers of those steps."""
    lengths, golden = np.array([3, 11, 7]), present(layers.numbers).golden.output
    error = present(layers.results).output - golden
    valid = np.arange(12)[:, None] < lengths

    def rms(steps: slice) -> float:
        return float(np.sqrt(np.mean(np.square(error[steps][valid[steps]]))))

    figures = present(accuracy_figures(layers)).tensors[0]
    assert figures.first_quarter_rms_error == pytest.approx(rms(slice(0, 3)))  # 11 steps that any sequence has
    assert figures.last_quarter_rms_error == pytest.approx(rms(slice(8, 11)))
    assert figures.error_growth == pytest.approx(rms(slice(8, 11)) / rms(slice(0, 3)))
    text = words(report_text(layers))
    first, last = figures.first_quarter_rms_error, figures.last_quarter_rms_error
    assert f"of the first quarter (3 time steps) and of the last: output {first:.1e} and {last:.1e} (x " in text
    assert "A cell in reverse begins at the last step." in text


@exhaustive
def test_what_grows_is_said_to_grow(speech: Simulation) -> None:
    c = next(tensor for tensor in present(accuracy_figures(speech)).tensors if tensor.name == "c")
    assert present(c.error_growth) > 2
    text = words(report_text(speech))
    assert f"c {c.first_quarter_rms_error:.1e} and {c.last_quarter_rms_error:.1e} (x " in text
    assert "it grows)" in text


def test_a_single_step_has_no_trend() -> None:
    text = report_text(run_formats("q4.12", changes=("steps=1",)))
    assert "Accuracy" in text
    assert "Along the sequence" not in text


@exhaustive
def test_overflows_by_kind_and_what_has_none(speech: Simulation) -> None:
    text = report_text(speech)
    rows = {row[0]: row[1:] for row in section(text, "Overflows") if row}
    assert rows["kind"] == ["beyond the range", "of", "share"]
    some = {count.kind: count for count in present(speech.accuracy).overflows if count.overflowed}
    assert {"gate", "activation"} <= set(some)
    for kind, count in some.items():
        share = percent(count.overflowed / count.values)
        assert rows[kind] == [f"{count.overflowed:,}", f"{count.values:,}", share]
    none = sorted(count.kind for count in present(speech.accuracy).overflows if not count.overflowed)
    assert f"no overflow in: {', '.join(none)}" in text
    joined = words(text)
    assert "saturates at its end." in joined
    assert "activation q1.15/gemmlowp is just below 1, so that every gate or tanh(c) that rounds to 1.0" in joined
    assert "gate reaches -48.77, beyond its end at -8; q7.9 (as many bits, coarser steps) or q7.12" in joined


def test_saturated_gates_are_explained_only_where_1_is_beyond_the_range() -> None:
    formats = "{all: q4.12, activation: %s}"
    one = ("weights.seed=3",)
    for activation, said in (("q1.7", True), ("q2.6", False)):
        run = run_formats(formats % activation, changes=one)
        counts = (OverflowCount("activation", 3, 100), OverflowCount("cell", 1, 10))
        text = report_text(
            dataclasses.replace(run, accuracy=dataclasses.replace(present(run.accuracy), overflows=counts))
        )
        assert ("just below 1" in words(text)) is said
    none = dataclasses.replace(present(run.accuracy), overflows=(OverflowCount("cell", 1, 10),))
    assert "just below 1" not in words(report_text(dataclasses.replace(run, accuracy=none)))


def test_a_calibrated_range_below_the_golden_model_s_is_told_from_errors_of_the_machine() -> None:
    """relu: h is never below 0, so that only its upper end can be beyond the range that calibration chose."""
    for percentile, said in (
        (
            60,
            "hidden reaches 0.7628, beyond the range that calibration chose; the method max, on this input, covers all",
        ),
        (100, "the golden model stays within that range, the machine's own errors do not"),
    ):
        changes = ("nonlinearity=relu", "calibration.method=percentile", f"calibration.percentile={percentile}")
        run = run_formats("{all: q4.12, hidden: int8, accumulator: float32}", workload="rnn:3,4,t=6", changes=changes)
        some = dataclasses.replace(present(run.accuracy), overflows=(OverflowCount("hidden", 3, 100),))
        assert said in words(report_text(dataclasses.replace(run, accuracy=some)))


def test_what_wraps_is_said_to_wrap(layers: Simulation) -> None:
    counts = (OverflowCount("cell", 2, 10), OverflowCount("hidden", 1, 10))
    wrapped = dataclasses.replace(layers, accuracy=dataclasses.replace(present(layers.accuracy), overflows=counts))
    assert "saturates at its end; of cell it wraps to the other end." in words(report_text(wrapped))


def test_no_overflow_at_all_is_one_line() -> None:
    body = section(report_text(run_formats("q8.8")), "Overflows")
    assert body == [["no overflow in: accumulator, activation, cell, gate, hidden, input, weight"]]


@exhaustive
def test_golden_values_overflow_as_often_as_the_machine_stores_them_with_an_overflow(speech: Simulation) -> None:
    """Weights and x go into their formats once, and are the golden model's own."""
    run = run_formats(
        "{weight: int5/row, input: q3.4, hidden: q2.6, accumulator: int32, gate: q4.4, activation: q2.6, cell: q6.6}",
        workload="silero_vad",
        changes=("calibration.weight_method=percentile",),
    )
    for simulation in (speech, run):
        counts = {count.kind: count for count in present(simulation.accuracy).overflows}
        for kind in ("weight", "input"):
            parts = golden_values(present(simulation.numbers), kind)
            assert sum(int(part.beyond.sum()) for part in parts) == counts[kind].overflowed
            assert sum(part.values.size for part in parts) == counts[kind].values
    assert counts["weight"].overflowed > 50
    assert counts["input"].overflowed > 10


@pytest.mark.parametrize(
    ("low", "high", "bits"), [(-1, 0.9, 1), (-1, 1, 2), (-1.01, 0, 2), (0, 7.99, 4), (-8, 8, 5), (0, 0, 1)]
)
def test_integer_bits(low: float, high: float, bits: int) -> None:
    assert _integer_bits(low, high) == bits


@exhaustive
def test_calibration_says_method_source_and_ranges(speech: Simulation) -> None:
    rows = {row[0]: " ".join(row[1:]) for row in section(report_text(speech), "Calibration") if row}
    assert rows["method"] == "max, of weights max; from the workload's own input"
    found = present(present(speech.numbers).calibration).ranges
    assert rows["ranges"].startswith(f"x 0 .. {found['x'].high:.4g}, h_l0 {found['h_l0'].low:.4g} .. ")
    assert "c_l0" in rows["ranges"]
    other = ("calibration.input={seed: 5}", "calibration.method=percentile", "calibration.percentile=99")
    text = report_text(run_formats(MIXED, changes=other))
    assert "percentile, of weights max 99; from an input drawn with seed 5" in text
    assert "c_l0" not in text.split("Calibration")[1], "no range is used where the format has no scale"
    assert "Calibration" not in report_text(run_formats("q4.12"))


@exhaustive
def test_the_task_is_compared_with_both_references(speech: Simulation) -> None:
    text, task = report_text(speech), present(present(speech.accuracy).task)
    rows = {row[0]: row[1:] for row in section(text, "Task: speech probability") if row}
    for name, found in (("golden model", task), ("expected (file)", task.witness)):
        errors = [f"{present(found).max_abs_difference:.1e}", f"{present(found).rms_difference:.1e}"]
        assert rows[name] == [*errors, str(present(found).changed_side), "310", percent(present(found).changed_share)]
    assert "at least 0.5 in one and below it in the other" in words(text)


def same_keys(part: object, owner: type) -> None:
    assert isinstance(part, dict)
    assert list(part) == list(declared(owner))


@exhaustive
def test_json_has_what_is_declared_and_no_arrays(speech: Simulation) -> None:
    text = stats_json(speech)
    accuracy = json.loads(text, parse_constant=pytest.fail)["accuracy"]
    same_keys(accuracy, AccuracyFigures)
    for tensor in accuracy["tensors"]:
        same_keys(tensor, TensorFigures)
    for count in accuracy["overflows"]:
        same_keys(count, OverflowFigures)
        assert count["share"] == count["overflowed"] / count["values"]
    same_keys(accuracy["task"], TaskSummary)
    same_keys(accuracy["task"]["golden"], ScoreFigures)
    same_keys(accuracy["task"]["witness"], ScoreFigures)
    same_keys(accuracy["calibration"], CalibrationFigures)
    for found in accuracy["calibration"]["ranges"].values():
        same_keys(found, RangeFigures)
    assert set(accuracy["calibration"]["ranges"]) == {"x", "h_l0", "c_l0"}
    measured = present(speech.accuracy).tensors[0]
    assert accuracy["tensors"][0]["sqnr_db"] == measured.sqnr_db
    assert accuracy["tensors"][0]["max_abs_error"] == measured.max_abs_error
    assert len(text) < 40_000


def test_numbers_that_json_cannot_hold_are_null() -> None:
    run = run_formats("q4.12")
    tensor = dataclasses.replace(
        present(run.accuracy).tensors[0], max_abs_error=math.inf, rms_error=math.nan, largest=0.0, sqnr_db=None
    )
    quiet = dataclasses.replace(tensor, name="c", max_by_step=np.zeros(4), rms_by_step=np.zeros(4))
    broken = dataclasses.replace(run, accuracy=dataclasses.replace(present(run.accuracy), tensors=(tensor, quiet)))
    found = json.loads(stats_json(broken))["accuracy"]["tensors"]
    assert [found[0][name] for name in ("max_abs_error", "rms_error", "largest", "sqnr_db")] == [None, None, 0, None]
    assert found[1]["error_growth"] is None
    assert found[1]["last_quarter_rms_error"] == 0
    assert report_text(broken).isascii()


def test_csv_has_a_line_a_step_and_two_columns_a_tensor(layers: Simulation) -> None:
    text = accuracy_csv(layers)
    assert text == accuracy_csv(layers)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [int(row["step"]) for row in rows] == list(range(11)), "steps that any sequence has"
    assert len(rows[0]) == 1 + 2 * len(present(layers.accuracy).tensors)
    for tensor in present(layers.accuracy).tensors:
        name = tensor.name.replace(" ", "_")
        assert [float(row[f"{name}_max_abs_error"]) for row in rows] == list(tensor.max_by_step[:11])
        assert [float(row[f"{name}_rms_error"]) for row in rows] == list(tensor.rms_by_step[:11])
    assert "np." not in text
    assert text.endswith("\n")


@exhaustive
def test_the_text_stays_inside_its_width(speech: Simulation, layers: Simulation) -> None:
    for run in (speech, layers, run_formats(MIXED)):
        text = report_text(run)
        assert text.isascii()
        assert max(map(len, text.splitlines())) <= 100


def test_how_much_of_the_noise_the_output_format_makes() -> None:
    """One step of exact inner arithmetic: all of the output's error is its own rounding."""
    formats = "{all: q4.24, accumulator: q8.40, hidden: q4.6, input: q4.24}"
    text = words(report_text(run_formats(formats, changes=("steps=1",))))
    assert "Rounding the golden output to hidden q4.6, and nothing else, gives an SQNR of" in text
    assert "that is 100.0 % of the output's noise." in text
    coarse = words(report_text(run_formats("{all: q4.12, gate: q4.2}")))
    assert "that is <0.1 % of the output's noise." in coarse


@pytest.mark.parametrize(
    ("ratio", "word"),
    [
        *((1.3, "grows"), (1.2501, "grows"), (1.25, "does not grow"), (1.2, "does not grow"), (0.81, "does not grow")),
        *((0.8, "does not grow"), (0.7999, "shrinks"), (0.79, "shrinks"), (None, "grows from nothing")),
    ],
)
def test_a_ratio_up_to_5_to_4_is_no_trend(ratio: float | None, word: str) -> None:
    tensor = present(accuracy_figures(run_formats("q4.12"))).tensors[0]
    changed = dataclasses.replace(tensor, first_quarter_rms_error=0.5, last_quarter_rms_error=0.25, error_growth=ratio)
    assert f"it {word})" in _trend(changed)
    assert _trend(changed).startswith(f"{tensor.name} {error(0.5)} and {error(0.25)} (")


def test_the_share_that_overflowed() -> None:
    """Of 12 values 3 are a quarter; of none there is none."""
    assert _overflow(OverflowCount("cell", 3, 12)) == OverflowFigures("cell", 3, 12, 0.25)
    assert _overflow(OverflowCount("cell", 0, 0)) == OverflowFigures("cell", 0, 0, 0.0)
