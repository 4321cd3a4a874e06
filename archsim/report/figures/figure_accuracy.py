"""Draws how the error runs over time, and what it does to the scores of the workload's task."""

from __future__ import annotations

from math import floor, log10
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from archsim.api import Simulation
from archsim.checking.format_error import Accuracy, TensorAccuracy
from archsim.checking.task import TaskFigures
from archsim.report.figures.drawing import GRID, PALETTE, new_figure, put_legend, put_title, scale_log_axis
from archsim.report.figures.look import USUAL, Look
from archsim.report.files.accuracy_figures import counted_sequences
from archsim.report.text.figures_as_text import error, percent, plural, significant
from archsim.workload import NetworkSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Line = str | tuple[float, tuple[float, ...]]

_ERROR_LOOKS: tuple[tuple[str, Line], ...] = (
    ("#0072B2", "-"),
    ("#D55E00", (0, (3, 1.5))),
    ("#009E73", (0, (1, 1))),
    ("#CC79A7", (0, (5, 1.5, 1, 1.5))),
)
"""Dashes tell them apart in grey."""
_GOLDEN, _MACHINE = "#999999", "#0072B2"
_FEW = 40
"""Up to so many time steps are marked one by one."""
_LOG_FROM = 10.0
"""From so large a ratio of errors on the axis is logarithmic: below, it would have no two decades to be read by."""
_BESIDE_INCHES = 0.7
"""Beside the panels, for the numbers at the axis."""
_MARGIN = 1.3
_DECADES = 1e-6
"""The part of the largest error at which the scale ends: smaller errors, as of h = 0 at first, do not stretch it."""


def accuracy_figure(simulation: Simulation, look: Look = USUAL) -> Figure:
    """The RMS errors over the time steps and, with a task, the scores of machine and golden model."""
    from matplotlib.ticker import MaxNLocator

    accuracy, spec = simulation.accuracy, simulation.workload.spec
    assert accuracy is not None
    steps = len(counted_sequences(spec))
    figure = new_figure(look, 5.3 if accuracy.task else 2.9)
    rows = figure.subplots(2 if accuracy.task else 1, 1, sharex=True, squeeze=False)[:, 0]
    _draw_errors(rows[0], accuracy, spec, steps)
    if accuracy.task:
        _draw_scores(rows[1], accuracy.task, spec)
        _name_scores(rows[1], accuracy.task, spec, look)
    for axes in rows:
        axes.set_xlim(-0.02 * steps, 1.02 * steps - 1)
        axes.grid(axis="y", color=GRID, linewidth=0.5)
        axes.set_axisbelow(True)
    rows[-1].set_xlabel("time step")
    rows[-1].xaxis.set_major_locator(MaxNLocator(min(8, int(look.width_inches * 1.3)), integer=True, min_n_ticks=1))
    figure.align_ylabels(list(rows))
    put_legend(figure, look, [line for axes in rows for line in axes.get_legend_handles_labels()[0]], 4, handle_ems=3.0)
    put_title(figure, look, simulation, "What the number formats cost over time", _note(accuracy))
    return figure


def _note(accuracy: Accuracy) -> str:
    output = accuracy.tensors[0]
    sqnr = "equal to the golden model" if output.sqnr_db is None else f"SQNR {output.sqnr_db:.1f} dB"
    return f"output: {sqnr}, RMS error {error(output.rms_error)}, max error {error(output.max_abs_error)}"


def _draw_errors(axes: Axes, accuracy: Accuracy, spec: NetworkSpec, steps: int) -> None:
    """Draw the output's error and that of c in the cells of the last layer."""
    cells = [tensor for tensor in accuracy.tensors if tensor.name.startswith("c")][-len(spec.layers[-1]) :]
    shown = [accuracy.tensors[0], *cells]
    largest = max(float(tensor.rms_by_step[:steps].max()) for tensor in shown)
    if not largest:
        axes.set_yticks([])
        axes.set_ylabel("RMS error, no unit")
        names = ", ".join(tensor.name for tensor in shown)
        axes.text(0.5, 0.5, f"no error at any time step: {names}", transform=axes.transAxes, ha="center", va="center")
        return
    least = largest * _DECADES
    seen = np.concatenate([tensor.rms_by_step[:steps] for tensor in shown])
    lowest = float(seen[seen > least].min())
    for tensor, (colour, line) in zip(shown, _ERROR_LOOKS, strict=False):
        _draw_error(axes, tensor, steps, (colour, line), least)
    if largest >= _LOG_FROM * lowest:
        axes.set_yscale("log")
        axes.set_ylim(*scale_log_axis(axes.yaxis, lowest / _MARGIN, largest * _MARGIN))
        axes.set_ylabel("RMS error, no unit (log)")
    else:
        _linear_axis(axes, largest)


def _linear_axis(axes: Axes, largest: float) -> None:
    """Scale the axis from 0 on, with its power of ten in the label."""
    power = floor(log10(largest))
    axes.set_ylim(0, 1.1 * largest)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value / 10.0**power:.4g}")
    axes.set_ylabel(f"RMS error, no unit ($10^{{{power}}}$)" if power else "RMS error, no unit")


def _draw_error(axes: Axes, tensor: TensorAccuracy, steps: int, look: tuple[str, Line], least: float) -> None:
    values = tensor.rms_by_step[:steps]
    shown = np.where(values > least, values, np.nan)  # a logarithm has no place for 0, as h at the first step may be
    colour, line = look
    axes.plot(
        np.arange(steps),
        shown,
        linestyle=line,
        color=colour,
        linewidth=1.1,
        marker="o" if steps <= _FEW else None,
        markersize=3,
        label=f"RMS error of {tensor.name}",
    )


def _draw_scores(axes: Axes, task: TaskFigures, spec: NetworkSpec) -> None:
    """Draw the first score of the first sequence."""
    steps = spec.lengths[0] if spec.lengths else spec.steps
    golden: npt.NDArray[np.float64] = task.golden_scores[:steps, 0, 0]
    machine: npt.NDArray[np.float64] = task.machine_scores[:steps, 0, 0]
    marker = "o" if steps <= _FEW else None
    times = np.arange(steps)
    axes.plot(times, golden, color=_GOLDEN, linewidth=2.6, marker=marker, markersize=5, label="golden model")
    axes.plot(times, machine, color=_MACHINE, linewidth=1.0, marker=marker, markersize=2.5, label="machine")
    threshold = significant(task.threshold)
    axes.axhline(task.threshold, color="black", linewidth=0.8, linestyle=(0, (4, 2)), label=f"threshold {threshold}")
    changed = np.flatnonzero((golden >= task.threshold) != (machine >= task.threshold))
    if changed.size:
        axes.plot(
            changed, machine[changed], "x", color=PALETTE[6], markersize=6, markeredgewidth=1.4, label="changed side"
        )
    axes.set_ylabel(task.summary)


def _name_scores(axes: Axes, task: TaskFigures, spec: NetworkSpec, look: Look) -> None:
    """Say above the panel which score it shows, and how many change their side."""
    more = [f"score 1 of {task.golden_scores.shape[2]}"] if task.golden_scores.shape[2] > 1 else []
    more += [f"sequence 1 of {spec.batch}"] if spec.batch > 1 else []
    text = (
        f"{task.changed_side:,} of {plural(task.frames, 'score')} ({percent(task.changed_share)}) on another side of "
        f"the threshold, max difference {error(task.max_abs_difference)}"
    )
    text += "".join(f"; shown: {words}" for words in more)
    axes.set_title(fill(text, look.characters(look.width_inches - _BESIDE_INCHES * look.scale)), loc="left")
