"""Draws where the energy of an inference goes, and the area."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.report.figures.drawing import HATCHES, PALETTE, new_figure, put_title
from archsim.report.text.figures_as_text import significant
from archsim.report.text.text_energy import MOST_KINDS, kinds_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_REST = "other"


def energy_figure(simulation: Simulation) -> Figure:
    """A bar of energy a unit or memory, cut into what takes it, and beside it one of area."""
    energy, area = simulation.stats.energy, simulation.stats.area
    assert energy is not None
    assert area is not None
    names = sorted(energy.part_uj, key=lambda name: -energy.part_uj[name])
    figure = new_figure(2.0 + 0.38 * len(names))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    rows = list(range(len(names)))
    _energy_bars(left, simulation, names, max(energy.part_uj.values()))
    areas = [area.part_area_mm2.get(name, 0.0) for name in names]
    right.barh(rows, areas, 0.66, color=PALETTE[7], edgecolor="#333333", linewidth=0.5)
    for row, size in zip(rows, areas, strict=True):
        right.text(size, row, f" {significant(size)}" if size else " -", va="center", ha="left")
    right.set_xlim(0, 1.6 * max(areas))
    right.set_xlabel("area (mm2)")
    left.set_yticks(rows, names)
    left.invert_yaxis()
    note = (
        f"{significant(energy.total_uj)} uJ an inference, {significant(energy.pj_per_mac)} pJ/MAC, "
        f"{significant(energy.power_mw)} mW, {significant(energy.tops_per_w)} TOPS/W, "
        f"{significant(area.area_mm2)} mm2"
    )
    beyond = "; partly extrapolated" if energy.extrapolated else ""
    prices = f"{Path(energy.technology).stem}, {energy.dram_type}{beyond}"
    put_title(figure, simulation, f"Energy and area by unit and memory ({prices})", note)
    return figure


def _energy_bars(axes: Axes, simulation: Simulation, names: list[str], longest: float) -> None:
    """Draw each bar's parts from the largest on, named behind it."""
    for row, name in enumerate(names):
        end = 0.0
        parts = _parts(simulation, name)
        for number, amount in enumerate(parts.values()):
            axes.barh(
                [row],
                [amount],
                0.66,
                left=[end],
                color=PALETTE[number],
                hatch=HATCHES[number % len(HATCHES)],
                edgecolor="#333333",
                linewidth=0.5,
            )
            end += amount
        label = f" {significant(end)} uJ: {', '.join(list(parts)[:2])}" if end else " 0 uJ"
        axes.text(end, row, label, va="center", ha="left")
    axes.set_xlim(0, 1.75 * longest)
    axes.set_xlabel("energy of an inference (uJ); parts from the largest on")


def _parts(simulation: Simulation, name: str) -> dict[str, float]:
    """The kinds that take most, from the largest on, and the rest in one."""
    kinds = {kind: amount for kind, amount in kinds_of(simulation, name).items() if amount}
    ranked = sorted(kinds, key=lambda kind: -kinds[kind])
    found = {kind: kinds[kind] for kind in ranked[:MOST_KINDS]}
    rest = sum(kinds[kind] for kind in ranked[MOST_KINDS:])
    return found | {_REST: rest} if rest else found
