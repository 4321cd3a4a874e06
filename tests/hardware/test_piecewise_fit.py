"""The fit of lines: against all choices of segments (dynamic programming), by Chebyshev's three points, and in time."""

import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archsim.hardware.functions.functions import evaluate
from archsim.hardware.functions.piecewise_fit import MOST_POINTS, Curve, Lines, fit
from archsim.workload import FunctionSpec
from tests.hardware.tables import FUNCTIONS, SIGMOID, TANH
from tests.rings import examples, few


def widths(y: np.ndarray) -> np.ndarray:
    """For every pair a <= b the least largest error of a line through points a .. b, evenly spaced.

    It is the largest of those of three points (de la Vallee Poussin): half the middle one's distance from the chord.
    """
    n = len(y)
    width = np.zeros((n, n))
    for length in range(2, n):
        for a in range(n - length):
            b = a + length
            chord = y[a] + (y[b] - y[a]) / length * np.arange(1, length)
            width[a, b] = max(width[a + 1, b], width[a, b - 1], np.abs(y[a + 1 : b] - chord).max() / 2)
    return width


def least_errors(y: np.ndarray, most: int, shared: bool) -> list[float]:
    """By number of segments: the least largest error of lines through points, over all ways of cutting them."""
    width, n = widths(y), len(y)
    ways = [width[0]]
    # A segment a .. b follows the best way up to a (which is in both) or a - 1.
    for _ in range(most - 1):
        before = ways[-1] if shared else np.append(0.0, ways[-1][:-1])
        ways.append(np.array([np.maximum(before[: b + 1], width[: b + 1, b]).min() for b in range(n)]))
    return [float(way[-1]) for way in ways]


def errors(lines: Lines, function: FunctionSpec, x: np.ndarray) -> np.ndarray:
    k = np.searchsorted(lines.breakpoints, x, side="right")
    return np.asarray(lines.slopes[k] * x + lines.intercepts[k] - evaluate(function, x))


@pytest.mark.parametrize(
    "function", [*FUNCTIONS, FunctionSpec("elu", -2.0), FunctionSpec("scaledtanh", 2.0, 9.0)], ids=str
)
@pytest.mark.parametrize("span", [2.4, 8.0])
def test_the_closest_line_of_every_stretch(function: FunctionSpec, span: float) -> None:
    """On one side of the middle, and across it, where lines are found by exchange."""
    y = evaluate(function, np.arange(-16, 16) * span / 16)
    curve, width = Curve(y, 16), widths(y)
    for a in range(32):
        for b in range(a, 32):
            error, rise, value = curve.line(a, b)
            assert error == pytest.approx(width[a, b], rel=1e-6, abs=1e-14)
            assert np.abs(y[a : b + 1] - value - rise * np.arange(b - a + 1)).max() == pytest.approx(error, abs=1e-13)


@pytest.mark.parametrize(
    "function", [*FUNCTIONS, FunctionSpec("elu", -2.0), FunctionSpec("scaledtanh", 2.0, 9.0)], ids=str
)
@pytest.mark.parametrize(("span", "fraction"), [(8.0, 2), (2.0, 4)])
def test_on_few_addresses_it_is_the_best_of_all_choices(function: FunctionSpec, span: float, fraction: int) -> None:
    """64 addresses: every way of cutting them into up to 9 segments, with every line."""
    x = np.arange(-span, span, 2.0**-fraction)
    best = least_errors(evaluate(function, x), 9, shared=False)
    for segments in range(2, 10):
        lines = fit(function, span, segments, fraction)
        assert len(lines.slopes) <= segments
        assert np.abs(errors(lines, function, x)).max() <= lines.error + 1e-14
        assert lines.error == pytest.approx(best[segments - 1], rel=2e-6, abs=1e-14)


@pytest.mark.parametrize(
    "function", few([SIGMOID, TANH, FunctionSpec("softplus"), FunctionSpec("elu", 1.0)], 2), ids=str
)
def test_on_many_addresses_it_lies_between_two_bounds_from_some(function: FunctionSpec) -> None:
    """From every sixteenth of 1: lines for these points alone are at least as good; lines that also hold between them,
    because neighbours share a point, are at most as good (but for the function's bend between points)."""
    x = np.linspace(-8, 8, 257)
    y = evaluate(function, x)
    least, most = least_errors(y[:-1], 8, shared=False), least_errors(y, 8, shared=True)
    for segments in range(2, 9):
        for fraction in (12, 24):
            error = fit(function, 8.0, segments, fraction).error
            assert least[segments - 1] * (1 - 1e-9) <= error <= most[segments - 1] + (1 / 16) ** 2 / 16


