"""The arithmetic of the integer reference: against exact fractions, gemmlowp's own definitions, and apytypes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.golden.integer import (
    LIMIT,
    ROUNDINGS,
    Coded,
    Grid,
    Target,
    codes_of,
    convert,
    limited,
    narrow,
    real_of,
    rounded,
    wide_of,
)
from tests.golden.golden_apytypes import MODES
from tests.optional import need

WIDE = st.integers(-LIMIT, LIMIT) | st.integers(-40, 40)
ROUNDING = st.sampled_from(ROUNDINGS)
RATIO = st.floats(2.0**-60, 2.0**40) | st.integers(-70, 70).map(lambda s: 2.0**s)


def nearest(value: Fraction, rounding: str) -> int:
    """The rules of rounding, each in its own words."""
    floor = math.floor(value)
    match rounding:
        case "truncate":
            return floor
        case "half_up":
            return math.floor(value + Fraction(1, 2))
        case "even":
            return round(value)
        case _:  # to the nearest, ties away from zero
            return math.floor(value + Fraction(1, 2)) if value >= 0 else -math.floor(-value + Fraction(1, 2))


def multiplier(ratio: float) -> Fraction:
    """A ratio of scales as the machine has it: a power of two, or 31 bits and an exponent."""
    f, e = math.frexp(ratio)
    m = math.floor(Fraction(f) * 2**31 + Fraction(1, 2))
    return Fraction(m, 2**31) * Fraction(2) ** e


def saturated(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))


@given(v=WIDE, shift=st.integers(-80, 80), rounding=ROUNDING)
def test_rounded(v: int, shift: int, rounding: str) -> None:
    want = nearest(Fraction(v) / Fraction(2) ** shift, rounding)
    assert rounded(np.array([v], object), shift, rounding).tolist() == [want]
    if abs(v) << max(-shift, 0) <= LIMIT and shift <= 62:
        assert rounded(np.array([v]), shift, rounding).tolist() == [want]


def test_rounded_ties() -> None:
    """-5/2, -3/2, -1/2, 1/2, 3/2, 5/2."""
    want = {
        "truncate": [-3, -2, -1, 0, 1, 2],
        "half_up": [-2, -1, 0, 1, 2, 3],
        "even": [-2, -2, 0, 0, 2, 2],
        "gemmlowp": [-3, -2, -1, 1, 2, 3],
    }
    for rounding in ROUNDINGS:
        assert rounded(np.arange(-5, 6, 2), 1, rounding).tolist() == want[rounding]
        codes, _ = codes_of(np.arange(-2.5, 3.0), Grid(8, 1.0, rounding=rounding))
        assert codes.tolist() == want[rounding]


@given(v=WIDE, ratio=RATIO, rounding=st.sampled_from(["even", "half_up", "truncate"]))
def test_convert_rounds_once(v: int, ratio: float, rounding: str) -> None:
    want = saturated(nearest(v * multiplier(ratio), rounding), -LIMIT, LIMIT)
    assert convert(np.array([v]), LIMIT, ratio, rounding).tolist() == [want]
    assert convert(np.array([v]), max(abs(v), 1), ratio, rounding).tolist() == [want], "with int64 where that will do"


def high_mul(a: int, b: int) -> int:
    """gemmlowp's SaturatingRoundingDoublingHighMul for int32, but for a = b = -2^31, with C's division towards zero."""
    ab = a * b
    nudged = ab + ((1 << 30) if ab >= 0 else 1 - (1 << 30))
    return nudged // (1 << 31) if nudged >= 0 else -(-nudged // (1 << 31))


def divide_by_pot(x: int, exponent: int) -> int:
    """gemmlowp's RoundingDivideByPOT."""
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if (x & mask) > threshold else 0)


