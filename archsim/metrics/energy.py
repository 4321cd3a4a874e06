"""Computes energy of a run, and area and leakage of the machine: counts times prices (docs/energy.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import fsum
from typing import Annotated

from archsim.families.load import Arch
from archsim.hardware.storage import Sram, Storage
from archsim.hardware.unit import Units
from archsim.metrics.declare import Metric
from archsim.metrics.unit_facts import UnitFacts
from archsim.technology import Prices
from archsim.technology.prices import PJ_PER_UJ

Facts = Mapping[str, UnitFacts]
"""Unit -> what the program makes it do."""

PJ_PER_MW_US = 1000
"""1 mW over 1 us is 1 nJ."""

Parts = Mapping[str, float]
"""Unit or memory -> amount."""
Split = Mapping[str, Mapping[str, float]]
"""Unit or memory -> what of it -> amount."""


@dataclass(frozen=True, slots=True)
class Area:
    """The area and leakage of the machine, whatever it does; DRAM is no part of it."""

    area_mm2: Annotated[float, Metric("mm2", "all units and memories on the chip", "sum over the parts")]
    leakage_mw: Annotated[float, Metric("mW", "what they leak all the time", "sum over the parts")]
    part_area_mm2: Annotated[Parts, Metric("mm2", "unit or memory -> its area")]
    part_leakage_mw: Annotated[Parts, Metric("mW", "unit or memory -> its leakage")]


@dataclass(frozen=True, slots=True)
class Energy:
    """The energy of a run: an inference of all sequences of the batch over all time steps."""

    technology: Annotated[str, Metric("", "the technology's name or file")]
    dram_type: Annotated[str, Metric("", "the type of DRAM")]
    total_uj: Annotated[float, Metric("uJ", "energy of an inference", "dynamic_uj + leakage_uj")]
    dynamic_uj: Annotated[float, Metric("uJ", "what operators, registers and accesses switch", "counts * energies")]
    leakage_uj: Annotated[float, Metric("uJ", "what leaks meanwhile", "area.leakage_mw * latency_us / 1000")]
    leakage_share: Annotated[float, Metric("1", "leakage as a part of the energy", "leakage_uj / total_uj")]
    dram_share: Annotated[float, Metric("1", "DRAM's part of the energy", "part_uj of dram / total_uj")]
    pj_per_mac: Annotated[float, Metric("pJ/MAC", "energy for each MAC of the model", "total_uj * 1e6 / macs")]
    power_mw: Annotated[float, Metric("mW", "mean power over the run, DRAM's with it", "total_uj / latency_us * 1000")]
    tops_per_w: Annotated[float, Metric("TOPS/W", "ops for each joule, 2 per MAC", "2 macs / (total_uj * 1e6)")]
    part_uj: Annotated[Parts, Metric("uJ", "unit, memory or leakage -> its energy; sums to total_uj")]
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


def without_model(units: Units) -> tuple[str, ...]:
    """The units of a machine that do not say what they switch and are built of: with one of them nothing is known."""
    return tuple(name for name, unit in units.items() if not unit.has_energy_model)


def compute_costs(arch: Arch, facts: Facts) -> Costs:
    """The costs of an architecture in its technology; ArchError if there is no such technology."""
    prices, costing = arch.prices, arch.config.costing
    assert costing is not None  # arch.prices says so
    area = area_of(facts, costing.memories, prices)
    return Costs(costing.technology, costing.dram_type, prices, costing.memories, area)


def compute_energy(facts: Facts, costs: Costs, latency_us: Fraction, macs: int) -> Energy:
    """The energy of a run of so many us that does so many MACs of the model."""
    unit_uj = {name: dict(unit.costs(costs.prices).operators_uj) for name, unit in facts.items()}
    memory_uj = _accesses(facts, costs)
    # fsum: no figure depends on the order of units and memories.
    part_uj = {unit: fsum(kinds.values()) for unit, kinds in unit_uj.items()}
    for memory, directions in memory_uj.items():
        part_uj[memory] = part_uj.get(memory, 0.0) + fsum(fsum(kinds.values()) for kinds in directions.values())
    dynamic_uj = fsum(part_uj.values())
    leakage_uj = costs.area.leakage_mw * float(latency_us) * PJ_PER_MW_US / PJ_PER_UJ
    total_uj = dynamic_uj + leakage_uj
    return Energy(
        technology=costs.technology,
        dram_type=costs.dram_type,
        total_uj=total_uj,
        dynamic_uj=dynamic_uj,
        leakage_uj=leakage_uj,
        leakage_share=leakage_uj / total_uj,
        dram_share=part_uj.get("dram", 0.0) / total_uj,  # a machine may have no DRAM
        pj_per_mac=total_uj * PJ_PER_UJ / macs,
        power_mw=total_uj / float(latency_us) * 1000,
        tops_per_w=2 * macs / (total_uj * PJ_PER_UJ),
        part_uj=part_uj | {"leakage": leakage_uj},
        unit_uj=unit_uj,
        memory_uj=memory_uj,
        extrapolated=_beyond_the_tables(facts, costs),
    )


def area_of(facts: Facts, memories: Mapping[str, Storage], prices: Prices) -> Area:
    """The area and leakage of every part on the chip."""
    logic = {name: unit.costs(prices).area_mm2 for name, unit in facts.items()}
    area = {name: prices.memory(storage).area_mm2 for name, storage in memories.items()} | logic
    leakage = {name: prices.memory(storage).leakage_mw for name, storage in memories.items()} | {
        name: area_mm2 * prices.technology.logic_leakage.power_mw_per_mm2 for name, area_mm2 in logic.items()
    }
    on_chip = [name for name in area if area[name]]
    return Area(
        area_mm2=fsum(area.values()),
        leakage_mw=fsum(leakage.values()),
        part_area_mm2={name: area[name] for name in on_chip},
        part_leakage_mw={name: leakage[name] for name in on_chip},
    )


def _beyond_the_tables(facts: Facts, costs: Costs) -> tuple[str, ...]:
    """The parts of the machine and its actions that the technology's tables do not cover."""
    memories = {name: costs.prices.memory(storage).extrapolated for name, storage in costs.memories.items()}
    found = [f"{name}: {note}" for name, note in memories.items() if note]
    found += [f"{name}: {note}" for name, unit in facts.items() for note in unit.costs(costs.prices).beyond]
    return tuple(found)


def _accesses(facts: Facts, costs: Costs) -> dict[str, dict[str, dict[str, float]]]:
    """The energy in uJ by memory, direction and kind of data."""
    prices = {name: costs.prices.memory(storage) for name, storage in costs.memories.items()}
    bits = tuple((name, price.access_bits) for name, price in prices.items())
    # A write goes to all banks that hold a copy. Plain dicts: this is done for each of many designs.
    copies = {name: dict(found.copies) for name, found in costs.memories.items() if isinstance(found, Sram)}
    banks: dict[tuple[str, str], dict[str, int]] = {}
    for unit in facts.values():
        for access, count in unit.access_counts(bits).items():
            if access.direction == "write" and access.memory in copies:
                count *= copies[access.memory].get(access.bank, 1)
            kinds = banks.setdefault((access.memory, access.direction), {})
            kinds[access.data] = kinds.get(access.data, 0) + count
    found: dict[str, dict[str, dict[str, float]]] = {}
    for (memory, direction), kinds in banks.items():
        access_pj = prices[memory].access_pj(direction)
        found.setdefault(memory, {})[direction] = {kind: n * access_pj / PJ_PER_UJ for kind, n in kinds.items()}
    return found
