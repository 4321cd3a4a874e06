"""Computes energy of a run, and area and leakage of the machine: counts times prices (docs/energy.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import fsum
from typing import Annotated

from archsim.families.load import Arch
from archsim.families.machine_config import NO_DRAM, DramWidth
from archsim.hardware.storage import OffChip, Registers, Sram, Storage
from archsim.hardware.unit import Units
from archsim.metrics.actions import Access
from archsim.metrics.beside import (
    NO_POWER,
    NOTHING,
    UJ_PER_MW_US,
    DramTimes,
    dram_power,
    gated_mw,
    overhead,
    phy_energy,
    wire_length_mm,
    wire_price,
)
from archsim.metrics.declare import Metric
from archsim.metrics.unit_facts import UnitFacts
from archsim.technology import Prices
from archsim.technology.conditions import ALL_COUNTED, Counted
from archsim.technology.prices import PJ_PER_UJ
from archsim.technology.spread import Range, spread_of, sum_of

Facts = Mapping[str, UnitFacts]
"""Unit -> what the program makes it do."""

BESIDE_DRAM = ("dram_phy", "dram_background")
"""The parts of an energy that memories off the chip bring along."""

Counts = Mapping[tuple[str, Access], int]
"""(unit, way of using a memory) -> how often."""

Parts = Mapping[str, float]
"""Unit or memory -> amount."""
Split = Mapping[str, Mapping[str, float]]
"""Unit or memory -> what of it -> amount."""


@dataclass(frozen=True, slots=True)
class Area:
    """The area and leakage of the machine, whatever it does; DRAM is no part of it."""

    area_mm2: Annotated[float, Metric("mm2", "all units and memories on the chip", "sum over the parts")]
    area_low_mm2: Annotated[float, Metric("mm2", "the same at the lowest that sources give", "sum over the parts")]
    area_high_mm2: Annotated[float, Metric("mm2", "the same at the highest that sources give", "sum over the parts")]
    leakage_mw: Annotated[float, Metric("mW", "what they leak all the time", "sum over the parts")]
    leakage_low_mw: Annotated[float, Metric("mW", "the same at the lowest that sources give", "sum over the parts")]
    leakage_high_mw: Annotated[float, Metric("mW", "the same at the highest that sources give", "sum over the parts")]
    part_area_mm2: Annotated[Parts, Metric("mm2", "unit, memory or layout (space between cells) -> its area")]
    part_area_low_mm2: Annotated[Parts, Metric("mm2", "the same at the lowest that sources give")]
    part_area_high_mm2: Annotated[Parts, Metric("mm2", "the same at the highest that sources give")]
    part_leakage_mw: Annotated[Parts, Metric("mW", "unit or memory -> its leakage")]

    @property
    def leakage(self) -> Range:
        """The leakage in mW with its low and high."""
        return Range(self.leakage_mw, self.leakage_low_mw, self.leakage_high_mw)


@dataclass(frozen=True, slots=True)
class Energy:
    """The energy of a run: an inference of all sequences of the batch over all time steps."""

    technology: Annotated[str, Metric("", "the technology's name or file")]
    chain: Annotated[str, Metric("", "its chain of sources: energies of one chain alone may be compared")]
    dram_type: Annotated[str, Metric("", 'the type of DRAM; "" of a machine without memory off the chip')]
    total_uj: Annotated[float, Metric("uJ", "energy of an inference", "dynamic_uj + leakage_uj + dram_background_uj")]
    total_low_uj: Annotated[float, Metric("uJ", "the same at the lowest that sources give", "sum of part_low_uj")]
    total_high_uj: Annotated[float, Metric("uJ", "the same at the highest that sources give", "sum of part_high_uj")]
    dynamic_uj: Annotated[
        float, Metric("uJ", "what operators, registers, accesses, wires, clock, control and interface switch")
    ]
    leakage_uj: Annotated[
        float, Metric("uJ", "what leaks meanwhile, without banks that are gated", "leakage * latency_us / 1000")
    ]
    dram_background_uj: Annotated[float, Metric("uJ", "DRAM's power by state, and refresh, over the run")]
    active_uj: Annotated[
        float,
        Metric(
            "uJ",
            "what is taken besides the power all the time: dynamic_uj, and what DRAM takes more while it is at work",
            "total_uj - static_mw * latency_us / 1000",
        ),
    ]
    static_mw: Annotated[float, Metric("mW", "power all the time: leakage, DRAM that is idle, and refresh")]
    leakage_share: Annotated[float, Metric("1", "leakage as a part of the energy", "leakage_uj / total_uj")]
    dram_share: Annotated[
        float,
        Metric(
            "1",
            "the part of DRAM, or of flash where weights lie there",
            "part_uj of memories off the chip, dram_phy and dram_background / total_uj",
        ),
    ]
    pj_per_mac: Annotated[float, Metric("pJ/MAC", "energy for each MAC of the model", "total_uj * 1e6 / macs")]
    power_mw: Annotated[float, Metric("mW", "mean power over the run, DRAM's with it", "total_uj / latency_us * 1000")]
    tops_per_w: Annotated[float, Metric("TOPS/W", "ops for each joule, 2 per MAC", "2 macs / (total_uj * 1e6)")]
    part_uj: Annotated[
        Parts,
        Metric(
            "uJ",
            "unit, memory, wires, clock, control, dram_phy, dram_background or leakage -> its energy; sums to total_uj",
        ),
    ]
    part_low_uj: Annotated[Parts, Metric("uJ", "the same at the lowest that sources give; sums to total_low_uj")]
    part_high_uj: Annotated[Parts, Metric("uJ", "the same at the highest that sources give; sums to total_high_uj")]
    unit_uj: Annotated[Split, Metric("uJ", "unit -> multiply, add, compare, register, table -> energy")]
    memory_uj: Annotated[
        Mapping[str, Mapping[str, Mapping[str, float]]],
        Metric("uJ", "memory -> read or write -> kind of data -> energy"),
    ]
    extrapolated: Annotated[
        tuple[str, ...], Metric("", "what was beyond the technology's tables, and how far these go")
    ]


@dataclass(frozen=True, slots=True)
class Costs:
    """What energies follow from besides the actions: the machine's units and memories, and their prices."""

    technology: str
    dram_type: str
    prices: Prices
    memories: Mapping[str, Storage]
    area: Area
    counted: Counted = ALL_COUNTED
    dram_width: DramWidth = NO_DRAM


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What energy needs of a run besides what units did: how long, how long DRAM was at work, MACs, and bytes kept."""

    latency_us: Fraction
    macs: int
    dram_busy_us: Fraction = Fraction(0)
    stored_bytes: Mapping[str, Mapping[str, int]] | None = None


def off_chip(memories: Mapping[str, Storage]) -> tuple[str, ...]:
    """The names of a machine's memories that are no part of the chip: DRAM, or flash."""
    return tuple(name for name, storage in memories.items() if isinstance(storage, OffChip))


