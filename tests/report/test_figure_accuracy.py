"""What the picture of accuracy draws, of errors and scores that are written by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from archsim.api import Simulation
from archsim.checking.task import TaskFigures
from archsim.report.figures.drawing import style
from archsim.report.figures.figure_accuracy import _draw_scores, _name_scores, accuracy_figure
from archsim.report.figures.look import USUAL
from archsim.workload import NetworkSpec
from tests.present import present
from tests.report.accuracy_runs import run_formats


def with_errors(run: Simulation, output: Sequence[float], c: Sequence[float]) -> Simulation:
    """A run with these errors of each time step, of its output and of c; its other tensors have larger ones."""
    accuracy = present(run.accuracy)
    by_name = {"output": output, "c": c}
    tensors = tuple(
        dataclasses.replace(tensor, rms_by_step=np.array(by_name.get(tensor.name, [99.0] * len(c)), float))
        for tensor in accuracy.tensors
    )
    return dataclasses.replace(run, accuracy=dataclasses.replace(accuracy, tensors=tensors))


def errors(output: Sequence[float], c: Sequence[float]) -> Axes:
    with style():
        return accuracy_figure(with_errors(run_formats("q4.12"), output, c)).axes[0]


def drawn(axes: Axes) -> dict[str, list[float]]:
    return {str(line.get_label()): np.asarray(line.get_ydata(), float).tolist() for line in axes.lines}


def test_the_output_and_c_are_drawn_and_the_larger_of_both_scales_the_axis() -> None:
    for output, c in (([0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]), ([0.5, 0.6, 0.7, 0.8], [0.1, 0.2, 0.3, 0.4])):
        axes = errors(output, c)
        assert drawn(axes) == {"RMS error of output": output, "RMS error of c": c}
        assert axes.get_ylim() == pytest.approx((0, 1.1 * 0.8))


@pytest.mark.parametrize(
    ("largest", "scale", "label"),
    [
        (1.25, "log", "RMS error, no unit (log)"),  # ten times 0.125
        (1.24, "linear", "RMS error, no unit"),  # from 1 to 10 there is no power to name
        (0.999, "linear", "RMS error, no unit ($10^{-1}$)"),
    ],
)
def test_errors_of_a_decade_or_more_have_a_logarithmic_axis(largest: float, scale: str, label: str) -> None:
    axes = errors([0.125, 0.5, 0.5, 0.5], [0.5, 0.5, largest, 0.5])
    assert (axes.get_yscale(), axes.get_ylabel()) == (scale, label)


def test_a_logarithmic_axis_reaches_a_third_beyond_the_errors_of_both() -> None:
    """From the least of c / 1.3 to the largest of the output times 1.3."""
    axes = errors([0.2, 0.3, 0.4, 0.4], [0.002, 0.003, 0.004, 0.005])
    assert axes.get_ylim() == pytest.approx((0.002 / 1.3, 0.4 * 1.3))


def test_an_error_below_a_millionth_of_the_largest_is_not_drawn_and_scales_nothing() -> None:
    axes = errors([2.5e-7, 2.6e-7, 0.125, 0.25], [0.0, 0.125, 0.125, 0.125])
    assert drawn(axes) == {
        "RMS error of output": pytest.approx([np.nan, 2.6e-7, 0.125, 0.25], nan_ok=True),
        "RMS error of c": pytest.approx([np.nan, 0.125, 0.125, 0.125], nan_ok=True),
    }
    assert axes.get_ylim()[0] == pytest.approx(2.6e-7 / 1.3)


def test_the_title_has_the_errors_of_the_output_and_of_nothing_else() -> None:
    run = run_formats("q4.12")
    accuracy = present(run.accuracy)
    tensors = tuple(
        dataclasses.replace(tensor, sqnr_db=40.26 + place, rms_error=0.001 + place, max_abs_error=0.25 + place)
        for place, tensor in enumerate(accuracy.tensors)
    )
    with style():
        figure = accuracy_figure(dataclasses.replace(run, accuracy=dataclasses.replace(accuracy, tensors=tensors)))
    said = " ".join(figure.get_suptitle().split())
    assert said.endswith("output: SQNR 40.3 dB, RMS error 1.0e-03, max error 2.5e-01")


def test_a_linear_axis_is_labelled_in_units_of_its_power_of_ten() -> None:
    axes = errors([0.02, 0.03, 0.03, 0.03], [0.02, 0.04, 0.04, 0.04])
    assert axes.get_ylabel() == "RMS error, no unit ($10^{-2}$)"
    assert axes.yaxis.get_major_formatter()(0.025) == "2.5"


@pytest.mark.parametrize(("steps", "marked"), [(40, True), (41, False)])
def test_up_to_40_steps_have_a_mark_each(steps: int, marked: bool) -> None:
    run = run_formats("q4.12", changes=(f"steps={steps}",))
    with style():
        axes = accuracy_figure(run).axes[0]
    assert [line.get_marker() == "o" for line in axes.lines] == [marked, marked]


def scores(golden: Sequence[float], machine: Sequence[float], threshold: float = 0.5) -> TaskFigures:
    """The first score of the first of two sequences is given; the others are 7."""
    both = []
    for values in (golden, machine):
        array = np.full((len(values), 2, 3), 7.0)
        array[:, 0, 0] = values
        both.append(array)
    return TaskFigures(
        max_abs_difference=0.012, rms_difference=0.001, frames=1234, changed_side=17, changed_share=17 / 1234,
        summary="speech probability", threshold=threshold, machine_scores=both[1], golden_scores=both[0], witness=None,
    )  # fmt: skip


def spec(steps: int, batch: int = 1, lengths: tuple[int, ...] | None = None) -> NetworkSpec:
    found = run_formats("q4.12").workload.spec
    return dataclasses.replace(found, steps=steps, batch=batch, lengths=lengths)


def score_lines(task: TaskFigures, network: NetworkSpec) -> dict[str, tuple[list[float], list[float]]]:
    axes = Figure().add_subplot()
    _draw_scores(axes, task, network)
    return {
        str(line.get_label()): (np.asarray(line.get_xdata(), float).tolist(), np.asarray(line.get_ydata()).tolist())
        for line in axes.lines
    }


def test_scores_of_the_first_sequence_are_drawn_as_long_as_it_is() -> None:
    """Of 4 steps the first sequence has 3: the last score, which is on another side, counts nowhere."""
    lines = score_lines(scores([0.1, 0.2, 0.3, 0.9], [0.2, 0.3, 0.4, 0.1]), spec(4, 2, (3, 4)))
    assert lines["golden model"] == ([0, 1, 2], [0.1, 0.2, 0.3])
    assert lines["machine"] == ([0, 1, 2], [0.2, 0.3, 0.4])
    assert "changed side" not in lines


def test_a_score_at_the_threshold_is_on_its_upper_side() -> None:
    """0.5 and 0.6 are both at least 0.5; 0.5 and 0.4 are not, and no more are 0.4 and 0.5."""
    lines = score_lines(scores([0.5, 0.5, 0.4, 0.1], [0.6, 0.4, 0.5, 0.2]), spec(4))
    assert lines["changed side"] == ([1, 2], [0.4, 0.5])
    assert lines["threshold 0.5"][1] == [0.5, 0.5]


@pytest.mark.parametrize(("steps", "marker"), [(40, "o"), (41, "None")])
def test_scores_of_up_to_40_steps_have_a_mark_each(steps: int, marker: str) -> None:
    axes = Figure().add_subplot()
    _draw_scores(axes, scores([0.1] * steps, [0.1] * steps), spec(steps))
    assert [line.get_marker() for line in axes.lines[:2]] == [marker, marker]


def test_what_of_the_scores_is_shown_is_said() -> None:
    said = "17 of 1,234 scores (1.4 %) on another side of the threshold, max difference 1.2e-02"
    task = scores([0.1], [0.2])
    one = dataclasses.replace(task, golden_scores=task.golden_scores[:, :, :1])
    for found, batch, more in (
        (one, 1, ""), (one, 2, "; shown: sequence 1 of 2"), (task, 1, "; shown: score 1 of 3"),
        (task, 5, "; shown: score 1 of 3; shown: sequence 1 of 5"),
    ):  # fmt: skip
        axes = Figure().add_subplot()
        _name_scores(axes, found, spec(1, batch), USUAL)
        assert " ".join(axes.get_title(loc="left").split()) == said + more
