"""Weights of a file as integers: their scales and zero points by tensor, gate or row, and how large they may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from archsim.errors import WorkloadError
from archsim.workload.coded import CodedTensor, Weights, read_weights

Array = npt.NDArray[Any]


def read(folder: Path, shape: tuple[int, ...], **tensors: Array) -> Weights:
    """What a file holds of a tensor `w` of two gates."""
    np.savez(folder / "w.npz", **dict[str, Any](tensors))
    return read_weights(folder / "w.npz", {"w": shape}, 2)


def refused(folder: Path, shape: tuple[int, ...], **tensors: Array) -> str:
    with pytest.raises(WorkloadError) as caught:
        read(folder, shape, **tensors)
    return str(caught.value)


W = np.arange(12).reshape(6, 2)
"""Codes of six rows, which are two gates of three."""
ROWS = np.arange(1, 7) / 8


@pytest.mark.parametrize(
    ("scale", "by_row"),
    [
        (np.array(0.5), [0.5] * 6),
        (np.array([0.5]), [0.5] * 6),
        (np.array([0.5, 0.25]), [0.5] * 3 + [0.25] * 3),
        (np.array([[0.5], [0.25]]), [0.5] * 3 + [0.25] * 3),
        (ROWS, ROWS.tolist()),
        (ROWS[:, None], ROWS.tolist()),
    ],
    ids=["number", "one", "gates", "gates, 1", "rows", "rows, 1"],
)
def test_scales_of_a_tensor_a_gate_or_a_row(scale: Array, by_row: list[float], tmp_path: Path) -> None:
    found = read(tmp_path, (6, 2), w=W, w_scale=scale)
    coded = found.coded["w"]
    assert coded.scales.tolist() == [[each] for each in by_row]
    assert np.array_equal(coded.codes, W)
    assert np.array_equal(coded.values, W * np.array(by_row)[:, None])
    assert np.array_equal(found.real["w"], W * np.array(by_row)[:, None])
    assert coded.one_scale is (len(set(by_row)) == 1)


def test_zero_points_are_taken_off(tmp_path: Path) -> None:
    """Of a matrix by gate, of a vector by row: 3 less 1 is 2, times 1/2."""
    codes = read(tmp_path, (6, 2), w=W, w_scale=np.array(1.0), w_zero=np.array([1, -2])).coded["w"].codes
    assert codes.tolist() == [[-1, 0], [1, 2], [3, 4], [8, 9], [10, 11], [12, 13]]
    vector = read(tmp_path, (6,), w=np.full(6, 3), w_scale=np.array(0.5), w_zero=np.arange(6)).coded["w"]
    assert vector.codes.tolist() == [3, 2, 1, 0, -1, -2]
    assert vector.values.tolist() == [1.5, 1.0, 0.5, 0.0, -0.5, -1.0]
    each = CodedTensor(np.array([2, 4]), np.array([[0.5], [0.25]]))
    assert (each.values.tolist(), each.one_scale) == ([1.0, 1.0], False)


def test_numbers_that_are_no_codes_are_as_they_are(tmp_path: Path) -> None:
    found = read(tmp_path, (6, 2), w=W / 4)
    assert np.array_equal(found.real["w"], W / 4)
    assert found.coded == {}


MOST = 2**31


@pytest.mark.parametrize("sign", [1, -1])
def test_how_large_codes_and_zero_points_may_be(sign: int, tmp_path: Path) -> None:
    """2^31 of either sign, one more not, whatever stands beside it; of a code less its zero point the same."""
    one, few = np.array(1.0), np.array([[0, 1]] * 6)
    large = few.copy()
    large[3, 0] = sign * MOST
    assert read(tmp_path, (6, 2), w=large, w_scale=one).coded["w"].codes[3, 0] == sign * MOST
    text = "expected codes of magnitude up to 2,147,483,648, less the zero point"
    assert text in refused(tmp_path, (6, 2), w=large + sign, w_scale=one)
    assert text in refused(tmp_path, (6, 2), w=large, w_scale=one, w_zero=np.array([0, -sign]))
    assert read(tmp_path, (6, 2), w=large, w_scale=one, w_zero=np.array([-sign, sign])).coded["w"].codes[3, 0] == (
        sign * (MOST - 1)
    )
    zeros = np.array([0, sign * MOST])
    near = np.array([[0, 1]] * 3 + [[sign * MOST, sign * (MOST - 1)]] * 3)
    assert read(tmp_path, (6, 2), w=near, w_scale=one, w_zero=zeros).coded["w"].codes[3:].any()
    text = "w_zero: expected zero points of magnitude up to 2,147,483,648"
    assert text in refused(tmp_path, (6, 2), w=near, w_scale=one, w_zero=np.array([0, sign * (MOST + 1)]))


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({}, "w: holds integers, and there is no w_scale that says what a code stands for"),
        ({"w_scale": np.ones(3)}, "w_scale: expected one number, 2 (a gate each) or 6 (a row each), got shape (3,)"),
        ({"w_scale": np.ones((1, 6))}, "(a row each), got shape (1, 6)"),
        ({"w_scale": np.array([1.0, 0.0])}, "w_scale: expected scales above 0"),
        ({"w_scale": np.array([1.0, -1.0])}, "w_scale: expected scales above 0"),
        ({"w_scale": np.ones(1), "w_zero": np.zeros(4, np.int8)}, "w_zero: expected one number, 2 (a gate each)"),
        ({"w_scale": np.ones(1), "w_zero": np.zeros(1)}, "w_zero: expected integers of up to 64 bits"),
        ({"w_scale": np.array([1.0, 1e300])}, "w: its codes times their scale are not finite in float32"),
    ],
)
def test_what_does_not_fit(tensors: dict[str, Array], said: str, tmp_path: Path) -> None:
    assert said in refused(tmp_path, (6, 2), w=W, **tensors)
