"""Draws how busy each unit is over the time steps, a small picture a unit."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from archsim.api import Simulation
from archsim.report.figures.drawing import left_out, new_figure, put_title
from archsim.report.text.figures_as_text import cycles, part, plural
from archsim.report.text.steps import body_numbers, body_timelines
from archsim.trace import Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Float = npt.NDArray[np.float64]

_BIN_COLOUR = "#9ECAE1"
_MEAN_COLOUR = "#08306B"
_MOST_STEPS = 100
"""With more time steps than that in a picture of this width the inside of a step is noise: only the mean is drawn."""
_MEAN_POINTS = 1200
_WINDOW_BINS = 8
"""A window of so many bins or more shows next to nothing of where the bins' edges lie."""
_US_AXIS = -0.95
"""Where the scale in us is, below the last row: in heights of a row."""


def utilization_figure(simulation: Simulation) -> Figure:
    """A row a unit: its recorded bins, and the mean over the length of a time step (or some)."""
    timelines = body_timelines(simulation)
    phases = [simulation.trace.phases[number] for number in body_numbers(simulation)]
    length = phases[-1].end - phases[0].start
    figure = new_figure(2.0 + 0.85 * len(timelines))
    rows = figure.subplots(len(timelines), 1, sharex=True, squeeze=False)[:, 0]
    steps = simulation.workload.spec.steps
    widest = max(timeline.bin_cycles for bodies in timelines.values() for timeline in bodies)
    step = simulation.stats.cycles_per_step / len(simulation.workload.spec.layers)
    averaged = min(steps, max(ceil(_WINDOW_BINS * widest / step), ceil(steps / _MOST_STEPS))) if widest > 1 else 1
    for axes, (name, bodies) in zip(rows, timelines.items(), strict=True):
        for timeline, phase in zip(bodies, phases, strict=True):
            first, last = phase.start - phases[0].start, phase.end - phases[0].start
            named = phase is phases[0]
            if steps <= _MOST_STEPS:
                _draw_bins(axes, timeline, first, last, named=named)
            _draw_mean(
                axes, timeline, (first, last), averaged * step, averaged, filled=steps > _MOST_STEPS, named=named
            )
            if not named:
                axes.axvline(first, color="black", linewidth=0.8, linestyle=":")
        axes.set_xlim(0, max(1, length))
        busy = sum(sum(timeline.busy) for timeline in bodies)
        axes.set_title(f"{name}: busy {part(busy, simulation.stats.body_cycles)} of the time steps", loc="left")
    _label_time(simulation, rows[-1])
    figure.supylabel("busy (% of cycles)", fontsize="medium")
    figure.legend(
        *rows[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, borderaxespad=0.2
    )
    put_title(figure, simulation, "Utilization of every unit during the time steps", left_out(simulation))
    return figure


def _draw_bins(axes: Axes, timeline: Timeline, first: int, last: int, *, named: bool) -> None:
    edges = _edges(timeline, first, last)
    single = timeline.bin_cycles == 1
    label = "busy cycles" if single else f"mean over {plural(timeline.bin_cycles, 'cycle')}"
    axes.stairs(
        100 * np.array(timeline.busy) / np.diff(edges),
        edges,
        fill=True,
        color=_BIN_COLOUR,
        label=label if named else None,
    )


def _edges(timeline: Timeline, first: int, last: int) -> Float:
    """The edges of the bins, in cycles since the first step of all began; the last bin ends at `last`."""
    edges: Float = np.minimum(first + np.arange(len(timeline.busy) + 1) * float(timeline.bin_cycles), last)
    return edges


def _draw_mean(
    axes: Axes, timeline: Timeline, span: tuple[int, int], window: float, steps: int, *, filled: bool, named: bool
) -> None:
    before = np.concatenate([[0.0], np.cumsum(timeline.busy)])
    times, means = _moving_mean(_edges(timeline, *span), before, window)
    if filled:
        axes.fill_between(times, means, color=_BIN_COLOUR, linewidth=0)
    label = f"mean over {plural(steps, 'time step')} ({cycles(window)} cycles)"
    axes.plot(times, means, color=_MEAN_COLOUR, linewidth=1.2, label=label if named else None)
    axes.set_ylim(0, 105)
    axes.set_yticks([0, 50, 100])
    axes.grid(axis="y", color="#BBBBBB", linewidth=0.5)
    axes.set_axisbelow(True)


def _moving_mean(edges: Float, before: Float, window: float) -> tuple[Float, Float]:
    """The times and the busy share (%) in a window around each.

    The window is cut off at both ends of the time steps.
    """
    begin, end = edges[0], edges[-1]
    times = np.linspace(begin, end, _MEAN_POINTS)
    first, last = np.clip(times - window / 2, begin, end), np.clip(times + window / 2, begin, end)
    busy = np.interp(last, edges, before) - np.interp(first, edges, before)
    return times, 100 * busy / np.maximum(last - first, 1e-9)


def _label_time(simulation: Simulation, bottom: Axes) -> None:
    from matplotlib.ticker import StrMethodFormatter

    clock = simulation.arch.config.clock_mhz
    bottom.set_xlabel(f"cycles since the first time step began (cycle {simulation.stats.prologue_cycles:,} of the run)")
    bottom.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))

    def to_us(count: npt.ArrayLike) -> Float:
        return np.asarray(count, np.float64) / clock

    def to_cycles(us: npt.ArrayLike) -> Float:
        return np.asarray(us, np.float64) * clock

    scale = bottom.secondary_xaxis(_US_AXIS, functions=(to_us, to_cycles))
    scale.set_xlabel("us")
