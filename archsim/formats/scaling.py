"""Chooses the range that an integer format covers for numbers, and its scale and zero point.

Sources: quantization by range, Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018, section 3 (a zero point that represents 0 exactly); the three ways to
choose the range, Nagel et al., "A White Paper on Neural Network Quantization", 2021, section 3.1, and Wu et al.,
"Integer Quantization for Deep Learning Inference: Principles and Empirical Evaluation", 2020, section 3.3.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from archsim.formats.integer import Scaled
from archsim.formats.number import Real
from archsim.formats.rounding import Int, rounded

FRACTIONS = 100
"""How many ranges the method mse tries."""
_SMALLEST = float(np.finfo(np.float64).tiny)
_LARGEST_EXPONENT = 1023
_CODE_LIMIT = 2.0**61


class Method(StrEnum):
    """What the range is chosen for."""

    MAX = "max"
    """The range holds every number."""
    PERCENTILE = "percentile"
    """The range holds all but the outermost numbers."""
    MSE = "mse"
    """The range has the least mean squared error."""


def covered(
    samples: npt.NDArray[np.floating], number_format: Scaled, method: Method, percentile: float = 100.0
) -> tuple[Real, Real]:
    """The range low <= 0, high >= 0 (groups) that the format shall cover for samples (groups, n), n >= 1.

    max: the smallest and the largest sample, and 0.

    percentile p, 50 .. 100: of a symmetric format -a and a, where a is the p-th percentile of |v|; of an asymmetric one
    the (100 - p)-th and the p-th percentile, and 0. The p-th percentile of n numbers lies at place (n - 1) p / 100 of
    them in ascending order, counted from 0, linear between neighbours. Where that leaves nothing but 0 although there
    are other samples, as for max.

    mse: of k / 100 of the range of max, k = 1 .. 100, the one with the least mean of (v - quantized v)^2 under
    `quantized` with the scale and zero point of `scale_and_zero`; of equal ones the largest.

    A group of zeros alone has the range [-1, 1]. ValueError for samples that are not finite.
    """
    # The smallest and the largest number are not finite if any is not, and are the same in any type.
    least, most = samples.min(axis=1).astype(np.float64), samples.max(axis=1).astype(np.float64)
    if not (np.isfinite(least) & np.isfinite(most)).all():
        raise ValueError("the samples are not all finite")
    low, high = np.minimum(least, 0.0), np.maximum(most, 0.0)
    exact: Real = np.asarray([[]]) if method is Method.MAX else np.ascontiguousarray(samples, np.float64)
    if method is Method.PERCENTILE:
        inner_low, inner_high = _percentiles(exact, number_format.asymmetric, percentile)
        some = inner_low < inner_high
        low, high = np.where(some, inner_low, low), np.where(some, inner_high, high)
    zeros = low == high
    low, high = np.where(zeros, -1.0, low), np.where(zeros, 1.0, high)
    return _least_error(exact, low, high, number_format) if method is Method.MSE else (low, high)


def scale_and_zero(low: Real, high: Real, number_format: Scaled) -> tuple[Real, Int]:
    """The scale s and zero point (groups) that cover low <= 0 <= high (groups) in N bits.

    Symmetric: s = max(|low|, |high|) / (2^(N-1) - 1), zero point 0. Asymmetric: s = (high - low) / (2^N - 1), and the
    zero point is -2^(N-1) - low / s, rounded to the nearest code, ties to the even one. With power_of_two s is the
    least 2^k that is not below that. s is at least 2^-1022, the smallest normal number (then the range is wider than
    asked for), and as a power of two at most 2^1023.
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    if number_format.asymmetric:
        codes = 2.0**number_format.bits - 1
        scale = high / codes - low / codes  # their difference may be beyond float64
    else:
        scale = np.maximum(-low, high) / number_format.highest
    scale = np.maximum(scale, _SMALLEST)
    if number_format.power_of_two:
        mantissa, exponent = np.frexp(scale)
        exponent = exponent - (mantissa == 0.5)
        scale = np.ldexp(1.0, np.minimum(exponent, _LARGEST_EXPONENT))
    if not number_format.asymmetric:
        return scale, np.zeros(scale.shape, np.int64)
    zero = np.rint(number_format.lowest - low / scale)
    return scale, np.clip(zero, number_format.lowest, number_format.highest).astype(np.int64)


def quantized(samples: Real, number_format: Scaled, scale: Real, zero: Int) -> tuple[Real, int]:
    """The values that samples (groups, n) become in the format, and how many are beyond it.

    Scale and zero point are (groups).
    """
    scale, zero = scale[:, np.newaxis], zero[:, np.newaxis]
    whole = np.clip(rounded(samples / scale, number_format.rounding), -_CODE_LIMIT, _CODE_LIMIT).astype(np.int64)
    codes, beyond = number_format.narrowed(whole + zero)
    return (codes - zero) * scale, beyond


def _percentiles(samples: Real, asymmetric: bool, percentile: float) -> tuple[Real, Real]:
    if not asymmetric:
        high: Real = np.percentile(np.abs(samples), percentile, axis=1)
        return -high, high
    low, high = np.percentile(samples, (100.0 - percentile, percentile), axis=1)
    return np.minimum(low, 0.0), np.maximum(high, 0.0)


def _least_error(samples: Real, low: Real, high: Real, number_format: Scaled) -> tuple[Real, Real]:
    """The best part of each group's range: from the whole on, only what is strictly better."""
    best = np.full(len(samples), np.inf)
    chosen = np.ones(len(samples))
    unit = np.maximum(-low, high)[:, np.newaxis]  # so that no square leaves float64's range
    for fraction in np.arange(FRACTIONS, 0, -1) / FRACTIONS:
        scale, zero = scale_and_zero(fraction * low, fraction * high, number_format)
        errors = (quantized(samples, number_format, scale, zero)[0] - samples) / unit
        error = np.square(errors).mean(axis=1)
        better = error < best
        best[better], chosen[better] = error[better], fraction
    return chosen * low, chosen * high
