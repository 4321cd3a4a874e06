"""Draws the recorded time steps as a Gantt chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.critical import Segment
from archsim.report.figures.drawing import (
    DPI,
    FONT_POINTS,
    HATCHES,
    PALETTE,
    WIDTH_INCHES,
    new_figure,
    put_title,
    text_colour,
)
from archsim.report.figures.gantt import Bar, Gantt, Panel, ShortOps, gantt, merge_short, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 0.62
_PLOT_PIXELS = 0.82 * WIDTH_INCHES * DPI
_CHAR_PIXELS = 0.66 * FONT_POINTS / 72 * DPI
_SHORT_PIXELS = 4
"""Ops that are drawn shorter than this are merged with their neighbours, and have neither edge nor hatch."""
_GAP_PIXELS = 2
"""A gap between two of them that is narrower is not drawn."""
_LEAST_PIXELS = 1.5
"""What is left alone is drawn at least so wide, so that its colour is seen."""
_HATCH_PIXELS = 8
"""From here on a hatch is more than specks."""
_MIXED = "#4D4D4D"
"""The colour of merged ops of several kinds."""
_CHAIN = "#C00000"
"""The colour of the critical path."""
_CHAIN_GAP = 0.07
"""How far below a row's ops it runs, in rows."""
_LEGEND_COLUMNS = 4
_SHORT_LEGEND = 12
"""So many kinds of op have room in the legend of a figure of the usual height."""


def timeline_figure(simulation: Simulation, path: Sequence[Segment] = ()) -> Figure:
    """One panel with all recorded steps if they are few ops, else one step and a closer look at its end.

    `path`: the critical path of the run, which is drawn below the ops.
    """
    chart = gantt(simulation)
    chain = list(_chain(simulation, chart, path))
    shown = panels(chart)
    looks = _looks(chart)
    legend_rows = max(0, len({kind for _, kind in looks}) - _SHORT_LEGEND) // _LEGEND_COLUMNS
    figure = new_figure(1.7 + 0.2 * legend_rows + (0.55 + 0.36 * len(chart.units)) * len(shown))
    rows = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    mixed = [_draw_panel(axes, chart, panel, looks) for axes, panel in zip(rows, shown, strict=True)]
    for axes, panel in zip(rows, shown, strict=True):
        _draw_chain(axes, chain, panel)
    rows[-1].set_xlabel("cycle of the run")
    _legend(figure, chart, looks, any(mixed), bool(chain))
    clock = simulation.arch.config.clock_mhz
    put_title(figure, simulation, "What every unit does, cycle by cycle", f"1 us = {clock:,g} cycles")
    return figure


def _looks(chart: Gantt) -> dict[tuple[str, str], tuple[str, str]]:
    """The look of each (unit, kind of op): its colour and hatch.

    A hatch is unique in its row, a colour in the picture while they last.

    A kind that several units work on, as a vector that streams through them, looks the same in all of them.
    """
    looks: dict[tuple[str, str], tuple[str, str]] = {}
    known: dict[str, tuple[str, str]] = {}
    for unit in chart.units:
        kinds = dict.fromkeys(bar.kind for bar in chart.bars if bar.unit == unit)
        for number, kind in enumerate(kinds):
            look = PALETTE[len(known) % len(PALETTE)], HATCHES[number % len(HATCHES)]
            looks[unit, kind] = known.setdefault(kind, look)
    return looks


