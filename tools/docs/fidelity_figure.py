"""The picture of docs/fidelity.md: each published figure against the simulated one, with the diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archsim.fidelity import Row
from archsim.fidelity.groups import by_machine
from archsim.report.figures.drawing import GRID, PALETTE, new_figure, style
from archsim.report.figures.look import USUAL

MARKS = "os^vDP*X"


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write the picture, the same bytes for the same rows (and the same matplotlib)."""
    with style():
        figure = new_figure(USUAL, 4.0)
        axes = figure.subplots()
        cycles = [row for row in rows if row.unit == "cycles"]
        ends = [f(value for row in cycles for value in (row.published, row.simulated)) for f in (min, max)]
        low, high = ends[0] / 1.5, ends[1] * 1.5
        axes.plot((low, high), (low, high), color="#333333", linewidth=0.8, label="equal")
        for place, group in enumerate(by_machine(cycles)):
            for drawn, filled in ((False, True), (True, False)):
                of_kind = [row for row in group.rows if row.drawn is drawn]
                if of_kind:
                    colour = PALETTE[place % len(PALETTE)]
                    axes.plot(
                        [row.published for row in of_kind],
                        [row.simulated for row in of_kind],
                        linestyle="",
                        marker=MARKS[place % len(MARKS)],
                        markersize=6,
                        markeredgecolor="#333333" if filled else colour,
                        markeredgewidth=0.5 if filled else 1.2,
                        color=colour if filled else "none",
                        label=group.machine + (", drawn" if drawn else ""),
                    )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.set_xlabel("published (cycles)")
        axes.set_ylabel("simulated (cycles)")
        axes.grid(color=GRID, linewidth=0.5)
        axes.set_axisbelow(True)
        figure.legend(loc="outside right upper", frameon=False)
        figure.savefig(path, metadata={"Date": None, "Creator": None})
