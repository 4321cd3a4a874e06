"""The integer reference's units, number by number: the MAC tile and the activation unit against fractions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.golden import Activation
from archsim.golden.integer import Coded, Grid, Target, convert, narrow
from archsim.golden.integer_functions import Exact, Lines, Table, activate, clipped
from archsim.golden.integer_tiles import Array
from archsim.golden.integer_units import one_minus

SIGMOID, TANH = Activation("sigmoid"), Activation("tanh")


def q(bits: int, fraction: int, **options: Any) -> Grid:
    return Grid(bits, 2.0**-fraction, fixed=True, **options)


def targets(accumulator: Grid, gate: Grid) -> tuple[Counter[str], Target, Target]:
    overflows: Counter[str] = Counter()
    return overflows, Target("accumulator", accumulator, overflows), Target("gate", gate, overflows)


def to(value: Fraction | int, grid: Grid, ratio: float) -> int:
    """The conversion of one number, which test_golden_integer holds against fractions; exact sums are fractions."""
    return int(convert(np.array([int(value)], object), 2**80, ratio, grid.rounding)[0])


def narrowed(value: int, grid: Grid) -> tuple[int, int]:
    codes, changed = narrow(np.array([value], object), grid)
    return int(codes[0]), changed


TilePart = tuple[np.ndarray, np.ndarray, np.ndarray, int, float]
"""Weights (G, K) and their scales, x (K), its zero point and scale."""


def tile_by_hand(
    parts: list[TilePart], bias: np.ndarray, accumulator: Grid, gate: Grid, columns: int
) -> tuple[list[int], Counter[str]]:
    """One lane, row by row, chunk by chunk. parts: weights (G, K) and their scales, x (K), its zero point and scale."""
    sums: list[int] = []
    overflows: Counter[str] = Counter()
    for row in range(len(parts[0][0])):
        y = 0
        for part, (weights, weight_scale, x, zero, scale) in enumerate(parts):
            a = int(bias[row]) if part == 0 else 0
            units = weight_scale[row] * scale
            for k in range(0, len(x), columns):
                chunk = sum(
                    int(w) * (int(v) - zero) for w, v in zip(weights[row, k : k + columns], x[k:], strict=False)
                )
                chunk = to(chunk, accumulator, units / accumulator.scale) if accumulator.fixed else chunk
                a, changed = narrowed(a + chunk, accumulator)
                overflows["accumulator"] += changed
            have = accumulator.scale if accumulator.fixed else units
            y, changed = narrowed(y + to(a, gate, float(have / gate.scale)), gate)
            overflows["gate"] += changed
        sums.append(y)
    return sums, overflows


ROUNDING = st.sampled_from(["even", "half_up", "truncate", "gemmlowp"])


@given(data=st.data(), columns=st.integers(1, 6), rounding=ROUNDING, wrap=st.booleans(), seed=st.integers(0, 99))
def test_tile_of_integers(data: st.DataObject, columns: int, rounding: str, wrap: bool, seed: int) -> None:
    """int8 by row, two zero points, accumulators that overflow between chunks: two accumulations."""
    rng = np.random.default_rng(seed)
    rows, inputs, hidden = 3, data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    accumulator = Grid(data.draw(st.sampled_from([14, 16, 32])), math.nan, rounding=rounding, wrap=wrap)
    gate = q(12, 6, rounding=rounding, wrap=wrap)
    parts, codes, vectors = [], list[TilePart](), []
    for size, zero in ((inputs, -7), (hidden, 30)):
        weights, scale = rng.integers(-127, 128, (rows, size)), rng.uniform(1e-3, 1e-2, rows)
        x, vector = rng.integers(-128, 128, size), Grid(8, float(rng.uniform(0.01, 0.02)), zero)
        codes.append((weights, scale, x, zero, float(vector.scale)))
        parts.append((Coded(weights, Grid(8, scale)), vector))
        vectors.append(Coded(x[np.newaxis], vector))
    bias = rng.integers(-1000, 1001, rows)
    overflows, to_accumulator, to_gate = targets(accumulator, gate)
    array = Array(columns, False, to_accumulator, to_gate)
    got = array.tile(parts, Coded(bias, accumulator)).run(*vectors)
    want, counted = tile_by_hand(codes, bias, accumulator, gate, columns)
    assert got.codes.tolist() == [want]
    assert +overflows == +counted


@given(columns=st.integers(1, 8), rounding=ROUNDING, wrap=st.booleans(), seed=st.integers(0, 99), split=st.booleans())
def test_tile_of_fixed_point(columns: int, rounding: str, wrap: bool, seed: int, split: bool) -> None:
    """One accumulation over [x, h], whose chunk may hold some of each, unless the schedule splits the tile."""
    rng = np.random.default_rng(seed)
    data, accumulator, gate = q(8, 6), q(14, 8, rounding=rounding, wrap=wrap), q(10, 5, rounding=rounding, wrap=wrap)
    w_ih, w_hh = rng.integers(-128, 128, (3, 3)), rng.integers(-128, 128, (3, 4))
    x, h, bias = rng.integers(-128, 128, 3), rng.integers(-128, 128, 4), rng.integers(-2000, 2001, 3)
    scale = np.full(3, data.scale)
    step = float(data.scale)
    codes: list[TilePart] = [(w_ih, scale, x, 0, step), (w_hh, scale, h, 0, step)]
    if not split:
        codes = [(np.hstack([w_ih, w_hh]), scale, np.hstack([x, h]), 0, step)]
    overflows, to_accumulator, to_gate = targets(accumulator, gate)
    tile = Array(columns, split, to_accumulator, to_gate).tile(
        [(Coded(w_ih, data), data), (Coded(w_hh, data), data)], Coded(bias, accumulator)
    )
    got = tile.run(Coded(x[np.newaxis], data), Coded(h[np.newaxis], data))
    want, counted = tile_by_hand(codes, bias, accumulator, gate, columns)
    assert got.codes.tolist() == [want]
    assert +overflows == +counted
    assert tile.joined is not split


def test_parts_of_different_formats_are_apart() -> None:
    data, other = q(8, 6), q(8, 7)
    _, to_accumulator, to_gate = targets(q(14, 8), q(10, 5))
    array, matrix = Array(2, False, to_accumulator, to_gate), Coded(np.ones((1, 2), np.int64), data)
    assert array.tile([(matrix, data), (matrix, data)]).joined
    assert not array.tile([(matrix, data), (matrix, other)]).joined
    assert not array.tile([(matrix, data), (matrix, replace(data, wrap=True))]).joined
    assert not array.tile([(matrix, data), (matrix, data)], apart=True).joined


def test_a_held_bias_is_narrowed_before_the_product() -> None:
    """Bias 6 and product -6 in quarters, sums of -4 .. 3 quarters: 6 is narrowed to 3 first, and 3 - 6 = -3."""
    data, gate = q(8, 2), q(3, 2)
    _, to_accumulator, to_gate = targets(q(16, 2), gate)
    array = Array(1, False, to_accumulator, to_gate)
    part, bias = (Coded(np.array([[-4]]), data), data), Coded(np.array([6]), q(16, 2))
    x = Coded(np.array([[6]]), data)
    assert array.tile([part], bias, held=True).run(x).codes.tolist() == [[-3]]
    assert array.tile([part], bias).run(x).codes.tolist() == [[0]]
    late = replace(array, late_bias=True)
    assert late.tile([part], bias, held=True).run(x).codes.tolist() == [[-3]], "held is not late"
    assert late.tile([part], bias).run(x).codes.tolist() == [[2]], "-6 is narrowed to -4, and -4 + 6 = 2"
    assert array.tile([part], None, held=True).run(x).codes.tolist() == [[-4]]


def test_sums_beyond_64_bits() -> None:
    """Eight products of 2^62 are 2^65, less 2^31: narrowed once, and modulo 2^48 nothing but the -2^31 is left."""
    wide = Grid(32, 1.0)
    matrix = Coded(np.full((1, 9), -(2**31)), wide)
    vector = Coded(np.array([[-(2**31)] * 8 + [1]]), wide)
    for wrap, want in ((False, 2**47 - 1), (True, -(2**31))):
        overflows, to_accumulator, to_gate = targets(Grid(48, math.nan, wrap=wrap), Grid(48, 1.0))
        got = Array(9, False, to_accumulator, to_gate).tile([(matrix, wide)]).run(vector)
        assert got.codes.tolist() == [[want]]
        assert overflows == {"accumulator": 1, "gate": 0}


# The activation unit, each number on its own.


@given(
    code=st.integers(-(2**15), 2**15 - 1),
    entries=st.sampled_from([2, 16, 128]),
    span=st.sampled_from([1.0, 4.0, 8.0]),
    fraction=st.sampled_from([2, 6, 10]),
    target=st.sampled_from([q(8, 7, rounding="half_up"), Grid(8, 0.0075, -3, rounding="truncate"), q(16, 15)]),
    name=st.sampled_from(["sigmoid", "tanh", "softsign"]),
)
def test_table_on_fractions(code: int, entries: int, span: float, fraction: int, target: Grid, name: str) -> None:
    """A q4.12 sum through tables of few and many entries, and with steps above and below the address' last place."""
    address = q(12, fraction)
    x = narrowed(to(Fraction(code), address, 2.0 ** (fraction - 12)), address)[0] * Fraction(1, 2**fraction)
    edge, step = Fraction(span), Fraction(2 * span) / entries
    points = np.array([float(-edge + j * step) for j in range(entries + 1)])
    t = Target("activation", target, Counter()).encode(np.asarray(FUNCTIONS[name](points))).codes - target.zero
    near = min(max(math.floor((x + edge) / step + Fraction(1, 2)), 0), entries - 1)
    within = min(max(x, -edge), edge)
    j = min(math.floor((within + edge) / step), entries - 1)
    unit = min(step, Fraction(1, 2**fraction))
    rise = int(t[j + 1] - t[j]) * (within - (-edge + j * step)) / unit
    assert rise.denominator == 1
    linear = int(t[j]) + to(rise, target, float(unit / step))
    for is_linear, want in ((False, int(t[near])), (True, linear)):
        method = Table(entries, span, is_linear, address)
        got = activate(Activation(name), Coded(np.array([code]), q(16, 12)), Target("a", target, Counter()), method)
        assert got.codes.tolist() == [narrowed(want, target)[0]]


