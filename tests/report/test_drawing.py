"""Axes, legends and words that all pictures share, each by what it is given."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from archsim.errors import OutputError
from archsim.report.figures.drawing import (
    decade_limits,
    decades,
    in_words,
    label_cycles,
    put_legend,
    put_lines,
    quantity,
    scale_log_axis,
    style,
)
from archsim.report.figures.look import USUAL, Look, checked_font, width_of


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (1e-3, 1e2, ["0.001", "0.01", "0.1", "1", "10", "100"]),  # six decades: each is labelled
        (1e-3, 1e3, ["0.001", "0.1", "10", "1,000"]),  # seven: every other one
        (1e-3, 1e9, ["$10^{-3}$", "$10^{0}$", "$10^{3}$", "$10^{6}$", "$10^{9}$"]),  # thirteen: every third
        (1e1, 1e6, ["10", "100", "1,000", "10,000", "100,000", "1,000,000"]),  # up to a million they are numbers
        (1e2, 1e7, ["$10^{2}$", "$10^{3}$", "$10^{4}$", "$10^{5}$", "$10^{6}$", "$10^{7}$"]),
        (1e-4, 1e1, ["$10^{-4}$", "$10^{-3}$", "$10^{-2}$", "$10^{-1}$", "$10^{0}$", "$10^{1}$"]),
    ],
)
def test_decades_are_labelled_as_numbers_or_powers_and_six_at_most(low: float, high: float, labels: list[str]) -> None:
    axes = Figure().add_subplot()
    axes.set_xscale("log")
    assert scale_log_axis(axes.xaxis, low, high) == (low, high)
    axes.set_xlim(low, high)
    assert [axes.xaxis.get_major_formatter()(tick) for tick in axes.xaxis.get_majorticklocs()] == labels
    minor = sorted({round(tick / low, 6) for tick in axes.xaxis.get_minorticklocs() if low <= tick < 10 * low})
    assert set(range(2, 10)) <= set(minor), "the others of a decade have ticks without a label"


def test_decades_are_those_from_the_one_end_to_the_other() -> None:
    assert decades(0.01, 10) == [0.01, 0.1, 1.0, 10.0], "both ends, if they are decades"
    assert decades(0.011, 9.9) == [0.1, 1.0]
    assert decades(2, 9) == []


@pytest.mark.parametrize(
    ("low", "high", "limits"),
    [
        (20.0, 50.0, (10.0, 100.0)),  # twice as far to both: first downwards, then, with 10 against 2 times, upwards
        (15.0, 40.0, (10.0, 100.0)),  # 1.5 times down to 10; then 10 times down or 2.5 times up
        (1.0, 1.5, (1.0, 10.0)),  # 1 is a decade: the next one below is 10 times away, above 10 / 1.5 = 6.7 times
        (9.0, 10.0, (1.0, 10.0)),  # 9 times down or 10 times up
        (5.0, 100.0, (5.0, 100.0)),  # has two already
    ],
)
def test_limits_without_two_decades_are_widened_to_the_nearer_one(
    low: float, high: float, limits: tuple[float, float]
) -> None:
    assert decade_limits(low, high) == limits


@pytest.mark.parametrize(
    ("inches", "ticks"),
    [
        (0.1, [0, 10_000]),  # room for less than one label of "1,000,000 ", 10 x 0.6 x 8 / 72 = 0.667 inches: one part
        (1.4, [0, 5_000, 10_000]),  # for two
        (9.0, [0, 1_500, 3_000, 4_500, 6_000, 7_500, 9_000]),  # for 13: never more than seven parts
    ],
)
def test_an_axis_of_cycles_has_as_many_numbers_as_have_room(inches: float, ticks: list[int]) -> None:
    axes = Figure().add_subplot()
    axes.set_xlim(0, 10_000)
    label_cycles(axes.xaxis, inches, USUAL)
    assert [tick for tick in axes.xaxis.get_majorticklocs() if 0 <= tick <= 10_000] == ticks
    assert axes.xaxis.get_major_formatter()(5_000) == "5,000"


def test_an_axis_of_few_cycles_has_whole_numbers() -> None:
    axes = Figure().add_subplot()
    axes.set_xlim(0, 2)
    label_cycles(axes.xaxis, 9.0, USUAL)
    assert [tick for tick in axes.xaxis.get_majorticklocs() if 0 <= tick <= 2] == [0, 1, 2]


def test_words_of_names_know_acronyms_and_units() -> None:
    names = ("mac_array", "dram", "mfu1", "evrf_rows", "peak_macs", "initial_vrf")
    assert list(map(in_words, names)) == ["MAC array", "DRAM", "MFU 1", "EVRF rows", "peak MACs", "initial vrf"]
    quantities = {
        "latency_cycles": "latency (cycles)", "power_mw": "power (mW)", "clock_mhz": "clock (MHz)",
        "sqnr_db": "sqnr (dB)",
        "us": "us",  # a unit alone is the name of something
        "mac_rows": "MAC rows",  # no unit at its end
    }  # fmt: skip
    assert {name: quantity(name) for name in quantities} == quantities


def test_lines_above_a_picture_are_those_that_say_something_and_fold_at_its_width() -> None:
    """The title's font is a point larger, 9 of 8: 10 cm have 10 / 2.54 x 8 / 9 inches / (0.6 x 8 / 72) = 52 places."""
    look = Look(width_inches=10 / 2.54)
    figure = Figure()
    put_lines(figure, look, ("what is shown", "", "word " * 11 + "end"))
    lines = figure.get_suptitle().split("\n")
    assert lines == ["what is shown", " ".join(["word"] * 10), "word end"], "51 characters a line, and ten words of 4"
    silent = Figure()
    put_lines(silent, Look(title=False), ("what is shown",))
    assert silent.get_suptitle() == ""


