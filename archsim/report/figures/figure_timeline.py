"""Draws recorded time steps as a Gantt chart, with the critical path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.critical import Segment
from archsim.report.figures.drawing import (
    EDGE,
    in_words,
    label_cycles,
    new_figure,
    put_legend,
    put_title,
    text_colour,
)
from archsim.report.figures.gantt import Bar, Gantt, Panel, ShortOps, charted_bodies, gantt, merge_short, panels
from archsim.report.figures.look import USUAL, Look
from archsim.report.looks.named_look import NamedLook
from archsim.report.looks.op_looks import LOOKS, MIXED
from archsim.report.text.steps import body_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = 0.62
_SHORT_POINTS = 2.0
"""Ops that are drawn shorter than this are merged with their neighbours, and have neither edge nor hatch."""
_GAP_POINTS = 1.0
"""A gap between two of them that is narrower is not drawn."""
_LEAST_POINTS = 0.75
"""What is left alone is drawn at least so wide, so that its colour is seen."""
_HATCH_POINTS = 4.0
"""From here on a hatch is more than specks."""
_CHAIN = "#C00000"
"""The colour of the critical path."""
_CHAIN_GAP = 0.07
"""How far below a row's ops it runs, in rows."""
_MOST_LAYERS = 4
"""Of more layers after each other those that take longest are drawn."""
_NAMES_INCHES = 1.0
"""Beside the panels, for the names of the units."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How many points a cycle of a panel is wide, and a character of the font."""

    points_per_cycle: float
    points_per_character: float


@dataclass(slots=True)
class Seen:
    """What was drawn so far, which the legend explains; of each look whether a bar has its hatch."""

    looks: dict[NamedLook, bool] = field(default_factory=dict)
    tails: bool = False
    ends: bool = False
    chain: bool = False


def timeline_figure(simulation: Simulation, look: Look = USUAL, path: Sequence[Segment] = ()) -> Figure:
    """One panel with all recorded steps if they are few ops, else one step and a closer look at its end.

    Of layers after each other a panel for each. `path`: the critical path of the run, which is drawn below the ops.
    """
    numbers = charted_bodies(simulation, _MOST_LAYERS)
    charts = [gantt(simulation, number) for number in numbers]
    shown = [(chart, panel) for chart in charts for panel in panels(chart)[: 1 if len(charts) > 1 else None]]
    units = len(charts[0].units)
    figure = new_figure(look, 0.3 + (0.55 + 0.36 * units) * len(shown))
    rows = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    chain = list(_chain(simulation, charts[0], path))
    seen = Seen()
    for axes, (chart, panel) in zip(rows, shown, strict=True):
        _draw_panel(axes, chart, panel, look, seen)
        seen.chain |= _draw_chain(axes, chain, panel, _known_until(simulation, chart))
    rows[-1].set_xlabel(f"cycle of the run ({simulation.arch.config.clock_mhz:,g} cycles = 1 us)")
    _legend(figure, look, charts[0].step_end_means, seen)
    put_title(figure, look, simulation, "What every unit does, cycle by cycle", _left_out(simulation, charts, numbers))
    return figure


def _left_out(simulation: Simulation, charts: Sequence[Gantt], numbers: Sequence[int]) -> str:
    """What of the run is not drawn: of many layers those that are shorter."""
    phases = simulation.program.phases
    bodies = [number for number in body_numbers(simulation) if phases[number].time_steps]
    if len(bodies) <= len(numbers):
        return ""
    return f"{len(charts)} of {len(bodies)} layers, those that take longest"


