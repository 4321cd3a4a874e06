"""Verdicts in words, of checks that are written by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from archsim.api.verdict import ExecutorCheck, Verdict
from archsim.checking.saturated_sums import SaturatedKind
from archsim.checking.validation import GOLDEN, INTEGER_REFERENCE, MACHINE, Check, Difference, Validation
from archsim.report.text.check_text import difference_text
from archsim.report.text.saturation_text import saturation_lines
from archsim.report.text.sections.verdict_section import (
    _allowed,
    _executor,
    _firsts,
    _layers,
    saturation_rows,
    validation,
    verdict_in_a_line,
)
from archsim.report.text.validate_text import verdict_text
from archsim.workload import load_workload
from tests.report.parts import flat, lines, thing

FIRST = Difference(3, 0, 5, None, 0.25, 0.3)
GOOD = Check("output", GOLDEN, 1e-6, 2e-7, True, 1e-5)
BITS = Check("output", INTEGER_REFERENCE, 0.0, 0.0, True, 0.0, 1200, 0)
BROUGHT = Check("h_n", "expected (file)", 1e-3, 2e-3, True, 1e-2)


def verdict(**parts: Any) -> Verdict:
    usual = Verdict("a", "w", "s", 1234, 5678, (), 0, 0, (GOOD,), 1e-5, "", (), None, None)
    return dataclasses.replace(usual, **parts)


def said(**parts: Any) -> list[str]:
    return verdict_text(verdict(**parts)).splitlines()


def test_where_a_number_differs() -> None:
    assert difference_text(FIRST) == "step 3, sequence 0, unit 5: got 0.25, expected 0.3"
    last = Difference(None, 1, 2, "l0_reverse", 0.25, 0.5, 1000, -2000)
    assert difference_text(last) == (
        "after the last step, l0_reverse, sequence 1, unit 2: got code 1,000 (0.25), expected code -2,000 (0.5)"
    )


def test_hazards_and_numbers_of_the_program_have_a_line_each() -> None:
    good = "ok   schedule: 0 hazards; every conflict between 1,234 ops is checked against 5,678 dependencies and the"
    assert said()[1].startswith(good)
    bad = said(hazards=("first", "second"), not_judged="why")
    assert bad[1].startswith("FAIL schedule: 2 hazards; ")
    assert bad[2:4] == ["     first", "     second"]
    assert bad[-1] == "NOT VALID"
    assert not any("not judged" in line for line in bad), "nothing was simulated"
    numbers = "machine against untimed program: {} of 1,200 numbers differ in any bit"
    assert f"ok   {numbers.format(0)}" in said(compared_numbers=1200)
    assert f"FAIL {numbers.format(3)}" in said(compared_numbers=1200, differing_numbers=3)
    assert not any("untimed" in line for line in said())


def test_executors_agree_or_say_in_what_they_differ() -> None:
    found = "machine against the second executor: "
    assert f"ok   {found}every cycle the same, 1,000 in all" in said(executors=ExecutorCheck(1000, 1000, ()))
    bad = ExecutorCheck(1000, 2000, ("phases", "ends"))
    assert f"FAIL {found}1,000 and 2,000 cycles; they differ in phases, ends" in said(executors=bad)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (GOOD, f"ok   output against {GOLDEN}: max error 1.00e-06 absolute, 2.00e-07 of the largest magnitude (allowed "
               "1e-05)"),
        (dataclasses.replace(BITS, differing_numbers=1100, passed=False),
         "FAIL output: 1,100 of 1,200 numbers differ in any bit from the independent integer reference"),
        (dataclasses.replace(BROUGHT, within_codes=0, compared_numbers=1200, differing_numbers=7, passed=False),
         "FAIL h_n against expected (file): 7 of 1,200 codes differ at all"),
        (dataclasses.replace(BROUGHT, within_codes=1, compared_numbers=1200, differing_numbers=0),
         "ok   h_n against expected (file): 0 of 1,200 codes differ by more than 1"),
        (dataclasses.replace(BROUGHT, subject="golden model"),
         "ok   the golden model's h_n against expected (file): max error 1.00e-03 absolute, 2.00e-03 of the largest"),
    ],
)  # fmt: skip
def test_a_check_says_what_was_compared_and_how_far_it_may_differ(check: Check, words: str) -> None:
    assert any(line.startswith(words) for line in said(checks=(check,)))


def test_below_a_check_stand_its_first_difference_and_what_else_is_to_be_said() -> None:
    check = dataclasses.replace(BROUGHT, first=FIRST, unbounded_error=0.125, note="why")
    at = said(checks=(check,))
    place = next(number for number, line in enumerate(at) if line.startswith("ok   h_n"))
    assert at[place + 1 : place + 4] == [
        f"     first difference: {difference_text(FIRST)}",
        "     the machine's numbers differ from it by up to 1.25e-01, on which no bound is stated (expected.tolerance)",
        "     why",
    ]
    assert not any(line.startswith("     ") for line in said())


def test_the_last_line_claims_no_more_than_was_judged() -> None:
    within, exact = (
        "VALID: the schedule, and the numbers within the bound",
        "VALID: the schedule, and the numbers in every bit",
    )
    model = dataclasses.replace(BROUGHT, subject="golden model")
    unbounded = "; what was expected is the float64 model's, the machine's distance from it has no bound"
    assert said()[-1] == within
    assert said(checks=(BITS,))[-1] == said(checks=(GOOD, BITS))[-1] == exact
    assert said(checks=(GOOD, model))[-1] == within + unbounded
    assert said(checks=(dataclasses.replace(GOOD, passed=False),))[-1] == "NOT VALID"
    assert said(checks=(), not_judged="why")[-2:] == [
        "---- numbers against a reference: not judged: why", "SCHEDULE VALID, NUMBERS NOT JUDGED",
    ]  # fmt: skip
    assert said(not_compared=("one",))[-2:] == ["---- not compared: one", "NOT VALIDATED: not compared: one"]
    assert said(not_compared=("one", "two", "three"))[-1] == "NOT VALIDATED: not compared: one, and 2 more"


def test_what_formats_cost_is_a_line_without_a_verdict() -> None:
    assert any(
        line.startswith("---- output against golden model: SQNR 40.3 dB, ") for line in said(output_sqnr_db=40.26)
    )


def kind(name: str, saturated: int, reached: float, remedy: str = "") -> SaturatedKind:
    return SaturatedKind(name, "q4.4", saturated, 2000, reached, remedy)


def test_saturated_sums_are_counted_by_format_and_the_largest_of_all_is_what_must_be_held() -> None:
    """Of -90 and 80 the first has the larger magnitude; a format without a saturated sum has no line and no remedy."""
    found = [
        kind("accumulator", 100, 80.0, "formats.accumulator=q8.4"), kind("gate", 1, -90.0, "formats.gate=q8.4"),
        kind("cell", 0, 999.0, "formats.cell=q11.4"),
    ]  # fmt: skip
    first, second, sums = saturation_lines(found)
    assert first == "100 of 2,000 sums saturated (5.0 %): accumulator q4.4"
    assert second == "1 of 2,000 sums saturated (<0.1 %): gate q4.4"
    assert sums.endswith("they reach -90: --set formats.accumulator=q8.4 --set formats.gate=q8.4 would hold that")
    assert saturation_lines([kind("gate", 1, 3.0)])[-1].endswith("they reach 3")
    assert saturation_lines([kind("cell", 0, 1.0)]) == []
    rows = saturation_rows(thing(accuracy=thing(saturated=found)))
    assert [name for name, _ in rows] == ["saturated", "", ""]
    assert saturation_rows(thing(accuracy=None)) == []
    assert [line for line in said(saturated=tuple(found)) if "sums saturated" in line] == [
        f"---- {first}",
        f"---- {second}",
    ]


def run(
    *checks: Check, passed: bool | None = True, sqnr: float | None = None, accuracy: bool = False, **parts: Any
) -> Any:
    errors = [check.max_rel_error for check in checks if check.reference in (GOLDEN, INTEGER_REFERENCE)]
    found = Validation(passed, max(errors, default=None), max(errors, default=None), 1e-5, checks, **parts)
    return thing(validation=found, accuracy=thing(tensors=[thing(sqnr_db=sqnr)]) if accuracy or sqnr else None)


FAILED = dataclasses.replace(BROUGHT, passed=False, first=FIRST, note="")


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (run(GOOD), "PASSED: largest relative error 2.0e-07, allowed 1.0e-05"),
        (run(GOOD, sqnr=40.26), "PASSED: largest relative error 2.0e-07, allowed 1.0e-05; SQNR of the output 40.3 dB"),
        (run(dataclasses.replace(GOOD, passed=False), passed=False),
         "FAILED: largest relative error 2.0e-07, allowed 1.0e-05"),
        (run(BITS, sqnr=40.26), "PASSED: bit for bit equal to the integer reference; SQNR of the output 40.3 dB"),
        (run(dataclasses.replace(BITS, passed=False, differing_numbers=1000),
             dataclasses.replace(BITS, passed=False, differing_numbers=200), passed=False),
         "FAILED: 1,200 of 2,400 numbers differ from the integer reference"),
        (run(GOOD, not_compared=("c_n",)), "NOT VALIDATED: not compared: c_n"),
        (run(GOOD, FAILED, passed=False),
         f"FAILED: h_n differs from expected (file): {difference_text(FIRST)}"),
        (run(dataclasses.replace(GOOD, passed=False), FAILED, passed=False, not_compared=("c_n",)),
         "FAILED: largest relative error 2.0e-07, allowed 1.0e-05"),
        (run(BROUGHT, not_judged="why"), "PASSED: agrees with expected (file); not judged otherwise: why"),
        (run(passed=None, not_judged="why"), "why"),
        (run(passed=None, not_judged="why", sqnr=40.26), "not judged: why; SQNR of the output 40.3 dB"),
        (run(passed=None, not_judged="why", accuracy=True), "not judged: why"),
    ],
)  # fmt: skip
def test_the_verdict_in_a_line(found: Any, line: str) -> None:
    assert verdict_in_a_line(found) == line


def test_the_section_on_numbers_has_the_checks_of_archsim_s_reference_and_those_of_the_user_apart() -> None:
    text = lines(*validation(run(GOOD, dataclasses.replace(BROUGHT, unbounded_error=0.125))))
    assert f"output {GOLDEN} 1.0e-06 2.0e-07 passed" in text
    assert f"h_n expected (file) {MACHINE} 1.0e-03 2.0e-03 1.0e-02 passed" in text
    assert any("differs from it by up to (h_n 1.2e-01)" in line or "up to (h_n 1.2e-01)" in line for line in text)
    assert text[-1] == "PASSED"
    assert sum(line.startswith("output ") for line in text) == 1
    bad = lines(*validation(run(dataclasses.replace(GOOD, passed=False, note="why"), passed=False)))
    assert bad[-2:] == [f"output against {GOLDEN}: why", "FAILED: do not trust these results"]
    not_all = flat(*validation(run(GOOD, not_compared=("c_n",))))
    assert not_all.endswith("NOT VALIDATED: not compared: c_n Nothing is wrong in what was compared, but not all was.")


def test_the_section_on_bits_has_how_many_numbers_differ() -> None:
    text = lines(
        *validation(run(dataclasses.replace(BITS, differing_numbers=7, passed=False, first=FIRST), passed=False))
    )
    assert f"output {INTEGER_REFERENCE} 1,200 7 0 FAILED" in text
    assert f"output against {INTEGER_REFERENCE}: first difference at {difference_text(FIRST)}." in text


def test_without_a_judge_the_section_says_why() -> None:
    assert lines(*validation(run(passed=None, not_judged="timing only")))[1:] == ["timing only"]
    said_of_errors = lines(*validation(run(passed=None, not_judged="floats", accuracy=True)))
    assert said_of_errors[1:] == ["not judged: floats. How large the errors are is under Accuracy."]


def test_what_is_allowed_is_an_error_or_a_number_of_codes() -> None:
    codes = [dataclasses.replace(BROUGHT, within_codes=codes) for codes in (0, 1, 2)]
    assert [_allowed(check) for check in (BROUGHT, *codes)] == ["1.0e-02", "equal codes", "1 code", "2 codes"]


def test_of_checks_that_passed_no_first_difference_is_shown() -> None:
    assert _firsts([dataclasses.replace(GOOD, first=FIRST)]) == []
    assert flat(*_firsts([dataclasses.replace(GOOD, passed=False)])) == f"output against {GOLDEN}"


def test_what_timed_a_run_and_what_its_numbers_are_of() -> None:
    def executor(name: str, reason: str, numbers: object) -> str:
        return _executor(thing(executor=thing(name=name, reason=reason), numbers=numbers))

    assert executor("machine", "", 1) == "the machine"
    assert executor("machine", "why", None) == "the machine (why)"
    assert executor("machine", "why", 1) == "the machine (why); the numbers are the untimed program's"
    assert executor("fast", "", 1) == "the second executor, by recurrence; the numbers are the untimed program's"
    assert executor("fast", "", None) == "the second executor, by recurrence"


def test_layers_in_words() -> None:
    assert _layers(load_workload("lstm:3,1,t=1").spec) == "LSTM of I = 3 inputs, H = 1 hidden unit"
    assert _layers(load_workload("lstm:1,4,t=1,proj=2").spec) == "LSTM of I = 1 input, H = 4 hidden units -> 2"
    both = _layers(load_workload("gru:3,4,t=1,bidirectional=1,layers=2").spec)
    assert both == (
        "GRU both ways of I = 3 inputs, H = 4 hidden units; GRU both ways of I = 8 inputs, H = 4 hidden units"
    )
