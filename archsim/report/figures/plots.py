"""Plots a run: PNGs of 16 cm at 150 dots an inch, the same bytes for the same run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archsim.api import Simulation
from archsim.critical import Segment
from archsim.report.figures.drawing import write_png


def plot_utilization(simulation: Simulation, path: Path) -> None:
    """Plot how busy each unit is over the time steps."""
    from archsim.report.figures.figure_utilization import utilization_figure

    write_png(utilization_figure, simulation, path)


def plot_timeline(simulation: Simulation, path: Path, chain: Sequence[Segment] = ()) -> None:
    """Plot the recorded time steps as a Gantt chart: a row a unit, a bar an op, and the critical path."""
    from archsim.report.figures.figure_timeline import timeline_figure

    write_png(lambda run: timeline_figure(run, chain), simulation, path)


def plot_accuracy(simulation: Simulation, path: Path) -> None:
    """Plot the error of the output and of c over time, and the task's scores; only with accuracy."""
    from archsim.report.figures.figure_accuracy import accuracy_figure

    write_png(accuracy_figure, simulation, path)


def plot_format_ranges(simulation: Simulation, path: Path) -> None:
    """Plot the golden model's values in the ranges of their formats; only with accuracy."""
    from archsim.report.figures.figure_ranges import ranges_figure

    write_png(ranges_figure, simulation, path)


def plot_cycle_stack(simulation: Simulation, path: Path) -> None:
    """Plot where each unit's cycles of the time steps went."""
    from archsim.report.figures.figure_stack import stack_figure

    write_png(stack_figure, simulation, path)


def plot_roofline(simulation: Simulation, path: Path) -> None:
    """Plot the machine's ceilings over operational intensity, and where the workload stands below them."""
    from archsim.report.figures.figure_roofline import roofline_figure

    write_png(roofline_figure, simulation, path)


def plot_energy(simulation: Simulation, path: Path) -> None:
    """Plot energy and area of every unit and memory."""
    from archsim.report.figures.figure_energy import energy_figure

    write_png(energy_figure, simulation, path)