def dram_parts(memories: Mapping[str, Storage]) -> tuple[str, ...]:
    """The parts of a machine's energy that are those of memories off the chip, and of what they bring along."""
    return (*off_chip(memories), *BESIDE_DRAM)


def without_model(units: Units) -> tuple[str, ...]:
    """The units of a machine that do not say what they switch and are built of: with one of them nothing is known."""
    return tuple(name for name, unit in units.items() if not unit.has_energy_model)


def compute_costs(arch: Arch, facts: Facts) -> Costs:
    """The costs of an architecture in its technology; ArchError if there is no such technology."""
    prices, costing = arch.prices, arch.config.costing
    assert costing is not None  # arch.prices says so
    area = area_of(facts, costing.memories, prices, costing.counted)
    width = arch.config.dram_width
    return Costs(costing.technology, costing.dram_type, prices, costing.memories, area, costing.counted, width)


def compute_energy(facts: Facts, costs: Costs, run: RunFacts) -> Energy:
    """The energy of a run."""
    unit_uj = {name: dict(unit.activity.costs(costs.prices).operators_uj) for name, unit in facts.items()}
    counts = access_counts(facts, costs)
    memory_uj = _accesses(counts, costs)
    # fsum: no figure depends on the order of units and memories.
    parts = {name: unit.activity.costs(costs.prices).energy for name, unit in facts.items()}
    moved = {memory: _of_memory(memory, directions, costs) for memory, directions in memory_uj.items()}
    logic = sum_of([*parts.values(), *(r for m, r in moved.items() if isinstance(costs.memories[m], Registers))])
    for memory, amount in moved.items():
        parts[memory] = parts.get(memory, NOTHING).plus(amount)
    parts |= _beside(facts, costs, counts, logic)
    dynamic = sum_of(parts.values())
    times = DramTimes(float(run.latency_us), float(run.dram_busy_us))
    power = dram_power(costs.prices, costs.dram_type, costs.dram_width, costs.counted)
    background = power.energy(times)
    leaking = _leaking(costs, run.stored_bytes)
    leakage = leaking.times(times.latency_us * UJ_PER_MW_US)
    if power is not NO_POWER:
        parts["dram_background"] = background
    parts["leakage"] = leakage
    total = sum_of(parts.values())
    total_uj = total.value
    dram = dram_parts(costs.memories)
    return Energy(
        technology=costs.technology,
        chain=costs.prices.technology.chain or costs.technology,
        dram_type=costs.dram_type if off_chip(costs.memories) else "",
        total_uj=total_uj,
        total_low_uj=total.low,
        total_high_uj=total.high,
        dynamic_uj=dynamic.value,
        leakage_uj=leakage.value,
        dram_background_uj=background.value,
        active_uj=dynamic.value + power.working.value * (times.busy_us * UJ_PER_MW_US),
        static_mw=leaking.value + power.always.value,
        leakage_share=leakage.value / total_uj,
        dram_share=fsum(amount.value for name, amount in parts.items() if name in dram) / total_uj,
        pj_per_mac=total_uj * PJ_PER_UJ / run.macs,
        power_mw=total_uj / times.latency_us * 1000,
        tops_per_w=2 * run.macs / (total_uj * PJ_PER_UJ),
        part_uj={name: amount.value for name, amount in parts.items()},
        part_low_uj={name: amount.low for name, amount in parts.items()},
        part_high_uj={name: amount.high for name, amount in parts.items()},
        unit_uj=unit_uj,
        memory_uj=memory_uj,
        extrapolated=_beyond_the_tables(facts, costs),
    )


