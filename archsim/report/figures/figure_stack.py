"""Draws where the cycles went: the run by phases, and below it each unit's cycles of the time steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.program.ir import PhaseKind
from archsim.report.figures.drawing import EDGE, in_words, new_figure, put_legend, put_title, text_colour, text_inches
from archsim.report.figures.look import USUAL, Look
from archsim.report.looks.cycle_looks import cycle_look
from archsim.report.text.steps import STEP_BUCKETS, step_stacks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PHASE_COLOURS = {
    PhaseKind.PROLOGUE: "#BBBBBB",
    PhaseKind.BODY: "#FFFFFF",
    PhaseKind.EPILOGUE: "#777777",
}
_VISIBLE_POINTS = 3.0
"""A part that is nowhere so wide is no colour that one could find: it stands in words alone, not in the legend."""
_WRITTEN = 0.1
"""Percent from which on a part is written."""
_LINES = 3
"""So many lines have room behind a bar."""
_BESIDE_INCHES = 2.3
"""Beside the bars, for the names of the units, and for the parts that have no room in them."""

Parts = Sequence[tuple[str, float]]


def stack_figure(simulation: Simulation, look: Look = USUAL) -> Figure:
    """The phases of the run in one bar, and a bar a unit in percent of the time steps' cycles."""
    stacks = step_stacks(simulation)
    length = max(1, simulation.stats.body_cycles)
    figure = new_figure(look, 1.35 + 0.47 * len(stacks))
    top, axes = figure.subplots(2, 1, height_ratios=(1.0, len(stacks)))
    inches = look.width_inches - _BESIDE_INCHES * look.scale
    least = 100 * text_inches(look, "99.9 % ") / inches
    _draw_phases(top, simulation, look, inches)
    ends = dict.fromkeys(stacks, 0.0)
    behind: dict[str, list[tuple[str, float]]] = {name: [] for name in stacks}
    rows = list(range(len(stacks)))
    handles = []
    for bucket in STEP_BUCKETS:
        shares = [100 * stack[bucket] / length for stack in stacks.values()]
        if not any(shares):
            continue
        cycles = cycle_look(bucket)
        visible = max(shares) * inches * 72 / 100 >= _VISIBLE_POINTS
        bars = axes.barh(
            rows,
            shares,
            0.66,
            left=list(ends.values()),
            label=in_words(bucket),
            color=cycles.colour,
            hatch=cycles.hatch if visible else "",
            edgecolor=EDGE,
            linewidth=0.5 if visible else 0,
        )
        handles += [bars[0]] if visible else []
        if visible:
            bars[0].set_label(in_words(bucket))
        for row, (name, share) in enumerate(zip(stacks, shares, strict=True)):
            if share >= least:
                _write(axes, ends[name] + share / 2, row, f"{share:.1f} %", cycles.colour)
            elif share >= _WRITTEN:
                behind[name].append((in_words(bucket), share))
            ends[name] += share
    for row, parts in enumerate(behind.values()):
        axes.text(101, row, "\n".join(_small_parts(parts)), ha="left", va="center", linespacing=1.1)
    axes.set_yticks(rows, list(map(in_words, stacks)))
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel(f"% of the {length:,} cycles of the time steps")
    put_legend(figure, look, handles, 5)
    put_title(figure, look, simulation, "Where the cycles went: the run, and each unit in its time steps", "")
    return figure


def _draw_phases(axes: Axes, simulation: Simulation, look: Look, inches: float) -> None:
    """Draw the bar of the whole run."""
    total, end = simulation.trace.total_cycles, 0.0
    behind: list[tuple[str, float]] = []
    for name, kind, cycles in _phases(simulation):
        share = 100 * cycles / total
        colour = _PHASE_COLOURS[kind]
        axes.barh([0], [share], 0.9, left=[end], color=colour, edgecolor=EDGE, linewidth=0.5)
        if max(text_inches(look, f"{text} ") for text in (name, "99.9 %")) < share / 100 * inches:
            _write(axes, end + share / 2, 0, f"{name}\n{share:.1f} %", colour)
        elif share >= _WRITTEN:
            behind.append((name, share))
        end += share
    axes.text(101, 0, "\n".join(_small_parts(behind)), ha="left", va="center", linespacing=1.1)
    axes.set_xlim(0, 100)
    axes.set_ylim(-0.5, 0.5)
    axes.set_yticks([0], ["run"])
    axes.set_xlabel(f"% of the {total:,} cycles of the run")


def _phases(simulation: Simulation) -> list[tuple[str, PhaseKind, int]]:
    """Name, kind and cycles of what follows each other; of layers each, with the handover that leads to it."""
    found: list[tuple[PhaseKind, int]] = []
    joins = False
    for phase in simulation.trace.phases:
        kind = PhaseKind.BODY if phase.kind is PhaseKind.HANDOVER else phase.kind
        if found and found[-1][0] is kind and (joins or phase.kind is not PhaseKind.HANDOVER):
            found[-1] = kind, found[-1][1] + phase.cycles
        else:
            found.append((kind, phase.cycles))
        joins = phase.kind is PhaseKind.HANDOVER
    bodies = [place for place, (kind, _) in enumerate(found) if kind is PhaseKind.BODY]
    names = {place: "time steps" if len(bodies) == 1 else f"layer {number}" for number, place in enumerate(bodies)}
    return [(names.get(place, kind.value), kind, cycles) for place, (kind, cycles) in enumerate(found)]


def _small_parts(parts: Parts) -> list[str]:
    """A line for each small part (bucket, percent); of too many the largest, and one for the sum of the others."""
    if len(parts) > _LINES:
        largest = sorted(parts, key=lambda part: -part[1])[: _LINES - 1]
        rest = sum(share for _, share in parts) - sum(share for _, share in largest)
        parts = [*(part for part in parts if part in largest), ("others", rest)]
    return [f"{bucket} {share:.1f} %" for bucket, share in parts]


def _write(axes: Axes, middle: float, row: int, words: str, colour: str) -> None:
    """Write into a bar; on the bar's colour, so that its hatch does not run through the text."""
    box = {"boxstyle": "round,pad=0.15", "facecolor": colour, "edgecolor": "none"}
    text = axes.text(middle, row, words, ha="center", va="center", color=text_colour(colour))
    text.set_bbox(box)
