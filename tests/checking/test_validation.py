"""What a check says of the numbers that it compares: how many differ, which is the first, and what passes exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from archsim.checking.golden_run import Golden
from archsim.checking.recorder import _real
from archsim.checking.validation import (
    INTEGER_REFERENCE,
    Check,
    compare_bits,
    first_beyond,
    not_validated,
    with_brought,
    with_saturations,
)
from archsim.formats import Encoding, parse_format
from archsim.lowering.tensors import Results
from tests.present import present

RIGHT = Check("output", INTEGER_REFERENCE, 0.0, 0.0, passed=True)
BROUGHT = Check("output", "expected (file)", 0.0, 0.0, passed=True, subject="golden model")


def test_bits_that_differ_are_counted_over_all_cells_and_the_first_is_named() -> None:
    """T = 3, B = 2, n = 2 of the output, two cells of h, and a c of one alone, which the machine's second has not.

    Of the output two numbers differ, by 0.5 and 2; of h three, all of cell 1, the first in sequence 1; c is the same.
    """
    output, h, c = np.ones((3, 2, 2)), np.full((2, 2), 4.0), np.ones((2, 2))
    got_output, got_h = output.copy(), h.copy()
    got_output[2, 0, 1] += 2.0
    got_output[1, 1, 0] -= 0.5
    got_h[1] += 1.0
    got_h[0, 1] -= 1.0
    found = compare_bits(Results(got_output, (h, got_h), (None, c)), Golden(output, (h, h), (c,), None))
    of_output, of_h, of_c = found.checks
    assert (of_output.compared_numbers, of_output.differing_numbers, of_output.passed) == (12, 2, False)
    assert (of_output.max_abs_error, of_output.max_rel_error) == (2.0, 2.0)
    first = present(of_output.first)
    assert (first.step, first.sequence, first.unit, first.cell, first.got, first.wanted) == (1, 1, 0, None, 0.5, 1.0)
    assert (of_h.compared_numbers, of_h.differing_numbers, of_h.max_abs_error, of_h.max_rel_error) == (8, 3, 1.0, 0.25)
    first = present(of_h.first)
    assert (first.step, first.sequence, first.unit, first.cell, first.got, first.wanted) == (None, 0, 1, "cell 1", 3, 4)
    assert (of_c.compared_numbers, of_c.differing_numbers, of_c.passed, of_c.first) == (4, 0, True, None)
    assert (found.passed, found.max_abs_error, found.max_rel_error, found.tolerance) == (False, 2.0, 2.0, 0.0)


@pytest.mark.parametrize(
    ("got", "cells", "place"),
    [
        ([[4.0, 4.0], [4.0, 4.0]], (), None),
        ([[4.0, 4.5], [4.0, 4.0]], (), None),
        ([[4.0, 4.0], [4.0, 4.75]], (), (1, "cell 1")),
        ([[4.75, 4.0], [4.75, 4.0]], (), (0, "cell 0")),
        ([[4.0, 4.0], [4.0, 3.25]], ("l0", "l1"), (1, "l1")),
        ([[4.0, np.nan], [4.0, 4.0]], ("l0", "l1"), (1, "l0")),
    ],
)
def test_an_error_of_exactly_what_is_allowed_passes_and_no_number_does_not(
    got: Sequence[Sequence[float]], cells: Sequence[str], place: tuple[int, str] | None
) -> None:
    """1/8 of the largest magnitude 4 is 1/2."""
    want = [np.full((1, 2), 4.0)] * 2
    found = first_beyond([np.array([row]) for row in got], want, 0.125, states=True, cells=cells)
    assert (found and (found.unit, found.cell)) == place
    assert found is None or found.step is None


@pytest.mark.parametrize(
    ("found", "reference", "checks", "passed"),
    [
        ({"accumulator": 0}, {}, [], True),
        ({"accumulator": 3}, {"accumulator": 3}, [(3, 0, 0.0, True)], True),
        ({"accumulator": 2}, {"accumulator": 8}, [(8, 6, 0.75, False)], False),
        ({"accumulator": 8}, {"accumulator": 2}, [(8, 6, 3.0, False)], False),
        ({"accumulator": 0}, {"accumulator": 2}, [(2, 2, 1.0, False)], False),
        ({"accumulator": 2}, {}, [(2, 2, 2.0, False)], False),
        ({"accumulator": 1, "gate": 5}, {"gate": 5, "accumulator": 1}, [(1, 0, 0.0, True), (5, 0, 0.0, True)], True),
        ({"accumulator": 1, "gate": 5}, {"accumulator": 1, "gate": 4}, [(1, 0, 0.0, True), (5, 1, 0.25, False)], False),
    ],
)
def test_sums_that_saturated(
    found: dict[str, int], reference: dict[str, int], checks: list[tuple[int, int, float, bool]], passed: bool
) -> None:
    """Compared are as many as saturated in the one of which more did; the error is relative to the reference's."""
    verdict = with_saturations(with_brought(not_validated(""), [RIGHT], ()), found, reference)
    assert verdict.passed is passed
    said = verdict.checks[1:]
    assert [(one.compared_numbers, one.differing_numbers, one.max_rel_error, one.passed) for one in said] == checks
    assert all(bool(one.note) is not one.passed and one.tolerance == 0.0 for one in said)
    assert [one.name for one in said] == [f"saturated sums ({kind})" for kind in found][: len(said)]


@pytest.mark.parametrize(
    ("checks", "passed"),
    [
        ([], None),
        ([BROUGHT], None),
        ([RIGHT], True),
        ([RIGHT, BROUGHT], True),
        ([RIGHT, Check("h", "x", 1.0, 1.0, passed=False)], False),
        ([Check("h", "x", 1.0, 1.0, passed=False, subject="golden model")], False),
    ],
)
def test_what_is_brought_along_fails_a_verdict_and_alone_does_not_pass_it(
    checks: list[Check], passed: bool | None
) -> None:
    """A check of the golden model judges no number of the machine."""
    found = with_brought(with_brought(not_validated("why"), (), ["a"]), checks, ["b"])
    assert found.passed is passed
    assert (found.not_compared, found.checks, found.not_judged) == (("a", "b"), tuple(checks), "why")


@pytest.mark.parametrize(("name", "kind"), [("q12.12", np.float32), ("q12.13", np.float64), ("bfloat16", np.float32)])
def test_codes_that_no_float32_tells_apart_are_shown_in_float64(name: str, kind: type) -> None:
    """Up to 24 bits float32 has a number for each code."""
    number_format = parse_format(name)
    scale = getattr(number_format, "scale", 1.0)
    encoding = Encoding(number_format, scale)
    assert _real(encoding, encoding.zeros((2,))).dtype == kind