def test_a_table_whose_rise_is_beyond_64_bits() -> None:
    """Two entries over [-2^33, 2^33) at a last place of 1, in 32 bits: 32-bit differences times 33-bit distances.

    tanh of the ends is -1 and 1, which saturates at 2^31 - 1; 3/4 of the way there are 1,610,612,735.25.
    """
    target = Grid(32, 2.0**-31)
    method = Table(2, 2.0**33, True, Grid(40, 1.0))
    x = Coded(np.array([-(2**33), -3 * 2**31, 0, 3 * 2**31]), Grid(40, 1.0))
    got = activate(TANH, x, Target("activation", target, Counter()), method)
    assert got.codes.tolist() == [-(2**31), -3 * 2**29, 0, 1_610_612_735]


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": lambda x: 0.5 * (1.0 + np.tanh(0.5 * x)),
    "tanh": np.tanh,
    "softsign": lambda x: x / (1.0 + np.abs(x)),
}


def test_lines_by_hand() -> None:
    """Three segments: -1, 0.75 x + 0.125 and 1. Slopes of 4 bits, -8 .. 7, with 3 fraction bits: 0, 6, 0."""
    segments = {"tanh": (np.array([-1.25, 1.25]), np.array([0.0, 0.75, 0.0]), np.array([-1.0, 0.125, 1.0]))}
    method = Lines(2.0, 4, q(8, 4), segments)
    overflows: Counter[str] = Counter()
    target = Target("activation", q(8, 7), overflows)
    x = Coded(np.array([-(2**15), -80, -79, 0, 79, 80, 2**15 - 1]), q(16, 6))
    # To the address, by 1/4 to the nearest even: the ends saturate, -20, -19.75 -> -20, 0, 19.75 -> 20, 20.
    # Breakpoints at -20 and 20 begin a segment: those of -20 are in the middle one, those of 20 in the last.
    # 6 (-20) / 2^(3 + 4 - 7) = -120, and 0.125 = 16; 1.0 = 128, which saturates at 127.
    got = activate(Activation("tanh"), x, target, method)
    assert got.codes.tolist() == [-128, -104, -104, 16, 127, 127, 127]
    assert overflows == {"address": 2, "activation": 3}


