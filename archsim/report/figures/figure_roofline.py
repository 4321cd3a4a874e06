"""Draws the roofline: performance over operational intensity, both logarithmic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.metrics.roofline import Roofline
from archsim.report.figures.drawing import GRID, PALETTE, in_words, new_figure, put_legend, put_title, scale_log_axis
from archsim.report.figures.look import USUAL, Look
from archsim.report.text.figures_as_text import percent, significant

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

Dash = tuple[float, tuple[float, ...]]

_COLOURS = (PALETTE[6], PALETTE[5], PALETTE[2], PALETTE[4], PALETTE[1], PALETTE[7])
_DASHES: tuple[Dash, ...] = ((0, ()), (0, (4, 2)), (0, (6, 2, 1, 2)), (0, (1, 1.5)), (0, (5, 1, 1, 1, 1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_MARKER_POINTS = 6.0
_APART = 1.5
"""The middles of markers at one height are at least so many sizes of a marker apart."""
_ANY = (1.0, 1000.0)
_MARGIN = 3.0
"""The picture reaches that many times beyond what is in it."""
_BESIDE_INCHES = 0.7
"""Beside the picture, for the numbers at the axis."""


@dataclass(frozen=True, slots=True)
class Slope:
    """The ceiling of memories that have the same bandwidth, and their look."""

    memories: tuple[str, ...]
    gb_per_s: float
    number: int


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
    slopes = slopes_of(found)
    for slope in slopes:
        ridge = found.peak_gops / slope.gb_per_s
        start = min(low, ridge / _MARGIN)
        colour, dash = _line(slope.number)
        axes.plot(
            [start, ridge], [start * slope.gb_per_s, found.peak_gops], color=colour, linestyle=dash, linewidth=1.2
        )
    decades = log10(high / low)
    inches = look.width_inches - _BESIDE_INCHES * look.scale
    apart = _APART * _MARKER_POINTS / (72 * inches) * decades
    drop = _APART * _MARKER_POINTS / (72 * 3.0 * look.scale) * log10(top / bottom)
    looks = {name: (_line(slope.number)[0], marker) for slope, name, marker in _marked(slopes, found)}
    hung = 0
    for gops, steady in ((found.step_gops, True), (found.run_gops, False)):
        points = {
            name: intensity
            for name, ceiling in found.ceilings.items()
            if (intensity := ceiling.step_ops_per_byte if steady else ceiling.run_ops_per_byte) is not None
        }
        for name, level in levels(points, apart).items():
            colour, marker = looks[name]
            height = gops / 10 ** (level * drop)
            hung += level > 0
            if level:
                axes.plot([points[name]] * 2, [gops, height], color=colour, linewidth=0.8, zorder=2.5)
            axes.plot([points[name]], [height], marker, color=colour, markerfacecolor=colour if steady else "white",
                      markersize=_MARKER_POINTS, zorder=3)  # fmt: skip
    handles += _memory_handles(slopes, found, looks)
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
    put_legend(figure, look, handles, 3)
    note = (
        f"lowest roof of the time steps: {in_words(found.step_binding)}, {percent(found.step_roof_share)} of it "
        f"reached; of the whole run: {in_words(found.run_binding)}, {percent(found.run_roof_share)}"
    )
    put_title(figure, look, simulation, "Roofline: what multipliers and memories allow, and what is reached", note)
    return figure


def slopes_of(found: Roofline) -> list[Slope]:
    """The ceilings; memories of one bandwidth share theirs, since two lines in one place look like one."""
    by_width: dict[float, list[str]] = {}
    for memory, ceiling in found.ceilings.items():
        by_width.setdefault(ceiling.bandwidth_gb_per_s, []).append(memory)
    return [Slope(tuple(names), width, number) for number, (width, names) in enumerate(by_width.items())]


def levels(intensities: dict[str, float], apart: float) -> dict[str, int]:
    """How far down each marker hangs, so that none lies on another one that is less than `apart` decades away."""
    found: dict[str, int] = {}
    for name, intensity in sorted(intensities.items(), key=lambda item: item[1]):
        near = {level for other, level in found.items() if abs(log10(intensity / intensities[other])) < apart}
        found[name] = next(level for level in range(len(near) + 1) if level not in near)
    return found


def _line(number: int) -> tuple[str, Dash]:
    return _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]


def _marked(slopes: Sequence[Slope], found: Roofline) -> list[tuple[Slope, str, str]]:
    """Each memory with its slope and a marker of its own."""
    order = list(found.ceilings)
    return [(slope, name, _MARKERS[order.index(name) % len(_MARKERS)]) for slope in slopes for name in slope.memories]


def _memory_handles(slopes: Sequence[Slope], found: Roofline, looks: dict[str, tuple[str, str]]) -> list[Line2D]:
    from matplotlib.lines import Line2D

    return [
        Line2D(
            [], [], color=_line(slope.number)[0], linestyle=_line(slope.number)[1], linewidth=1.2,
            marker=looks[name][1], markersize=_MARKER_POINTS,
            label=f"{in_words(name)} {significant(slope.gb_per_s)} GB/s",
        )
        for slope, name, _ in _marked(slopes, found)
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
