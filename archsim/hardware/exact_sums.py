"""Sums products of integer codes exactly, chunk by chunk, as an adder tree does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from archsim.formats.encoding import Encoding
from archsim.formats.number import Array, IntegerFormat
from archsim.formats.rounding import WIDE_LIMIT, Int, Rounding, pair_shifted, shifted
from archsim.hardware.held_weights import HeldWeights
from archsim.hardware.whole_products import whole_product

_HALF_BITS = 16
"""Weights of sums that 62 bits do not hold are multiplied in two halves."""


class ChunkSums:
    """Exact sums, over chunks of C inputs, of weight codes times (vector codes - zero point)."""

    def __init__(self, weight: Encoding, vector: Encoding, columns: int) -> None:
        assert isinstance(weight.format, IntegerFormat)
        assert isinstance(vector.format, IntegerFormat)
        self._columns = columns
        self._zero = vector.zero
        # Magnitudes: 2^(bits - 1) of a weight, and of a vector's element one bit more if a zero point is taken off.
        vector_bits = vector.format.bits - 1 + (vector.zero != 0)
        self.product_bits = weight.format.bits - 1 + vector_bits
        self._largest_element = max(vector.format.highest - vector.zero, vector.zero - vector.format.lowest)
        self._held: HeldWeights | None = None

    def largest(self, inputs: int) -> int:
        """A bound on the magnitude of a sum over so many inputs."""
        return inputs << self.product_bits

    @property
    def _wide(self) -> bool:
        return self.largest(self._columns) > WIDE_LIMIT

    def total(self, weights: Array, vector: Array) -> Int:
        """The sums (rows, B) over all inputs at once; the largest possible one must be below 2^62.

        Weights that are read-only are taken to be the same for as long as the same array is given.
        """
        if not weights.flags.writeable:
            return self._held_weights(weights).total(self._vector(vector, np.int64))
        kind = self._kind(weights.shape[1])
        return np.asarray(whole_product(weights.astype(kind), self._vector(vector, kind)), np.int64)

    def _held_weights(self, weights: Array) -> HeldWeights:
        if self._held is None or self._held.weights is not weights:
            self._held = HeldWeights(weights, self._largest_element)
        return self._held

    def chunks(self, weights: Array, vector: Array, shift: int, rounding: Rounding, modulo: bool) -> Int:
        """The sums (chunks, rows, B) of each chunk / 2^shift, rounded and limited to 62 bits.

        With `modulo` they are exact modulo 2^64 instead.

        Exact modulo 2^64 is exact modulo any 2^n, which is what an accumulator that wraps needs of unshifted sums.
        """
        if not self._wide:
            kind = self._kind(self._columns)
            sums = _by_chunk(weights.astype(kind), self._vector(vector, kind), self._columns)
            return shifted(sums.astype(np.int64), shift, rounding)
        exact = weights.astype(np.int64)
        operand = self._vector(vector, np.int64)
        high = _by_chunk(exact >> _HALF_BITS, operand, self._columns)
        low = _by_chunk(exact & ((1 << _HALF_BITS) - 1), operand, self._columns)
        if modulo:
            return (high << _HALF_BITS) + low
        return pair_shifted(high, low, _HALF_BITS, shift, rounding)

    def _kind(self, inputs: int) -> type[np.generic]:
        """The cheapest type whose sums over so many inputs are exact."""
        most = self.largest(inputs)
        return np.float32 if most <= 1 << 24 else np.float64 if most <= 1 << 53 else np.int64

    def _vector(self, vector: Array, kind: type[np.generic]) -> Array:
        if self._zero:
            vector = vector.astype(np.int64) - self._zero
        return vector.astype(kind)


def _by_chunk(weights: npt.NDArray[np.generic], vector: npt.NDArray[np.generic], columns: int) -> Array:
    """The products weights (rows, K) @ vector (K, B) over K in chunks: (ceil(K / columns), rows, B)."""
    rows, inputs = weights.shape
    whole = inputs // columns
    stop = whole * columns
    parts = []
    if whole:
        of_chunk = weights[:, :stop].reshape(rows, whole, columns).transpose(1, 0, 2)
        parts.append(whole_product(of_chunk, vector[:stop].reshape(whole, columns, -1)))
    if stop < inputs:
        parts.append(whole_product(weights[:, stop:], vector[stop:])[np.newaxis])
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
