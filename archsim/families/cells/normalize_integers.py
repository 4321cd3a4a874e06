"""Normalizes integer sums as TensorFlow Lite's integer LSTM does (docs/numerics.md, "Layer normalization").

Source: ApplyLayerNorm (int16) and GetInvSqrtQuantizedMultiplierExp of tensorflow/lite/kernels/internal, which computes
with the fixed-point numbers of the library gemmlowp.
"""

from __future__ import annotations

import numpy as np

from archsim.formats.encoding import Encoding
from archsim.formats.number import Array, IntegerFormat
from archsim.formats.rounding import Conversion, Int, Rounding, limited, shifted
from archsim.hardware.constants import NormalizationConstants, Rescale

FRACTION_BITS = 10
"""Fraction bits that mean, deviation and the product with gamma have, more than the sums."""
NEWTON_STEPS = 5
MOST_BITS = 16
"""The most bits of a sum: with them all that a normalization passes through fits into 62 bits."""

_GUARD = np.float32(10000)
_WORD = 31
_LARGEST_ROOT = (1 << _WORD) - 1
_ROOT_BITS = 28
"""Fraction bits of numbers on the way to the inverse root."""
_THREE_HALVES = 3 << (_ROOT_BITS - 1)
_ROOT_OF_HALF = 1518500250
"""sqrt(1/2) in 31 fraction bits."""


class IntegerNormalization:
    """The normalization of a gate's sums, with codes of gamma and bias, into codes of the target."""

    def __init__(self, weights: Encoding, bias: Encoding | None, target: Encoding) -> None:
        assert isinstance(target.format, IntegerFormat)
        rounding = target.format.rounding
        self._least = max(1, int(_GUARD * np.float32(np.max(weights.scale))))
        self._to_target = Conversion(np.divide(weights.scale, target.scale), rounding)
        self._of_bias = None
        if bias is not None:
            self._of_bias = Conversion(bias.scale / np.divide(weights.scale, 1 << FRACTION_BITS), rounding)

    def constants(self) -> NormalizationConstants:
        """The integers of the normalization, as a program's JSON has them."""
        bias = None if self._of_bias is None else Rescale.from_conversion(self._of_bias)
        return NormalizationConstants(FRACTION_BITS, self._least, bias, Rescale.from_conversion(self._to_target))

    def __call__(self, sums: Array, weights: Array, bias: Array | None) -> Int:
        """Normalize sums (n, B) with weights (n, 1) and biases (n, 1), in wide integers."""
        codes = sums.astype(np.int64)
        mean, root, shift = self._statistics(codes)
        unit = _rounded_product((codes << FRACTION_BITS) - mean, root)
        unit = shifted(unit, shift, Rounding.GEMMLOWP)
        weighted = unit * weights.astype(np.int64)
        if bias is not None:
            assert self._of_bias is not None
            weighted = limited(weighted + self._of_bias(bias.astype(np.int64)))
        return self._to_target(shifted(weighted, FRACTION_BITS, Rounding.GEMMLOWP))

    def _statistics(self, codes: Int) -> tuple[Int, Int, Int]:
        """The mean of each column in FRACTION_BITS, and 1 / deviation as a multiplier and a shift, each (1, B)."""
        count = len(codes)
        mean = _quotient(codes.sum(axis=0, keepdims=True) << FRACTION_BITS, count)
        part = (1 << 2 * FRACTION_BITS) // count
        variance = _quotient((codes * codes).sum(axis=0, keepdims=True) * part - mean * mean, 1 << 2 * FRACTION_BITS)
        return mean, *inverse_root(np.where(variance < 1, self._least, variance))


def inverse_root(variance: Int) -> tuple[Int, Int]:
    """The multiplier m and the shift s with 1 / sqrt(variance) = m 2^(-31 - s), of variances from 1 up to 2^32."""
    # Brought to 2^27 .. 2^29 by an even number of places.
    places = (29 - np.frexp(variance.astype(np.float64))[1].astype(np.int64)) // 2
    whole = np.where(places < 0, variance >> np.maximum(-2 * places, 0), variance << np.maximum(2 * places, 0))
    number = whole >> 1
    half = (number + 1) >> 1
    x = np.full_like(number, 1 << _ROOT_BITS)
    for _ in range(NEWTON_STEPS):
        cube = _within_word(_rounded_product(_rounded_product(x, x), x) << 6)
        x = _within_word((_rounded_product(x, _THREE_HALVES) - _rounded_product(cube, half)) << 3)
    root, shift = _rounded_product(x, _ROOT_OF_HALF), 11 - places
    small = variance <= 1
    root = np.where(small, _LARGEST_ROOT, root << np.maximum(-shift, 0))
    return root, np.where(small, 0, np.maximum(shift, 0))


def _rounded_product(a: Int, b: Int | int) -> Int:
    """a b / 2^31, to the nearest, ties up."""
    product: Int = (a * b + (1 << (_WORD - 1))) >> _WORD
    return product


def _within_word(a: Int) -> Int:
    found: Int = np.clip(a, -(1 << _WORD), (1 << _WORD) - 1)
    return found


def _quotient(a: Int, divisor: int) -> Int:
    """a / divisor without the fraction."""
    found: Int = np.sign(a) * (np.abs(a) // divisor)
    return found
