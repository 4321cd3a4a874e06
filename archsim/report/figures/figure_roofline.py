"""Draws the roofline: performance over operational intensity, both logarithmic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.metrics.roofline import Roofline
from archsim.report.figures.drawing import PALETTE, label_log_axis, new_figure, put_title
from archsim.report.text.figures_as_text import percent, significant

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = (PALETTE[6], PALETTE[5], PALETTE[2], PALETTE[4], PALETTE[1], PALETTE[7])
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
_ANY = (1.0, 1000.0)
_MARGIN = 3.0
"""The picture reaches that many times beyond what is in it."""


def roofline_figure(simulation: Simulation) -> Figure:
    """A sloped line a memory up to the flat one of the multipliers; for each memory a point in the steady state and one
    for the whole run, at the intensities that the memory sees."""
    found = simulation.stats.roofline
    figure = new_figure(4.2)
    axes = figure.add_subplot()
    low, high = _range(found)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.axhline(found.peak_gops, color="black", linewidth=1.5, label=f"peak {significant(found.peak_gops)} GOPS")
    for number, (memory, ceiling) in enumerate(found.ceilings.items()):
        colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
        ridge = found.peak_gops / ceiling.bandwidth_gb_per_s
        start = min(low, ridge / _MARGIN)
        axes.plot(
            [start, ridge],
            [start * ceiling.bandwidth_gb_per_s, found.peak_gops],
            color=colour,
            linestyle=dash,
            linewidth=1.2,
            label=f"{memory} {significant(ceiling.bandwidth_gb_per_s)} GB/s",
        )
        _point(axes, ceiling.step_ops_per_byte, found.step_gops, colour, "o", colour)
        _point(axes, ceiling.run_ops_per_byte, found.run_gops, colour, "s", "white")
    axes.plot([], [], "o", color="#333333", label=f"steady state {significant(found.step_gops)} GOPS")
    axes.plot(
        [], [], "s", color="#333333", markerfacecolor="white", label=f"whole run {significant(found.run_gops)} GOPS"
    )
    axes.set_xlim(low, high)
    axes.set_ylim(min(found.step_gops, found.run_gops) / (2 * _MARGIN), _MARGIN * found.peak_gops)
    label_log_axis(axes.xaxis, *axes.get_xlim(), significant)
    label_log_axis(axes.yaxis, *axes.get_ylim(), significant)
    axes.set_xlabel("operational intensity at the memory (ops/byte)")
    axes.set_ylabel("performance (GOPS)")
    axes.grid(visible=True, which="major", color="#DDDDDD", linewidth=0.6)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    note = (
        f"lowest roof of the time steps: {found.step_binding}, {percent(found.step_roof_share)} of it reached; "
        f"of the whole run: {found.run_binding}, {percent(found.run_roof_share)}"
    )
    put_title(figure, simulation, "Roofline: what multipliers and memories allow, and what is reached", note)
    return figure


def _point(axes: Axes, intensity: float | None, gops: float, colour: str, marker: str, fill: str) -> None:
    """Draw the point of a memory; nothing where the memory moves nothing."""
    if intensity is not None:
        axes.plot([intensity], [gops], marker, color=colour, markerfacecolor=fill, markersize=6, zorder=3)


def _range(found: Roofline) -> tuple[float, float]:
    """The range of intensities in the picture, from below the least to beyond the largest.

    It is any range where no memory is a ceiling.
    """
    if not found.ceilings:
        return _ANY
    seen = [found.peak_gops / ceiling.bandwidth_gb_per_s for ceiling in found.ceilings.values()]
    for ceiling in found.ceilings.values():
        seen += [value for value in (ceiling.step_ops_per_byte, ceiling.run_ops_per_byte) if value is not None]
    return min(seen) / _MARGIN, max(seen) * _MARGIN
