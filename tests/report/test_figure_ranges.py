"""What a panel of values in the range of their format draws, of values that are written by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch

from archsim.formats import Encoding, parse_format
from archsim.report.figures.figure_ranges import (
    Panel,
    _bins,
    _counts,
    _draw,
    _drawn_ends,
    _limits,
    _panel,
    _scales_differ,
    _step,
    _title,
    ranges_figure,
)
from archsim.report.figures.look import Look
from archsim.report.text.values import Values
from tests.present import present
from tests.report.accuracy_runs import run_formats


def values(*numbers: float, scale: float = 0.25, zero: int = 0) -> Values:
    """In int4: with a scale of 0.25 the numbers -2, -1.75 .. 1.75."""
    return Values("W", np.array(numbers), Encoding(parse_format("int4"), scale, zero))


def panel(parts: list[Values], narrow: tuple[float, float], wide: tuple[float, float], beyond: float = 0.0) -> Panel:
    return Panel("weight", parts, narrow, wide, "step 0.25", beyond)


def test_a_panel_has_the_narrowest_and_the_widest_range_and_the_share_beyond() -> None:
    """-8 .. 7 with scales of 0.25 and 0.5: -2 .. 1.75 and -4 .. 3.5. Beyond are 3.0 of the first and 5.0 of the second
    part, 2 of 5 values."""
    found = _panel("gate", [values(-1.0, 3.0), values(0.5, 3.0, 5.0, scale=0.5)])
    assert (found.narrow, found.wide) == ((-2.0, 1.75), (-4.0, 3.5))
    assert found.step == "step 0.25 .. 0.5"
    assert found.beyond == 2 / 5
    assert (found.kind, found.number_format.name) == ("gate", "int4")


def test_ranges_that_do_not_lie_inside_each_other_have_their_common_part() -> None:
    """With zero at code -4, -8 .. 7 are -1 .. 2.75; with zero at 0 they are -2 .. 1.75: in both are -1 .. 1.75."""
    found = _panel("input", [values(0.0, zero=-4), values(0.0)])
    assert (found.narrow, found.wide) == ((-1.0, 1.75), (-2.0, 2.75))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bfloat16", "step to 2^-7 of a value"),  # 8 significant bits
        ("float16", "step to 2^-10 of a value"),  # 11
        ("float32", "step to 2^-23 of a value"),  # 24
        ("bfp8", "step to 2^-6 of a block's largest"),  # of 8 bits one is the sign: 2^-7 of twice the largest's power
        ("q4.4", "step 0.062"),  # two digits
    ],
)
def test_a_step_is_said_as_the_format_has_it(name: str, words: str) -> None:
    assert _step(parse_format(name), 0.0625, 0.0625) == words


@pytest.mark.parametrize(
    ("numbers", "wide", "limits"),
    [
        ((-1.0, 1.0), (-2.0, 1.75), (-2 - 0.225, 1.75 + 0.225)),  # all of the range; 0.06 of 3.75 are 0.225
        ((0.5, 1.0), (-3.0, 2.0), (-3 - 0.3, 2 + 0.3)),  # three times the values: just not too wide
        ((0.5, 1.0), (-3.01, 2.0), (-0.06, 1.06)),  # wider: of the values alone, and 0
        ((-1.0, -0.5), (-2.0, 3.01), (-1.06, 0.06)),
        ((-5.0, 4.0), (-2.0, 1.75), (-5 - 0.54, 4 + 0.54)),  # what is beyond is shown, too
        ((0.0, 0.0), (-2.0, 2.0), (-2 - 0.24, 2 + 0.24)),  # nothing but zeros are as wide as 1
        ((0.0, 0.0), (-4.0, 4.0), (-0.06, 0.06)),
    ],
)
def test_the_axis_has_all_values_and_the_range_unless_it_is_far_wider(
    numbers: tuple[float, float], wide: tuple[float, float], limits: tuple[float, float]
) -> None:
    assert _limits(panel([values(*numbers)], wide, wide)) == pytest.approx(limits)


def test_bins_are_80_of_equal_width_or_end_where_the_range_does() -> None:
    """Beyond the range is what rounds to no code: from half a step beyond its ends, here -2.125 and 1.875."""
    inside = panel([values(-1.0, 1.0)], (-2.0, 1.75), (-2.0, 1.75))
    assert _bins(inside, -2.0, 2.0) == pytest.approx(np.linspace(-2, 2, 81))
    edges = _bins(dataclasses.replace(inside, beyond=0.5), -4.0, 4.0)
    assert -2.125 in edges
    assert 1.875 in edges
    # 80 x 1.875 / 8 = 18.75, 80 x 4 / 8 = 40 and 80 x 2.125 / 8 = 21.25: rounded up
    assert [np.count_nonzero((a < edges) & (edges <= b)) for a, b in ((-4, -2.125), (-2.125, 1.875), (1.875, 4))] == [
        19, 40, 22,
    ]  # fmt: skip
    assert (edges[0], edges[-1]) == (-4.0, 4.0)


def test_bins_of_a_range_that_ends_outside_of_the_picture_end_with_the_picture() -> None:
    wide = panel([values(-1.0, 9.0)], (-2.0, 1.75), (-2.0, 1.75), beyond=0.5)
    edges = _bins(wide, -1.0, 9.0)
    assert (edges[0], edges[-1]) == (-1.0, 9.0)
    assert 1.875 in edges
    assert np.all(np.diff(edges) > 0)


def test_values_of_all_parts_are_counted_together() -> None:
    counts = _counts([np.array([0.1, 0.6]), np.array([0.2]), np.array([0.9])], np.array([0.0, 0.5, 1.0]))
    assert counts.tolist() == [2, 2]


def test_ends_are_drawn_where_they_are_inside_of_the_picture_and_apart() -> None:
    """The picture goes from -2.225 to 1.975, 4.2 wide: ends nearer than 0.042 are one line, the left of them."""
    both = panel([values(-1.0, 1.0)], (-1.97, 1.70), (-2.0, 1.75))
    assert _drawn_ends(both) == [-2.0, 1.70, 1.75]
    assert _drawn_ends(dataclasses.replace(both, narrow=(-1.95, 1.72))) == [-2.0, -1.95, 1.72]
    far = panel([values(-1.0, 1.0)], (-1.5, 9.0), (-9.0, 9.0))
    assert _drawn_ends(far) == [], "-1.12 .. 1.12 is shown"
    assert _drawn_ends(dataclasses.replace(far, narrow=(-1.0, 1.0))) == [-1.0, 1.0]


@pytest.mark.parametrize(
    ("narrow", "wide", "differ"),
    [
        ((-1.95, 1.75), (-2.0, 1.75), True),  # 0.05 of 4.2 apart, on one side
        ((-2.0, 1.70), (-2.0, 1.75), True),
        ((-1.97, 1.72), (-2.0, 1.75), False),  # 0.03
        ((-9.0, 8.0), (-9.5, 8.5), False),  # apart, and outside of the picture
        ((-1.0, 8.0), (-9.5, 8.5), True),  # one end inside
    ],
)
def test_two_ranges_differ_if_an_end_is_seen_apart(
    narrow: tuple[float, float], wide: tuple[float, float], differ: bool
) -> None:
    assert _scales_differ(panel([values(-1.0, 1.0)], narrow, wide)) is differ


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        (panel([values(-1.0, 1.0)], (-2.0, 2.0), (-2.0, 2.0), 0.25), ("\u00b12, step 0.25", "25.0 % of 2 beyond")),
        (panel([values(-1.0, 1.0)], (-2.0, 1.75), (-2.0, 1.75)), ("-2 .. 1.75, step 0.25", "0 % of 2 beyond")),
        (
            panel([values(-1.0), values(0.0, 1.0)], (-1.0, 1.0), (-2.0, 1.75)),
            ("up to -2 .. 1.75, step 0.25", "0 % of 3 beyond"),
        ),
        (panel([values(-1.0, 1.0)], (-9.0, 1.0), (-9.0, 1.0)), ("-9 .. 1, step 0.25", "0 % of 2 beyond; range wider")),
        (panel([values(-1.0, 1.0)], (-1.0, 9.0), (-1.0, 9.0)), ("-1 .. 9, step 0.25", "0 % of 2 beyond; range wider")),
        (
            panel([values(-1.0, 1.0)], (-0.01, 0.01), (-0.01, 0.01), 1.0),
            ("\u00b10.01, step 0.25", "100.0 % of 2 beyond; range narrower than the line"),
        ),
    ],
)
def test_a_title_has_range_step_and_share(found: Panel, lines: tuple[str, str]) -> None:
    assert tuple(_title(found).split("\n")) == ("weights: int4", *lines)


def test_a_long_name_goes_on_in_a_second_line_at_a_slash() -> None:
    one = Values("x", np.array([-1.0, 1.0]), Encoding(parse_format("int16/asymmetric/power_of_two/wrap"), 0.25))
    lines = _title(dataclasses.replace(panel([one], (-2.0, 2.0), (-2.0, 2.0)), parts=[one]), 30).split("\n")
    assert "".join(lines[:-2]) == f"weights: {one.encoding.format}"
    assert len(lines) == 4
    assert max(map(len, lines)) <= 30


def test_a_panel_draws_all_values_below_those_within_the_range() -> None:
    """-1, 1, 1 are within -2 .. 1.75, and 3 is beyond: 4 values, and 3 of them in front."""
    found = _panel("weight", [values(-1.0, 1.0, 1.0, 3.0)])
    axes = Figure().add_subplot()
    _draw(axes, found, 40)
    every, inside = (np.asarray(patch.get_data()[0]) for patch in axes.patches if isinstance(patch, StepPatch))
    assert (np.nansum(every), np.nansum(inside)) == (4, 3)
    assert np.all(np.isnan(every) | (every > 0)), "a logarithm has no place for 0"
    least, most = _limits(found)
    assert axes.get_xlim() == (least, most)
    spans = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [(span.get_x(), span.get_x() + span.get_width()) for span in spans] == [(-2.0, 1.75)] * 2
    assert [np.asarray(line.get_xdata(), float)[0] for line in axes.lines] == [-2.0, 1.75]
    assert axes.get_yscale() == "log"
    assert axes.get_ylim()[1] == 3 * 2, "three times the fullest bin"


def test_a_range_that_ends_outside_is_drawn_up_to_the_ends_of_the_picture() -> None:
    axes = Figure().add_subplot()
    _draw(axes, panel([values(-1.0, 1.0)], (-1.0, 9.0), (-9.0, 9.0)), 40)
    spans = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [(span.get_x(), span.get_x() + span.get_width()) for span in spans] == [
        pytest.approx((-1.12, 1.12)), pytest.approx((-1.0, 1.12))
    ]  # fmt: skip


@pytest.mark.parametrize(("look", "across"), [(Look(), 2), (Look(width_inches=3.5), 1)])
def test_panels_stand_beside_each_other_where_two_have_room(look: Look, across: int) -> None:
    """A GRU has 5 panels: the sixth place of three rows of two is empty."""
    figure = ranges_figure(run_formats("bfloat16", workload="gru:3,4,t=2"), look)
    heads = [axes.get_title(loc="left").partition(":")[0] for axes in figure.axes]
    assert heads == ["weights", "input x", "hidden state h", "gate pre-activations", "activations"]
    rows_and_columns = {present(axes.get_subplotspec()).get_geometry()[:2] for axes in figure.axes}
    assert rows_and_columns == {(3, 2) if across == 2 else (5, 1)}
    labelled = [place for place, axes in enumerate(figure.axes) if axes.get_ylabel() == "values (log)"]
    assert labelled == list(range(0, 5, across)), "the first of each row"