@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
@pytest.mark.parametrize("fraction", [8, 12, 24])
def test_each_line_has_its_largest_error_three_times_up_and_down(function: FunctionSpec, fraction: int) -> None:
    """So no other line is better on its segment; and all but the last, which may end early, have the same error."""
    lines = fit(function, 8.0, 16, fraction)
    step = max(2.0**-fraction, 16 / MOST_POINTS)
    x = np.arange(-8.0, 8.0, step)
    largest = []
    for k, (start, end) in enumerate(zip([-8.0, *lines.breakpoints], [*lines.breakpoints, 8.0], strict=True)):
        inside = x[(x >= start) & (x < end)]
        inside = np.append(inside, end) if fraction == 24 else inside
        off = lines.slopes[k] * inside + lines.intercepts[k] - evaluate(function, inside)
        top = np.abs(off).max()
        largest.append(top)
        signs = np.sign(off[np.abs(off) >= top * (1 - 1e-5) - 1e-14])
        if top > 1e-12:
            assert np.count_nonzero(np.diff(signs)) >= 2, k
    assert max(largest) == pytest.approx(lines.error, rel=1e-9)
    if fraction > 8:
        assert min(largest[:-1]) > 0.98 * lines.error


PARAMETERS = st.floats(-1e6, 1e6)


@given(
    st.sampled_from(FUNCTIONS) | st.builds(FunctionSpec, st.just("scaledtanh"), PARAMETERS, PARAMETERS),
    st.integers(-4, 6).map(lambda log: 2.0**log),
    st.integers(2, 99),
    st.integers(0, 31),
)
@settings(max_examples=examples(25))
@example(FunctionSpec("elu", 0.0), 8.0, 2, 12)
@example(FunctionSpec("scaledtanh", 1.0, 0.0), 8.0, 2, 12)
@example(TANH, 2.0**-4, 5, 0)
@example(TANH, 1.0, 5, 0)
def test_more_segments_are_never_worse(function: FunctionSpec, span: float, segments: int, fraction: int) -> None:
    """And breakpoints ascend, on the addresses' grid, inside the range; the error is what it says."""
    fewer, more = fit(function, span, segments, fraction), fit(function, span, segments + 1, fraction)
    step = max(2.0**-fraction, 2 * span / MOST_POINTS)
    x = np.append(0.0, np.arange(-span, span, step)) if step <= span else np.zeros(1)
    noise = 1e-12 * np.abs(evaluate(function, x)).max() + 1e-300
    assert more.error <= fewer.error * (1 + 2e-6) + noise
    for lines, most in ((fewer, segments), (more, segments + 1)):
        assert len(lines.slopes) == len(lines.intercepts) == len(lines.breakpoints) + 1 <= most
        assert (np.diff(lines.breakpoints) > 0).all()
        assert (np.abs(lines.breakpoints) < span).all()
        assert (lines.breakpoints % 2.0**-fraction == 0).all()
        assert np.abs(errors(lines, function, x)).max() <= lines.error + noise


def test_functions_of_two_lines_take_two() -> None:
    """0 is on both lines of elu(0); segments are as long as they can be, so it is in the first."""
    lines = fit(FunctionSpec("elu", 0.0), 8.0, 16, 12)
    assert (lines.breakpoints.tolist(), lines.slopes.tolist()) == ([2.0**-12], [0.0, 1.0])
    assert np.abs(lines.intercepts).max() == lines.error == 0


def test_an_odd_number_of_segments_has_one_across_the_middle() -> None:
    """tanh in three: two flat ones, and one through the origin."""
    lines = fit(TANH, 8.0, 3, 12)
    assert lines.breakpoints[0] < -0.5
    assert lines.breakpoints[1] > 0.5
    assert abs(lines.intercepts[1]) < 0.001
    assert lines.error < fit(TANH, 8.0, 2, 12).error / 4


def test_it_is_quick_the_same_every_time_and_read_only() -> None:
    fit.cache_clear()
    start = time.process_time()
    lines = fit(SIGMOID, 8.0, 256, 28)
    assert time.process_time() - start < 2.0, "about 0.25 s"
    assert fit(SIGMOID, 8.0, 256, 28) is lines
    fit.cache_clear()
    again = fit(SIGMOID, 8.0, 256, 28)
    assert np.array_equal(again.slopes, lines.slopes)
    assert np.array_equal(again.intercepts, lines.intercepts)
    with pytest.raises(ValueError, match="read-only"):
        lines.slopes[0] = 0
