"""Layer normalization on 16-bit sums, bit for bit as TensorFlow Lite's integer LSTM has it.

Source: tensorflow/lite/kernels/internal, ApplyLayerNorm for int16 and GetInvSqrtQuantizedMultiplierExp (which has
gemmlowp's fixed-point numbers), written from what they compute. Mean and deviations have 10 fraction bits more than the
sums; the inverse root is a multiplier of 31 bits and a shift, out of five steps of Newton and Raphson.
"""

from __future__ import annotations

import numpy as np

from archsim.golden.integer import Coded, Codes, Target, convert, rounded

FRACTION = 10
"""Fraction bits of the mean, of deviations, and of gamma's product."""
MOST = 2**31 - 1
STEPS = 5
GUARD = np.float32(10000)
"""The variance that stands for one below 1, divided by gamma's scale."""


def normalize(sums: Coded, gamma: Coded, bias: Coded | None, target: Target) -> Coded:
    """Normalize the sums (B, H) of a gate over its units: gamma (H) times the normalized, plus bias (H)."""
    units = sums.codes.shape[1]
    scale = np.broadcast_to(np.asarray(gamma.grid.scale, np.float64), (units,))
    least = max(1, int(GUARD * np.float32(scale.max())))
    late: Codes | int = 0
    if bias is not None:  # its codes may be of any size; they are limited to 62 bits
        ratio = np.asarray(bias.grid.scale) * 2.0**FRACTION / scale
        late = convert(bias.integers, bias.grid.magnitude, ratio, target.grid.rounding)
    made = np.empty(sums.codes.shape, np.int64)
    for lane, row in enumerate(sums.integers.tolist()):
        mean, root, shift = statistics(row, least)
        deviation = np.array([(value << FRACTION) - mean for value in row], object)
        unit = rounded(rounded(deviation * root, 31, "half_up"), shift, "gemmlowp")
        weighted = unit * gamma.integers.astype(object) + late
        made[lane] = rounded(weighted, FRACTION, "gemmlowp").astype(np.int64)
    # |u - mean| / deviation is at most the root of the number of units; with a variance of less than 1 it is 2^26.
    bound = (1 << 26) * gamma.grid.magnitude + (0 if bias is None else int(np.abs(np.asarray(late)).max()))
    return target.narrow(convert(made, bound, scale / np.asarray(target.grid.scale), target.grid.rounding))


def statistics(row: list[int], least: int) -> tuple[int, int, int]:
    """The mean, times 1024, and the inverse root of the variance, as a multiplier and its right shift.

    Divisions go towards 0. The sum of squares is divided by n as a product with a whole 2^20 / n, so that the variance
    is too small where n is no power of two; one below 1 becomes `least`.
    """
    count = len(row)
    mean = toward_zero(sum(row) << FRACTION, count)
    squares = sum(value * value for value in row)
    variance = toward_zero(squares * ((1 << 2 * FRACTION) // count) - mean * mean, 1 << 2 * FRACTION)
    return mean, *inverse_root(variance if variance >= 1 else least)


def toward_zero(number: int, divisor: int) -> int:
    """The quotient without its fraction."""
    quotient = abs(number) // divisor
    return quotient if number >= 0 else -quotient


def inverse_root(variance: int) -> tuple[int, int]:
    """The m and s of 1 / sqrt(variance) = m 2^-31 2^-s."""
    if variance <= 1:
        return MOST, 0
    shift = 11
    while variance >= 1 << 29:
        variance //= 4
        shift += 1
    pairs = (31 - variance.bit_length()) // 2 - 1
    shift -= pairs
    whole = (variance << 2 * pairs) >> 1  # with 28 fraction bits from 1/4 up to, without, 1
    half = (whole + 1) >> 1
    x = 1 << 28
    for _ in range(STEPS):
        cube = saturated(high_product(high_product(x, x), x) << 6)
        x = saturated((high_product(3 << 27, x) - high_product(half, cube)) << 3)
    x = high_product(x, 1518500250)  # the root of 1/2
    return (x << -shift, 0) if shift < 0 else (x, shift)


def high_product(a: int, b: int) -> int:
    """a b / 2^31, to the nearest, ties up (SaturatingRoundingDoublingHighMul)."""
    return (a * b + (1 << 30)) >> 31


def saturated(number: int) -> int:
    """The number within 32 bits."""
    return max(-MOST - 1, min(MOST, number))
