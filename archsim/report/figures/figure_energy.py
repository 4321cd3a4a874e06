"""Draws where the energy of an inference goes, and the area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.hardware.operators import OperatorKind
from archsim.program.ir import DataKind
from archsim.report.figures.drawing import EDGE, in_words, new_figure, put_legend, put_title
from archsim.report.figures.look import USUAL, Look
from archsim.report.looks.named_look import NamedLook
from archsim.report.looks.use_looks import AREA, LEAKS, SMALL, USE_LOOKS, beside_look, data_look, operator_look
from archsim.report.text.figures_as_text import significant, span
from archsim.report.text.sections.energy_section import LEAKAGE, frame_beside, of_what

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_VISIBLE_POINTS = 2.5
"""What is nowhere so wide has no look that one could find: such uses are one part, the smaller ones."""
_SPECK_POINTS = 0.4
"""A part that is narrower is not seen at all."""
_NAMES_INCHES = 1.1
"""Beside the bars, for their names."""


def energy_figure(simulation: Simulation, look: Look = USUAL) -> Figure:
    """A bar of energy a unit or memory, cut into what takes it, and beside it one of area."""
    from matplotlib.patches import Patch

    energy, area = simulation.stats.energy, simulation.stats.area
    assert energy is not None
    assert area is not None
    names = sorted(energy.part_uj, key=lambda name: -energy.part_uj[name])
    names += [name for name in area.part_area_mm2 if name not in energy.part_uj]  # as what lies between cells
    figure = new_figure(look, 0.8 + 0.25 * len(names))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
    rows = list(range(len(names)))
    longest = max(energy.part_uj.values())
    areas = [area.part_area_mm2.get(name, 0.0) for name in names]
    right.barh(rows, areas, 0.66, color=AREA.colour, edgecolor=EDGE, linewidth=0.5)
    for row, size in enumerate(areas):
        right.text(size, row, f" {significant(size)}" if size else " -", va="center", ha="left")
    inches = (look.width_inches - _NAMES_INCHES * look.scale) / 3
    for axes, largest, width in ((left, longest, 2 * inches), (right, max(areas), inches)):
        room = look.text_inches(" 0.00000") / width
        axes.set_xlim(0, (largest or 1) / max(0.2, 1 - room))
        axes.locator_params(axis="x", nbins=max(1, int(width / look.text_inches("1,000 "))))
    amounts = [uses_of(simulation, name) for name in names]
    points = 72 * 2 * inches / left.get_xlim()[1]
    uses = _energy_bars(left, amounts, points)
    left.set_xlabel(f"energy of {of_what(simulation)} (uJ)")
    right.set_xlabel("area (mm\u00b2)")
    left.set_yticks(rows, list(map(in_words, names)))
    left.invert_yaxis()
    put_legend(
        figure,
        look,
        [Patch(facecolor=use.colour, hatch=use.hatch, edgecolor=EDGE, linewidth=0.5, label=use.words) for use in uses],
        4,
    )
    ends, sizes = span(energy.total_low_uj, energy.total_high_uj), span(area.area_low_mm2, area.area_high_mm2)
    note = (
        f"{significant(energy.total_uj)} uJ ({ends}) {of_what(simulation)}, {significant(energy.pj_per_mac)} pJ/MAC, "
        f"{significant(energy.power_mw)} mW, {significant(energy.tops_per_w)} TOPS/W, "
        f"{significant(area.area_mm2)} mm\u00b2 ({sizes}){frame_beside(simulation)}"
    )
    beyond = "; partly extrapolated" if energy.extrapolated else ""
    dram = f", {energy.dram_type}" if energy.dram_type else ""
    prices = f"{Path(energy.technology).stem}{dram}{beyond}"
    put_title(figure, look, simulation, f"Energy and area by unit and memory ({prices})", note)
    return figure


def _energy_bars(axes: Axes, amounts: Sequence[Mapping[NamedLook, float]], points: float) -> list[NamedLook]:
    """Draw each bar's parts, and its sum behind it; return the looks that are seen. `points`: how wide 1 uJ is.

    A use that is nowhere wide enough to be found is drawn as one of the smaller parts, which stand last in each bar.
    """
    found = [use for use in USE_LOOKS if points * max(parts.get(use, 0.0) for parts in amounts) >= _VISIBLE_POINTS]
    small = 0.0
    for row, parts in enumerate(amounts):
        end = 0.0
        rest = sum(amount for use, amount in parts.items() if use not in found)
        small = max(small, rest)
        for use, amount in (*((use, parts.get(use, 0.0)) for use in found), (SMALL, rest)):
            if amount:
                wide = points * amount >= _VISIBLE_POINTS
                axes.barh([row], [amount], 0.66, left=[end], color=use.colour, hatch=use.hatch if wide else "",
                          edgecolor=EDGE, linewidth=0.5 if wide else 0, label=use.words)  # fmt: skip
            end += amount
        axes.text(end, row, f" {significant(end)}" if end else " 0", va="center", ha="left")
    return [*found, SMALL] if points * small >= _SPECK_POINTS else found


def uses_of(simulation: Simulation, name: str) -> dict[NamedLook, float]:
    """The energy in uJ of a unit or memory by what it is used for."""
    energy = simulation.stats.energy
    assert energy is not None
    found: dict[NamedLook, float] = {}

    def add(use: NamedLook, amount: float) -> None:
        found[use] = found.get(use, 0.0) + amount

    if name == LEAKAGE:
        add(LEAKS, energy.leakage_uj)
        return found
    beside = beside_look(name)
    if beside is not None:
        add(beside, energy.part_uj[name])
        return found
    for direction in ("read", "write"):
        for data, amount in energy.memory_uj.get(name, {}).get(direction, {}).items():
            add(data_look(DataKind(data), direction == "write"), amount)
    for operator, amount in energy.unit_uj.get(name, {}).items():
        add(operator_look(OperatorKind(operator)), amount)
    return found
