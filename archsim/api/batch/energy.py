"""Energy and area of many designs as columns: the sums of archsim.metrics.energy, over all designs at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.api.batch.columns import Codes, Column, Floats, Ints, Picked, classes, exact_sums
from archsim.api.batch.machines import MachineColumns
from archsim.api.batch.unit_rows import UnitRows
from archsim.hardware.storage import Sram, Storage
from archsim.metrics.actions import Access
from archsim.metrics.energy import PJ_PER_MW_US
from archsim.metrics.unit_facts import UnitFacts
from archsim.technology import Prices
from archsim.technology.prices import PJ_PER_UJ, MemoryPrice

Columns = dict[str, Column]


MOST_COUNTED = 1 << 60
"""More of anything is not counted in columns."""


class NotAlike(Exception):
    """Designs whose figures are not the same by name, or beyond a column's numbers: each is evaluated by itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """What designs are made of: their units, prices and memories. All have the same of each, in kind and name."""

    units: UnitRows
    prices: Picked[Prices]
    memories: dict[str, Picked[Storage]]
    technology: Picked[tuple[str, str]]

    @staticmethod
    def of(machines: MachineColumns, units: UnitRows, rows: Codes) -> Priced | None:
        """What some designs are made of; None of a machine without prices."""
        prices, technology = machines.prices.at(rows), machines.technology.at(rows)
        if prices.of(0) is None:
            return None
        names = machines.memory_names.of(int(rows[0]))
        memories = {name: machines.storage(name).at(rows) for name in names}
        return Priced(units, prices, memories, technology)  # type: ignore[arg-type]  # all have these memories

    @property
    def designs(self) -> int:
        """How many designs there are."""
        return len(self.prices.codes)

    def of_unit(self, name: str) -> tuple[list[tuple[UnitFacts, Prices]], Codes]:
        """The distinct pairs of what a unit does and what it costs, and which of them each design has."""
        facts = self.units.facts[name]
        first, codes = classes([facts.codes, self.prices.codes], self.designs)
        return [(facts.of(design), self.prices.of(design)) for design in first.tolist()], codes

    def of_memory(self, name: str) -> tuple[list[tuple[Storage, MemoryPrice]], Codes]:
        """The same of a memory."""
        storage = self.memories[name]
        first, codes = classes([storage.codes, self.prices.codes], self.designs)
        storages = [storage.of(design) for design in first.tolist()]
        return [
            (found, self.prices.of(design).memory(found))
            for found, design in zip(storages, first.tolist(), strict=True)
        ], codes


@dataclass(frozen=True, slots=True, eq=False)
class AreaColumns:
    """The area and leakage of designs, in all and by part."""

    area_mm2: Floats
    leakage_mw: Floats
    parts: dict[str, tuple[Floats, Floats]]

    @staticmethod
    def of(priced: Priced) -> AreaColumns:
        """The areas of all designs, as `area_of` gives that of one."""
        parts: dict[str, tuple[Floats, Floats]] = {}
        for name in priced.memories:
            memories, codes = priced.of_memory(name)
            figures = np.array([(price.area_mm2, price.leakage_mw) for _, price in memories])
            parts[name] = figures[codes, 0], figures[codes, 1]
        for name in priced.units.facts:
            units, codes = priced.of_unit(name)
            areas = [facts.costs(prices).area_mm2 for facts, prices in units]
            leaks = [p.technology.logic_leakage.power_mw_per_mm2 for _, p in units]
            area = np.array(areas, np.float64)[codes]
            parts[name] = area, area * np.array(leaks)[codes]
        area_mm2 = exact_sums([area for area, _ in parts.values()], priced.designs)
        return AreaColumns(area_mm2, exact_sums([leakage for _, leakage in parts.values()], priced.designs), parts)

    def columns(self) -> Columns:
        """The figures by name, as those of `Stats.area`."""
        found = {"area.area_mm2": Column(self.area_mm2), "area.leakage_mw": Column(self.leakage_mw)}
        on_chip = [name for name, (area, _) in self.parts.items() if area.any()]
        if not all(self.parts[name][0].all() for name in on_chip):
            raise NotAlike("some have parts without an area that others have with one")
        found |= {f"area.part_area_mm2.{name}": Column(self.parts[name][0]) for name in on_chip}
        return found | {f"area.part_leakage_mw.{name}": Column(self.parts[name][1]) for name in on_chip}


