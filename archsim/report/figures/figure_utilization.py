"""Draws how busy each unit is over the whole run, a small picture a unit: loading, then the time steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from archsim.api import Simulation
from archsim.metrics.stats import body_cycles_per_step
from archsim.program.ir import PhaseKind
from archsim.report.figures.drawing import GRID, in_words, label_cycles, new_figure, put_legend, put_title, text_inches
from archsim.report.figures.look import USUAL, Look
from archsim.report.text.figures_as_text import cycles, part, plural
from archsim.trace import Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Float = npt.NDArray[np.float64]

_BUSY, _EDGE = "#9ECAE1", "#08306B"
_MOST_BINS = 200
"""A part of the run has at most so many means."""
_FEWEST_IN_STEP = 8
"""The least means in a time step that show what happens in it; with fewer, each mean is that of a whole step."""
_WINDOW_BINS = 8
"""Recorded bins in a mean, at least: where their edges lie then shows next to nothing."""
_LEAST_SHARE, _MOST_SHARE = 0.16, 0.4
"""The share of the run from which loading has an axis of its own; and the largest share of the width of that axis."""
_ENDS = (("busy ", "the time steps"), ("", "steps"))
"""A row's name is as long as there is room."""
_MARGIN_INCHES = 0.6
"""Beside the pictures, for the numbers at the axis."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the run with an axis of its own: some phases by number, and what it is called."""

    phases: tuple[int, ...]
    start: int
    stop: int
    name: str


@dataclass(frozen=True, slots=True)
class Means:
    """How long the time is over which each mean of a phase is taken: cycles, and that in time steps."""

    window: float
    steps: float


def utilization_figure(simulation: Simulation, look: Look = USUAL) -> Figure:
    """A row a unit: the share of its cycles in which it holds an op, over the whole run."""
    parts, units = run_parts(simulation), list(simulation.trace.units)
    figure = new_figure(look, 0.75 + 0.62 * len(units))
    ratios = _width_ratios(parts)
    grid = figure.subplots(len(units), len(parts), sharex="col", squeeze=False, width_ratios=ratios)
    ends = _ends(simulation, look)
    means = {number: means_of(simulation, number, found) for found in parts for number in found.phases}
    for row, name in zip(grid, units, strict=True):
        for axes, part_of_run in zip(row, parts, strict=True):
            _draw_part(axes, simulation, name, part_of_run, means)
        _name_row(row[0], simulation, name, ends)
    inches = look.width_inches - _MARGIN_INCHES * look.scale
    for axes, part_of_run, ratio in zip(grid[-1], parts, ratios, strict=True):
        length = part_of_run.stop - part_of_run.start
        label_cycles(axes.xaxis, inches * ratio / sum(ratios), look)
        share = part(length, simulation.trace.total_cycles)
        axes.set_xlabel(f"{part_of_run.name}\n{share} of the run" if len(parts) > 1 else part_of_run.name)
    for row in grid:
        for axes in row[1:]:
            axes.tick_params(labelleft=False)
    figure.supylabel("busy (% of cycles)", fontsize=look.font_points)
    _legend(figure, look, simulation, means)
    scales = "prologue and time steps have scales of their own" if len(parts) > 1 else ""
    put_title(figure, look, simulation, "Utilization of every unit over the run", scales)
    return figure


def run_parts(simulation: Simulation) -> list[Part]:
    """What comes before the first time step, and the rest; all in one if the former is a small part of the run."""
    phases = simulation.trace.phases
    first = next(number for number, phase in enumerate(phases) if phase.kind is PhaseKind.BODY)
    start, end = phases[first].start, simulation.trace.total_cycles
    steps = plural(simulation.workload.spec.steps, "time step")
    if start < _LEAST_SHARE * end:
        return [Part(tuple(range(len(phases))), 0, max(end, 1), f"prologue, {steps}, epilogue")]
    rest = Part(tuple(range(first, len(phases))), start, max(end, start + 1), f"{steps}, epilogue")
    return [Part(tuple(range(first)), 0, start, "prologue"), rest]


def _width_ratios(parts: Sequence[Part]) -> list[float]:
    if len(parts) == 1:
        return [1.0]
    share = min(parts[0].stop / parts[-1].stop, _MOST_SHARE)
    return [share, 1 - share]


def means_of(simulation: Simulation, number: int, shown: Part) -> Means:
    """Over how long the means of a phase are taken: a whole number of them a time step, or of time steps each.

    So no mean has another share of a step in it than its neighbours: the pattern of a step does not beat against them.
    """
    phase = simulation.trace.phases[number]
    recorded = max(timeline.bin_cycles for timeline in simulation.trace.timelines[number].values())
    least = max((shown.stop - shown.start) / _MOST_BINS, _WINDOW_BINS * recorded if recorded > 1 else 1, 1)
    step = float(body_cycles_per_step(simulation.program.phases[number], phase))
    if not step:
        return Means(least, 0)
    in_step = int(step / least)
    steps = 1 / in_step if in_step >= _FEWEST_IN_STEP else ceil(least / step)
    return Means(steps * step, steps)


