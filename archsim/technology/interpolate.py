"""Interpolates tables, and extrapolates them: straight lines in the logarithms of both axes.

What a table holds grows roughly as a power of the size, so that such a line is the natural one; it is exact at the
points, never negative, and falls nowhere where the table does not. Beyond the first or the last point the line of the
outermost two goes on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import exp, log


def inside(points: Sequence[float], at: float) -> bool:
    """Whether the table's points cover a place."""
    return points[0] <= at <= points[-1]


def interpolate(points: Sequence[float], values: Sequence[float], at: float) -> float:
    """The value at `at` > 0; `points` rise, and there are two or more."""
    low, part = _place(points, at)
    return _between(values[low], values[low + 1], part)


def interpolate_grid(
    rows: Sequence[float], columns: Sequence[float], grid: Sequence[Sequence[float]], row: float, column: float
) -> float:
    """The value of a table in two directions: between rows at both columns, then between those.

    Beyond the last columns: the line through the rows at the outermost column, times a factor that is the same at
    every row. Were each row to go on by itself, the columns' lines, of different slopes, would be weighted by less than
    0 and more than 1, and the result could fall from row to row where no column does.
    """
    # Within the table both weights lie in 0 .. 1, so that the result rises wherever both columns do.
    at_edge = min(max(column, columns[0]), columns[-1])
    low, part = _place(columns, at_edge)
    left, right = (interpolate(rows, [line[index] for line in grid], row) for index in (low, low + 1))
    return _between(left, right, part) * _beyond(columns, grid, at_edge, column)


def _beyond(points: Sequence[float], lines: Sequence[Sequence[float]], edge: float, at: float) -> float:
    """The factor from the value at `edge` to that at `at`: the geometric mean over lines through the points."""
    if at == edge:
        return 1.0
    # One exponent for all lines, the mean of theirs: where no line falls, this does not either.
    low, _ = _place(points, at)
    slopes = [log(line[low + 1] / line[low]) / log(points[low + 1] / points[low]) for line in lines]
    return exp(sum(slopes) / len(slopes) * log(at / edge))


def _place(points: Sequence[float], at: float) -> tuple[int, float]:
    """The segment of a place, and how far along it: 0 at its beginning, 1 at its end.

    It is less or more beyond the table.
    """
    # Clamped to the outermost segments, whose lines go on beyond the table.
    low = min(max(bisect_right(points, at) - 1, 0), len(points) - 2)
    return low, log(at / points[low]) / log(points[low + 1] / points[low])


def _between(low: float, high: float, part: float) -> float:
    """The value on a line of the logarithms, exact at both ends."""
    # exp(log) would miss a table's own value by a rounding.
    if part in (0, 1):
        return high if part else low
    return low * exp(part * log(high / low))
