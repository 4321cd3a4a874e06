"""The page and the figures of an exploration, of a study whose points are written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.text import Text

from archsim.explore import Space, Status
from archsim.explore.page.page import html_page
from archsim.explore.results import figures
from archsim.explore.results.objective_words import objective_words
from archsim.explore.results.study import Point, Study
from archsim.explore.results.write_results import study_text
from archsim.explore.space.design import Reason
from archsim.report.figures.drawing import PALETTE, style
from tests.explore.conftest import Write
from tests.pages import Parsed


def study_of(space: Space, objectives: Sequence[tuple[float, ...] | None]) -> Study:
    """Points (rows 2, 4, 8, 16 in turn) with these objectives, or infeasible, asked for in this order."""
    points = tuple(
        Point(
            number=number,
            inputs={
                "mac_array.rows": 2 << number % 4,
                "mac_array.columns": 1,
                "schedule": "fused_interleaved",
                "weight_sram.capacity_bytes": 256,
            },
            schedule="fused_interleaved",
            status=Status.EVALUATED if values else Status.INFEASIBLE,
            objectives=values,
        )
        for number, values in enumerate(objectives)
    )
    return Study(space, points, len(points), 1.0, tuple(range(len(points))))


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def draw(name: str, study: Study) -> Figure:
    """A figure by its file's name."""
    drawn = {"pareto": figures._scatter, "parallel": figures._parallel, "best": figures._best}
    drawn |= {"pairs": figures._pairs, "importance": figures._importance}
    with style():
        return drawn[name](study)


@pytest.mark.parametrize(
    ("values", "scale"),
    [((1.0, 11.0), "log"), ((1.0, 10.0), "linear"), ((0.0, 100.0), "linear"), ((5.0, 5.0), "linear")],
)
def test_an_axis_is_logarithmic_beyond_a_decade_between_positive_values(
    write: Write, values: tuple[float, float], scale: str
) -> None:
    first, last = values
    (axes,) = draw("pareto", study_of(Space.load(write()), [(first, 2.0), (last, 1.0)])).axes
    assert (axes.get_xscale(), axes.get_yscale()) == (scale, "linear")


def test_lines_of_the_front_run_from_bright_to_dark_and_from_value_to_value(write: Write) -> None:
    """Objectives (1, 30), (2, 20), (5, 10): heights 0, 1/4, 1 of the first and 1, 1/2, 0 of the second.

    rows are 2, 4, 8 of 4 choices, heights 0, 1/3, 2/3; of the others the first choice, height 0.
    """
    figure = draw("parallel", study_of(Space.load(write()), [(1.0, 30.0), (2.0, 20.0), (5.0, 10.0), (5.0, 30.0)]))
    (axes,) = figure.axes
    lines = [line for line in axes.lines if len(np.asarray(line.get_xdata())) == 6]
    heights = np.array([np.asarray(line.get_ydata()) for line in lines])
    assert heights[:, 0] == pytest.approx([0, 1 / 3, 2 / 3])
    assert np.all(heights[:, 1:4] == 0)
    assert heights[:, 4] == pytest.approx([0, 0.25, 1])
    assert heights[:, 5] == pytest.approx([1, 0.5, 0])
    assert [line.get_color() for line in lines] == [colormaps["viridis"](place) for place in (1.0, 0.55, 0.1)]
    labels = words(figure)
    assert {"1", "5", "10", "30"} <= set(labels), "the ends of the objectives' axes"


def test_the_gap_to_the_best_falls_from_1_to_0(write: Write) -> None:
    """Of body_us 10, -, 6, 8, 2: (10 - 2) / 8, the same for the infeasible one, 4 / 8, 4 / 8, 0; the other stays."""
    values = [(10.0, 3.0), None, (6.0, 3.0), (8.0, 4.0), (2.0, 5.0)]
    (axes,) = draw("best", study_of(Space.load(write()), values)).axes
    (first,) = axes.lines
    assert np.asarray(first.get_xdata()).tolist() == [1, 2, 3, 4, 5]
    assert np.asarray(first.get_ydata()).tolist() == [1, 1, 0.5, 0.5, 0]
    assert (first.get_color(), first.get_label()) == (PALETTE[0], "body (us)")
    assert any(
        "best at the first point: MACs per cycle" in text.replace("\n", " ")
        for text in words(axes.figure.get_figure(True))
    )
    assert axes.get_xscale() == "linear"


def test_the_gap_begins_with_the_first_point_that_has_figures(write: Write) -> None:
    (axes,) = draw("best", study_of(Space.load(write()), [None, (4.0, 1.0), (3.0, 1.0)])).axes
    assert np.asarray(axes.lines[0].get_xdata()).tolist() == [2, 3]
    assert np.asarray(axes.lines[0].get_ydata()).tolist() == [1, 0]


def test_very_many_points_are_on_a_logarithmic_axis(write: Write) -> None:
    for count, scale in ((100, "linear"), (101, "log")):
        study = study_of(Space.load(write()), [(float(n + 1), 1.0) for n in range(count)])
        (axes,) = draw("best", study).axes
        assert axes.get_xscale() == scale


def test_no_figures_without_an_evaluated_point(write: Write) -> None:
    assert figures.figures(study_of(Space.load(write()), [None, None])) == {}