def test_a_legend_without_anything_to_explain_is_none() -> None:
    with style():
        figure = Figure()
        put_legend(figure, USUAL, [])
        assert not figure.legends
        put_legend(figure, USUAL, [Patch(label=str(number)) for number in range(6)], title="what it is")
        (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list("012345")
    assert legend.get_title().get_text() == "what it is"
    assert legend._ncols == 3, "of five columns at most: in two rows three hold all six"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "inches"), [("2.5in", 2.5), ("40in", 40.0), (" TWO ", 7.16), ("63.5 mm", 2.5), ("101.6cm", 40.0)]
)
def test_the_widest_and_the_narrowest_picture_are_allowed(text: str, inches: float) -> None:
    assert width_of(text) == pytest.approx(inches)


@pytest.mark.parametrize("text", ["2.49in", "40.01in", "0in", "in", "1e1in"])
def test_a_picture_that_is_narrower_or_wider_is_refused(text: str) -> None:
    with pytest.raises(OutputError) as caught:
        width_of(text)
    allowed = "allowed is one (column), two, or 2.5in to 40in with the unit in, cm or mm, as 8.8cm"
    assert str(caught.value) == f"--width {text}: {allowed}"


def test_a_width_that_cannot_be_read_is_named_by_its_first_40_characters() -> None:
    with pytest.raises(OutputError) as caught:
        width_of("x" * 41)
    assert str(caught.value).startswith(f"--width {'x' * 40}: allowed")


def test_fonts_of_4_to_24_points_are_allowed() -> None:
    assert [checked_font(points) for points in (4.0, 24.0)] == [4.0, 24.0]
    for points in (3.99, 24.01):
        with pytest.raises(OutputError, match=f"--font-size {points}: allowed is 4 to 24 points"):
            checked_font(points)


def test_a_line_of_text_is_about_so_wide() -> None:
    """A character has 0.6 of the font's size: at 12 points 0.1 inches; a line of text is 1.4 sizes high."""
    look = Look(font_points=12.0)
    assert look.text_inches("abcde") == pytest.approx(0.5)
    assert (look.characters(2.05), look.characters(0.5)) == (20, 8), "whole ones, and never less than 8"
    assert look.scale == 1.5
    assert look.line_inches == pytest.approx(1.4 / 6)
