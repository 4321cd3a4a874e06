"""Draws designs beside each other: a panel a figure, a bar a design, one colour a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.api.compare import Comparison, Row
from archsim.metrics.declare import declared
from archsim.report.figures.drawing import HATCHES, PALETTE, drawn, new_figure
from archsim.report.figures.look import USUAL
from archsim.report.text.figures_as_text import percent, significant

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS = (
    "frame_latency_us",
    "latency_us",
    "frame_mac_utilization",
    "mac_utilization",
    "frame_energy_uj",
    "energy_uj",
    "area_mm2",
)


def comparison_png(found: Comparison) -> bytes:
    """The figure as a PNG: the same bytes for the same comparison."""
    return drawn(lambda: comparison_figure(found))


def comparison_figure(found: Comparison) -> Figure:
    """Panels of the figures that any design has, below each other."""
    about = declared(Row)
    panels = [name for name in _PANELS if any(getattr(row, name) is not None for row in found.rows)]
    figure = new_figure(USUAL, 0.6 + len(panels) * (0.45 + 0.24 * len(found.rows)))
    machines = list(dict.fromkeys(row.arch for row in found.rows))
    parts = [(row.arch, row.workload, row.schedule) for row in found.rows]
    varying = [place for place in range(3) if place == 0 or len({part[place] for part in parts}) > 1]
    labels = [", ".join(part[place] for place in varying) for part in parts]
    common = [parts[0][place] for place in range(3) if place not in varying]
    figure.suptitle("; ".join(common), x=0.01, ha="left")
    places = list(range(len(found.rows)))
    for axes, name in zip(figure.subplots(len(panels), 1, squeeze=False)[:, 0], panels, strict=True):
        values = [getattr(row, name) for row in found.rows]
        longest = max(value for value in values if value is not None)
        for place, row, value in zip(places, found.rows, values, strict=True):
            number = machines.index(row.arch)
            hatch = HATCHES[number // len(PALETTE) % len(HATCHES)]
            colour = PALETTE[number % len(PALETTE)]
            axes.barh([place], [value or 0], 0.7, color=colour, hatch=hatch, edgecolor="#333333", linewidth=0.5)
            text = (
                " cannot run"
                if row.misfit
                else " -"
                if value is None
                else f" {percent(value) if about[name].unit == '1' else significant(value)}"
            )
            axes.text(value or 0, place, text, va="center", ha="left")
        axes.set_xlim(0, 1.2 * longest if longest else 1)
        axes.set_yticks(places, labels)
        axes.invert_yaxis()
        unit = about[name].unit
        title = name.removesuffix(f"_{unit.lower()}").replace("_", " ")
        axes.set_title(title if unit == "1" else f"{title} ({unit})", loc="left")
        if unit == "1":
            axes.xaxis.set_major_formatter(lambda value, _: percent(value))
    return figure