def test_pairs_of_objectives_are_each_drawn_once(write: Write) -> None:
    """Three objectives: two rows and columns, of which the corner is empty; an axis is named at the edges alone."""
    space = Space.load(write(("    name: macs_per_cycle\n", "    name: macs_per_cycle\n  - minimize: area\n")))
    figure = draw("pairs", study_of(space, [(1.0, 2.0, 3.0), (2.0, 1.0, 4.0)]))
    shown = [(axes.get_xlabel(), axes.get_ylabel(), axes.axison) for axes in figure.axes]
    names = ["body (us)", "MACs per cycle", "area (mm\u00b2)"]  # the area alone is area.area_mm2
    assert shown == [("", names[1], True), ("", "", False), (names[0], names[2], True), (names[1], "", True)]


def test_each_bar_of_importance_adds_to_the_height(write: Write) -> None:
    """0.22 inches for each of 4 parameters and objectives."""
    heights: dict[int, float] = {}
    both = write()
    one = write(("  - minimize: mac_array.rows * mac_array.columns\n    name: macs_per_cycle\n", ""), name="one")
    for path, objectives in ((both, 2), (one, 1)):
        values = [(float(n), 1.0)[:objectives] for n in range(8)]
        figure = draw("importance", study_of(Space.load(path), values))
        heights[objectives] = figure.get_figheight()
        assert len(figure.axes[0].patches) == 4 * objectives
    assert heights[2] - heights[1] == pytest.approx(0.22 * 4, abs=0.2), "the legend of two objectives has a line more"


def test_two_schedules_have_two_labels() -> None:
    """Whole names in several lines: cut off after 12 characters, both were fused_interl.."""
    names = ("fused_interleaved", "fused_interleaved_wavefront", "fused_interleaved_streamed")
    labels = [figures._short(name) for name in names]
    assert [label.replace("\n", " ") for label in labels] == [name.replace("_", " ") for name in names]
    assert max(len(line) for label in labels for line in label.split("\n")) <= 12


@pytest.mark.parametrize("name", ["pareto", "importance", "best"])
def test_no_legend_lies_on_data(write: Write, name: str) -> None:
    figure = draw(name, study_of(Space.load(write()), [(10.0, 3.0), (6.0, 4.0), (2.0, 5.0)]))
    with style():
        figure.draw_without_rendering()
        (legend,) = figure.legends
        assert not figure.axes[0].get_legend()
        assert legend.get_window_extent().y1 <= figure.axes[0].get_window_extent().y0


def test_objectives_have_the_unit_of_their_name_or_of_the_figure_that_they_are(write: Write) -> None:
    """body_us ends in its unit; "mine" is the energy; a product of fields, and a share, have none."""
    more = "    name: macs_per_cycle\n  - minimize: energy.total_uj\n    name: mine\n  - maximize: mac_utilization\n"
    space = Space.load(write(("    name: macs_per_cycle\n", more)))
    assert [objective_words(objective) for objective in space.objectives] == [
        "body (us)", "MACs per cycle", "mine (uJ)", "MAC utilization",
    ]  # fmt: skip
    study = study_of(space, [(1.0, 2.0, 3.0, 0.5)])
    text = study_text(study, width=200)
    assert "body_us (min)" in text
    assert "mine (min, uJ)" in text
    page = Parsed(html_page(study, {}))
    assert "mine (uJ), minimize" in page.texts["front"]
    assert "minimize mine (uJ): energy.total_uj" in page.texts["space"]
    assert [axis["name"] for axis in page.data[0]["objectives"]][2] == "mine (uJ)"


def test_the_page_lists_constraints_and_reasons_in_full(write: Write) -> None:
    space = Space.load(write())
    study = study_of(space, [(1.0, 2.0), None, None, None])
    hoisted = "--schedule hoisted_interleaved: takes no frames one at a time (streaming: true)"
    reasons = (
        Reason("schedule", hoisted),
        Reason("schedule", hoisted),
        Reason("capacity", "weight_sram: W_ih 16", 2048.0, 1024.0, "bytes"),
    )
    points = [replace(point, reason=why) for point, why in zip(study.points[1:], reasons, strict=True)]
    text = Parsed(html_page(replace(study, points=(study.points[0], *points)), {})).texts["space"]
    assert "mac_array.rows * mac_array.columns <= 64" in text
    assert f"infeasible, schedule: {hoisted}" in text
    assert "infeasible, capacity: weight_sram (point 3 needs 2,048 bytes, and has 1,024)" in text


def test_a_table_of_the_front_is_never_cut(write: Write) -> None:
    """At 120 characters its headers fold; every number and name stands whole, as at 300."""
    more = "    name: macs_per_cycle\n  - minimize: energy.total_uj\n  - maximize: mac_utilization\n"
    study = study_of(Space.load(write(("    name: macs_per_cycle\n", more))), [(13.9975, 2.82567, 0.457225, 0.5)])
    for width in (90, 120, 300):
        assert {"13.9975", "fused_interleaved", "256"} <= set(study_text(study, width).split())


def test_two_objectives_have_a_front_that_is_a_line_and_no_pairs(write: Write) -> None:
    """Of three the front is no line in any pair of them, and pairs are drawn."""
    three = write(("    name: macs_per_cycle\n", "    name: macs_per_cycle\n  - minimize: area\n"), name="three")
    for path, objectives in ((write(), 2), (three, 3)):
        study = study_of(Space.load(path), [(float(n), 9.0 - n, 1.0)[:objectives] for n in range(1, 5)])
        assert len(draw("pareto", study).axes[0].lines) == (objectives == 2)
        assert ("pairs.png" in figures.figures(study)) is (objectives == 3)
