"""Lines for a curve: breakpoints and lines whose largest error is the least that so many segments can have."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.formats.number import Real
from archsim.hardware.functions.functions import evaluate
from archsim.workload.network import FunctionSpec

MOST_POINTS = 1 << 16
"""Arguments at which a fit looks, at most."""

_TOLERANCE = 1e-6
"""The largest error is the least one up to this part of it."""

_NOISE = 1e-15
"""Errors below this part of the largest value are those of float64."""


@dataclass(frozen=True, eq=False, slots=True)
class Lines:
    """y = slope x + intercept, segment by segment; segment k + 1 begins at breakpoint k. Read-only arrays."""

    breakpoints: Real
    slopes: Real
    intercepts: Real
    error: float
    """Largest distance from the function, at the arguments fitted."""


@lru_cache(maxsize=64)
def fit(function: FunctionSpec, span: float, segments: int, fraction_bits: int) -> Lines:
    """At most `segments` lines for the function on [-span, span), with the least largest error.

    Least over all choices of breakpoints and lines, which need not join; nothing is forced, neither a breakpoint at 0
    nor a value there. Breakpoints are multiples of 2^-fraction_bits. The error counts at all such multiples; of more
    than MOST_POINTS only at every 2^k-th (and at `span`), as few k as possible, and breakpoints are among those.
    Fewer lines than `segments` are enough where the points are few or the function is a line.

    Method: a segment reaches as far as a line within error e exists; e is the smallest with which `segments` of them,
    from left to right, reach the end, found by bisection.
    """
    places = int(span * 2.0**fraction_bits)
    stride = max(1, 2 * places // MOST_POINTS)
    shared = stride > 1  # the arguments between two points belong to either segment, so both must fit both ends
    codes = np.arange(-places, max(places + shared, 1), stride)
    x = codes * 2.0**-fraction_bits
    curve = Curve(evaluate(function, x), places // stride)
    found = _least(curve, segments, shared)
    starts = [start for start, _ in found]
    lines = np.array([curve.line(start, end) for start, end in found])
    step = stride * 2.0**-fraction_bits
    slopes = lines[:, 1] / step
    intercepts = lines[:, 2] - slopes * x[starts]
    return Lines(_kept(x[starts[1:]]), _kept(slopes), _kept(intercepts), float(lines[:, 0].max()))


def _kept(values: npt.NDArray[Any]) -> Real:
    kept = np.array(values, np.float64)
    kept.flags.writeable = False
    return kept


Segments = list[tuple[int, int]]
"""First and last point of each."""


def _least(curve: Curve, most: int, shared: bool) -> Segments:
    """At most `most` segments with the least largest error."""
    best = [(0, curve.last)]
    enough, short = curve.line(0, curve.last)[0], 0.0
    while enough > _NOISE * curve.largest and enough - short > _TOLERANCE * enough:
        # Until an error is known to be too small there is no interval to halve; one line is mostly far from the best.
        error = (short + enough) / 2 if short else enough / 4
        found = _segments(curve, error, most, shared)
        if found is None:
            short = error
        else:
            # What the segments reach, not what was allowed: it may be less, and the interval shrinks by more.
            best, enough = found, max(curve.line(start, end)[0] for start, end in found)
    return best


def _segments(curve: Curve, error: float, most: int, shared: bool) -> Segments | None:
    """Segments as long as the error allows, from left to right; None if more than `most` are needed."""
    found: Segments = []
    start, length = 0, 0
    while len(found) < most:
        end = curve.reach(start, min(start + shared, curve.last), length // 2, error)
        found.append((start, end))
        if end == curve.last:
            return found
        length, start = end - start, end if shared else end + 1
    return None


class Curve:
    """Values at points 0 .. last, convex or concave up to `middle` and from there on."""

    def __init__(self, values: Real, middle: int) -> None:
        self.last = len(values) - 1
        self.largest = float(np.abs(values).max())
        self._values: list[float] = values.tolist()
        self._middle = middle
        rises = np.diff(values)
        left, self._left_sign = _ascending(rises[:middle])
        right, self._right_sign = _ascending(rises[middle:])
        self._rises: list[float] = [*left, *right]

    def reach(self, start: int, fits: int, guess: int, error: float) -> int:
        """The last point up to which one line from `start` on is within the error; `fits` is one that it reaches."""
        # A line for more points has no smaller error, so a last point exists: it is found by doubling, then by halves.
        step = max(guess, 1)
        while fits + step <= self.last and self.line(start, fits + step)[0] <= error:
            fits += step
            step *= 2
        beyond = min(fits + step, self.last + 1)
        while beyond - fits > 1:
            middle = (fits + beyond) // 2
            if self.line(start, middle)[0] <= error:
                fits = middle
            else:
                beyond = middle
        return fits

    def line(self, start: int, end: int) -> tuple[float, float, float]:
        """The line closest to the points start .. end: its largest error, its rise a point, its value at `start`.

        Its error is largest at three points, up and down in turn (Chebyshev). Where the curve is convex or concave they
        are the two ends and a point between: the chord, moved by half of its largest error. Across the middle they are
        found by exchange (Remez): the point of the largest error replaces one of the three until they have it.
        """
        values = self._values
        origin = values[start]
        if end - start < 2:
            return 0.0, values[end] - origin, origin
        rise = (values[end] - origin) / (end - start)
        if not start < self._middle < end:
            turn = self._turn(start, end, rise)
            gap = (values[turn] - origin - rise * (turn - start)) / 2
            return abs(gap), rise, origin + gap
        second, first, third = self._worst(start, end, rise, origin), start, end
        reached = 0.0
        while True:
            rise = (values[third] - values[first]) / (third - first)
            base = values[first] - rise * (first - start)
            gap = (values[second] - rise * (second - start) - base) / 2
            worst = self._worst(start, end, rise, base + gap)
            off = values[worst] - rise * (worst - start) - (base + gap)
            # Each exchange widens the gap; that it does not is noise.
            if abs(off) <= abs(gap) * (1 + _TOLERANCE / 10) or abs(gap) <= reached:
                return abs(off), rise, base + gap
            reached = abs(gap)
            first, second, third = _exchanged((first, second, third), worst, (off > 0) == (gap > 0))

    def _worst(self, start: int, end: int, rise: float, value: float) -> int:
        """Across the middle: the point of start .. end farthest from a line with that rise, and value at `start`."""
        values, middle = self._values, self._middle
        turns = (self._turn(start, middle, rise), middle, self._turn(middle, end, rise))
        return max((*turns, start, end), key=lambda i: abs(values[i] - rise * (i - start) - value))

    def _turn(self, start: int, end: int, rise: float) -> int:
        """On one side of the middle: the point that is farthest below (convex) or above a line of this rise."""
        sign = self._left_sign if start < self._middle else self._right_sign
        return bisect_left(self._rises, sign * rise, start, end)


def _ascending(rises: Real) -> tuple[npt.NDArray[np.float64], float]:
    """The rises of a convex curve, or the negated ones of a concave one, less the noise of float64; and the sign."""
    sign = -1.0 if len(rises) and rises[-1] < rises[0] else 1.0
    return np.maximum.accumulate(sign * rises), sign


def _exchanged(points: tuple[int, int, int], new: int, like_second: bool) -> tuple[int, int, int]:
    """Three of the four points, the new one among them, whose errors are up and down in turn."""
    first, second, third = points
    if like_second:
        if new < first:
            return new, first, second
        return (second, third, new) if new > third else (first, new, third)
    return (new, second, third) if new < second else (first, second, new)
