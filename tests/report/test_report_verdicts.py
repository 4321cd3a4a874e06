"""The kinds of verdict on a run's numbers (within a bound, in every bit, none), and the formats in the header."""

from __future__ import annotations

import dataclasses
import json

import pytest

from archsim.api import Simulation
from archsim.checking.validation import compare_bits
from archsim.report import report_text
from archsim.report.files.saved import stats_json
from archsim.report.text.sections.verdict_section import formats_text
from tests.present import present
from tests.report.accuracy_runs import MIXED, run_formats, words


@pytest.mark.parametrize(
    ("formats", "text"),
    [
        ("bfloat16", "bfloat16"),
        (
            MIXED,
            "weight bfp8; input, hidden int8; accumulator float32; gate bfloat16; activation float16; cell q2.10",
        ),
    ],
)
def test_the_header_names_the_format_of_every_kind(formats: str, text: str) -> None:
    run = run_formats(formats, timing_only=True)
    assert formats_text(run.arch.config.formats) == text
    assert f"64 rows x 64 columns = 4,096 MACs a cycle, {text}" in words(report_text(run))


def header_and_validation(run: Simulation) -> tuple[str, str]:
    text = report_text(run)
    return words(text.split("\n  arithmetic")[1].split("\n\n")[0]), words(text.split("\nValidation")[1])


def test_integers_are_equal_in_every_bit() -> None:
    run = run_formats("tflite_int8")
    head, verdict = header_and_validation(run)
    assert head.startswith("PASSED: bit for bit equal to the integer reference; SQNR of the output ")
    assert "output integer reference 8 0 0 passed" in verdict
    assert "must be bit for bit equal to the integer reference" in verdict
    assert verdict.endswith(" PASSED")
    assert (run.validation.passed, run.validation.tolerance, run.validation.not_judged) == (True, 0, "")


def test_integers_that_differ_fail_loudly() -> None:
    run = run_formats("q4.12")
    golden = dataclasses.replace(
        present(run.numbers).golden, **{k: getattr(run.results, k) for k in ("output", "h_n", "c_n")}
    )
    wrong = golden.output.copy()
    wrong[1, 0, 0] += 2.0**-12
    wrong[2, 0, 1] -= 2.0**-12
    judged = compare_bits(present(run.results), dataclasses.replace(golden, output=wrong))
    assert judged.passed is False
    assert [check.differing_numbers for check in judged.checks] == [2, 0, 0]
    assert [check.compared_numbers for check in judged.checks] == [8, 2, 2]
    head, verdict = header_and_validation(dataclasses.replace(run, validation=judged))
    assert head == "FAILED: 2 of 12 numbers differ from the integer reference"
    assert "output integer reference 8 2 2.4e-04 FAILED" in verdict
    assert verdict.endswith("FAILED: do not trust these results")


@pytest.mark.parametrize(
    ("formats", "sets", "why"),
    [
        ("bfloat16", (), "floating point other than float32 alone has no exact reference (bfloat16)"),
        (MIXED, (), "integers mixed with floating point have no exact reference"),
        (
            "float32",
            ("activation.method=table", "activation.address_format=q4.12"),
            "float32 with activations by the method table is meant to differ from the golden model",
        ),
    ],
)
def test_other_arithmetic_is_not_judged_but_measured(formats: str, sets: tuple[str, ...], why: str) -> None:
    run = run_formats(formats, *sets)
    assert run.validation.passed is None
    assert run.validation.not_judged == why
    sqnr = present(run.accuracy).tensors[0].sqnr_db
    head, verdict = header_and_validation(run)
    assert head == f"not judged: {why}; SQNR of the output {sqnr:.1f} dB"
    assert verdict.endswith(f"not judged: {why}. How large the errors are is under Accuracy.")
    assert "PASSED" not in head + verdict
    assert "\nAccuracy" in report_text(run)


def test_float32_and_timing_alone_have_no_accuracy() -> None:
    for run in (run_formats("float32"), run_formats("q4.12", timing_only=True)):
        assert run.accuracy is None
        assert "\nAccuracy" not in report_text(run)
        assert json.loads(stats_json(run))["accuracy"] is None


def test_float32_is_held_to_a_bound() -> None:
    run = run_formats("float32")
    head, verdict = header_and_validation(run)
    assert head.startswith("PASSED: largest relative error ")
    assert head.endswith("allowed 1.0e-05")
    assert "does the machine compute what the model computes?" in verdict
    assert [check.differing_numbers for check in run.validation.checks] == [None] * 3
