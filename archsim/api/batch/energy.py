"""Energy and area of many designs as columns: the sums of archsim.metrics.energy, over all designs at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from archsim.api.batch.beside import Ranges, background, overheads, ranges, spread, sums, ungated, wires
from archsim.api.batch.columns import Codes, Column, Floats, Ints, Picked, classes, exact_sums
from archsim.api.batch.machines import MachineColumns
from archsim.api.batch.unit_rows import UnitRows
from archsim.families.machine_config import DramWidth
from archsim.hardware.storage import OffChip, Registers, Sram, Storage
from archsim.metrics.actions import Access
from archsim.metrics.beside import NO_POWER, UJ_PER_MW_US, DramPower, bytes_by_memory, dram_power
from archsim.metrics.energy import BESIDE_DRAM
from archsim.metrics.unit_facts import UnitActivity
from archsim.technology import Prices
from archsim.technology.conditions import Counted
from archsim.technology.prices import PJ_PER_UJ, MemoryPrice
from archsim.technology.spread import Spread, spread_of

Columns = dict[str, Column]

Counts = dict[tuple[str, Access], Ints]
"""(unit, way of using a memory) -> how often."""


PricedUnits = tuple[list[tuple[UnitActivity, Prices]], Codes]
PricedMemories = tuple[list[tuple[Storage, MemoryPrice]], Codes]

MOST_COUNTED = 1 << 60
"""From this count of anything on a design is evaluated by itself: columns hold less."""


class NotAlike(Exception):
    """Designs whose figures are not the same by name, or beyond a column's numbers: each is evaluated by itself."""


def counted_alike(counted: Counted | None) -> Hashable:
    """What of the things counted figures get or lose entries by."""
    if counted is None:
        return None
    powered = counted.dram_idle != "off"
    return counted.layout, counted.wires, counted.clock, counted.control, counted.phy, powered


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """What designs are made of: their units, prices and memories. All have the same of each, in kind and name."""

    units: UnitRows
    prices: Picked[Prices]
    memories: dict[str, Picked[Storage]]
    technology: Picked[tuple[str, str]]
    counted: Picked[Counted]
    dram_width: Picked[DramWidth]
    _of_units: dict[str, PricedUnits] = field(default_factory=dict, init=False)
    _of_memories: dict[str, PricedMemories] = field(default_factory=dict, init=False)

    @staticmethod
    def of(machines: MachineColumns, units: UnitRows, rows: Codes) -> Priced | None:
        """What some designs are made of; None of a machine without prices."""
        prices, technology = machines.prices.at(rows), machines.technology.at(rows)
        if prices.of(0) is None:
            return None
        names = machines.memory_names.of(int(rows[0]))
        memories = {name: machines.storage(name).at(rows) for name in names}
        counted, width = machines.counted.at(rows), machines.dram_width.at(rows)
        return Priced(units, prices, memories, technology, counted, width)  # type: ignore[arg-type]  # all have these

    @property
    def designs(self) -> int:
        """How many designs there are."""
        return len(self.prices.codes)

    def of_unit(self, name: str) -> PricedUnits:
        """The distinct pairs of what a unit does and what it costs, and which of them each design has."""
        if name not in self._of_units:
            activities = self.units.activities[name]
            first, codes = classes([activities.codes, self.prices.codes], self.designs)
            pairs = [(activities.of(design), self.prices.of(design)) for design in first.tolist()]
            self._of_units[name] = pairs, codes
        return self._of_units[name]

    def of_memory(self, name: str) -> PricedMemories:
        """The distinct pairs of a memory's storage and its price, and which of them each design has."""
        if name not in self._of_memories:
            storage = self.memories[name]
            first, codes = classes([storage.codes, self.prices.codes], self.designs)
            pairs = [(storage.of(design), self.prices.of(design)) for design in first.tolist()]
            self._of_memories[name] = [(found, prices.memory(found)) for found, prices in pairs], codes
        return self._of_memories[name]

    def spreads(self, name: str, which: Callable[[MemoryPrice], Spread]) -> Picked[Spread]:
        """One of the spreads of a memory."""
        memories, codes = self.of_memory(name)
        return Picked([which(price) for _, price in memories], codes)

    def sure(self, which: Callable[[Counted], Hashable], name: str) -> Hashable:
        """What all designs count alike; NotAlike if they do not."""
        found = {which(each) for each in self.counted.at(np.arange(self.designs)).values}
        if len(found) > 1:
            raise NotAlike(f"some count {name} and others do not")
        return found.pop()


