"""What a roofline draws, of ceilings that are written by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from archsim.api import Simulation
from archsim.metrics.roofline import Ceiling, Roofline
from archsim.report.figures.drawing import style
from archsim.report.figures.figure_roofline import _range, roofline_figure
from archsim.report.looks.roof_looks import levels, roof_looks


def ceiling(width: float, step: float | None, run: float | None) -> Ceiling:
    return Ceiling(width, step, run, 1.0, 1.0)


def roofline(**ceilings: Ceiling) -> Roofline:
    """A peak of 100 GOPS, of which 40 are reached in the time steps and 25 over the run."""
    return Roofline(100.0, ceilings, 40.0, 25.0, "dram", "peak", 0.5, 0.25)


def drawn(small: Simulation, found: Roofline) -> Figure:
    with style():
        stats = dataclasses.replace(small.stats, roofline=found)
        return roofline_figure(dataclasses.replace(small, stats=stats))


def lines(axes: Axes) -> list[tuple[list[float], list[float]]]:
    return [
        (np.asarray(line.get_xdata(), float).tolist(), np.asarray(line.get_ydata(), float).tolist())
        for line in axes.lines
    ]


def labels(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_picture_reaches_three_times_beyond_points_and_corners() -> None:
    """Corners are at 100 / 10 = 10 and 100 / 50 = 2 ops/byte; points from 0.5 to 40."""
    found = roofline(dram=ceiling(10.0, 6.0, 0.5), sram=ceiling(50.0, 40.0, 3.0))
    assert _range(found) == pytest.approx((0.5 / 3, 40 * 3))
    assert _range(roofline(dram=ceiling(10.0, 10.0, 10.0))) == pytest.approx((10 / 3, 30))
    assert _range(roofline(dram=ceiling(10.0, None, 5.0), sram=ceiling(50.0, None, None))) == pytest.approx((2 / 3, 30))
    assert _range(roofline()) == (1.0, 1000.0), "without a memory nothing has an intensity"


def test_points_stand_at_the_height_of_what_is_reached_filled_in_the_steps_and_open_over_the_run(
    small: Simulation,
) -> None:
    """A memory that moves nothing in the time steps has no point for them."""
    figure = drawn(small, roofline(dram=ceiling(10.0, None, 0.5), sram=ceiling(50.0, 40.0, 3.0)))
    (axes,) = figure.axes
    points = {
        (float(np.asarray(line.get_xdata())[0]), float(np.asarray(line.get_ydata())[0])): line.get_markerfacecolor()
        for line in axes.lines
        if len(np.asarray(line.get_xdata())) == 1
    }
    assert set(points) == {(40.0, 40.0), (0.5, 25.0), (3.0, 25.0)}
    assert [colour == "white" for colour in points.values()] == [place[1] == 25.0 for place in points]
    assert labels(figure) == [
        "peak 100 GOPS",
        "DRAM 10 GB/s",
        "SRAM 50 GB/s",
        "filled: steady state, 40 GOPS",
        "open: whole run, 25 GOPS",
    ]
    assert axes.get_ylim() == pytest.approx((25 / 6, 300))


def test_slopes_go_from_the_left_end_of_the_picture_to_the_peak(small: Simulation) -> None:
    """The picture begins at 0.5 / 3, below a third of both corners: 10 and 2 ops/byte."""
    found = drawn(small, roofline(dram=ceiling(10.0, 6.0, 0.5), sram=ceiling(50.0, 40.0, 3.0)))
    slopes = [line for line in lines(found.axes[0]) if len(line[0]) == 2 and line[0][0] != line[0][1]]
    (peak, *rest) = slopes
    assert peak == ([0.0, 1.0], [100.0, 100.0]), "across the whole picture"
    low = 0.5 / 3
    assert rest == [([pytest.approx(low), 10.0], [pytest.approx(10 * low), 100.0]),
                    ([pytest.approx(low), 2.0], [pytest.approx(50 * low), 100.0])]  # fmt: skip


def test_memories_of_one_bandwidth_share_a_slope_and_stand_together_in_the_legend(small: Simulation) -> None:
    figure = drawn(small, roofline(a=ceiling(10.0, 6.0, 5.0), b=ceiling(50.0, 40.0, 3.0), c=ceiling(10.0, 16.0, 15.0)))
    slopes = [line for line in lines(figure.axes[0]) if len(line[0]) == 2 and line[0][0] != line[0][1]]
    assert len(slopes) == 3, "the peak and two"
    assert labels(figure)[1:4] == ["a 10 GB/s", "c 10 GB/s", "b 50 GB/s"]


def test_points_of_one_place_hang_below_each_other_and_the_legend_says_so(small: Simulation) -> None:
    """The second one's stem goes from the height that is meant down to its marker."""
    figure = drawn(small, roofline(a=ceiling(10.0, 6.0, 0.5), b=ceiling(50.0, 6.0, 30.0)))
    assert labels(figure)[-1] == "stem: meant is its upper end"
    drawn_lines = lines(figure.axes[0])
    (stem,) = [line for line in drawn_lines if len(line[0]) == 2 and line[0][0] == line[0][1]]
    assert (stem[0], stem[1][0]) == ([6.0, 6.0], 40.0)
    markers = [(x[0], y[0]) for x, y in drawn_lines if len(x) == 1]
    assert (6.0, 40.0) in markers
    assert (6.0, stem[1][1]) in markers
    assert stem[1][1] < 40.0
    assert "stem: meant is its upper end" not in labels(drawn(small, roofline(a=ceiling(10.0, 6.0, 0.5))))


