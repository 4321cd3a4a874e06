"""Plots a run: figures of matplotlib, written to a file if one is named, the same bytes for the same run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.config.files.whole_files import write_whole
from archsim.critical import Segment
from archsim.errors import OutputError
from archsim.report.figures.drawing import figure_bytes, style
from archsim.report.figures.kinds import FigureKind, figure_of, why_none
from archsim.report.figures.look import USUAL, FigureFormat, Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure

File = str | Path | None
"""A file whose name ends in .png, .svg or .pdf; None: the figure is only returned."""


def plot(
    kind: FigureKind, simulation: Simulation, file: File = None, look: Look = USUAL, path: Sequence[Segment] = ()
) -> Figure:
    """Plot a figure of a run; OutputError if the run has none of this kind, or for a file of another form.

    `path`: the critical path, as `archsim.api.explain.find(run).path`, for the timeline.
    """
    missing = why_none(kind, simulation)
    if missing:
        raise OutputError(f"{kind}: {missing}")
    file_format = None if file is None else format_of(Path(file))
    with style(look):
        figure = figure_of(kind, simulation, look, path)
        if file is not None and file_format is not None:
            write_whole(Path(file), figure_bytes(figure, file_format))
    return figure


def format_of(file: Path) -> FigureFormat:
    """The form of a figure's file by the end of its name; OutputError if it is none of them."""
    end = file.suffix.removeprefix(".").lower()
    if end not in list(FigureFormat):
        raise OutputError(f"{file}: a figure's name ends in .{', .'.join(FigureFormat)}")
    return FigureFormat(end)


def plot_utilization(simulation: Simulation, file: File = None, look: Look = USUAL) -> Figure:
    """Plot how busy each unit is over the run."""
    return plot(FigureKind.UTILIZATION, simulation, file, look)


def plot_timeline(
    simulation: Simulation, file: File = None, chain: Sequence[Segment] = (), look: Look = USUAL
) -> Figure:
    """Plot the recorded time steps as a Gantt chart: a row a unit, a bar an op, and the critical path."""
    return plot(FigureKind.TIMELINE, simulation, file, look, chain)


def plot_accuracy(simulation: Simulation, file: File = None, look: Look = USUAL) -> Figure:
    """Plot the error of the output and of c over time, and the task's scores; only with accuracy."""
    return plot(FigureKind.ACCURACY, simulation, file, look)


def plot_format_ranges(simulation: Simulation, file: File = None, look: Look = USUAL) -> Figure:
    """Plot the golden model's values in the ranges of their formats; only with accuracy."""
    return plot(FigureKind.FORMAT_RANGES, simulation, file, look)


def plot_cycle_stack(simulation: Simulation, file: File = None, look: Look = USUAL) -> Figure:
    """Plot where the cycles of the run, and each unit's cycles of the time steps, went."""
    return plot(FigureKind.CYCLE_STACK, simulation, file, look)


def plot_roofline(simulation: Simulation, file: File = None, look: Look = USUAL) -> Figure:
    """Plot the machine's ceilings over operational intensity, and where the workload stands below them."""
    return plot(FigureKind.ROOFLINE, simulation, file, look)


def plot_energy(simulation: Simulation, file: File = None, look: Look = USUAL) -> Figure:
    """Plot energy and area of every unit and memory."""
    return plot(FigureKind.ENERGY, simulation, file, look)