def _draw_part(axes: Axes, simulation: Simulation, unit: str, shown: Part, means: dict[int, Means]) -> None:
    busy = 0
    for number in shown.phases:
        phase, timeline = simulation.trace.phases[number], simulation.trace.timelines[number][unit]
        busy += sum(timeline.busy)
        if any(timeline.busy):
            heights, edges = phase_means(timeline, phase.start, phase.end, means[number].window)
            axes.stairs(heights, edges, fill=True, color=_BUSY)
            axes.stairs(heights, edges, color=_EDGE, linewidth=0.8)
        if number != shown.phases[0] and phase.kind is not PhaseKind.HANDOVER:
            axes.axvline(phase.start, color="black", linewidth=0.8, linestyle=":")
    if not busy:
        axes.text(0.5, 0.5, "no op", transform=axes.transAxes, ha="center", va="center")
    axes.set_xlim(shown.start, shown.stop)
    axes.set_ylim(0, 105)
    axes.set_yticks([0, 50, 100])
    axes.grid(axis="y", color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)


def phase_means(timeline: Timeline, start: int, end: int, window: float) -> tuple[Float, Float]:
    """The busy share (%) in each window from `start` on, and the windows' edges; the last window ends at `end`."""
    before = np.concatenate([[0.0], np.cumsum(timeline.busy)])
    recorded = np.minimum(start + np.arange(len(timeline.busy) + 1) * float(timeline.bin_cycles), end)
    edges: Float = np.append(np.arange(start, end - 1e-6 * window, window, dtype=np.float64), float(end))
    busy = np.diff(np.interp(edges, recorded, before))
    return 100 * busy / np.diff(edges), edges


def _ends(simulation: Simulation, look: Look) -> tuple[str, str]:
    """What stands in all rows' names before and behind the numbers: the longest that has room."""
    room = 0.97 * look.width_inches - _MARGIN_INCHES * look.scale
    units = simulation.trace.units
    return next(
        (ends for ends in _ENDS if all(text_inches(look, _row_name(simulation, unit, ends)) < room for unit in units)),
        _ENDS[-1],
    )


def _name_row(axes: Axes, simulation: Simulation, unit: str, ends: tuple[str, str]) -> None:
    """Write the unit's name and its shares above its row; the text may reach beyond the first of its pictures."""
    axes.set_title(" ")  # keeps the room
    text = _row_name(simulation, unit, ends)
    note = axes.annotate(text, (0, 1), xycoords="axes fraction", xytext=(0, 3), textcoords="offset points", ha="left")
    note.set_in_layout(False)


def _row_name(simulation: Simulation, unit: str, ends: tuple[str, str]) -> str:
    trace, stats = simulation.trace, simulation.stats
    busy = [sum(timelines[unit].busy) for timelines in trace.timelines]
    steps = sum(found for found, phase in zip(busy, trace.phases, strict=True) if phase.kind is PhaseKind.BODY)
    run, body = part(sum(busy), trace.total_cycles), part(steps, stats.body_cycles)
    return f"{in_words(unit)}: {ends[0]}{run} of the run, {body} of {ends[1]}"


def _per_us(simulation: Simulation) -> str:
    return f"{simulation.arch.config.clock_mhz:,g} cycles = 1 us"


def _legend(figure: Figure, look: Look, simulation: Simulation, means: dict[int, Means]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Patch | Line2D] = []
    texts = dict.fromkeys(_in_steps(found) for found in means.values() if found.steps)
    if texts:
        label = f"mean over {' or '.join(texts)}"
        windows = {found.window for found in means.values() if found.steps}
        if len(windows) == 1 and len(texts) == 1:
            label += f" ({cycles(windows.pop())} cycles)"
        handles.append(Patch(facecolor=_BUSY, edgecolor=_EDGE, label=label))
    if len(simulation.trace.phases) > 1:
        several = sum(phase.kind is PhaseKind.BODY for phase in simulation.trace.phases) > 1
        label = "next layer or phase begins" if several else "next phase begins"
        handles.append(Line2D([], [], color="black", linewidth=0.8, linestyle=":", label=label))
    put_legend(figure, look, handles, 2, f"cycle of the run ({_per_us(simulation)})")


def _in_steps(means: Means) -> str:
    """A duration in time steps in words, as "1/9 of a time step" or "4 time steps"."""
    return f"1/{round(1 / means.steps)} of a time step" if means.steps < 1 else plural(round(means.steps), "time step")
