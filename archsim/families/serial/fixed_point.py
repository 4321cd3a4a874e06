"""Fixed-point arithmetic of a datapath that cuts toward zero and wraps: products, sums and hard functions on codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[Any]


def wrapped(codes: Codes, bits: int) -> Codes:
    """The codes in two's complement of so many bits: what is beyond wraps."""
    low, span = -(1 << (bits - 1)), 1 << bits
    result: Codes = ((codes - low) & (span - 1)) + low
    return result


def cut(wide: Codes, bits: int, fraction_bits: int) -> Codes:
    """The middle `bits` of a product or a sum of products of 2 * bits, cut toward zero.

    Bits above are dropped. Only if that changes the sign is the result the largest or smallest code.
    """
    middle = wrapped(wide >> fraction_bits, bits)
    dropped = wide & ((1 << fraction_bits) - 1)
    middle = np.where((middle < 0) & (dropped != 0), middle + 1, middle)
    middle = np.where((wide > 0) & (middle < 0), (1 << (bits - 1)) - 1, middle)
    return np.where((wide < 0) & (middle > 0), -(1 << (bits - 1)), middle)


def hard_sigmoid(codes: Codes, bits: int, fraction_bits: int) -> Codes:
    """The line x / 6 + 1/2 between 0 at -3 and 1 at 3; slope and thresholds are cut to the format."""
    one = 1 << fraction_bits
    lowest, highest = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    zero_up_to, one_from = max(-3 * one, lowest), min(3 * one, highest)
    line = wrapped(cut(codes * (one // 6), bits, fraction_bits) + one // 2, bits)
    return np.where(codes <= zero_up_to, 0, np.where(codes >= one_from, min(one, highest), line))


def hard_tanh(codes: Codes, bits: int, fraction_bits: int) -> Codes:
    """The argument, limited to -1 .. 1."""
    one = min(1 << fraction_bits, (1 << (bits - 1)) - 1)
    return np.clip(codes, -(1 << fraction_bits), one)