def _draw_panel(axes: Axes, chart: Gantt, panel: Panel, looks: dict[tuple[str, str], tuple[str, str]]) -> bool:
    """Draw one panel; return whether ops of several kinds were merged in it."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    scale = _PLOT_PIXELS / (panel.stop - panel.start)
    mixed = False
    for row, unit in enumerate(chart.units):
        mine = [bar for bar in chart.bars if bar.unit == unit and bar.done > panel.start and bar.start < panel.stop]
        long, short = merge_short(mine, _SHORT_PIXELS / scale, _GAP_PIXELS / scale)
        for kind in dict.fromkeys(bar.kind for bar in long):
            bars = [bar for bar in long if bar.kind == kind]
            _draw_bars(axes, bars, row, looks[unit, kind], scale)
            _name_bars(axes, bars, panel, row, looks[unit, kind][0], scale)
        for ops in short:
            mixed = mixed or len(ops.kinds) > 1
            _draw_short(axes, ops, row, looks[unit, ops.kinds[0]][0] if len(ops.kinds) == 1 else _MIXED, scale)
    _mark_steps(axes, chart, panel)
    _mark_gap(axes, chart, panel, scale)
    axes.set_xlim(panel.start, panel.stop)
    axes.set_ylim(len(chart.units) - 0.5, -0.5)
    axes.set_yticks(range(len(chart.units)), chart.units)
    axes.set_title(panel.title, loc="left", pad=16)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    return mixed


def _draw_bars(axes: Axes, bars: Sequence[Bar], row: int, look: tuple[str, str], scale: float) -> None:
    colour, hatch = look
    _draw_tails(axes, bars, row, colour)
    wide = [(bar.free - bar.start) * scale >= _HATCH_PIXELS for bar in bars]
    for hatched in (True, False):
        spans = [
            (bar.start, bar.free - bar.start) for bar, is_wide in zip(bars, wide, strict=True) if is_wide is hatched
        ]
        if spans:
            axes.broken_barh(
                spans,
                (row - _HEIGHT / 2, _HEIGHT),
                facecolor=colour,
                hatch=hatch if hatched else "",
                edgecolor="#333333",
                linewidth=0.5,
                zorder=2,
                label="op",
            )


def _draw_short(axes: Axes, ops: ShortOps, row: int, colour: str, scale: float) -> None:
    _draw_tails(axes, [ops], row, colour)
    span = ops.start, max(ops.free - ops.start, _LEAST_PIXELS / scale)
    axes.broken_barh([span], (row - _HEIGHT / 2, _HEIGHT), facecolor=colour, linewidth=0, zorder=2, label="short ops")


def _draw_tails(axes: Axes, bars: Sequence[Bar | ShortOps], row: int, colour: str) -> None:
    tails = [(bar.free, bar.done - bar.free) for bar in bars if bar.done > bar.free]
    if tails:
        low = row - _HEIGHT / 2
        axes.broken_barh(tails, (low, _HEIGHT), facecolor=colour, alpha=0.22, linewidth=0, zorder=1, label="tail")


def _name_bars(axes: Axes, bars: Sequence[Bar], panel: Panel, row: int, colour: str, scale: float) -> None:
    """Write an op's name into its bar if there is room."""
    for bar in bars:
        start, stop = max(bar.start, panel.start), min(bar.free, panel.stop)
        if (stop - start) * scale > len(bar.label) * _CHAR_PIXELS:
            box = {"boxstyle": "round,pad=0.1", "facecolor": colour, "edgecolor": "none"}
            middle = (start + stop) / 2
            axes.text(middle, row, bar.label, ha="center", va="center", color=text_colour(colour), bbox=box, zorder=3)


def _mark_steps(axes: Axes, chart: Gantt, panel: Panel) -> None:
    for step, cycle in chart.step_ends.items():
        if panel.start <= cycle <= panel.stop:
            axes.axvline(cycle, color="black", linestyle=(0, (4, 2)), linewidth=1, zorder=4)
            place = (cycle - panel.start) / (panel.stop - panel.start)
            side = "right" if place > 0.9 else "left" if place < 0.1 else "center"
            axes.text(cycle, -0.55, f"step {step} ends", ha=side, va="bottom")


def _mark_gap(axes: Axes, chart: Gantt, panel: Panel, scale: float) -> None:
    """Say how long the MAC array stands still at the end of the step."""
    if panel.gap is None or chart.mac_unit is None:
        return
    first, last = panel.gap
    text = f"{last - first:,} cycles"
    if (last - first) * scale > len(text) * _CHAR_PIXELS:
        row = chart.units.index(chart.mac_unit)
        axes.annotate("", (first, row), (last, row), arrowprops={"arrowstyle": "<->", "linewidth": 0.8}, zorder=5)
        axes.text((first + last) / 2, row - 0.06, text, ha="center", va="bottom", zorder=5)


def _chain(simulation: Simulation, chart: Gantt, path: Sequence[Segment]) -> Iterator[tuple[int, int, int]]:
    """(start, end, row) of each segment of the critical path that belongs to an op of a unit with a row."""
    phases = simulation.program.phases
    for segment in path:
        unit = phases[segment.instance.phase].ops[segment.instance.op].unit
        if segment.cycles and unit in chart.units:
            yield segment.start, segment.end, chart.units.index(unit)


def _draw_chain(axes: Axes, chain: Sequence[tuple[int, int, int]], panel: Panel) -> None:
    """Draw the part of the critical path that the panel shows as one line, from row to row."""
    points: list[tuple[float, float]] = []
    for start, end, row in chain:
        if end > panel.start and start < panel.stop:
            height = row + _HEIGHT / 2 + _CHAIN_GAP
            points += [(max(start, panel.start), height), (min(end, panel.stop), height)]
    if points:
        cycles, heights = zip(*points, strict=True)
        axes.plot(cycles, heights, color=_CHAIN, linewidth=1.6, zorder=4, solid_capstyle="butt", label="critical path")


def _legend(
    figure: Figure, chart: Gantt, looks: dict[tuple[str, str], tuple[str, str]], mixed: bool, chain: bool
) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Patch | Line2D] = [
        Patch(facecolor=colour, hatch=hatch, edgecolor="#333333", linewidth=0.5, label=kind)
        for kind, (colour, hatch) in {kind: look for (_, kind), look in looks.items()}.items()
    ]
    if mixed:
        handles.append(Patch(facecolor=_MIXED, label="several short ops"))
    handles.append(Patch(facecolor="#DDDDDD", label="paler: in the pipeline, unit free"))
    handles.append(Line2D([], [], color="black", linestyle=(0, (4, 2)), linewidth=1, label=chart.step_end_means))
    if chain:
        handles.append(Line2D([], [], color=_CHAIN, linewidth=1.6, label="critical path"))
    figure.legend(handles=handles, loc="outside lower center", ncols=_LEGEND_COLUMNS, frameon=False)
