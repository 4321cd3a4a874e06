"""Draws where each unit's cycles of the time steps went, as stacked bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.report.figures.drawing import left_out, new_figure, put_title, text_colour
from archsim.report.text.steps import STEP_BUCKETS, step_stacks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOOKS = {
    "useful": ("#0072B2", ""),
    "padding": ("#56B4E9", "////"),
    "wait_port": ("#009E73", "...."),
    "wait_recurrence": ("#D55E00", ""),
    "wait_input": ("#F0E442", "xxxx"),
    "wait_weights": ("#F0E442", "...."),
    "wait_accumulator": ("#CC79A7", "\\\\\\\\"),
    "wait_operand": ("#E69F00", "////"),
    "wait_buffer": ("#CC79A7", "...."),
    "wait_issue": ("#999999", "xxxx"),
    "idle": ("#F2F2F2", ""),
}
"""Bucket -> colour and hatch."""
_VISIBLE = 0.1
"""Percent below which a part is thinner than its edge."""
_LABELLED = 8.0
"""A part of at least so many percent has room for its number; those of the others stand behind the bar."""
_LINES = 3
"""So many lines have room behind a bar."""


def stack_figure(simulation: Simulation) -> Figure:
    """A bar a unit, in percent of the time steps' cycles."""
    stacks = step_stacks(simulation)
    length = max(1, simulation.stats.body_cycles)
    figure = new_figure(1.7 + 0.42 * len(stacks))
    axes = figure.add_subplot()
    ends = dict.fromkeys(stacks, 0.0)
    behind: dict[str, list[tuple[str, float]]] = {name: [] for name in stacks}
    rows = list(range(len(stacks)))
    unseen: list[str] = []
    for bucket in STEP_BUCKETS:
        shares = [100 * stack[bucket] / length for stack in stacks.values()]
        if not any(shares):
            continue
        colour, hatch = _LOOKS[bucket]
        left = list(ends.values())
        visible = max(shares) >= _VISIBLE
        if not visible:
            unseen.append(bucket)
        axes.barh(
            rows,
            shares,
            0.66,
            left=left,
            label=bucket if visible else "_" + bucket,
            color=colour,
            hatch=hatch,
            edgecolor="#333333",
            linewidth=0.5,
        )
        for row, (name, share) in enumerate(zip(stacks, shares, strict=True)):
            if share >= _LABELLED:
                _write_share(axes, ends[name] + share / 2, row, share, colour)
            elif share >= _VISIBLE:
                behind[name].append((bucket, share))
            ends[name] += share
    for row, parts in enumerate(behind.values()):
        axes.text(101, row, "\n".join(_small_parts(parts)), ha="left", va="center", linespacing=1.1)
    axes.set_yticks(rows, list(stacks))
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    note = f"\nunder {_VISIBLE} % everywhere: {', '.join(unseen)}" if unseen else ""
    axes.set_xlabel(f"share of the {length:,} cycles of the time steps (%){note}")
    figure.legend(loc="outside lower center", ncols=5, frameon=False)
    put_title(figure, simulation, "Where the cycles of each unit went, time steps only", left_out(simulation))
    return figure


def _small_parts(parts: Sequence[tuple[str, float]]) -> list[str]:
    """A line for each small part (bucket, percent); of too many the largest, and one for the sum of the others."""
    if len(parts) > _LINES:
        largest = sorted(parts, key=lambda part: -part[1])[: _LINES - 1]
        rest = sum(share for _, share in parts) - sum(share for _, share in largest)
        parts = [*(part for part in parts if part in largest), ("others", rest)]
    return [f"{bucket} {share:.1f} %" for bucket, share in parts]


def _write_share(axes: Axes, middle: float, row: int, share: float, colour: str) -> None:
    box = {"boxstyle": "round,pad=0.15", "facecolor": colour, "edgecolor": "none"}
    text = axes.text(middle, row, f"{share:.1f} %", ha="center", va="center", color=text_colour(colour))
    text.set_bbox(box)
