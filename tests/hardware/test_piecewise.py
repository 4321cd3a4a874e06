"""Functions from lines: by hand, against the page's rules in fractions, within the fit's error and the roundings'."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archsim.config import parse_document, validate
from archsim.errors import ArchError, SimulatorBug
from archsim.formats import BlockFloat, Encoding, Fixed, Float16, Float32, IntegerFormat, Rounding, Scaled, parse_format
from archsim.hardware.functions.functions import evaluate
from archsim.hardware.functions.piecewise import PiecewiseConfig, PiecewiseMethod
from archsim.hardware.functions.piecewise_fit import Lines
from archsim.hardware.lane_inventory import LaneInventory
from archsim.workload import FunctionSpec
from tests.hardware.exact_rules import convert, int_, narrow, q
from tests.hardware.tables import ADDRESSES, FUNCTIONS, PARTS, SIGMOID, SPANS, TANH, TARGETS, addresses


def method(segments: int, span: float, bits: int, address: Fixed) -> PiecewiseMethod:
    return PiecewiseMethod(PiecewiseConfig(segments=segments, span=span, coefficient_bits=bits), address)


class Given(PiecewiseMethod):
    """With lines that are given: (breakpoints, slopes, intercepts)."""

    def __init__(self, address: Fixed, bits: int, given: tuple[list[float], list[float], list[float]]) -> None:
        super().__init__(PiecewiseConfig(segments=4, span=2.0, coefficient_bits=bits), address)
        breakpoints, slopes, intercepts = (np.array(part) for part in given)
        self._lines = Lines(breakpoints, slopes, intercepts, error=0.0)

    def lines(self, function: FunctionSpec) -> Lines:
        return self._lines


THREE = ([-1.0, 0.5], [0.0, 0.7, -0.25], [-0.5, 0.21, 0.9])
"""y = -0.5 | 0.7 x + 0.21 | -0.25 x + 0.9."""


def test_three_lines_by_hand() -> None:
    """Slopes in 6 bits below 1: 5 fraction bits, 0.7 is 22 / 32 and -0.25 is -8 / 32. Intercepts in 16ths: -8, 3, 14.

    With x = code / 4, a product is slope code * code / 128, or / 8 in 16ths: 22 * -4 / 8 = -11, -8.25, -5.5, -2.75, 0,
    2.75; then -8 * 2 / 8 = -2, -3, -4, ..., -7.
    """
    unit = Given(Fixed(3, 2), 6, THREE)
    assert unit.slope_codes(unit.lines(TANH))[0].tolist() == [0, 22, -8]
    found, beyond = unit.evaluator(TANH, q(2, 4))(np.arange(-16, 16))
    assert found.tolist() == [-8] * 12 + [-8, -5, -3, 0, 3, 6] + [12, 11, 10, 9, 8, 7] + [7] * 8
    assert beyond == 0


@pytest.mark.parametrize(("rounding", "tie"), [("even", -6), ("half_up", -5), ("truncate", -6), ("gemmlowp", -6)])
def test_the_target_rounds_the_product_and_the_intercept_is_rounded_half_up(rounding: str, tie: int) -> None:
    """-5.5 from code -2. An intercept of 2.5 / 16 is 3, of -2.5 / 16 is -2."""
    for intercept, whole in ((2.5 / 16, 3), (-2.5 / 16, -2)):
        unit = Given(Fixed(3, 2), 6, ([-1.0, 0.5], [0.0, 0.7, 0.0], [0.0, intercept, 0.0]))
        assert unit.evaluator(TANH, q(2, 4, Rounding(rounding)))(np.array([-2]))[0].tolist() == [tie + whole]


def test_results_beyond_the_range_are_counted() -> None:
    """In q1.2 (-4 .. 3 quarters): 0.9 - 0.25 x is 3, -2, ... of 4 (intercept), 0.7 x + 0.21 from -0.49 on."""
    for wraps, top in ((False, 3), (True, -4)):
        unit = Given(Fixed(3, 2), 6, ([-1.0, 0.5], [0.0, 0.0, 0.0], [-1.0, 0.5, 1.0]))
        found, beyond = unit.evaluator(TANH, q(1, 2, wraps=wraps))(np.array([-8, 0, 2, 7]))
        assert (found.tolist(), beyond) == ([-4, 2, top, top], 2)


@pytest.mark.parametrize(
    ("slopes", "bits", "fraction_bits", "codes"),
    [
        ([0.25, -0.1], 8, 8, [64, -26]),
        ([0.2499], 8, 9, [127]),  # 127.9 is rounded to 128, which saturates
        ([-0.2499], 8, 9, [-128]),
        ([1.0], 8, 6, [64]),
        ([0.99], 8, 7, [127]),
        ([3.0, 1.0], 16, 13, [24576, 8192]),
        ([300.0, 32.0, -96.0], 4, -6, [5, 1, -1]),  # 64ths: 4.69, 0.5 and -1.5, half up
        ([0.0, -0.0], 16, 15, [0, 0]),
        ([2.0**-40], 16, 46, [64]),
        ([5e-324], 16, 46, [0]),
    ],
)
def test_slope_format(slopes: list[float], bits: int, fraction_bits: int, codes: list[int]) -> None:
    unit = method(4, 2.0, bits, Fixed(3, 2))
    lines = Lines(np.zeros(0), np.array(slopes), np.zeros(len(slopes)), 0.0)
    found, fraction = unit.slope_codes(lines)
    assert (found.tolist(), fraction) == (codes, fraction_bits)


def test_floating_point_targets() -> None:
    """Slopes keep their 6 bits (22 / 32), intercepts are float32; the sum is rounded once more, to the target."""
    unit = Given(Fixed(3, 2), 6, THREE)
    exact = np.float32(22 / 32) * np.float32(-0.75) + np.float32(0.21)
    for number_format in (Float32(), Float16()):
        found, beyond = unit.evaluator(TANH, Encoding(number_format))(np.array([[-3], [-16], [15]]))
        last = np.float32(-0.25) * np.float32(1.75) + np.float32(0.9)
        expected = number_format.rounded(np.array([[exact], [-0.5], [last]], np.float32))[0]
        assert found.dtype == np.float32
        assert (found.tolist(), beyond) == (expected.tolist(), 0)
    far = Given(Fixed(3, 2), 6, ([], [1e5], [0.0])).evaluator(TANH, Encoding(Float16()))(np.array([4, -4, 1]))
    assert (far[0].tolist(), far[1]) == ([65504.0, -65504.0, 24576.0], 2), "1e5 is 24 of 2^12"


def test_blocks_are_made_of_results() -> None:
    target = BlockFloat(4, 2)
    unit, codes = method(4, 2.0, 16, Fixed(3, 4)), np.array([[-20], [3], [14], [20]])
    plain = unit.evaluator(TANH, Encoding(Float32()))(codes)[0]
    found, beyond = unit.evaluator(TANH, Encoding(target))(codes)
    assert (found.tolist(), beyond) == (target.rounded(plain)[0].tolist(), target.rounded(plain)[1])


def test_lines_are_fitted_to_what_the_address_can_be() -> None:
    """q1.7 in [-8, 8): all segments lie in [-1, 1). And q4.3 in [-1/16, 1/16): 0 alone."""
    inside = method(8, 8.0, 16, Fixed(1, 7)).lines(TANH)
    assert np.abs(inside.breakpoints).max() < 1
    assert np.array_equal(inside.slopes, method(8, 1.0, 16, Fixed(4, 7)).lines(TANH).slopes)
    coarse = method(8, 1 / 16, 16, Fixed(4, 3))
    assert coarse.lines(SIGMOID).intercepts.tolist() == [0.5]
    assert coarse.evaluator(SIGMOID, q(2, 6))(np.arange(-64, 64))[0].tolist() == [32] * 128


CONFIGS = st.builds(PiecewiseConfig, segments=st.integers(2, 40), span=SPANS, coefficient_bits=st.integers(4, 32))


@given(CONFIGS, ADDRESSES, st.sampled_from(FUNCTIONS), TARGETS, PARTS)
@example(PiecewiseConfig(segments=2, span=64.0, coefficient_bits=32), Fixed(1, 31), TANH, int_(32, 2.0**-31), [0.3])
@example(PiecewiseConfig(segments=2, span=64.0, coefficient_bits=32), Fixed(7, 25), TANH, int_(32, 1e-9, 7), [0.3])
def test_the_page_rules_in_fractions(
    config: PiecewiseConfig, address: Fixed, function: FunctionSpec, target: Encoding, parts: list[float]
) -> None:
    unit, codes = PiecewiseMethod(config, address), addresses(address, parts)
    lines = unit.lines(function)
    largest, bits = Fraction(float(np.abs(lines.slopes).max())), config.coefficient_bits
    e = min(e for e in range(-31, 50) if largest < Fraction(2) ** e)
    fraction_bits = bits - 1 - e
    slopes = [floor(Fraction(a) * Fraction(2) ** fraction_bits + Fraction(1, 2)) for a in lines.slopes.tolist()]
    slopes = [min(2 ** (bits - 1) - 1, a) for a in slopes]
    scale = float(target.scale)
    intercepts = [floor(Fraction(c / scale) + Fraction(1, 2)) for c in lines.intercepts.tolist()]
    places = int(config.span * 2**address.fraction_bits)
    ratio = 2.0 ** -(fraction_bits + address.fraction_bits) / scale
    assert isinstance(target.format, IntegerFormat)
    expected, beyond = [], 0
    for code in codes:
        x = max(-places, min(places - 1 if places else 0, code))
        k = sum(Fraction(x, 2**address.fraction_bits) >= Fraction(b) for b in lines.breakpoints.tolist())
        y = convert(slopes[k] * x, ratio, target.format.rounding) + intercepts[k]
        expected.append(narrow(y, target))
        beyond += expected[-1] != y + target.zero
    found, counted = unit.evaluator(function, target)(np.array(codes))
    assert (found.tolist(), counted) == (expected, beyond)


def bound(unit: PiecewiseMethod, function: FunctionSpec, x: np.ndarray, place: float) -> np.ndarray:
    """The fit's error; what rounding does to slopes, times x; half a last place each for product and intercept."""
    lines = unit.lines(function)
    codes, fraction_bits = unit.slope_codes(lines)
    off = np.abs(codes * 2.0**-fraction_bits - lines.slopes).max()
    assert off <= 2.0**-fraction_bits
    return np.asarray(lines.error + np.abs(x) * off + place)


