"""Quotients of whole numbers in batches: rounded once, also where the products are no doubles any more."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from archsim.api.batch.columns import Picked, quotients


@pytest.mark.parametrize("size", [3, (1 << 40) + 1])
def test_a_quotient_is_rounded_once(size: int) -> None:
    """5 a b / (3 c): with factors of 40 bits the products have 80, beyond the 53 of a double."""
    a, b, c = (np.array([size, size + 2, 7]), np.array([size + 4, 9, size]), np.array([size + 6, 11, size + 10]))
    found = quotients([a, b], [c], Picked([Fraction(5, 3)], np.zeros(3, np.intp)))
    wanted = [float(Fraction(5 * x * y, 3 * z)) for x, y, z in zip(a.tolist(), b.tolist(), c.tolist(), strict=True)]
    assert found.tolist() == wanted
