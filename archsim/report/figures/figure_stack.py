"""Draws where the cycles went: the run by phases, and below it each unit's cycles of the time steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.metrics import Stack
from archsim.program.ir import PhaseKind
from archsim.report.figures.drawing import EDGE, in_words, new_figure, put_legend, put_title, text_colour, text_inches
from archsim.report.figures.look import USUAL, Look
from archsim.report.looks.cycle_looks import SMALL, CycleLook, cycle_look
from archsim.report.text.steps import STEP_BUCKETS, step_stacks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

_PHASE_LOOKS = {
    PhaseKind.PROLOGUE: cycle_look("prologue"),
    PhaseKind.BODY: CycleLook("#FFFFFF"),
    PhaseKind.EPILOGUE: cycle_look("epilogue"),
}
_SMALL = "smaller parts"
_VISIBLE_POINTS = 3.0
"""What is nowhere so wide has no look that one could find: such buckets and phases are one part, the smaller ones."""
_SPECK_POINTS = 0.4
"""A part that is narrower is not seen at all."""
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
    shown = _draw_phases(top, simulation, look, inches)
    shown |= _draw_units(axes, stacks, length, look, inches)
    rows = list(range(len(stacks)))
    axes.set_yticks(rows, list(map(in_words, stacks)))
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel(f"% of the {length:,} cycles of the time steps")
    order = sorted(shown, key=lambda words: shown[words] is SMALL)
    put_legend(figure, look, [_patch(words, shown[words]) for words in order], 5)
    put_title(figure, look, simulation, "Where the cycles went: the run, and each unit in its time steps", "")
    return figure


def _draw_units(
    axes: Axes, stacks: Mapping[str, Stack], length: int, look: Look, inches: float
) -> dict[str, CycleLook]:
    """Draw a bar a unit; return the looks that are seen, by what they are called.

    A bucket that is nowhere wide enough to be found is drawn as one of the smaller parts, which stand last.
    """
    widest = {bucket: max(stack[bucket] for stack in stacks.values()) / length for bucket in STEP_BUCKETS}
    found = [bucket for bucket in STEP_BUCKETS if widest[bucket] * inches * 72 >= _VISIBLE_POINTS]
    shown = {in_words(bucket): cycle_look(bucket) for bucket in found}
    least = 100 * text_inches(look, "99.9 % ") / inches
    ends = [0.0] * len(stacks)
    behind: list[list[tuple[str, float]]] = [[] for _ in stacks]
    for bucket in (*found, *(bucket for bucket in STEP_BUCKETS if bucket not in found and widest[bucket])):
        shares = [100 * stack[bucket] / length for stack in stacks.values()]
        cycles = cycle_look(bucket) if bucket in found else SMALL
        if cycles is SMALL and widest[bucket] * inches * 72 >= _SPECK_POINTS:
            shown[_SMALL] = SMALL
        _draw_parts(axes, shares, ends, cycles, in_words(bucket))
        for row, share in enumerate(shares):
            if share >= least:
                _write(axes, ends[row] + share / 2, row, f"{share:.1f} %", cycles.colour)
            elif share >= _WRITTEN:
                behind[row].append((in_words(bucket), share))
            ends[row] += share
    for row, parts in enumerate(behind):
        axes.text(101, row, "\n".join(_small_parts(parts)), ha="left", va="center", linespacing=1.1)
    return shown


def _draw_parts(axes: Axes, shares: Sequence[float], ends: Sequence[float], cycles: CycleLook, words: str) -> None:
    """Draw a part of each bar; of the smaller parts, whose colour edges would hide, without them."""
    rows, line = range(len(shares)), 0.0 if cycles is SMALL else 0.5
    axes.barh(rows, shares, 0.66, left=ends, label=words, color=cycles.colour, hatch=cycles.hatch,
              edgecolor=EDGE, linewidth=line)  # fmt: skip


def _patch(words: str, cycles: CycleLook) -> Patch:
    from matplotlib.patches import Patch

    return Patch(facecolor=cycles.colour, hatch=cycles.hatch, edgecolor=EDGE, linewidth=0.5, label=words)


def _draw_phases(axes: Axes, simulation: Simulation, look: Look, inches: float) -> dict[str, CycleLook]:
    """Draw the bar of the whole run; return the looks of phases whose name does not stand in the bar."""
    total, end = simulation.trace.total_cycles, 0.0
    behind: list[tuple[str, float]] = []
    shown: dict[str, CycleLook] = {}
    for name, kind, cycles in _phases(simulation):
        share = 100 * cycles / total
        points = share / 100 * inches * 72
        phase, words = _PHASE_LOOKS[kind], f"{name} (of the run)"
        if points < _VISIBLE_POINTS:
            phase, words = SMALL, _SMALL
        _draw_parts(axes, [share], [end], phase, name)
        if max(text_inches(look, f"{text} ") for text in (name, "99.9 %")) < share / 100 * inches:
            _write(axes, end + share / 2, 0, f"{name}\n{share:.1f} %", phase.colour)
        else:
            if points >= _SPECK_POINTS:
                shown[words] = phase
            if share >= _WRITTEN:
                behind.append((name, share))
        end += share
    axes.text(101, 0, "\n".join(_small_parts(behind)), ha="left", va="center", linespacing=1.1)
    axes.set_xlim(0, 100)
    axes.set_ylim(-0.36, 0.36)
    axes.set_yticks([0], ["run"])
    axes.set_xlabel(f"% of the {total:,} cycles of the run")
    return shown


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