@dataclass(frozen=True, slots=True, eq=False)
class AreaColumns:
    """The area and leakage of designs, in all and by part; those with a low and a high (3, N)."""

    area: Ranges
    leakage: Ranges
    parts: dict[str, Ranges]
    part_leakage_mw: dict[str, Floats]
    of_memories: dict[str, Ranges]
    of_units: dict[str, Ranges]

    @property
    def area_mm2(self) -> Floats:
        """The areas."""
        found: Floats = self.area[0]
        return found

    @property
    def leakage_mw(self) -> Floats:
        """The leakages."""
        found: Floats = self.leakage[0]
        return found

    @staticmethod
    def of(priced: Priced) -> AreaColumns:
        """The areas of all designs, as `area_of` gives that of one."""
        parts: dict[str, Ranges] = {}
        leakage: dict[str, Ranges] = {}
        for name in priced.memories:
            memories, codes = priced.of_memory(name)
            figures = np.array([(price.area_mm2, price.leakage_mw) for _, price in memories])
            parts[name] = spread(figures[codes, 0], priced.spreads(name, lambda price: price.area_spread))
            leakage[name] = spread(figures[codes, 1], priced.spreads(name, lambda price: price.leakage_spread))
        leaks = [spread_of(p.logic_leakage_mw_per_mm2, p.technology.logic_leakage.spread) for p in priced.prices.values]
        per_mm2 = ranges(Picked(leaks, priced.prices.codes))
        of_memories, of_units = dict(parts), {}
        for name in priced.units.facts:
            units, codes = priced.of_unit(name)
            of_units[name] = ranges(Picked([activity.costs(prices).area for activity, prices in units], codes))
            leaks_of_unit = per_mm2 * of_units[name][0]
            # A unit may have the name of its memory.
            parts[name] = parts[name] + of_units[name] if name in parts else of_units[name]
            leakage[name] = leakage[name] + leaks_of_unit if name in leakage else leaks_of_unit
        if priced.sure(lambda counted: counted.layout, "layout"):
            made = [of_memories[name] for name in of_memories if _registers(priced, name)]
            logic = sums([*made, *of_units.values()], priced.designs)
            parts["layout"] = overheads(logic, priced.prices, lambda prices: prices.technology.layout)
        whole = sums(list(parts.values()), priced.designs)
        leaking = sums(list(leakage.values()), priced.designs)
        part_leakage_mw = {name: leaks[0] for name, leaks in leakage.items()}
        return AreaColumns(whole, leaking, parts, part_leakage_mw, of_memories, of_units)

    def columns(self) -> Columns:
        """The figures by name, as those of `Stats.area`."""
        found: Columns = {}
        for name, (value, low, high) in (("area", self.area), ("leakage", self.leakage)):
            unit = "mm2" if name == "area" else "mw"
            found |= {f"{name}_{unit}": Column(value), f"{name}_low_{unit}": Column(low)}
            found |= {f"{name}_high_{unit}": Column(high)}
        on_chip = [name for name, part in self.parts.items() if part[0].any() or name == "layout"]
        if not all(self.parts[name][0].all() for name in on_chip if name != "layout"):
            raise NotAlike("some have parts without an area that others have with one")
        for place, kind in enumerate(("part_area_mm2", "part_area_low_mm2", "part_area_high_mm2")):
            found |= {f"{kind}.{name}": Column(self.parts[name][place]) for name in on_chip}
        leaks = self.part_leakage_mw
        found |= {f"part_leakage_mw.{name}": Column(leaks[name]) for name in on_chip if name in leaks}
        return {f"area.{name}": column for name, column in found.items()}


def _registers(priced: Priced, memory: str) -> bool:
    """Whether a memory is one of registers."""
    kinds = {isinstance(found, Registers) for found in priced.memories.get(memory, Picked([], np.zeros(0, int))).values}
    if len(kinds) > 1:
        raise NotAlike("some have registers where others have SRAM")
    return bool(kinds) and kinds.pop()