@given(v=st.integers(-(2**31), 2**31 - 1), ratio=st.floats(2.0**-31, 0.999))
def test_convert_gemmlowp(v: int, ratio: float) -> None:
    """TensorFlow Lite's MultiplyByQuantizedMultiplier, where no left shift takes v out of 32 bits."""
    f, e = math.frexp(ratio)
    m = math.floor(f * 2**31 + 0.5)
    m, e = (m // 2, e + 1) if m == 2**31 else (m, e)
    want = divide_by_pot(high_mul(v << max(e, 0), m), max(-e, 0)) if f != 0.5 else divide_by_pot(v, 1 - e)
    assert convert(np.array([v]), 2**31, ratio, "gemmlowp").tolist() == [want]


@given(v=WIDE, ratio=RATIO)
def test_convert_gemmlowp_wide(v: int, ratio: float) -> None:
    """The same two divisions without a limit of 32 bits; of a power of two one division alone."""
    f, e = math.frexp(ratio)
    m = multiplier(ratio)
    e += m == Fraction(2) ** e  # the fraction went up to 1
    u = Fraction(v) if f == 0.5 else Fraction(math.floor(v * m / Fraction(2) ** min(e, 0) + Fraction(1, 2)))
    want = saturated(nearest(u * (m if f == 0.5 else Fraction(2) ** min(e, 0)), "gemmlowp"), -LIMIT, LIMIT)
    assert convert(np.array([v]), LIMIT, ratio, "gemmlowp").tolist() == [want]


def test_convert_fraction_that_rounds_to_one() -> None:
    """(1 - 2^-40) 2^0: m = 2^31, so 2^30 and e = 1; for gemmlowp two shifts by one, left and then right with m."""
    ratio = 1.0 - 2.0**-40
    for rounding in ROUNDINGS:
        assert convert(np.array([-7, 0, 7]), 7, ratio, rounding).tolist() == [-7, 0, 7]


def test_gemmlowp_rounds_twice() -> None:
    """0.16 = 0.64 / 4: 640 * 0.64 = 409.6, so 410, and 410 / 4 = 102.5, so 103; the nearest to 102.4 is 102."""
    v = np.array([640, -640])
    assert convert(v, 640, 0.16, "gemmlowp").tolist() == [103, -103]
    assert convert(v, 640, 0.16, "half_up").tolist() == [102, -102]
    assert convert(np.array([1]), 1, 0.25, "gemmlowp").tolist() == [0], "a power of two is one shift"


def test_convert_row_by_row() -> None:
    ratios = np.array([0.25, 3.0, 0.16, 2.0])
    for rounding in ROUNDINGS:
        each = [convert(np.array([[640], [-3]]), 640, ratio, rounding) for ratio in ratios]
        got = convert(np.array([[640] * 4, [-3] * 4]), 640, ratios, rounding)
        assert got.tolist() == np.hstack(each).tolist()
    with pytest.raises(ValueError, match="positive and finite"):
        convert(np.array([1]), 1, 0.0, "even")


@given(wide=WIDE, bits=st.integers(2, 48), zero=st.integers(-200, 200), wrap=st.booleans())
def test_narrow(wide: int, bits: int, zero: int, wrap: bool) -> None:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    value = wide + zero
    want = (value - low) % 2**bits + low if wrap else saturated(value, low, high)
    grid = Grid(bits, 1.0, zero, wrap=wrap)
    assert narrow(np.array([wide]), grid)[0].tolist() == [want]
    assert narrow(np.array([wide], object), grid)[0].tolist() == [want]
    assert narrow(np.array([wide, 0 - zero]), grid)[1] == int(want != value)


@pytest.mark.parametrize("wrap", [False, True])
def test_narrow_the_largest_sums(wrap: bool) -> None:
    """Two wide integers and a zero point do not fit into int64, and yet come out right."""
    sums = np.array([2 * LIMIT, -2 * LIMIT])
    grid = Grid(32, 1.0, 2**31 - 1, wrap=wrap)
    want = narrow(sums.astype(object), grid)
    got = narrow(sums, grid)
    assert got[0].tolist() == want[0].tolist()
    assert got[1] == want[1] == 2


@given(value=st.floats(-1e6, 1e6), scale=st.floats(1e-3, 1e3), rounding=ROUNDING, zero=st.integers(-128, 127))
def test_codes_of(value: float, scale: float, rounding: str, zero: int) -> None:
    grid = Grid(16, scale, zero, rounding)
    codes, changed = codes_of(np.array([value]), grid)
    unlimited = nearest(Fraction(value / scale), rounding) + zero
    assert codes.tolist() == [saturated(unlimited, -(2**15), 2**15 - 1)]
    assert changed == int(codes[0] != unlimited)
    assert real_of(codes, grid).tolist() == [(int(codes[0]) - zero) * scale]


def test_codes_of_just_below_a_half() -> None:
    """0.49999999999999994 + 0.5 is 1.0 in float64, and yet the number is nearer to 0."""
    for rounding in ROUNDINGS:
        assert wide_of(np.array([math.nextafter(0.5, 0.0)]), Grid(8, 1.0, rounding=rounding)).tolist() == [0]


def test_scales_of_rows() -> None:
    grid = Grid(8, np.array([0.5, 0.25]))
    assert codes_of(np.array([[1.0, -1.0, 2.0], [1.0, -1.0, 2.0]]), grid)[0].tolist() == [[2, -2, 4], [4, -4, 8]]
    assert codes_of(np.array([1.0, 1.0]), grid)[0].tolist() == [2, 4]


@given(
    codes=st.tuples(st.integers(-128, 127), st.integers(-(2**15), 2**15 - 1)),
    zeros=st.tuples(st.integers(-128, 127), st.integers(-9, 9), st.integers(-128, 127)),
    scales=st.tuples(*[st.floats(1e-3, 1.0)] * 3),
    rounding=st.sampled_from(["even", "half_up", "truncate"]),
)
def test_product(
    codes: tuple[int, int], zeros: tuple[int, int, int], scales: tuple[float, float, float], rounding: str
) -> None:
    """(a - z_a) (b - z_b) at the target's scale; the zero point of the target comes with narrow."""
    a, b = (
        Coded(np.array([code]), Grid(bits, scale, zero))
        for code, bits, scale, zero in zip(codes, (8, 16), scales[:2], zeros[:2], strict=True)
    )
    target = Target("hidden", Grid(8, scales[2], zeros[2], rounding), Counter())
    ratio = multiplier(scales[0] * scales[1] / scales[2])
    wide = nearest((codes[0] - zeros[0]) * (codes[1] - zeros[1]) * ratio, rounding)
    assert target.product(a, b).tolist() == [wide]
    assert target.narrow(target.product(a, b)).codes.tolist() == [saturated(wide + zeros[2], -128, 127)]
    assert target.overflows["hidden"] == int(not -128 <= wide + zeros[2] <= 127)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown rounding 'up'"):
        Grid(8, 1.0, rounding="up")
    with pytest.raises(ValueError, match="unknown rounding 'up'"):
        rounded(np.array([1]), 1, "up")


if TYPE_CHECKING:
    from apytypes import APyFixedArray

# The outside witness: apytypes computes in fixed point of any width.


def theirs(apytypes: ModuleType, codes: Iterable[int], bits: int, fraction: int) -> APyFixedArray:
    """Codes as an apytypes array of the same bits, its values code / 2^fraction."""
    made: APyFixedArray = apytypes.APyFixedArray([int(code) for code in codes], bits=bits, frac_bits=fraction)
    return made


def signed(array: APyFixedArray, bits: int) -> list[int]:
    """The codes of an apytypes array (one dimension), which gives them unsigned."""
    return [code - (code >> (bits - 1) << bits) for code in array.to_bits()]


def cast(apytypes: ModuleType, array: APyFixedArray, grid: Grid, fraction: int) -> list[int]:
    """Their rounding and narrowing to a q format."""
    mode = getattr(apytypes.QuantizationMode, MODES[grid.rounding])
    overflow = apytypes.OverflowMode.WRAP if grid.wrap else apytypes.OverflowMode.SAT
    return signed(array.cast(bits=grid.bits, frac_bits=fraction, quantization=mode, overflow=overflow), grid.bits)


def q(bits: int, fraction: int, rounding: str, wrap: bool) -> Grid:
    return Grid(bits, 2.0**-fraction, rounding=rounding, wrap=wrap, fixed=True)


@given(
    codes=st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=8),
    formats=st.tuples(st.integers(0, 31), st.integers(2, 32), st.integers(0, 31)),
    rounding=ROUNDING,
    wrap=st.booleans(),
)
def test_casts_as_apytypes(codes: list[int], formats: tuple[int, int, int], rounding: str, wrap: bool) -> None:
    apytypes = need("apytypes")
    fraction, bits, to_fraction = formats
    target = Target("gate", q(bits, to_fraction, rounding, wrap), Counter())
    source = Coded(np.array(codes), q(32, fraction, "even", False))
    want = cast(apytypes, theirs(apytypes, codes, 32, fraction), target.grid, to_fraction)
    assert target.narrow(target.convert(source)).codes.tolist() == want