def test_without_a_memory_what_is_reached_is_two_heights(small: Simulation) -> None:
    figure = drawn(small, roofline())
    assert labels(figure) == ["peak 100 GOPS", "steady state, 40 GOPS", "whole run, 25 GOPS"]
    assert [y for _, y in lines(figure.axes[0])] == [[100.0, 100.0], [40.0, 40.0], [25.0, 25.0]]
    assert figure.axes[0].get_xlim() == (1.0, 1000.0)


def test_the_lowest_roofs_of_steps_and_run_are_named_with_what_is_reached_of_each(small: Simulation) -> None:
    said = " ".join(drawn(small, roofline(dram=ceiling(10.0, 6.0, 0.5))).get_suptitle().split())
    assert "lowest roof of the time steps: DRAM, 50.0 % of it reached; of the whole run: peak, 25.0 %" in said


def test_markers_make_way_only_for_those_less_than_their_size_away() -> None:
    """10 and 100 are one decade apart: that is not less than a decade."""
    assert levels({"a": 100.0, "b": 10.0}, 1.0) == {"b": 0, "a": 0}
    assert levels({"a": 99.0, "b": 10.0}, 1.0) == {"b": 0, "a": 1}
    assert levels({"a": 1.0, "b": 2.0, "c": 3.0}, 0.4) == {"a": 0, "b": 1, "c": 0}, "c is beside b alone"


def test_looks_of_memories_go_round_where_there_are_more_than_looks() -> None:
    """Six colours, five dashes, seven markers; a slope is numbered by its bandwidth, in the order of first sight."""
    ceilings = {f"m{place}": ceiling(float(place // 2 + 1), 1.0, 1.0) for place in range(16)}
    looks = roof_looks(roofline(**ceilings))
    assert [look.slope for look in looks.values()] == [place // 2 for place in range(16)]
    of = [looks[f"m{place}"] for place in range(16)]
    assert of[0].colour == of[12].colour != of[2].colour
    assert (of[0].dash, of[0].page_dash) == (of[10].dash, of[10].page_dash) != (of[2].dash, of[2].page_dash)
    assert (of[0].marker, of[0].page_marker) == (of[7].marker, of[7].page_marker) == (of[14].marker, of[14].page_marker)
    assert len({look.marker for look in of[:7]}) == len({look.page_marker for look in of[:7]}) == 7
    assert len({look.colour for look in of[:12]}) == 6
    assert len({look.page_dash for look in of[:10]}) == 5