@given(
    st.sampled_from(FUNCTIONS),
    st.integers(2, 64),
    st.sampled_from([1.0, 4.0, 8.0]),
    st.integers(4, 24),
    st.integers(6, 24),
)
def test_error_bound(function: FunctionSpec, segments: int, span: float, fraction: int, bits: int) -> None:
    unit, place = method(segments, span, bits, Fixed(4, 8)), 2.0**-fraction
    codes = np.arange(-span * 256, span * 256).astype(np.int64)
    x = codes / 256
    found = unit.evaluator(function, q(8, fraction))(codes)[0] * place
    assert (np.abs(found - evaluate(function, x)) <= bound(unit, function, x, place)).all()


def test_error_bound_between_the_points_of_the_fit() -> None:
    """2^24 addresses, of which the fit saw 2^16."""
    unit = method(16, 8.0, 24, Fixed(4, 20))
    codes = np.arange(-(2**23), 2**23, 37)
    found = unit.evaluator(SIGMOID, q(2, 28))(codes)[0] / 2**28
    x = codes / 2**20
    assert (np.abs(found - evaluate(SIGMOID, x)) <= bound(unit, SIGMOID, x, 2.0**-28) + 1e-8).all()


class _Swapped(PiecewiseMethod):
    def lines(self, function: FunctionSpec) -> Lines:
        lines = super().lines(function)
        slopes = lines.slopes.copy()
        slopes[[7, 8]] = slopes[[8, 7]]
        return Lines(lines.breakpoints, slopes, lines.intercepts, lines.error)


