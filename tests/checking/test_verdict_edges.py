"""The edges of the verdict: tensors of tiny numbers, and sequences that end before others."""

from __future__ import annotations

import numpy as np
import pytest

import archsim.api.judge as judging
from archsim.api import simulate
from archsim.checking.format_error import TensorAccuracy, _within_length, compare_tensor
from archsim.checking.golden_run import Golden
from archsim.checking.validation import Validation, compare
from archsim.families.load import load_arch
from archsim.lowering.tensors import Results
from archsim.report.files.accuracy_figures import _tensor, counted_sequences, quarter_steps
from archsim.workload import load_workload
from tests.present import present

U = 2.0**-24


def verdict(largest: float, error: float, place: str) -> bool | None:
    """Whether a machine passes whose tensor at `place` has this largest magnitude, and this error in one number."""
    want = {name: np.zeros((2, 3)) for name in ("output", "h_n", "c_n")}
    want = {name: array + 0.75 for name, array in want.items()} | {place: np.full((2, 3), largest / 8)}
    want[place][1, 2] = -largest
    got = {name: array.copy() for name, array in want.items()}
    got[place][0, 1] += error
    machine = Results(got["output"][np.newaxis], (got["h_n"],), (got["c_n"],))
    golden = Golden(want["output"][np.newaxis], (want["h_n"],), (want["c_n"],), None)
    return compare(machine, golden).passed


@pytest.mark.parametrize("place", ["output", "h_n", "c_n"])
@pytest.mark.parametrize(
    ("largest", "allowed"),
    [(1e-9, 8 * U), (0.01, 8 * U), (0.04, 8 * U), (0.1, 1e-6), (1.0, 1e-5), (20.0, 2e-4)],
)
def test_errors_are_relative_to_the_largest_number_and_of_tiny_tensors_to_8_roundings(
    largest: float, allowed: float, place: str
) -> None:
    """1e-5 of the largest magnitude; below 8 u / 1e-5 = 0.0477, where that would be less than 8 u, 8 u."""
    assert pytest.approx(4.77e-7, rel=1e-3) == 8 * U
    assert verdict(largest, 0.99 * allowed, place) is True
    assert verdict(largest, 1.01 * allowed, place) is False


def test_errors_behind_the_end_of_a_sequence_do_not_count() -> None:
    """Lengths 3 and 1 of T = 4, B = 2, two numbers each: 4 pairs count, of which two have an error of 0.5 in one number.

    Sum of squares 2 x 0.25 = 0.5 over 4 x 2 numbers: RMS 0.25. Step 0 has both sequences, 0.25 over 4; step 1 one, no
    error; step 2 one, 0.25 over 2. What a machine writes behind the end, and the golden model has there, is not looked at.
    """
    within = np.array([[True, True], [True, False], [True, False], [False, False]])
    want = np.full((4, 2, 2), 2.0)
    want[~within] = 100.0
    got = want.copy()
    got[~within] = -7.0
    got[0, 1, 0] += 0.5
    got[2, 0, 1] -= 0.5
    found = compare_tensor("output", got, want, within)
    assert (found.max_abs_error, found.rms_error, found.largest) == (0.5, 0.25, 2.0)
    assert found.sqnr_db == pytest.approx(10 * np.log10(8 * 4 / 0.5))
    assert found.max_by_step.tolist() == [0.5, 0.0, 0.5, 0.0]
    assert found.rms_by_step.tolist() == pytest.approx([0.25, 0.0, 0.125**0.5, 0.0])


def test_a_step_is_within_a_sequence_up_to_its_length() -> None:
    """Lengths 3 and 1 of T = 4: steps 0 to 2 of the first, step 0 of the second; without lengths all."""
    spec = load_workload("lstm:2,3,t=4,b=2").spec
    ragged = type(spec)(spec.layers, 4, 2, (3, 1))
    assert _within_length(ragged).tolist() == [[True, True], [True, False], [True, False], [False, False]]
    assert _within_length(spec).all()


def test_quarters_are_of_the_steps_that_a_sequence_has() -> None:
    """Lengths 9 and 4 of T = 12: 9 steps, the first 4 of both sequences; a quarter is ceil(9 / 4) = 3 of them."""
    spec = load_workload("lstm:2,3,t=12,b=2").spec
    ragged = type(spec)(spec.layers, 12, 2, (9, 4))
    assert counted_sequences(ragged).tolist() == [2, 2, 2, 2, 1, 1, 1, 1, 1]
    assert quarter_steps(ragged) == 3
    assert quarter_steps(type(spec)(spec.layers, 12, 2, (1, 1))) == 0


def test_the_last_quarter_is_that_of_the_longest_sequence() -> None:
    """T = 12, lengths 9 and 4: the last quarter is steps 6, 7, 8, of one sequence; steps 9 to 11 are of none.

    RMS 1 in steps 0 to 2 and 3, 4, 5 in those: sqrt((9 + 16 + 25) / 3), and 1.
    """
    rms = np.array([1.0, 1, 1, 9, 9, 9, 3, 4, 5, 0, 0, 0])
    found = _tensor(TensorAccuracy("output", 5.0, 1.0, 1.0, None, rms, rms), np.array([2, 2, 2, 2, 1, 1, 1, 1, 1]))
    assert found.first_quarter_rms_error == pytest.approx(1)
    assert found.last_quarter_rms_error == pytest.approx((50 / 3) ** 0.5)
    assert found.error_growth == pytest.approx((50 / 3) ** 0.5)


def test_steps_count_by_their_sequences() -> None:
    """Lengths 8 and 1: a quarter is two steps, the first of 2 sequences, the others of 1: (2 x 1 + 1 x 16) / 3 = 6."""
    rms = np.array([1.0, 4, 0, 0, 0, 0, 2, 2])
    found = _tensor(TensorAccuracy("c", 5.0, 1.0, 1.0, None, rms, rms), np.array([2, 1, 1, 1, 1, 1, 1, 1]))
    assert found.first_quarter_rms_error == pytest.approx(6**0.5)
    assert found.last_quarter_rms_error == pytest.approx(2)


def test_the_machine_is_held_against_the_golden_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not the model against the machine: errors are relative to the model's numbers, and it is "wanted"."""
    held: list[tuple[object, object]] = []

    def compared(computed: Results, golden: Golden) -> Validation:
        held.append((computed, golden))
        return compare(computed, golden)

    monkeypatch.setattr(judging, "compare", compared)
    run = simulate(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"))
    assert run.validation.passed
    assert held == [(run.results, present(run.numbers).golden)]
