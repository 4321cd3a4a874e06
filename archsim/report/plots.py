"""The pictures of a run, each a PNG of 16 cm at 150 dots an inch: the same bytes for the same run."""

from __future__ import annotations

from pathlib import Path

from archsim.api import Simulation
from archsim.report.drawing import write_png


def plot_utilization(simulation: Simulation, path: Path) -> None:
    """How busy each unit is over the time steps."""
    from archsim.report.figure_utilization import utilization_figure

    write_png(utilization_figure, simulation, path)


def plot_timeline(simulation: Simulation, path: Path) -> None:
    """The recorded time steps as a Gantt chart: a row a unit, a bar an op."""
    from archsim.report.figure_timeline import timeline_figure

    write_png(timeline_figure, simulation, path)


def plot_cycle_stack(simulation: Simulation, path: Path) -> None:
    """Where each unit's cycles of the time steps went."""
    from archsim.report.figure_stack import stack_figure

    write_png(stack_figure, simulation, path)
