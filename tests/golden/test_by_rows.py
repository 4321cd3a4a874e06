"""The model in float64 of a matrix that is too large to be held: some rows of it are converted at a time."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.golden import sequence
from archsim.golden.lstm import lstm
from archsim.golden.sequence import projected, transposed


def test_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers of few bits, whose sums are exact in any order; rows that do not fill the last part."""
    random = np.random.default_rng(0)
    weight = random.integers(-64, 65, (23, 10)).astype(np.float32) / 32
    x = random.integers(-64, 65, (3, 2, 10)).astype(np.float32) / 32
    want = np.einsum("tbk,gk->tbg", x.astype(np.float64), weight.astype(np.float64))
    monkeypatch.setattr(sequence, "_HELD", 0)
    monkeypatch.setattr(sequence, "_ROWS_OF_WEIGHTS", 50)
    assert np.array_equal(projected(x, weight), want)
    assert np.array_equal(x[0].astype(np.float64) @ transposed(weight), want[0])


def test_a_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums of float64 in another order differ by some units of 2^-53, far below the 2^-24 of what is compared."""
    random = np.random.default_rng(1)
    w_ih, w_hh = random.normal(size=(2, 64, 16)).astype(np.float32)
    b_ih, b_hh = random.normal(size=(2, 64)).astype(np.float32)
    x, start = random.normal(size=(5, 3, 16)).astype(np.float32), np.zeros((1, 3, 16), np.float32)
    held = lstm(x, w_ih, w_hh, b_ih, b_hh, start, start)
    monkeypatch.setattr(sequence, "_HELD", 0)
    monkeypatch.setattr(sequence, "_ROWS_OF_WEIGHTS", 100)
    for got, want in zip(lstm(x, w_ih, w_hh, b_ih, b_hh, start, start), held, strict=True):
        assert np.abs(got - want).max() < 1e-13