class _Late(PiecewiseMethod):
    def lines(self, function: FunctionSpec) -> Lines:
        lines = super().lines(function)
        return Lines(lines.breakpoints + 2.0**-8, lines.slopes, lines.intercepts, lines.error)


@pytest.mark.parametrize(("kind", "right"), [(PiecewiseMethod, True), (_Swapped, False), (_Late, False)])
def test_a_wrong_line_breaks_the_error_bound(kind: type[PiecewiseMethod], right: bool) -> None:
    address, config = Fixed(4, 8), PiecewiseConfig(coefficient_bits=24)
    codes = np.arange(-2048, 2048)
    x = codes / 256
    found = kind(config, address).evaluator(TANH, q(2, 24))(codes)[0] / 2**24
    allowed = bound(PiecewiseMethod(config, address), TANH, x, 2.0**-24)
    assert bool((np.abs(found - np.tanh(x)) <= allowed).all()) is right


def test_stages_and_inventory() -> None:
    """16 segments of q4.12: 15 breakpoints; slopes of 16 bits; intercepts one bit wider than a result."""
    unit = method(16, 8.0, 16, Fixed(4, 12))
    assert unit.latency_cycles == 4
    stored = 16 * (16 + 17)
    assert unit.resources(parse_format("q1.15")) == LaneInventory(
        stored, ((16, 16),), (17,), (16,) * 15, read_bits=16 + 17, constant_bits=15 * 16
    )
    stored = 16 * (16 + 32)
    floating = LaneInventory(
        stored, ((24, 24),), (24,), (16,) * 15, floating=True, read_bits=16 + 32, constant_bits=15 * 16
    )
    assert unit.resources(Float16()) == unit.resources(BlockFloat(8)) == floating
    wide = method(4, 2.0, 12, Fixed(4, 6))
    stored = 4 * (12 + 9)
    assert wide.resources(Scaled(8)) == LaneInventory(
        stored, ((12, 10), (22, 31)), (9,), (10,) * 5, read_bits=12 + 9, constant_bits=3 * 10
    )
    assert wide.resources(Scaled(8, power_of_two=True)) == LaneInventory(
        stored, ((12, 10),), (9,), (10,) * 5, read_bits=12 + 9, constant_bits=3 * 10
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("segments: 1", "a.yaml:1: segments: expected an integer from 2 to 256 (line segments, S), got 1"),
        (
            "span: 6",
            "a.yaml:1: span: expected a power of two from 0.0625 to 64 (R of the range [-R, R) that the segments "
            "cover), got 6: not a power of two; next to it are 4 and 8",
        ),
        (
            "coefficient_bits: 33",
            "a.yaml:1: coefficient_bits: expected an integer from 4 to 32 (bits of a slope, with its sign), got 33",
        ),
    ],
)
def test_bad_configs_have_one_clear_line(text: str, message: str) -> None:
    with pytest.raises(ArchError) as caught:
        validate(PiecewiseConfig, parse_document(text, "a.yaml", ArchError), (), ArchError)
    assert str(caught.value) == message


def test_refusals() -> None:
    unit = PiecewiseMethod(PiecewiseConfig(), Fixed(4, 12))
    with pytest.raises(ValueError, match="^address format q16.32: more than 32 bits$"):
        PiecewiseMethod(PiecewiseConfig(), Fixed(16, 32))
    with pytest.raises(SimulatorBug, match="relu is no curved function"):
        unit.lines(FunctionSpec("relu"))
    with pytest.raises(SimulatorBug, match="a result of format int8 has a scale for each row"):
        unit.evaluator(TANH, Encoding(Scaled(8), np.ones((4, 1))))
