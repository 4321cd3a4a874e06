"""What the run moves, takes in energy, and the machine takes in area."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archsim.api import Simulation
from archsim.hardware.operators import OperatorKind
from archsim.program.ir import DataKind
from archsim.report.looks.named_look import NamedLook
from archsim.report.looks.use_looks import AREA, LEAKS, USE_LOOKS, beside_look, data_look, operator_look
from archsim.report.text.sections.energy_section import LEAKAGE, frame_beside, kinds_of, of_what

_WRITE = "write"


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of something of a part: of which part, of what, and the place of its use among those of the chart."""

    part: str
    kind: str
    use: int
    amount: float


@dataclass(frozen=True, slots=True)
class Use:
    """What amounts are for, as the legend calls it, and its look, the same as in figures."""

    words: str
    colour: str
    hatch: str


@dataclass(frozen=True, slots=True)
class CostChart:
    """Amounts by part and use, to be drawn as a bar a part; what they are, with the unit."""

    title: str
    unit: str
    parts: tuple[str, ...]
    uses: tuple[Use, ...]
    amounts: tuple[Amount, ...]


Costs = Iterable[tuple[str, str, NamedLook, float]]
"""Part, kind, look and amount."""


def traffic_chart(simulation: Simulation) -> CostChart:
    """The bytes of each memory, by direction and kind of data."""
    costs = (
        (memory, f"{direction} {kind}", data_look(DataKind(kind), direction == _WRITE), float(amount))
        for memory, directions in simulation.stats.traffic_bytes.items()
        for direction, kinds in directions.items()
        for kind, amount in kinds.items()
    )
    return _chart("Traffic of every memory over the whole run", "bytes", costs)


def energy_charts(simulation: Simulation) -> tuple[CostChart, ...]:
    """Energy by unit or memory and what takes it, and area; none where the family has no model of it."""
    energy, area = simulation.stats.energy, simulation.stats.area
    if energy is None or area is None:
        return ()
    parts = sorted(energy.part_uj, key=lambda name: -energy.part_uj[name])
    taken = (cost for name in parts for cost in _energy(simulation, name))
    sized = [*parts, *(name for name in area.part_area_mm2 if name not in parts)]  # as what lies between cells
    sizes = ((name, AREA.words, AREA, area.part_area_mm2.get(name, 0.0)) for name in sized)
    return (
        _chart(f"Energy of {of_what(simulation)} by unit or memory{frame_beside(simulation)}", "uJ", taken),
        _chart("Area by unit or memory", "mm2", sizes),
    )


def _energy(simulation: Simulation, name: str) -> Iterator[tuple[str, str, NamedLook, float]]:
    """What takes energy in a unit or memory."""
    energy = simulation.stats.energy
    assert energy is not None
    if name == LEAKAGE:
        yield from ((name, kind, LEAKS, amount) for kind, amount in kinds_of(simulation, name).items())
        return
    beside = beside_look(name)
    if beside is not None:
        yield name, beside.words, beside, energy.part_uj[name]
        return
    for operator, amount in energy.unit_uj.get(name, {}).items():
        yield name, operator, operator_look(OperatorKind(operator)), amount
    for direction, kinds in energy.memory_uj.get(name, {}).items():
        for data, amount in kinds.items():
            yield name, f"{direction} {data}", data_look(DataKind(data), direction == _WRITE), amount


def _chart(title: str, unit: str, costs: Costs) -> CostChart:
    found = [cost for cost in costs if cost[3] or unit == "mm2"]
    looks = [look for look in (*USE_LOOKS, AREA) if any(cost[2] is look for cost in found)]
    amounts = sorted((looks.index(look), place) for place, (_, _, look, _) in enumerate(found))
    return CostChart(
        title,
        unit,
        tuple(dict.fromkeys(part for part, *_ in found)),
        tuple(Use(look.words, look.colour, look.hatch[:1]) for look in looks),
        tuple(Amount(found[place][0], found[place][1], use, found[place][3]) for use, place in amounts),
    )