def _draw_panel(axes: Axes, chart: Gantt, panel: Panel, look: Look, seen: Seen) -> None:
    """Draw one panel, and note what is seen in it."""
    inches = look.width_inches - _NAMES_INCHES * look.scale
    scale = Scale(72 * inches / (panel.stop - panel.start), 72 * look.text_inches("x") * 1.1)
    least, gap = (points / scale.points_per_cycle for points in (_SHORT_POINTS, _GAP_POINTS))
    for row, unit in enumerate(chart.units):
        mine = [bar for bar in chart.bars if bar.unit == unit and bar.done > panel.start and bar.start < panel.stop]
        long, short = merge_short(mine, least, gap)
        for op_look in dict.fromkeys(bar.look for bar in long):
            bars = [bar for bar in long if bar.look is op_look]
            _draw_bars(axes, bars, row, op_look, scale)
            hatched = any(_is_wide(bar, scale) for bar in bars if bar.free > panel.start)
            if any(bar.free > panel.start for bar in bars):
                seen.looks[op_look] = hatched or seen.looks.get(op_look, False)
            _name_bars(axes, bars, panel, row, op_look.colour, scale)
        for ops in short:
            op_look = ops.looks[0] if len(ops.looks) == 1 else MIXED
            _draw_short(axes, ops, row, op_look.colour, scale)
            if ops.free > panel.start:
                seen.looks.setdefault(op_look, False)
        seen.tails |= any(bar.done > bar.free for bar in mine)
    seen.ends |= _mark_steps(axes, chart, panel)
    _mark_gap(axes, chart, panel, scale)
    axes.set_xlim(panel.start, panel.stop)
    axes.set_ylim(len(chart.units) - 0.5, -0.5)
    axes.set_yticks(range(len(chart.units)), list(map(in_words, chart.units)))
    axes.set_title("\n".join(wrap(panel.title, look.characters(inches))), loc="left", pad=2 * look.font_points)
    label_cycles(axes.xaxis, inches, look)


def _is_wide(bar: Bar, scale: Scale) -> bool:
    """Whether a bar has room for a hatch."""
    return (bar.free - bar.start) * scale.points_per_cycle >= _HATCH_POINTS


def _draw_bars(axes: Axes, bars: Sequence[Bar], row: int, look: NamedLook, scale: Scale) -> None:
    _draw_tails(axes, bars, row, look.colour)
    for hatched in (True, False):
        spans = [(bar.start, bar.free - bar.start) for bar in bars if _is_wide(bar, scale) is hatched]
        if spans:
            axes.broken_barh(
                spans,
                (row - _HEIGHT / 2, _HEIGHT),
                facecolor=look.colour,
                hatch=look.hatch if hatched else "",
                edgecolor=EDGE,
                linewidth=0.5,
                zorder=2,
                label="op",
            )


def _draw_short(axes: Axes, ops: ShortOps, row: int, colour: str, scale: Scale) -> None:
    _draw_tails(axes, [ops], row, colour)
    span = ops.start, max(ops.free - ops.start, _LEAST_POINTS / scale.points_per_cycle)
    axes.broken_barh([span], (row - _HEIGHT / 2, _HEIGHT), facecolor=colour, linewidth=0, zorder=2, label="short ops")


def _draw_tails(axes: Axes, bars: Sequence[Bar | ShortOps], row: int, colour: str) -> None:
    tails = [(bar.free, bar.done - bar.free) for bar in bars if bar.done > bar.free]
    if tails:
        low = row - _HEIGHT / 2
        axes.broken_barh(tails, (low, _HEIGHT), facecolor=colour, alpha=0.22, linewidth=0, zorder=1, label="tail")


def _name_bars(axes: Axes, bars: Sequence[Bar], panel: Panel, row: int, colour: str, scale: Scale) -> None:
    """Write an op's name into its bar if there is room."""
    for bar in bars:
        start, stop = max(bar.start, panel.start), min(bar.free, panel.stop)
        if (stop - start) * scale.points_per_cycle > len(bar.label) * scale.points_per_character:
            box = {"boxstyle": "round,pad=0.1", "facecolor": colour, "edgecolor": "none"}
            middle = (start + stop) / 2
            axes.text(middle, row, bar.label, ha="center", va="center", color=text_colour(colour), bbox=box, zorder=3)