@dataclass(frozen=True, slots=True, eq=False)
class RunColumns:
    """What energy needs of runs besides what units did, as `RunFacts` of one."""

    latency_us: Floats
    busy_us: Floats
    macs: Floats
    stored_bytes: Picked[Mapping[str, Mapping[str, int]]]


Ways = Mapping[str, Mapping[str, Sequence[str]]]
"""Memory -> direction -> the kinds of data that pass, in the order in which the units' accesses come."""


@dataclass(frozen=True, slots=True, eq=False)
class EnergyColumns:
    """The figures of `compute_energy` of designs: in all, and in parts, of which a design that lacks one has 0 uJ.

    `parts`: (3, N) each; `units`: unit -> kind of operator -> its energy; `memories`: memory -> direction -> kind of
    data -> its energy.
    """

    whole: Columns
    parts: dict[str, Ranges]
    units: dict[str, dict[str, Floats]]
    memories: dict[str, dict[str, dict[str, Floats]]]

    def columns(self, ways: Ways, places: Codes | slice) -> Columns:
        """The figures by name, as those of `Stats.energy`, of some of the designs, which use memories in these ways."""
        found = {name: column.at(places) for name, column in self.whole.items()}
        of_memories = [name for name in ways if name not in self.units]
        others = [name for name in self.parts if name not in self.units and name not in self.memories]
        for place, kind in enumerate(("part_uj", "part_low_uj", "part_high_uj")):
            for name in (*self.units, *of_memories, *others):
                found[f"{kind}.{name}"] = Column(self.parts[name][place, places])
        for name, kinds in self.units.items():
            found |= {f"unit_uj.{name}.{kind}": Column(energy[places]) for kind, energy in kinds.items()}
        for memory, directions in ways.items():
            for direction, of_data in directions.items():
                energies = self.memories[memory][direction]
                found |= {f"memory_uj.{memory}.{direction}.{kind}": Column(energies[kind][places]) for kind in of_data}
        return {f"energy.{name}": column for name, column in found.items()}


def ways_of(units: UnitRows) -> Ways:
    """How designs use memories whose units all use them alike."""
    found: dict[str, dict[str, list[str]]] = {}
    for activities in units.activities.values():
        for access in activities.values[0].actions.accesses:
            kinds = found.setdefault(access.memory, {}).setdefault(access.direction, [])
            if access.data not in kinds:
                kinds.append(access.data)
    return found


def energy_columns(priced: Priced, area: AreaColumns, run: RunColumns) -> EnergyColumns:
    """The figures of `compute_energy`, over all designs at once."""
    designs, latency_us, macs = priced.designs, run.latency_us, run.macs
    unit_uj = {name: _operators(priced, name) for name in priced.units.facts}
    counts = _counts(priced)
    memory_uj = _accesses(priced, counts)
    parts = {name: _unit_energy(priced, name) for name in priced.units.facts}
    moved = {memory: _of_memory(priced, memory, directions) for memory, directions in memory_uj.items()}
    logic = sums([*parts.values(), *(moved[m] for m in moved if _registers(priced, m))], designs)
    for memory, amount in moved.items():
        parts[memory] = parts[memory] + amount if memory in parts else amount
    parts |= _beside(priced, area, counts, logic)
    dynamic = sums(list(parts.values()), designs)
    power = _dram_power(priced)
    back = background(power, latency_us, run.busy_us)
    leaking = _leaking(priced, area, run)
    leakage = leaking * (latency_us * UJ_PER_MW_US)
    if power.values[0] is not NO_POWER:
        parts["dram_background"] = back
    parts["leakage"] = leakage
    total = sums(list(parts.values()), designs)
    total_uj = total[0]
    outside = _off_chip(priced)
    dram_uj = exact_sums([parts[name][0] for name in (*outside, *BESIDE_DRAM) if name in parts], designs)
    names, prices = priced.technology, priced.prices
    chains = {
        (p.technology.chain, technology): p.technology.chain or technology
        for p in prices.values
        for technology, _ in names.values
    }
    chain = [
        chains[prices.values[p].technology.chain, names.values[t][0]]
        for p, t in zip(prices.codes.tolist(), names.codes.tolist(), strict=True)
    ]
    always = ranges(Picked([each.always for each in power.values], power.codes))
    working = ranges(Picked([each.working for each in power.values], power.codes))
    found = {
        "technology": Column(Picked([technology for technology, _ in names.values], names.codes)),
        "chain": Column(Picked(chain, np.arange(designs))),
        "dram_type": Column(Picked([dram_type if outside else "" for _, dram_type in names.values], names.codes)),
        "total_uj": Column(total_uj),
        "total_low_uj": Column(total[1]),
        "total_high_uj": Column(total[2]),
        "dynamic_uj": Column(dynamic[0]),
        "leakage_uj": Column(leakage[0]),
        "dram_background_uj": Column(back[0]),
        "active_uj": Column(dynamic[0] + working[0] * (run.busy_us * UJ_PER_MW_US)),
        "static_mw": Column(leaking[0] + always[0]),
        "leakage_share": Column(leakage[0] / total_uj),
        "dram_share": Column(dram_uj / total_uj),
        "pj_per_mac": Column(total_uj * PJ_PER_UJ / macs),
        "power_mw": Column(total_uj / latency_us * 1000),
        "tops_per_w": Column(2 * macs / (total_uj * PJ_PER_UJ)),
    }
    return EnergyColumns(found, parts, unit_uj, memory_uj)


