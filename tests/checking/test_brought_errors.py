"""The errors of several cells' states that are brought along in one tensor: the largest of each kind, and the first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archsim.checking.validation import SMALLEST_SCALE
from tests.checking.test_brought_results import brought, of_the_machine, run, written
from tests.present import present


def test_the_largest_error_and_the_largest_relative_one_may_be_of_two_cells(tmp_path: Path) -> None:
    """Wanted is an 8 in cell 1, from which a state below 1 is more than 7 away, less than 8 of 8; and zeros in cell 2,
    from which it is less than 1 away, but that relative to the smallest scale of all."""
    plain = run(written(tmp_path, "stack", {}), "float32")
    h_n = of_the_machine(plain)["h_n"]
    wanted = h_n.copy()
    wanted[1, 0, 2] = 8.0
    wanted[2] = 0.0
    check = brought(run(written(tmp_path, "stack", {"h_n": wanted}), "float32"))["h_n"]
    assert check.passed is False
    assert check.max_abs_error == pytest.approx(8.0 - h_n[1, 0, 2], rel=1e-6)
    assert check.max_rel_error == pytest.approx(np.abs(h_n[2]).max() / SMALLEST_SCALE, rel=1e-6)
    assert check.max_rel_error > 1
    first = present(check.first)
    assert (first.step, first.sequence, first.unit, first.cell) == (None, 0, 2, "l0_reverse")
    assert check.compared_numbers == 4 * 2 * 4


def test_codes_beyond_what_is_allowed_are_counted_over_all_cells(tmp_path: Path) -> None:
    """Off by one code in cell 0, which may be; by 3 in cell 1 and by 2, twice, in cell 2, which may not."""
    plain = run(written(tmp_path, "stack", {}), "int8")
    encodings = present(plain.numbers).encodings
    scales = [float(encodings[f"{prefix}h"].scale) for prefix in ("l0.", "l0r.", "l1.")]
    wanted = of_the_machine(plain)["h_n"].astype(np.float64)
    wanted[0, 1, 1] += scales[0]
    wanted[1, 0, 2] += 3 * scales[1]
    wanted[2, 1, 3] -= 2 * scales[2]
    wanted[2, 0, 0] += 2 * scales[2]
    check = brought(run(written(tmp_path, "stack", {"h_n": wanted}, ", within_codes: 1"), "int8"))["h_n"]
    assert (check.passed, check.differing_numbers, check.within_codes) == (False, 3, 1)
    assert check.max_abs_error == pytest.approx(max(scales[0], 3 * scales[1], 2 * scales[2]), rel=1e-5)
    largest = [np.abs(wanted[cell]).max() for cell in range(3)]
    relative = [steps * scale / most for steps, scale, most in zip((1, 3, 2), scales, largest, strict=True)]
    assert check.max_rel_error == pytest.approx(max(relative), rel=1e-5)
    first = present(check.first)
    assert (first.sequence, first.unit, first.cell) == (0, 2, "l0_reverse")
    assert present(first.wanted_code) - present(first.got_code) == 3


def test_how_far_a_scale_and_a_zero_point_are_off(tmp_path: Path) -> None:
    """A scale of 1 % more is off by a part of 0.01 / 1.01; a zero point by 3 codes."""
    plain = run(written(tmp_path, "lstm", {}), "int8")
    encoding = present(plain.numbers).encodings["dram.output"]
    scale, zero = float(encoding.scale), encoding.zero
    assert zero not in (0, -3)
    said = {"output_scale": np.array(scale * 1.01), "output_zero": np.array(zero + 3, np.int16)}
    found = brought(run(written(tmp_path, "lstm", {"output": of_the_machine(plain)["output"], **said}), "int8"))
    of_scale, of_zero = found["output_scale"], found["output_zero"]
    assert (of_scale.passed, of_zero.passed, of_zero.differing_numbers) == (False, False, 1)
    assert of_scale.max_abs_error == pytest.approx(0.01 * scale)
    assert of_scale.max_rel_error == pytest.approx(0.01 / 1.01)
    assert of_zero.max_abs_error == 3
    assert of_zero.note == f"the machine's zero point is {zero}, theirs {zero + 3}"
