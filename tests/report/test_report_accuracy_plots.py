"""The pictures of accuracy: errors and scores over time, and the model's values in the ranges of the formats."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from archsim.api import Simulation
from archsim.formats import Encoding, parse_format
from archsim.report import plot_accuracy, plot_format_ranges
from archsim.report.figures.drawing import decade_limits, decades, style
from archsim.report.figures.figure_accuracy import accuracy_figure
from archsim.report.figures.figure_ranges import Panel, _drawn_ends, _scales_differ, _step, _title, ranges_figure
from archsim.report.figures.look import USUAL, Look
from archsim.report.text.values import Values, golden_values
from tests.present import present
from tests.report.accuracy_runs import MIXED, WRAPS, run_formats
from tests.rings import exhaustive, few

PLOTS = (plot_accuracy, plot_format_ranges)
FIGURES = (accuracy_figure, ranges_figure)


@pytest.fixture(scope="module")
def speech() -> Simulation:
    return run_formats("q4.12", workload="silero_vad")


@pytest.fixture(scope="module")
def layers() -> Simulation:
    workload = "lstm:5,9,t=12,b=3,layers=2,bidirectional=1"
    return run_formats(WRAPS, workload=workload, changes=("sequence_lens=[3, 11, 7]", "calibration.weight_method=mse"))


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


@pytest.mark.parametrize("plot", few(PLOTS, 1))
@pytest.mark.parametrize("formats", few(["tflite_int8", MIXED], 1))
def test_a_picture_is_a_png_of_16_cm_and_the_same_bytes_every_time(
    plot: Callable[[Simulation, Path], None], formats: str, tmp_path: Path
) -> None:
    for name in ("one.png", "two.png"):
        plot(run_formats(formats), tmp_path / name)
    one = (tmp_path / "one.png").read_bytes()
    assert one == (tmp_path / "two.png").read_bytes()
    assert one.startswith(b"\x89PNG")
    assert struct.unpack(">I", one[16:20])[0] == int(16 / 2.54 * 150)
    assert b"matplotlib" not in one.lower()


@exhaustive
@pytest.mark.parametrize("figure", FIGURES)
@exhaustive
def test_no_font_is_smaller_than_8_points_and_nothing_is_cut_off(
    figure: Callable[[Simulation], Figure], speech: Simulation, layers: Simulation
) -> None:
    long = "int16/asymmetric/power_of_two/gemmlowp/wrap"
    names = run_formats(f"{{weight: int8/row, input: {long}, hidden: {long}, accumulator: float32, all: bfloat16}}")
    for run in (speech, layers, names):
        with style():
            drawn = figure(run)
            texts = [text for text in drawn.findobj(Text) if text.get_text() and text.get_visible()]
            assert min(float(text.get_fontsize()) for text in texts) >= 8
            assert any("schedule fused_interleaved" in text.get_text() for text in texts)
            drawn.draw_without_rendering()
            width = drawn.get_window_extent().width
            for axes in drawn.axes:
                extent = present(axes.get_tightbbox())
                assert extent.x0 >= 0
                assert extent.x1 <= width


def test_errors_are_drawn_as_they_are_measured(layers: Simulation) -> None:
    with style():
        (axes,) = accuracy_figure(layers).axes
    tensors = {tensor.name: tensor for tensor in present(layers.accuracy).tensors}
    assert [line.get_label() for line in axes.lines] == [
        f"RMS error of {name}" for name in ("output", "c l1", "c l1 reverse")
    ]
    for line, name in zip(axes.lines, ("output", "c l1", "c l1 reverse"), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), np.arange(11))
        np.testing.assert_array_equal(line.get_ydata(), tensors[name].rms_by_step[:11])
    assert axes.get_yscale() == "linear", "they are within a decade"
    assert axes.get_xlabel() == "time step"


@exhaustive
def test_scores_are_drawn_with_their_threshold_and_what_changes_side(speech: Simulation) -> None:
    with style():
        _, axes = accuracy_figure(speech).axes
    task = present(present(speech.accuracy).task)
    golden, machine, threshold = axes.lines
    np.testing.assert_array_equal(golden.get_ydata(), task.golden_scores[:, 0, 0])
    np.testing.assert_array_equal(machine.get_ydata(), task.machine_scores[:, 0, 0])
    assert np.asarray(threshold.get_ydata()).tolist() == [0.5, 0.5]
    assert axes.get_ylabel() == "speech probability"
    assert "0 of 310 scores (0 %)" in axes.get_title(loc="left")
    wrong = dataclasses.replace(task, machine_scores=1 - task.golden_scores, changed_side=310, changed_share=1.0)
    other = dataclasses.replace(speech, accuracy=dataclasses.replace(present(speech.accuracy), task=wrong))
    with style():
        _, axes = accuracy_figure(other).axes
    assert np.size(axes.lines[-1].get_xdata()) == 310
    assert axes.lines[-1].get_label() == "changed side"


@pytest.mark.parametrize(
    ("low", "high", "limits"),
    [
        (3e-4, 0.7, (3e-4, 0.7)),
        (3e-3, 0.12, (3e-3, 0.12)),
        (3.6e-5, 9.9e-5, (1e-5, 1e-4)),
        (8e-5, 2e-4, (8e-5, 1e-3)),
        (0.02, 0.7, (0.02, 1.0)),
    ],
)
def test_a_logarithmic_axis_has_two_decades_at_least(low: float, high: float, limits: tuple[float, float]) -> None:
    """It is widened to the decade that is nearer, until two are inside."""
    assert decade_limits(low, high) == pytest.approx(limits)
    assert len(decades(*decade_limits(low, high))) >= 2


@pytest.mark.parametrize(
    ("errors", "scale", "labels"),
    [
        ([3.7e-5, 9.4e-5, 9.1e-5, 9.5e-5], "linear", ["0", "2", "4", "6", "8", "10"]),
        ([2e-3, 0.2, 0.2, 0.2], "log", ["0.01", "0.1"]),
        ([1e-5, 0.3, 0.2, 0.1], "log", [f"$10^{{{power}}}$" for power in range(-5, 0)]),
    ],
)
def test_errors_have_labels_that_are_round_numbers(errors: list[float], scale: str, labels: list[str]) -> None:
    """And a grid line at each; nothing is written at other ticks."""
    run = run_formats("q4.12")
    accuracy = present(run.accuracy)
    tensors = tuple(dataclasses.replace(tensor, rms_by_step=np.array(errors)) for tensor in accuracy.tensors)
    with style():
        figure = accuracy_figure(dataclasses.replace(run, accuracy=dataclasses.replace(accuracy, tensors=tensors)))
        figure.draw_without_rendering()
        (axes,) = figure.axes
        low, high = axes.get_ylim()
        written = [text.get_text() for text in axes.get_yticklabels() if low <= text.get_position()[1] <= high]
        minor = [text.get_text() for text in axes.get_yticklabels(minor=True)]
    assert axes.get_yscale() == scale
    assert written == labels
    assert not any(minor)


def test_ends_that_would_be_one_line_are_drawn_once() -> None:
    """Weights with a scale a row: here within a hundredth of the panel; and a range narrower than a line."""
    narrow, wide = (-1.0, 0.99), (-1.005, 0.995)
    panel = Panel("weight", [values(-1.0, 1.0)], narrow, wide, "step 0.1", 0.0)
    assert _drawn_ends(panel) == [-1.005, 0.99]
    assert not _scales_differ(panel)
    other = dataclasses.replace(panel, narrow=(-0.5, 0.4))
    assert _drawn_ends(other) == [-1.005, -0.5, 0.4, 0.995]
    assert _scales_differ(other)
    tiny = dataclasses.replace(panel, narrow=(-1e-3, 1e-3), wide=(-1e-3, 1e-3))
    assert _drawn_ends(tiny) == [-1e-3]
    assert _title(tiny).endswith("; range narrower than the line")
    assert "narrower" not in _title(panel)


@pytest.mark.parametrize(("formats", "widest"), [(WRAPS, True), ("q4.12", False)])
def test_the_legend_names_what_is_drawn(formats: str, widest: bool) -> None:
    """Weights with a scale a row have a narrowest and a widest range; formats of one scale have one."""
    with style():
        figure = ranges_figure(run_formats(formats))
        written = {text.get_text() for legend in figure.legends for text in legend.get_texts()}
    assert {"range of the format", "its ends", "values within the range"} <= written
    assert ("with the widest of its scales" in written) is widest


def test_a_step_is_written_twice_only_if_it_differs_in_what_is_shown() -> None:
    q = parse_format("int8")
    assert _step(q, 0.00025, 0.000251) == "step 0.00025"
    assert _step(q, 0.016, 0.024) == "step 0.016 .. 0.024"


def values(low: float, high: float) -> Values:
    return Values("W", np.array([low, high]), Encoding(parse_format("int8"), 1.0))


def test_errors_that_begin_at_0_are_drawn_from_where_there_are_some() -> None:
    """The axis reaches to 1.1 times the largest error; a step without one has no point."""
    run = run_formats("q4.12")
    steps = np.array([0.0, 0.001, 0.002, 0.0015])
    tensors = tuple(dataclasses.replace(tensor, rms_by_step=steps) for tensor in present(run.accuracy).tensors)
    late = dataclasses.replace(run, accuracy=dataclasses.replace(present(run.accuracy), tensors=tensors))
    with style():
        axes = accuracy_figure(late).axes[0]
    assert axes.get_ylim() == pytest.approx((0, 1.1 * 0.002))
    for line in axes.lines:
        np.testing.assert_array_equal(line.get_ydata(), [np.nan, *steps[1:]])


def test_a_run_without_an_error_says_so() -> None:
    run = run_formats("q4.12")
    nothing = [
        dataclasses.replace(tensor, max_abs_error=0.0, rms_error=0.0, sqnr_db=None, rms_by_step=np.zeros(4))
        for tensor in present(run.accuracy).tensors
    ]
    exact = dataclasses.replace(run, accuracy=dataclasses.replace(present(run.accuracy), tensors=tuple(nothing)))
    with style():
        figure = accuracy_figure(exact)
    words = [text.get_text() for text in figure.findobj(Text)]
    assert "no error at any time step: output, c" in words
    assert not figure.axes[0].lines, "no flat line of zeros"
    assert any("equal to the golden model" in text for text in words)


@exhaustive
def test_a_panel_for_each_kind_with_range_step_and_share(speech: Simulation) -> None:
    with style():
        figure = ranges_figure(speech)
    assert titles(figure) == [
        "weights: q4.12\n-8 .. 7.9998, step 0.00024\n0 % of 131,072 beyond",
        "input x: q4.12\n-8 .. 7.9998, step 0.00024\n0.025 % of 39,680 beyond",
        "hidden state h: q4.12\n-8 .. 7.9998, step 0.00024\n0 % of 39,808 beyond; range wider",
        "gate pre-activations: q4.12\n-8 .. 7.9998, step 0.00024\n3.8 % of 158,720 beyond",
        "activations: q4.12\n-8 .. 7.9998, step 0.00024\n0 % of 198,400 beyond; range wider",
        "cell state c: q4.12\n-8 .. 7.9998, step 0.00024\n2.7 % of 39,808 beyond",
    ]


@exhaustive
def test_every_value_is_in_a_bin_and_what_is_beyond_in_its_colour(speech: Simulation, layers: Simulation) -> None:
    kinds = ("weight", "input", "hidden", "gate", "activation", "cell")
    for run in (speech, layers):
        with style():
            figure = ranges_figure(run)
        for axes, kind in zip(figure.axes, kinds, strict=True):
            parts = golden_values(present(run.numbers), kind)
            every, inside = [patch for patch in axes.patches if hasattr(patch, "get_data")]
            total = sum(part.values.size for part in parts)
            beyond = sum(int(part.beyond.sum()) for part in parts)
            assert np.nansum(every.get_data().values) == total
            assert np.nansum(inside.get_data().values) == total - beyond


def test_other_cells_have_other_panels() -> None:
    for kind, count in (("gru", 5), ("rnn", 4)):
        with style():
            figure = ranges_figure(run_formats("bfloat16", workload=f"{kind}:3,4,t=2"))
        assert len(figure.axes) == count
        assert titles(figure)[0].splitlines()[1] == "±3.39e+38, step to 2^-7 of a value"


def test_blocks_say_what_their_step_is_relative_to() -> None:
    with style():
        figure = ranges_figure(run_formats(MIXED))
    assert titles(figure)[0].splitlines()[1].endswith("step to 2^-6 of a block's largest")


@exhaustive
@pytest.mark.parametrize("workload", few(["lstm:1,1,t=1", "gru:2,3,t=2,b=2", "rnn:1,1,t=1"], 1))
@pytest.mark.parametrize("formats", few(["q1.1", "int4", "float16"], 1))
def test_the_smallest_runs_have_pictures(workload: str, formats: str, tmp_path: Path) -> None:
    run = run_formats(formats, workload=workload)
    for plot in PLOTS:
        plot(run, tmp_path / "picture.png")
        assert (tmp_path / "picture.png").stat().st_size > 5_000


def test_all_time_steps_are_in_the_picture_with_a_margin_of_a_fiftieth(layers: Simulation) -> None:
    """11 steps, 0 .. 10, have a margin of 0.22 steps at both ends."""
    with style():
        (axes,) = accuracy_figure(layers).axes
    assert axes.get_xlim() == pytest.approx((-0.22, 10.22))


@pytest.mark.parametrize(("steps", "ticks"), [(8, list(range(8))), (9, [0, 2, 4, 6, 8])])
def test_an_axis_of_more_than_8_steps_does_not_number_them_all(steps: int, ticks: list[int]) -> None:
    with style():
        (axes,) = accuracy_figure(run_formats("q4.12", changes=(f"steps={steps}",))).axes
    assert [tick for tick in axes.get_xticks() if 0 <= tick < steps] == ticks


@exhaustive
@pytest.mark.parametrize("look", [USUAL, Look(85 / 25.4, 7, title=False)], ids=["usual", "column"])
def test_no_text_of_scores_lies_over_another_or_is_cut(speech: Simulation, look: Look) -> None:
    """In a column the line about scores folds, and the legend is below all panels."""
    with style(look):
        figure = accuracy_figure(speech, look)
        figure.draw_without_rendering()
    texts = [axes.title for axes in figure.axes] + [axes._left_title for axes in figure.axes]  # type: ignore[attr-defined]
    texts += [*figure.legends[0].get_texts(), *(axes.xaxis.label for axes in figure.axes)]
    places = {text.get_text(): text.get_window_extent() for text in texts if text.get_text()}
    assert sum("another side of" in text for text in places) == 1
    assert {"RMS error of output", "golden model", "machine", "threshold 0.5"} <= set(places)
    for text, box in places.items():
        assert box.x0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text
    for one, two in combinations(places.values(), 2):
        assert not one.overlaps(two)


def test_lines_of_errors_are_told_apart_in_grey(layers: Simulation) -> None:
    with style():
        (axes,) = accuracy_figure(layers).axes
    dashes = [line._unscaled_dash_pattern for line in axes.lines]  # type: ignore[attr-defined]
    assert len(set(dashes)) == len(dashes) == 3