@given(
    pairs=st.lists(st.tuples(*[st.integers(-(2**15), 2**15 - 1)] * 4), min_size=1, max_size=8),
    fractions=st.tuples(*[st.integers(0, 15)] * 3),
    rounding=ROUNDING,
    wrap=st.booleans(),
)
def test_products_and_sums_as_apytypes(
    pairs: list[tuple[int, int, int, int]], fractions: tuple[int, int, int], rounding: str, wrap: bool
) -> None:
    """narrow(P(a, b) + P(c, d)), as the cell is updated: each product rounded, their sum narrowed."""
    apytypes = need("apytypes")
    columns = list(zip(*pairs, strict=True))
    grids = [q(16, fraction, "even", False) for fraction in (*fractions[:2], *fractions[:2])]
    a, b, c, d = (Coded(np.array(codes), grid) for codes, grid in zip(columns, grids, strict=True))
    target = Target("cell", q(16, fractions[2], rounding, wrap), Counter())
    got = target.narrow(target.product(a, b) + target.product(c, d))

    x, y, z, w = (theirs(apytypes, codes, 16, f) for codes, f in zip(columns, (*fractions[:2],) * 2, strict=True))
    wide = replace(target.grid, bits=60)
    products = [theirs(apytypes, cast(apytypes, p, wide, fractions[2]), 60, fractions[2]) for p in (x * y, z * w)]
    assert got.codes.tolist() == cast(apytypes, products[0] + products[1], target.grid, fractions[2])


def test_limit() -> None:
    assert limited(np.array([2**80, -(2**80)], object)).tolist() == [LIMIT, -LIMIT]