def _mark_steps(axes: Axes, chart: Gantt, panel: Panel) -> bool:
    """Mark where steps end; return whether any does in the panel."""
    inside = {step: cycle for step, cycle in chart.step_ends.items() if panel.start <= cycle <= panel.stop}
    for step, cycle in inside.items():
        axes.axvline(cycle, color="black", linestyle=(0, (4, 2)), linewidth=1, zorder=4)
        place = (cycle - panel.start) / (panel.stop - panel.start)
        side = "right" if place > 0.9 else "left" if place < 0.1 else "center"
        axes.text(cycle, -0.55, f"step {step} ends", ha=side, va="bottom")
    return bool(inside)


def _mark_gap(axes: Axes, chart: Gantt, panel: Panel, scale: Scale) -> None:
    """Say how long the MAC array stands still at the end of the step."""
    if panel.gap is None or chart.mac_unit is None:
        return
    first, last = panel.gap
    text = f"{last - first:,} cycles"
    if (last - first) * scale.points_per_cycle > len(text) * scale.points_per_character:
        row = chart.units.index(chart.mac_unit)
        axes.annotate("", (first, row), (last, row), arrowprops={"arrowstyle": "<->", "linewidth": 0.8}, zorder=5)
        box = {"boxstyle": "round,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}
        middle = (first + min(last, panel.stop)) / 2  # no panel begins in its gap
        axes.text(middle, row - 0.06, text, ha="center", va="bottom", zorder=5, bbox=box)


def _chain(simulation: Simulation, chart: Gantt, path: Sequence[Segment]) -> Iterator[tuple[int, int, int]]:
    """(start, end, row) of each segment of the critical path that belongs to an op of a unit with a row."""
    phases = simulation.program.phases
    for segment in path:
        unit = phases[segment.instance.phase].ops[segment.instance.op].unit
        if segment.cycles and unit in chart.units:
            yield segment.start, segment.end, chart.units.index(unit)


def _known_until(simulation: Simulation, chart: Gantt) -> int:
    """The cycle until which the ops of a body are in its chart: the end of the last step on record, or of the run."""
    total, steps = simulation.trace.total_cycles, simulation.workload.spec.steps
    last = max(chart.step_ends, default=None)
    return total if last is None or last >= steps - 1 else chart.step_ends[last]


def _draw_chain(axes: Axes, chain: Sequence[tuple[int, int, int]], panel: Panel, until: int) -> bool:
    """Draw the part of the critical path that the panel shows as one line, from row to row; return whether any is.

    `until`: beyond that cycle its ops are not in the chart.
    """
    points: list[tuple[float, float]] = []
    stop = min(panel.stop, until)
    for start, end, row in chain:
        if end > panel.start and start < stop:
            height = row + _HEIGHT / 2 + _CHAIN_GAP
            points += [(max(start, panel.start), height), (min(end, stop), height)]
    if points:
        cycles, heights = zip(*points, strict=True)
        axes.plot(cycles, heights, color=_CHAIN, linewidth=1.6, zorder=4, solid_capstyle="butt", label="critical path")
    return bool(points)


def _legend(figure: Figure, look: Look, ends: str, seen: Seen) -> None:
    """Explain what is drawn: a hatch only where a bar has it."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Patch | Line2D] = [
        Patch(facecolor=found.colour, hatch=found.hatch if seen.looks[found] else "", edgecolor=EDGE,
              linewidth=0.5, label=found.words)
        for found in (*LOOKS, MIXED)
        if found in seen.looks
    ]  # fmt: skip
    if seen.tails:
        handles.append(Patch(facecolor="#DDDDDD", label="paler: in the pipeline"))
    if seen.ends:
        handles.append(Line2D([], [], color="black", linestyle=(0, (4, 2)), linewidth=1, label=ends))
    if seen.chain:
        handles.append(Line2D([], [], color=_CHAIN, linewidth=1.6, label="critical path"))
    put_legend(figure, look, handles, 4)