def energy_columns(priced: Priced, area: AreaColumns, latency_us: Floats, macs: int) -> Columns:
    """The figures of `compute_energy` by name, as those of `Stats.energy`."""
    unit_uj = {name: _operators(priced, name) for name in priced.units.facts}
    memory_uj = _accesses(priced)
    parts = {name: exact_sums(list(kinds.values()), priced.designs) for name, kinds in unit_uj.items()}
    for memory, directions in memory_uj.items():
        of_memory = exact_sums(
            [exact_sums(list(k.values()), priced.designs) for k in directions.values()], priced.designs
        )
        parts[memory] = parts[memory] + of_memory if memory in parts else of_memory
    dynamic_uj = exact_sums(list(parts.values()), priced.designs)
    leakage_uj = area.leakage_mw * latency_us * PJ_PER_MW_US / PJ_PER_UJ
    total_uj = dynamic_uj + leakage_uj
    dram_uj = parts.get("dram", np.zeros(priced.designs))
    names = priced.technology
    found = {
        "technology": Column(Picked([technology for technology, _ in names.values], names.codes)),
        "dram_type": Column(Picked([dram_type for _, dram_type in names.values], names.codes)),
        "total_uj": Column(total_uj),
        "dynamic_uj": Column(dynamic_uj),
        "leakage_uj": Column(leakage_uj),
        "leakage_share": Column(leakage_uj / total_uj),
        "dram_share": Column(dram_uj / total_uj),
        "pj_per_mac": Column(total_uj * PJ_PER_UJ / macs),
        "power_mw": Column(total_uj / latency_us * 1000),
        "tops_per_w": Column(2 * macs / (total_uj * PJ_PER_UJ)),
    }
    found |= {f"part_uj.{name}": Column(energy) for name, energy in (parts | {"leakage": leakage_uj}).items()}
    for name, kinds in unit_uj.items():
        found |= {f"unit_uj.{name}.{kind}": Column(energy) for kind, energy in kinds.items()}
    for memory, directions in memory_uj.items():
        for direction, kinds in directions.items():
            found |= {f"memory_uj.{memory}.{direction}.{kind}": Column(energy) for kind, energy in kinds.items()}
    return {f"energy.{name}": column for name, column in found.items()}


def _operators(priced: Priced, name: str) -> dict[str, Floats]:
    """The energy of a unit by kind of operator."""
    units, codes = priced.of_unit(name)
    energies = [facts.costs(prices).operators_uj for facts, prices in units]
    return {kind: np.array([energy[kind] for energy in energies])[codes] for kind in energies[0]}


def _accesses(priced: Priced) -> dict[str, dict[str, dict[str, Floats]]]:
    """The energy by memory, direction and kind of data, in the order in which the units' accesses come."""
    counts: dict[tuple[str, str], dict[str, Ints]] = {}
    for picked in priced.units.facts.values():
        accesses = dict.fromkeys(access for facts in picked.values for access in facts.actions.accesses)
        memories = {memory: priced.of_memory(memory) for memory in {access.memory for access in accesses}}
        for access in accesses:
            kinds = counts.setdefault((access.memory, access.direction), {})
            made, codes = memories[access.memory]
            first, together = classes([picked.codes, codes], priced.designs)
            found_counts = [_count(picked.of(design), access, *made[codes[design]]) for design in first.tolist()]
            count = np.array(found_counts, np.int64)[together]
            kinds[access.data] = kinds[access.data] + count if access.data in kinds else count
    found: dict[str, dict[str, dict[str, Floats]]] = {}
    for (memory, direction), kinds in counts.items():
        priced_memories, codes = priced.of_memory(memory)
        access_pj = np.array([price.access_pj(direction) for _, price in priced_memories])[codes]
        found.setdefault(memory, {})[direction] = {kind: n * access_pj / PJ_PER_UJ for kind, n in kinds.items()}
    return found


def _count(facts: UnitFacts, access: Access, storage: Storage, price: MemoryPrice) -> int:
    """How often a unit accesses a memory in one way; a write goes to all banks that hold a copy."""
    sizes = facts.actions.accesses.get(access, {})
    count = sum(-(-bits // price.access_bits) * times for bits, times in sizes.items())
    if access.direction == "write" and isinstance(storage, Sram):
        count *= dict(storage.copies).get(access.bank, 1)
    if count >= MOST_COUNTED:
        raise NotAlike("numbers beyond 64 bits")
    return count