def _beside(priced: Priced, area: AreaColumns, counts: Counts, logic: Ranges) -> dict[str, Ranges]:
    """What takes energy beside units and memories, by part; the columns of what archsim.metrics.energy computes."""
    prices, found = priced.prices, {}
    if priced.sure(lambda counted: counted.wires, "wires"):
        found["wires"] = wires(_wired(priced, area, counts), prices)
    if priced.sure(lambda counted: counted.clock, "the clock"):
        found["clock"] = overheads(logic, prices, lambda each: each.technology.clock)
    if priced.sure(lambda counted: counted.control, "control"):
        found["control"] = overheads(logic, prices, lambda each: each.technology.control)
    outside = _off_chip(priced)
    if priced.sure(lambda counted: counted.phy, "the interface") and outside:
        bits = sum((n for (_, access), n in counts.items() if access.memory in outside), np.zeros(priced.designs, int))
        first, codes = classes([prices.codes, priced.technology.codes], priced.designs)
        drams = [prices.of(d).dram(priced.technology.of(d)[1]) for d in first.tolist()]
        each = Picked([spread_of(dram.phy_pj_per_bit, dram.phy_spread) for dram in drams], codes)
        found["dram_phy"] = ranges(each) * (bits / PJ_PER_UJ)
    return found


def _off_chip(priced: Priced) -> list[str]:
    """The memories that are no part of the chip."""
    return [name for name, storage in priced.memories.items() if isinstance(storage.values[0], OffChip)]


def _wired(priced: Priced, area: AreaColumns, counts: Counts) -> list[tuple[Ints, Picked[Storage], Ranges, Ranges]]:
    """The bits between each unit and each SRAM, and what both are."""
    bits: dict[tuple[str, str], Ints] = {}
    for (unit, access), count in counts.items():
        memory = access.memory
        if all(isinstance(found, Sram) for found in priced.memories[memory].values):
            memories, codes = priced.of_memory(memory)
            width = np.array([price.access_bits for _, price in memories], np.int64)[codes]
            bits[unit, memory] = bits.get((unit, memory), np.zeros(priced.designs, np.int64)) + count * width
            if bits[unit, memory].max(initial=0) >= MOST_COUNTED:
                raise NotAlike("numbers beyond 64 bits")
    return [
        (n, priced.memories[memory], area.of_memories[memory], area.of_units[unit])
        for (unit, memory), n in bits.items()
    ]


def _dram_power(priced: Priced) -> Picked[DramPower]:
    codes = [priced.prices.codes, priced.technology.codes, priced.dram_width.codes, priced.counted.codes]
    first, together = classes(codes, priced.designs)
    power = [
        dram_power(priced.prices.of(d), priced.technology.of(d)[1], priced.dram_width.of(d), priced.counted.of(d))
        for d in first.tolist()
    ]
    if len({each is NO_POWER for each in power}) > 1:
        raise NotAlike("some count DRAM's power and others do not")
    return Picked(power, together)


