"""Sums on their way into another format."""

from __future__ import annotations

import numpy as np

from archsim.formats import Encoding, parse_format
from archsim.hardware.products import conversion


def test_whole_sums_become_floating_point_numbers_by_their_scale() -> None:
    """3 and -4 halves are 1.5 and -2; with a scale for each row, too."""
    sums = np.array([[3], [-4]], np.int64)
    target = Encoding(parse_format("float32"))
    one, each = conversion(0.5, target)(sums), conversion(np.array([[0.5], [0.25]]), target)(sums)
    assert one.tolist() == [[1.5], [-2.0]]
    assert each.tolist() == [[1.5], [-1.0]]
    assert one.dtype == each.dtype == np.float32
