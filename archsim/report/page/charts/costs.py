"""What the run moves, takes in energy, and the machine takes in area."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.api import Simulation
from archsim.report.text.text_energy import frame_beside, kinds_of, of_what


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of something of a part: of which part, and of what."""

    part: str
    kind: str
    amount: float


@dataclass(frozen=True, slots=True)
class CostChart:
    """Amounts by part and kind, to be drawn as a bar a part; what they are, with the unit."""

    title: str
    unit: str
    amounts: tuple[Amount, ...]


def traffic_chart(simulation: Simulation) -> CostChart:
    """The bytes of each memory, by direction and kind of data."""
    amounts = (
        Amount(memory, f"{direction} {kind}", amount)
        for memory, directions in simulation.stats.traffic_bytes.items()
        for direction, kinds in directions.items()
        for kind, amount in kinds.items()
        if amount
    )
    return CostChart("Traffic of every memory over the whole run", "bytes", tuple(amounts))


def energy_charts(simulation: Simulation) -> tuple[CostChart, ...]:
    """Energy by unit or memory and what takes it, and area; none where the family has no model of it."""
    energy, area = simulation.stats.energy, simulation.stats.area
    if energy is None or area is None:
        return ()
    parts = sorted(energy.part_uj, key=lambda name: -energy.part_uj[name])
    taken = (
        Amount(name, kind, amount) for name in parts for kind, amount in kinds_of(simulation, name).items() if amount
    )
    sizes = (Amount(name, "area", area.part_area_mm2.get(name, 0.0)) for name in parts)
    return (
        CostChart(f"Energy of {of_what(simulation)} by unit or memory{frame_beside(simulation)}", "uJ", tuple(taken)),
        CostChart("Area by unit or memory", "mm2", tuple(sizes)),
    )
