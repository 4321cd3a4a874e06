"""Ranges, scales and zero points: what they cover, and how near they come."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from archsim.formats import Encoding, Rounding, Scaled, parse_format
from archsim.formats.scaling import FRACTIONS, Method, covered, quantized, scale_and_zero

NEAREST = (Rounding.EVEN, Rounding.HALF_UP, Rounding.GEMMLOWP)


def scaled(name: str) -> Scaled:
    found = parse_format(name)
    assert isinstance(found, Scaled)
    return found


def mean_squared_error(samples: np.ndarray, number_format: Scaled, method: Method) -> np.ndarray:
    scale, zero = scale_and_zero(*covered(samples, number_format, method), number_format)
    errors: np.ndarray = np.square(quantized(samples, number_format, scale, zero)[0] - samples)
    return np.asarray(errors.mean(axis=1))


@st.composite
def formats(draw: st.DrawFn, roundings: tuple[Rounding, ...] = tuple(Rounding)) -> Scaled:
    bits = draw(st.sampled_from([2, 3, 4, 7, 8, 12, 16, 24, 32]))
    asymmetric, power_of_two = draw(st.booleans()), draw(st.booleans())
    return Scaled(bits, asymmetric=asymmetric, power_of_two=power_of_two, rounding=draw(st.sampled_from(roundings)))


shapes = st.tuples(st.integers(1, 4), st.integers(1, 30))
values = st.floats(-1e6, 1e6) | st.floats(-1, 1) | st.integers(-40, 40).map(lambda n: n / 8)
samples = npst.arrays(np.float64, shapes, elements=values)


@given(samples, formats())
def test_max_is_the_extent(drawn: np.ndarray, number_format: Scaled) -> None:
    low, high = covered(drawn, number_format, Method.MAX)
    for row, (least, most) in enumerate(zip(low, high, strict=True)):
        if drawn[row].any():
            assert (least, most) == (min(drawn[row].min(), 0), max(drawn[row].max(), 0))
        else:
            assert (least, most) == (-1, 1)


@given(samples, formats(NEAREST))
def test_max_covers_every_sample_to_half_a_step(drawn: np.ndarray, number_format: Scaled) -> None:
    """No sample saturates: of a symmetric format not at all, of an asymmetric one by no more than the tie at an end."""
    scale, zero = scale_and_zero(*covered(drawn, number_format, Method.MAX), number_format)
    got, beyond = quantized(drawn, number_format, scale, zero)
    half = scale[:, None] * (0.5 + 2.0 ** (number_format.bits - 50))
    assert (np.abs(got - drawn) <= half).all()
    if not number_format.asymmetric:
        assert beyond == 0
        assert not zero.any()


@given(samples, formats())
def test_zero_is_exact(drawn: np.ndarray, number_format: Scaled) -> None:
    for method in Method:
        low, high = covered(drawn, number_format, method, 75.0)
        assert (low <= 0).all()
        assert (high >= 0).all()
        assert (low < high).all()
        scale, zero = scale_and_zero(low, high, number_format)
        assert (scale > 0).all()
        assert (zero >= number_format.lowest).all()
        assert (zero <= number_format.highest).all()
        assert not quantized(np.zeros((len(drawn), 1)), number_format, scale, zero)[0].any()


bounds = st.floats(0, 1.7e308) | st.floats(0, 1e-300) | st.floats(1e-3, 1e3)


@given(bounds, bounds, formats())
def test_scales_of_any_range(low: float, high: float, number_format: Scaled) -> None:
    """The scale by exact fractions; it is a positive normal number whatever the range is."""
    (scale,), (zero,) = scale_and_zero(np.array([-low]), np.array([high]), number_format)
    assert np.finfo(np.float64).tiny <= scale < np.inf
    codes = 2**number_format.bits - 1 if number_format.asymmetric else 2 ** (number_format.bits - 1) - 1
    span = Fraction(low) + Fraction(high) if number_format.asymmetric else Fraction(max(low, high))
    exact = span / codes
    if number_format.power_of_two:
        assert np.frexp(scale)[0] == 0.5
        assert Fraction(float(scale)) * (1 + Fraction(1, 2**50)) >= exact or scale == 2.0**1023
        assert Fraction(float(scale)) / 2 <= exact * (1 + Fraction(1, 2**50)) or scale == np.finfo(np.float64).tiny
    elif exact > Fraction(np.finfo(np.float64).tiny):
        assert abs(Fraction(float(scale)) - exact) <= exact / 2**50
    assert number_format.lowest <= zero <= number_format.highest


@given(samples, formats())
def test_mse_is_never_worse_than_max(drawn: np.ndarray, number_format: Scaled) -> None:
    found, whole = (mean_squared_error(drawn, number_format, method) for method in (Method.MSE, Method.MAX))
    assert (found <= whole * (1 + 1e-12)).all()


@given(samples, formats())
def test_groups_are_independent(drawn: np.ndarray, number_format: Scaled) -> None:
    for method in Method:
        together = covered(drawn, number_format, method, 90.0)
        apart = [covered(row[None], number_format, method, 90.0) for row in drawn]
        for side, ends in enumerate(together):
            assert ends.tolist() == [ends_of[side].item() for ends_of in apart]


@given(samples, formats())
def test_quantized_is_what_an_encoding_stores(drawn: np.ndarray, number_format: Scaled) -> None:
    scale, zero = scale_and_zero(*covered(drawn, number_format, Method.MSE), number_format)
    got, beyond = quantized(drawn, number_format, scale, zero)
    total = 0
    for row, (step, offset) in enumerate(zip(scale, zero, strict=True)):
        encoding = Encoding(number_format, float(step), int(offset))
        codes, outside = encoding.encoded(drawn[row])
        assert np.array_equal(encoding.decoded(codes), got[row])
        total += outside
    assert total == beyond


@given(st.lists(st.integers(-99, 99), min_size=1, max_size=40), st.integers(50, 100), st.booleans())
@example([0, 0, 0, 5], 50, False)  # a percentile of 0 covers nothing: the range is that of all samples
@example([0, 0, 0, 5, -3], 50, True)
def test_percentiles_by_definition(drawn: list[int], percentile: int, asymmetric: bool) -> None:
    def at(numbers: list[int], share: int) -> Fraction:
        place = Fraction((len(numbers) - 1) * share, 100)
        below, above = sorted(numbers)[int(place)], sorted(numbers)[min(int(place) + 1, len(numbers) - 1)]
        return below + (above - below) * (place - int(place))

    want: tuple[Fraction | int, Fraction | int]
    if asymmetric:
        want = min(at(drawn, 100 - percentile), Fraction(0)), max(at(drawn, percentile), Fraction(0))
    else:
        outer = at([abs(number) for number in drawn], percentile)
        want = -outer, outer
    if want[0] == want[1]:
        want = (min(*drawn, 0), max(*drawn, 0)) if any(drawn) else (-1, 1)
    number_format = Scaled(8, asymmetric=asymmetric)
    (low,), (high,) = covered(np.array([drawn], np.float64), number_format, Method.PERCENTILE, percentile)
    assert (low, high) == pytest.approx((float(want[0]), float(want[1])), rel=1e-12, abs=1e-12)


def one(low: np.ndarray, high: np.ndarray, number_format: Scaled) -> tuple[float, int]:
    """Scale and zero point of one range."""
    (scale,), (zero,) = scale_and_zero(low, high, number_format)
    return float(scale), int(zero)


def test_by_hand() -> None:
    """int8 over -1 .. 3: asymmetric 4 / 255 a step, -1 is 63.75 steps below 0, so that 0 stands at -64."""
    low, high = np.array([-1.0]), np.array([3.0])
    assert one(low, high, scaled("int8")) == (3 / 127, 0)
    scale, zero = one(low, high, scaled("int8/asymmetric"))
    assert scale == pytest.approx(4 / 255)
    assert zero == -64
    assert one(low, high, scaled("int8/power_of_two")) == (2.0**-5, 0)
    assert one(low, high, scaled("int8/asymmetric/power_of_two")) == (2.0**-5, -96)
    assert one(np.array([0.0]), high, scaled("int8/asymmetric")) == (3 / 255, -128)
    assert one(low, np.array([0.0]), scaled("int8/asymmetric")) == (1 / 255, 127)
    assert one(low, np.array([1.7e308]), scaled("int2/power_of_two"))[0] == 2.0**1023


def test_power_of_two_is_kept_and_else_rounded_up() -> None:
    number_format = scaled("int8/power_of_two")
    for high, scale in ((127 / 128, 2.0**-7), (1.0, 2.0**-6), (127.0, 1.0), (127.5, 2.0)):
        assert scale_and_zero(np.array([-0.5]), np.array([high]), number_format)[0].item() == scale


def test_mse_clips_an_outlier() -> None:
    """One far number among many: the least error is that of a smaller range; with only that number, the whole range."""
    many = np.concatenate([np.linspace(-1, 1, 20001), [2.0]])[None]
    low, high = covered(many, scaled("int4"), Method.MSE)
    assert 0.9 < high.item() < 1.5
    assert high.item() * FRACTIONS / 2 == pytest.approx(round(high.item() * FRACTIONS / 2))
    assert low.item() == pytest.approx(-high.item() / 2)
    assert covered(np.array([[2.0]]), scaled("int4"), Method.MSE)[1].item() == 2.0


def test_of_equal_errors_the_largest_range() -> None:
    """All these ranges give the scale 1."""
    (low,), (high,) = covered(np.array([[-5.0, 7.0]]), scaled("int4/power_of_two"), Method.MSE)
    assert (low, high) == (-5, 7)


def test_a_range_may_have_any_magnitude() -> None:
    for magnitude in (5e-324, 1e-300, 1e300):
        drawn = np.array([[-magnitude, magnitude / 2, 0.0]])
        for method in Method:
            for name in ("int8", "int8/asymmetric", "int32/power_of_two"):
                low, high = covered(drawn, scaled(name), method, 100.0)
                scale, _ = scale_and_zero(low, high, scaled(name))
                assert np.finfo(np.float64).tiny <= scale.item() < np.inf


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(bad: float) -> None:
    with pytest.raises(ValueError, match="not all finite"):
        covered(np.array([[0.0, bad]]), scaled("int8"), Method.MAX)
