"""The one comparison of all tests of the golden models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FLOAT32 = 1e-5
"""What a float32 witness may be off, relative to the largest magnitude of the tensor."""
FLOAT64 = 1e-12
"""The same for a float64 witness."""
FLOOR = 1 / 8
"""A tensor with no magnitude above this is held against this instead: to 1.25e-6, ten units in the last place of 1.

Its elements are small as differences of terms near 1 (a sum that cancels, onnxruntime's exp(x) - 1 for Elu), and those
carry the rounding of float32 at 1 however small they come out.
"""
NOTICED = 1e-3
"""What a mutation must at least be off to count as noticed: a hundred times what the worst witness may be."""


def relative_error(got: np.ndarray, want: np.ndarray) -> float:
    """max |got - want| / max |want| of one tensor."""
    assert got.shape == want.shape, f"{got.shape} instead of {want.shape}"
    assert np.isfinite(got).all(), "not finite"
    assert np.isfinite(want).all(), "the witness is not finite"
    if not got.size:
        return 0.0
    return float(np.max(np.abs(got - want))) / max(float(np.max(np.abs(want))), FLOOR)


def worst_error(got: Sequence[np.ndarray], want: Sequence[np.ndarray]) -> float:
    """The largest relative_error of output, h_n and, of the LSTM, c_n."""
    return max(relative_error(a, np.asarray(b, np.float64)) for a, b in zip(got, want, strict=True))