def _beside(facts: Facts, costs: Costs, counts: Counts, logic: Range) -> dict[str, Range]:
    """The energies in uJ of what is no unit and no memory, as far as it is counted."""
    counted, prices, technology = costs.counted, costs.prices, costs.prices.technology
    found: dict[str, Range] = {}
    if counted.wires:
        found["wires"] = _wires(facts, costs, counts)
    if counted.clock:
        found["clock"] = overhead(logic, technology.clock)
    if counted.control:
        found["control"] = overhead(logic, technology.control)
    outside = off_chip(costs.memories)
    if counted.phy and outside:
        bits = sum(count for (_, access), count in counts.items() if access.memory in outside)
        found["dram_phy"] = phy_energy(prices, costs.dram_type, bits)
    return found


def _wires(facts: Facts, costs: Costs, counts: Counts) -> Range:
    """The energy in uJ of the wires between each unit and the SRAMs that it uses."""
    prices, bits = costs.prices, dict.fromkeys(_wired(facts, costs), 0)
    for (unit, access), count in counts.items():
        if (unit, access.memory) in bits:
            bits[unit, access.memory] += count * prices.memory(costs.memories[access.memory]).access_bits
    price = wire_price(prices)
    return sum_of(
        wire_length_mm(
            costs.memories[memory], memory_area(prices, costs.memories[memory]), facts[unit].activity.costs(prices).area
        )
        .by(price)
        .times(moved / PJ_PER_UJ)
        for (unit, memory), moved in bits.items()
    )


def _wired(facts: Facts, costs: Costs) -> list[tuple[str, str]]:
    """Each unit with each SRAM: what lies in registers lies in their midst."""
    srams = [name for name, storage in costs.memories.items() if isinstance(storage, Sram)]
    return [(unit, memory) for unit in facts for memory in srams]


def _leaking(costs: Costs, stored_bytes: Mapping[str, Mapping[str, int]] | None) -> Range:
    """The leakage in mW during a run, without that of banks that are gated."""
    saved = gated_mw(costs.memories, costs.prices, costs.counted, stored_bytes)
    return costs.area.leakage.times(1 - fsum(saved.values()) / costs.area.leakage_mw) if saved else costs.area.leakage


