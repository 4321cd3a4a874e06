"""Computes the sums of archsim.metrics.beside for many designs at once, to the last bit.

An amount with its low and high is an array (3, N): values, lows, highs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from archsim.api.batch.columns import Floats, Ints, Picked, classes, exact_sums
from archsim.hardware.storage import Storage
from archsim.metrics.beside import UJ_PER_MW_US, DramPower, banks_of, gated_share, wire_price
from archsim.technology import Prices
from archsim.technology.beside import Overhead
from archsim.technology.prices import PJ_PER_UJ
from archsim.technology.spread import Range, Spread

Ranges = npt.NDArray[np.float64]
"""(3, N)"""


def ranges(found: Picked[Range]) -> Ranges:
    """Amounts of designs."""
    each: Ranges = np.array([amount.each for amount in found.values], np.float64).T[:, found.codes]
    return each


def spread(values: Floats, of: Picked[Spread]) -> Ranges:
    """Numbers with their lows and highs."""
    low = np.array([found.low for found in of.values])[of.codes]
    high = np.array([found.high for found in of.values])[of.codes]
    return np.stack([values, values * low, values * high])


def sums(amounts: Sequence[Ranges], designs: int) -> Ranges:
    """The sums of amounts, as sum_of gives them."""
    found: Ranges = exact_sums([amount.ravel() for amount in amounts], 3 * designs).reshape(3, designs)
    return found


def overheads(of: Ranges, prices: Picked[Prices], which: Callable[[Prices], Overhead]) -> Ranges:
    """An amount of each design times the overhead that its prices say."""
    factors = [which(each) for each in prices.values]
    by = np.array([(each.factor, each.low, each.high) for each in factors], np.float64).T
    found: Ranges = of * by[:, prices.codes]
    return found


def wires(pairs: Sequence[tuple[Ints, Picked[Storage], Ranges, Ranges]], prices: Picked[Prices]) -> Ranges:
    """The energy in uJ of all wires: for each unit and SRAM the bits moved, the SRAM, its area and the unit's."""
    designs = len(prices.codes)
    price = ranges(Picked([wire_price(each) for each in prices.values], prices.codes))
    amounts = []
    for bits, storage, memory_mm2, unit_mm2 in pairs:
        banks = np.array([banks_of(each) for each in storage.values])[storage.codes]
        length = (np.sqrt(memory_mm2 / banks) + np.sqrt(unit_mm2 / banks)) / 2
        length[2] = np.maximum(length[2], np.sqrt(memory_mm2[2] + unit_mm2[2]) / 2)
        amounts.append(length * price * (bits / PJ_PER_UJ))
    return sums(amounts, designs) if amounts else np.zeros((3, designs))


def background(power: Picked[DramPower], latency_us: Floats, busy_us: Floats) -> Ranges:
    """The energy of DRAM's states in uJ."""
    always = ranges(Picked([each.always for each in power.values], power.codes))
    working = ranges(Picked([each.working for each in power.values], power.codes))
    found: Ranges = always * (latency_us * UJ_PER_MW_US) + working * (busy_us * UJ_PER_MW_US)
    return found


def ungated(
    leakage: Ranges,
    saved: Sequence[tuple[Picked[Storage], Picked[Prices], Picked[int], Floats]],
    gated: npt.NDArray[np.bool_],
) -> Ranges:
    """The leakage in mW of designs without banks that are gated; `saved`: of each SRAM the bytes kept, and its leakage.

    `gated`: which designs gate them.
    """
    if not gated.any():
        return leakage
    parts = []
    for storage, prices, kept, leaks_mw in saved:
        first, codes = classes([storage.codes, prices.codes, kept.codes], len(kept.codes))
        shares = [gated_share(storage.of(row), kept.of(row), prices.of(row)) for row in first.tolist()]
        parts.append(leaks_mw * np.array(shares, np.float64)[codes])
    saved_mw = exact_sums(parts, leakage.shape[1])
    found: Ranges = np.where(gated, leakage * (1 - saved_mw / leakage[0]), leakage)
    return found