def _leaking(priced: Priced, area: AreaColumns, run: RunColumns) -> Ranges:
    """The leakage in mW during the runs, without that of banks that are gated."""
    gates = np.array([counted.gating != "none" for counted in priced.counted.values])[priced.counted.codes]
    if not gates.any():
        return area.leakage
    kept, saved = [bytes_by_memory(stored) for stored in run.stored_bytes.values], []
    for name, storage in priced.memories.items():
        memories, codes = priced.of_memory(name)
        leaks_mw = np.array([price.leakage_mw for _, price in memories])[codes]
        of_memory = Picked([stored.get(name, 0) for stored in kept], run.stored_bytes.codes)
        saved.append((storage, priced.prices, of_memory, leaks_mw))
    return ungated(area.leakage, saved, gates)


def _unit_energy(priced: Priced, name: str) -> Ranges:
    units, codes = priced.of_unit(name)
    return ranges(Picked([activity.costs(prices).energy for activity, prices in units], codes))


def _of_memory(priced: Priced, memory: str, directions: dict[str, dict[str, Floats]]) -> Ranges:
    energy_uj = exact_sums([exact_sums(list(k.values()), priced.designs) for k in directions.values()], priced.designs)
    return spread(energy_uj, priced.spreads(memory, lambda price: price.energy_spread))


def _operators(priced: Priced, name: str) -> dict[str, Floats]:
    """The energy of a unit by kind of operator."""
    units, codes = priced.of_unit(name)
    energies = [activity.costs(prices).operators_uj for activity, prices in units]
    return {kind: np.array([energy[kind] for energy in energies])[codes] for kind in energies[0]}


def _counts(priced: Priced) -> Counts:
    """How often each unit accesses each memory in each way, in the order in which the units' accesses come."""
    found: Counts = {}
    for unit, picked in priced.units.activities.items():
        accesses = dict.fromkeys(access for activity in picked.values for access in activity.actions.accesses)
        pairs: dict[str, tuple[list[tuple[UnitActivity, Storage, MemoryPrice]], Codes]] = {}
        for memory in dict.fromkeys(access.memory for access in accesses):
            made, codes = priced.of_memory(memory)
            first, together = classes([picked.codes, codes], priced.designs)
            pairs[memory] = [(picked.of(design), *made[codes[design]]) for design in first.tolist()], together
        for access in accesses:
            each, together = pairs[access.memory]
            counts = [_count(activity, access, storage, price) for activity, storage, price in each]
            found[unit, access] = np.array(counts, np.int64)[together]
    return found


def _accesses(priced: Priced, counts: Counts) -> dict[str, dict[str, dict[str, Floats]]]:
    """The energy by memory, direction and kind of data, in the order in which the units' accesses come."""
    ways: dict[tuple[str, str], dict[str, Ints]] = {}
    for (_, access), count in counts.items():
        kinds = ways.setdefault((access.memory, access.direction), {})
        kinds[access.data] = kinds[access.data] + count if access.data in kinds else count
    found: dict[str, dict[str, dict[str, Floats]]] = {}
    for (memory, direction), kinds in ways.items():
        priced_memories, codes = priced.of_memory(memory)
        access_pj = np.array([price.access_pj(direction) for _, price in priced_memories])[codes]
        found.setdefault(memory, {})[direction] = {kind: n * access_pj / PJ_PER_UJ for kind, n in kinds.items()}
    return found


def _count(activity: UnitActivity, access: Access, storage: Storage, price: MemoryPrice) -> int:
    """How often a unit accesses a memory in one way; a write goes to all banks that hold a copy."""
    sizes = activity.actions.accesses.get(access, {})
    count = sum(-(-bits // price.access_bits) * times for bits, times in sizes.items())
    if access.direction == "write" and isinstance(storage, Sram):
        count *= dict(storage.copies).get(access.bank, 1)
    if count >= MOST_COUNTED:
        raise NotAlike("numbers beyond 64 bits")
    return count
