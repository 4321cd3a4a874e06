"""Multiplies weights that stay the same with one vector after the other: what follows from them is worked out once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from archsim.formats.number import Array
from archsim.formats.rounding import Int
from archsim.hardware.whole_products import whole_product

HELD_WEIGHTS = 1 << 23
"""Weights up to which they are held as floating-point numbers (32 MiB); of more, some rows are converted at a time."""

_ROWS_AT_ONCE = 1 << 18
"""Weights that are converted at a time: 1 MiB in float32 fits a core's cache."""

_WIDER: Mapping[int, npt.DTypeLike] = {1: np.int16, 2: np.int32}
"""The narrowest type that holds the magnitudes of codes, by the bytes of a code."""

_EXACT_FLOAT32, _EXACT_FLOAT64 = 1 << 24, 1 << 53
"""Magnitudes up to which floating point holds all whole numbers."""


class HeldWeights:
    """Weight codes (rows, K), which must not change, and exact sums of their products with vectors.

    `largest`: no element of a vector is larger in magnitude. A row whose weights are w makes no sum, whatever the order
    and however far, beyond sum(|w|) * largest: where float32 holds that exactly, it adds exactly.
    """

    def __init__(self, weights: Array, largest: int) -> None:
        self.weights = weights
        self._rows = max(1, _ROWS_AT_ONCE // max(1, weights.shape[1]))
        wide = _WIDER.get(weights.dtype.itemsize, np.int64)  # the least code has no counterpart in its own type
        sums = [
            int(np.abs(part.astype(wide)).sum(axis=1, dtype=np.int64).max(initial=0)) for part in self._parts(weights)
        ]
        most = max(sums, default=0) * largest
        self._kind: npt.DTypeLike = np.int64
        if most <= _EXACT_FLOAT64:
            self._kind = np.float32 if most <= _EXACT_FLOAT32 else np.float64
        self._converted = weights.astype(self._kind) if weights.size <= HELD_WEIGHTS else None

    def total(self, vector: Int) -> Int:
        """The sums (rows, B) of the weights times the vector (K, B)."""
        operand = vector.astype(self._kind)
        if self._converted is not None:
            return np.asarray(whole_product(self._converted, operand), np.int64)
        parts = (whole_product(part.astype(self._kind), operand) for part in self._parts(self.weights))
        return np.concatenate([np.asarray(part, np.int64) for part in parts])

    def _parts(self, weights: Array) -> Iterator[Array]:
        for first in range(0, len(weights), self._rows):
            yield weights[first : first + self._rows]
