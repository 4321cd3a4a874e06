"""Draws where the energy of an inference goes, and the area."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.hardware.operators import OperatorKind
from archsim.program.ir import DataKind
from archsim.report.figures.drawing import EDGE, in_words, new_figure, put_legend, put_title
from archsim.report.figures.look import USUAL, Look
from archsim.report.text.figures_as_text import significant
from archsim.report.text.text_energy import LEAKAGE, frame_beside, of_what

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Use:
    """What energy is used for, and its look: the same in every figure."""

    words: str
    colour: str
    hatch: str = ""


_WEIGHTS = Use("weights read", "#56B4E9"), Use("weights written", "#56B4E9", "////")
_INPUT = Use("x read", "#F0E442"), Use("x written", "#F0E442", "////")
_STATE = Use("h, c, output read", "#CC79A7"), Use("h, c, output written", "#CC79A7", "////")
_INNER = Use("sums, gates read", "#0072B2"), Use("sums, gates written", "#0072B2", "////")
_DATA = {
    **dict.fromkeys((DataKind.W_IH, DataKind.W_HH, DataKind.W_HR, DataKind.WEIGHT_TILE), _WEIGHTS),
    **dict.fromkeys((DataKind.BIAS, DataKind.PEEPHOLE), _WEIGHTS),
    **dict.fromkeys((DataKind.X, DataKind.VALID), _INPUT),
    **dict.fromkeys((DataKind.H, DataKind.C, DataKind.OUTPUT), _STATE),
    **dict.fromkeys((DataKind.PARTIAL_SUM, DataKind.GATE, DataKind.STREAM), _INNER),
}
"""Kind of data -> the looks of reading and writing it."""
_MULTIPLY, _REGISTER = Use("multiply", "#009E73"), Use("registers", "#E69F00", "\\\\\\\\")
_OPERATOR, _LEAKS = Use("other operators", "#009E73", "...."), Use("leakage", "#BBBBBB")
_OPERATORS = {OperatorKind.MULTIPLY: _MULTIPLY, OperatorKind.REGISTER: _REGISTER}
_USES = (*_WEIGHTS, *_INPUT, *_STATE, *_INNER, _MULTIPLY, _OPERATOR, _REGISTER, _LEAKS)
"""All looks, in the order of bars and legend."""
_VISIBLE = 0.01
"""Of the longest bar: what is nowhere so long is not in the legend, since nobody could find its colour."""
_NAMES_INCHES = 1.1
"""Beside the bars, for their names."""


def energy_figure(simulation: Simulation, look: Look = USUAL) -> Figure:
    """A bar of energy a unit or memory, cut into what takes it, and beside it one of area."""
    from matplotlib.patches import Patch

    energy, area = simulation.stats.energy, simulation.stats.area
    assert energy is not None
    assert area is not None
    names = sorted(energy.part_uj, key=lambda name: -energy.part_uj[name])
    figure = new_figure(look, 0.8 + 0.25 * len(names))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
    rows = list(range(len(names)))
    longest = max(energy.part_uj.values())
    seen = _energy_bars(left, simulation, names, longest)
    areas = [area.part_area_mm2.get(name, 0.0) for name in names]
    right.barh(rows, areas, 0.66, color="#999999", edgecolor=EDGE, linewidth=0.5)
    for row, size in enumerate(areas):
        right.text(size, row, f" {significant(size)}" if size else " -", va="center", ha="left")
    inches = (look.width_inches - _NAMES_INCHES * look.scale) / 3
    for axes, largest, width in ((left, longest, 2 * inches), (right, max(areas), inches)):
        room = look.text_inches(" 0.00000") / width
        axes.set_xlim(0, (largest or 1) / max(0.2, 1 - room))
        axes.locator_params(axis="x", nbins=max(1, int(width / look.text_inches("1,000 "))))
    left.set_xlabel(f"energy of {of_what(simulation)} (uJ)")
    right.set_xlabel("area (mm\u00b2)")
    left.set_yticks(rows, list(map(in_words, names)))
    left.invert_yaxis()
    put_legend(
        figure,
        look,
        [
            Patch(facecolor=use.colour, hatch=use.hatch, edgecolor=EDGE, linewidth=0.5, label=use.words)
            for use in _USES
            if seen.get(use, 0.0) >= _VISIBLE * longest
        ],
        4,
    )
    note = (
        f"{significant(energy.total_uj)} uJ {of_what(simulation)}, {significant(energy.pj_per_mac)} pJ/MAC, "
        f"{significant(energy.power_mw)} mW, {significant(energy.tops_per_w)} TOPS/W, "
        f"{significant(area.area_mm2)} mm\u00b2{frame_beside(simulation)}"
    )
    beyond = "; partly extrapolated" if energy.extrapolated else ""
    prices = f"{Path(energy.technology).stem}, {energy.dram_type}{beyond}"
    put_title(figure, look, simulation, f"Energy and area by unit and memory ({prices})", note)
    return figure


def _energy_bars(axes: Axes, simulation: Simulation, names: list[str], longest: float) -> dict[Use, float]:
    """Draw each bar's parts, and its sum behind it; return the longest part of each use."""
    seen: dict[Use, float] = {}
    for row, name in enumerate(names):
        end = 0.0
        parts = uses_of(simulation, name)
        for use in _USES:
            amount = parts.get(use, 0.0)
            if amount:
                line = 0.5 if amount >= _VISIBLE * longest else 0
                axes.barh([row], [amount], 0.66, left=[end], color=use.colour, hatch=use.hatch if line else "",
                          edgecolor=EDGE, linewidth=line)  # fmt: skip
                seen[use] = max(seen.get(use, 0.0), amount)
            end += amount
        axes.text(end, row, f" {significant(end)}" if end else " 0", va="center", ha="left")
    return seen


def uses_of(simulation: Simulation, name: str) -> dict[Use, float]:
    """The energy in uJ of a unit or memory by what it is used for."""
    energy = simulation.stats.energy
    assert energy is not None
    found: dict[Use, float] = {}

    def add(use: Use, amount: float) -> None:
        found[use] = found.get(use, 0.0) + amount

    if name == LEAKAGE:
        add(_LEAKS, energy.leakage_uj)
        return found
    for place, direction in enumerate(("read", "write")):
        for data, amount in energy.memory_uj.get(name, {}).get(direction, {}).items():
            add(_DATA[DataKind(data)][place], amount)
    for operator, amount in energy.unit_uj.get(name, {}).items():
        add(_OPERATORS.get(OperatorKind(operator), _OPERATOR), amount)
    return found