def memory_area(prices: Prices, storage: Storage) -> Range:
    """The area of a memory in mm2."""
    price = prices.memory(storage)
    return spread_of(price.area_mm2, price.area_spread)


def area_of(facts: Facts, memories: Mapping[str, Storage], prices: Prices, counted: Counted = ALL_COUNTED) -> Area:
    """The area and leakage of every part on the chip."""
    logic = {name: unit.activity.costs(prices).area for name, unit in facts.items()}
    area = {name: memory_area(prices, storage) for name, storage in memories.items()}
    made = [area[name] for name, storage in memories.items() if isinstance(storage, Registers)] + list(logic.values())
    per_mm2 = spread_of(prices.logic_leakage_mw_per_mm2, prices.technology.logic_leakage.spread)
    leakage = {name: _memory_leakage(prices, storage) for name, storage in memories.items()}
    for name, found in logic.items():  # a unit may have the name of its memory
        area[name] = area.get(name, NOTHING).plus(found)
        leakage[name] = leakage.get(name, NOTHING).plus(per_mm2.times(found.value))
    on_chip = [name for name in area if area[name].value]
    if counted.layout:
        area["layout"] = overhead(sum_of(made), prices.technology.layout)
        on_chip.append("layout")
    whole, leaks = sum_of(area.values()), sum_of(leakage.values())
    return Area(
        area_mm2=whole.value,
        area_low_mm2=whole.low,
        area_high_mm2=whole.high,
        leakage_mw=leaks.value,
        leakage_low_mw=leaks.low,
        leakage_high_mw=leaks.high,
        part_area_mm2={name: area[name].value for name in on_chip},
        part_area_low_mm2={name: area[name].low for name in on_chip},
        part_area_high_mm2={name: area[name].high for name in on_chip},
        part_leakage_mw={name: leakage[name].value for name in on_chip if name in leakage},
    )


def _memory_leakage(prices: Prices, storage: Storage) -> Range:
    price = prices.memory(storage)
    return spread_of(price.leakage_mw, price.leakage_spread)


def _beyond_the_tables(facts: Facts, costs: Costs) -> tuple[str, ...]:
    """The parts of the machine and its actions that the technology's tables do not cover."""
    memories = {name: costs.prices.memory(storage).extrapolated for name, storage in costs.memories.items()}
    found = [f"{name}: {note}" for name, note in memories.items() if note]
    found += [f"{name}: {note}" for name, unit in facts.items() for note in unit.activity.costs(costs.prices).beyond]
    return tuple(found)


def access_counts(facts: Facts, costs: Costs) -> Counts:
    """How often each unit accesses each memory in each way; a write goes to all banks that hold a copy."""
    bits = tuple((name, costs.prices.memory(storage).access_bits) for name, storage in costs.memories.items())
    # Plain dicts: this is done for each of many designs.
    copies = {name: dict(found.copies) for name, found in costs.memories.items() if isinstance(found, Sram)}
    found: dict[tuple[str, Access], int] = {}
    for name, unit in facts.items():
        for access, count in unit.activity.access_counts(bits).items():
            if access.direction == "write" and access.memory in copies:
                count *= copies[access.memory].get(access.bank, 1)
            found[name, access] = count
    return found


def _accesses(counts: Counts, costs: Costs) -> dict[str, dict[str, dict[str, float]]]:
    """The energy in uJ by memory, direction and kind of data."""
    banks: dict[tuple[str, str], dict[str, int]] = {}
    for (_, access), count in counts.items():
        kinds = banks.setdefault((access.memory, access.direction), {})
        kinds[access.data] = kinds.get(access.data, 0) + count
    found: dict[str, dict[str, dict[str, float]]] = {}
    for (memory, direction), kinds in banks.items():
        access_pj = costs.prices.memory(costs.memories[memory]).access_pj(direction)
        found.setdefault(memory, {})[direction] = {kind: n * access_pj / PJ_PER_UJ for kind, n in kinds.items()}
    return found


def _of_memory(memory: str, directions: Mapping[str, Mapping[str, float]], costs: Costs) -> Range:
    """The energy in uJ of all accesses of a memory."""
    energy_uj = fsum(fsum(kinds.values()) for kinds in directions.values())
    return spread_of(energy_uj, costs.prices.memory(costs.memories[memory]).energy_spread)
