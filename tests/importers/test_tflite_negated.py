"""The weights of a gate that a coupled cell leaves out are those of another with the sign changed."""

from __future__ import annotations

import numpy as np

from archsim.importers.codes import Codes
from archsim.importers.tflite.tflite_direction import _negated


def test_codes_of_each_row_around_its_zero_point() -> None:
    """(code - zero) * scale with the other sign: 5 - 1 becomes -4, -128 becomes 128, which no int8 holds."""
    rows = np.array([[5, 1, -3], [7, 9, 8]], np.int8)
    part = Codes(rows, np.array([0.5, 0.25]), np.array([1, 8], np.int64))
    found = _negated(part)
    assert isinstance(found, Codes)
    assert found.values.tolist() == [[-4, 0, 4], [1, -1, 0]]
    assert found.values.dtype == np.dtype(np.int8)
    assert found.zero.tolist() == [0, 0]
    assert np.array_equal(found.real(), -part.real())
    least = _negated(Codes(np.array([-128], np.int8), np.array(0.5), np.array(0, np.int64)))
    assert isinstance(least, Codes)
    assert least.values.dtype == np.dtype(np.int64)
    assert least.values.tolist() == [128]
    assert np.array_equal(np.asarray(_negated(np.array([1.5, -2.0]))), [-1.5, 2.0])
