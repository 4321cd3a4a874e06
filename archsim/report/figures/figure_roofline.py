"""Draws the roofline: performance over operational intensity, both logarithmic."""

from __future__ import annotations

from collections.abc import Mapping
from math import log10
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.metrics.roofline import Roofline
from archsim.report.figures.drawing import GRID, PALETTE, in_words, new_figure, put_legend, put_title, scale_log_axis
from archsim.report.figures.look import USUAL, Look
from archsim.report.looks.roof_looks import RoofLook, levels, roof_looks
from archsim.report.text.figures_as_text import percent, significant

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_MARKER_POINTS = 6.0
_HANDLE_EMS = 4.2
"""A legend's line is so long, in sizes of the font, that its dashes are seen on both sides of its marker."""
_APART = 1.5
"""The middles of markers at one height are at least so many sizes of a marker apart."""
_ANY = (1.0, 1000.0)
_MARGIN = 3.0
"""The picture reaches that many times beyond what is in it."""
_BESIDE_INCHES = 0.7
"""Beside the picture, for the numbers at the axis."""


def roofline_figure(simulation: Simulation, look: Look = USUAL) -> Figure:
    """A sloped line a memory up to the flat one of the multipliers; for each memory a point in the steady state and one
    for the whole run, at the intensities that the memory sees."""
    from matplotlib.lines import Line2D

    found = simulation.stats.roofline
    figure = new_figure(look, 3.4)
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = scale_log_axis(axes.xaxis, *_range(found))
    worst = min(found.step_gops, found.run_gops)
    bottom, top = scale_log_axis(axes.yaxis, worst / (2 * _MARGIN), _MARGIN * found.peak_gops)
    axes.axhline(found.peak_gops, color="black", linewidth=1.5)
    handles = [Line2D([], [], color="black", linewidth=1.5, label=f"peak {significant(found.peak_gops)} GOPS")]
    looks = roof_looks(found)
    for name, ceiling in found.ceilings.items():
        if looks[name] is not next(one for one in looks.values() if one.slope == looks[name].slope):
            continue  # its slope is drawn already
        width = ceiling.bandwidth_gb_per_s
        ridge = found.peak_gops / width
        start = min(low, ridge / _MARGIN)
        colour, dash = looks[name].colour, looks[name].dash
        axes.plot([start, ridge], [start * width, found.peak_gops], color=colour, linestyle=dash, linewidth=1.2)
    decades = log10(high / low)
    inches = look.width_inches - _BESIDE_INCHES * look.scale
    apart = _APART * _MARKER_POINTS / (72 * inches) * decades
    drop = _APART * _MARKER_POINTS / (72 * 3.0 * look.scale) * log10(top / bottom)
    hung = 0
    for gops, steady in ((found.step_gops, True), (found.run_gops, False)):
        points = {
            name: intensity
            for name, ceiling in found.ceilings.items()
            if (intensity := ceiling.step_ops_per_byte if steady else ceiling.run_ops_per_byte) is not None
        }
        for name, level in levels(points, apart).items():
            colour, marker = looks[name].colour, looks[name].marker
            height = gops / 10 ** (level * drop)
            hung += level > 0
            if level:
                axes.plot([points[name]] * 2, [gops, height], color=colour, linewidth=0.8, zorder=2.5)
            axes.plot([points[name]], [height], marker, color=colour, markerfacecolor=colour if steady else "white",
                      markersize=_MARKER_POINTS, zorder=3)  # fmt: skip
    handles += _memory_handles(found, looks)
    reached = (
        (f"steady state, {significant(found.step_gops)} GOPS", found.step_gops, "--"),
        (f"whole run, {significant(found.run_gops)} GOPS", found.run_gops, ":"),
    )
    if found.ceilings:
        handles += [_marker("#333333", f"filled: {reached[0][0]}"), _marker("white", f"open: {reached[1][0]}")]
    else:  # nothing has an intensity: what is reached is a height alone
        handles += [
            axes.axhline(gops, color=PALETTE[5], linewidth=1.2, linestyle=dash, label=label)
            for label, gops, dash in reached
        ]
    if hung:
        handles.append(Line2D([], [], color="#333333", linewidth=0.8, label="stem: meant is its upper end"))
    axes.set_xlim(low, high)
    axes.set_ylim(bottom, top)
    axes.set_xlabel("operational intensity at the memory (ops/byte)")
    axes.set_ylabel("performance (GOPS)")
    axes.grid(visible=True, which="major", color=GRID, linewidth=0.6)
    put_legend(figure, look, handles, 3, handle_ems=_HANDLE_EMS)
    note = (
        f"lowest roof of the time steps: {in_words(found.step_binding)}, {percent(found.step_roof_share)} of it "
        f"reached; of the whole run: {in_words(found.run_binding)}, {percent(found.run_roof_share)}"
    )
    put_title(figure, look, simulation, "Roofline: what multipliers and memories allow, and what is reached", note)
    return figure


def _memory_handles(found: Roofline, looks: Mapping[str, RoofLook]) -> list[Line2D]:
    """A handle a memory, those of one slope after each other."""
    from matplotlib.lines import Line2D

    return [
        Line2D(
            [], [], color=looks[name].colour, linestyle=looks[name].dash, linewidth=1.2,
            marker=looks[name].marker, markersize=_MARKER_POINTS,
            label=f"{in_words(name)} {significant(found.ceilings[name].bandwidth_gb_per_s)} GB/s",
        )
        for name in sorted(looks, key=lambda name: looks[name].slope)
    ]  # fmt: skip


def _marker(inside: str, label: str) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D([], [], color="#333333", linestyle="", marker="o", markerfacecolor=inside, label=label)


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
