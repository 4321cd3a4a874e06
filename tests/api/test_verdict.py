"""How a verdict comes out, for everything that may be wrong with it alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archsim.api.verdict import ExecutorCheck, Outcome, Verdict, judge
from archsim.api.verdict import _differing as differing
from archsim.checking.validation import GOLDEN, INTEGER_REFERENCE, TOLERANCE, Check, Validation, not_validated
from archsim.families.load import load_arch
from archsim.families.schedules import build_program, find_schedule
from archsim.lowering.tensors import Results
from archsim.workload import load_workload

RIGHT = Check("output", GOLDEN, 0.0, 0.0, passed=True)
WRONG = replace(RIGHT, passed=False)
OF_THE_MODEL = replace(RIGHT, reference="expected (file)", subject=GOLDEN)
VALID = Verdict("a", "w", "s", 3, 2, (), 10, 0, (RIGHT,), 1e-5, "", (), None, None)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.VALID),
        ({"hazards": ("one",)}, Outcome.NOT_VALID),
        ({"differing_numbers": 1}, Outcome.NOT_VALID),
        ({"checks": (RIGHT, WRONG)}, Outcome.NOT_VALID),
        ({"checks": (WRONG, RIGHT)}, Outcome.NOT_VALID),
        ({"executors": ExecutorCheck(7, 7, ())}, Outcome.VALID),
        ({"executors": ExecutorCheck(7, 8, ("phases",))}, Outcome.NOT_VALID),
        ({"not_compared": ("h_n: none",)}, Outcome.NOT_VALIDATED),
        ({"not_compared": ("h_n: none",), "checks": ()}, Outcome.NOT_VALIDATED),
        ({"not_compared": ("h_n: none",), "checks": (WRONG,)}, Outcome.NOT_VALID),
        ({"checks": ()}, Outcome.NUMBERS_NOT_JUDGED),
        ({"checks": (OF_THE_MODEL,)}, Outcome.NUMBERS_NOT_JUDGED),
        ({"checks": (OF_THE_MODEL, RIGHT)}, Outcome.VALID),
        ({"checks": (replace(OF_THE_MODEL, passed=False),)}, Outcome.NOT_VALID),
    ],
)
def test_outcome(changes: dict[str, object], outcome: Outcome) -> None:
    found = replace(VALID, **changes)  # type: ignore[arg-type]
    assert found.outcome is outcome
    assert found.passed is (outcome is not Outcome.NOT_VALID)


def test_what_a_validation_says_of_its_checks() -> None:
    bits, brought = replace(RIGHT, reference=INTEGER_REFERENCE), replace(RIGHT, reference="your model")
    found = Validation(True, 0.0, 0.0, 1e-5, (RIGHT, OF_THE_MODEL, brought))
    assert (found.bitwise, found.judged, found.brought) == (False, True, (OF_THE_MODEL, brought))
    found = Validation(True, 0.0, 0.0, 0.0, (bits,))
    assert (found.bitwise, found.judged, found.brought) == (True, True, ())
    found = replace(found, checks=(OF_THE_MODEL,))
    assert (found.bitwise, found.judged) == (False, False)
    assert not_validated("why").passed is None


def test_numbers_that_differ_in_any_bit_are_counted() -> None:
    """4 + 2 + 2 numbers; -0.0 is not 0.0, and NaN is itself. A state that one of them does not have is left out."""
    zeros = np.zeros((1, 2))
    one = Results(np.array([[[0.0, 1.0, np.nan, 3.0]]]), (zeros,), (zeros,))
    assert differing(one, one) == (8, 0)
    other = Results(np.array([[[-0.0, 1.0, np.nan, 3.5]]]), (zeros + np.array([[0, 1]]),), (zeros,))
    assert differing(one, other) == (8, 3)
    assert differing(replace(one, c_n=(None,)), other) == (6, 3)


def test_what_is_counted_of_a_run_and_of_its_program() -> None:
    """4 steps of outputs, h_n and c_n are 2 numbers each, 12 in all."""
    arch, work = load_arch("tiny_2x2"), load_workload("lstm_3_2_t4")
    found = judge(arch, work, "fused")
    program = build_program(find_schedule("fused"), work.spec, arch.config)
    assert found.ops == sum(len(phase.ops) for phase in program.phases)
    assert found.dependencies == sum(len(deps) for phase in program.phases for deps in phase.deps)
    assert (found.outcome, found.hazards, found.executors) == (Outcome.VALID, (), None)
    assert (found.compared_numbers, found.differing_numbers, found.output_sqnr_db) == (12, 0, None)
    assert found.tolerance == TOLERANCE
