"""Names the kinds of figures of a run, and draws one by its kind."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.critical import Segment
from archsim.report.figures.look import USUAL, Look

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class FigureKind(StrEnum):
    """A kind of figure of a run."""

    UTILIZATION = "utilization"
    TIMELINE = "timeline"
    CYCLE_STACK = "cycle_stack"
    ROOFLINE = "roofline"
    ENERGY = "energy"
    ACCURACY = "accuracy"
    FORMAT_RANGES = "format_ranges"


OF_NUMBERS = (FigureKind.ACCURACY, FigureKind.FORMAT_RANGES)
"""The kinds that show what was computed."""


def why_none(kind: FigureKind, simulation: Simulation) -> str:
    """Why a run has no figure of a kind; "" if it has one."""
    if kind is FigureKind.ENERGY and simulation.stats.energy is None:
        return "the machine has no model of energy and area"
    if kind in OF_NUMBERS and simulation.numbers is None:
        return "the run is timing only: it computed no numbers"
    if kind in OF_NUMBERS and simulation.accuracy is None:
        return "the machine computes in float32, so that no error of its formats is measured"
    return ""


def figure_of(kind: FigureKind, simulation: Simulation, look: Look = USUAL, path: Sequence[Segment] = ()) -> Figure:
    """Draw a figure of a run that has one; call it within `style`. `path`: the critical path, for the timeline."""
    match kind:
        case FigureKind.UTILIZATION:
            from archsim.report.figures.figure_utilization import utilization_figure

            return utilization_figure(simulation, look)
        case FigureKind.TIMELINE:
            from archsim.report.figures.figure_timeline import timeline_figure

            return timeline_figure(simulation, look, path)
        case FigureKind.CYCLE_STACK:
            from archsim.report.figures.figure_stack import stack_figure

            return stack_figure(simulation, look)
        case FigureKind.ROOFLINE:
            from archsim.report.figures.figure_roofline import roofline_figure

            return roofline_figure(simulation, look)
        case FigureKind.ENERGY:
            from archsim.report.figures.figure_energy import energy_figure

            return energy_figure(simulation, look)
        case FigureKind.ACCURACY:
            from archsim.report.figures.figure_accuracy import accuracy_figure

            return accuracy_figure(simulation, look)
        case FigureKind.FORMAT_RANGES:
            from archsim.report.figures.figure_ranges import ranges_figure

            return ranges_figure(simulation, look)