def test_the_largest_slope_has_all_bits_and_saturates() -> None:
    """4 bits hold -8 .. 7: below 1 there are no integer bits, so slopes are 8ths; 15/16 is 7.5, so 8, which is 7."""
    segments = {"tanh": (np.array([]), np.array([0.9375]), np.array([0.0]))}
    target = Target("activation", q(16, 8), Counter())
    got = activate(Activation("tanh"), Coded(np.array([16]), q(8, 4)), target, Lines(2.0, 4, q(8, 4), segments))
    assert got.codes.tolist() == [224], "7/8 in 256ths"


def test_piecewise_linear_functions_need_no_table() -> None:
    x, target = Coded(np.array([-64, 32]), q(8, 5)), Target("activation", q(8, 6), Counter())
    for method in (Table(2, 1.0, False, q(4, 2)), Lines(1.0, 4, q(4, 2), {}), Exact(hard=True)):
        assert activate(Activation("leakyrelu", 0.25), x, target, method).codes.tolist() == [-32, 64]


def test_hard_functions() -> None:
    x, target = Coded(np.array([-96, -8, 32, 96]), q(8, 5)), Target("activation", q(8, 6), Counter())
    assert activate(SIGMOID, x, target, Exact(hard=True)).codes.tolist() == [0, 28, 48, 64]
    assert activate(TANH, x, target, Exact(hard=True)).codes.tolist() == [-64, -16, 64, 64]


def test_clip_is_rounded_to_the_sums() -> None:
    x = Coded(np.array([-128, -5, 5, 127]), q(8, 2))
    assert clipped(x, 0.9).codes.tolist() == [-4, -4, 4, 4]
    assert clipped(x, 100.0).codes.tolist() == [-127, -5, 5, 127]
    assert clipped(x, 0.0).codes.tolist() == [0, 0, 0, 0]
    assert clipped(x, None) is x
    with pytest.raises(ValueError, match=r"clip is a bound on the magnitude: -0\.25 < 0"):
        clipped(x, -0.25)


def test_one_less_a_gate_has_a_bit_more() -> None:
    """1 is code 64 of q1.6; q0.7 has no 1, so that its largest code 127 stands for it: 127 + 128 needs 9 bits."""
    assert one_minus(Coded(np.array([0, 64, -128]), q(8, 6))).codes.tolist() == [64, 0, 192]
    found = one_minus(Coded(np.array([0, 127, -128]), q(8, 7)))
    assert found.codes.tolist() == [127, 0, 255]
    assert found.grid == q(9, 7)
