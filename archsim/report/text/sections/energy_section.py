"""Writes what a run takes in energy and the machine in area, by unit and memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.families.registry import build_units
from archsim.metrics import declared
from archsim.metrics.beside import gated_mw
from archsim.metrics.energy import Area, Energy, off_chip, without_model
from archsim.report.text.figures_as_text import behind, part, percent, significant, span
from archsim.report.text.layout import heading, sentence, table
from archsim.technology.conditions import Counted

if TYPE_CHECKING:
    from rich.console import RenderableType

_SUMS = ("total_uj", "pj_per_mac", "power_mw", "tops_per_w")
_DIRECTIONS = {"read": "read", "write": "written"}
LEAKAGE = "leakage"
BESIDE_WORDS = {
    "wires": "between memories and units",
    "clock": "clock tree",
    "control": "sequencer and control",
    "dram_phy": "interface to DRAM",
    "dram_background": "DRAM's state and refresh",
}
"""What is no unit and no memory, in words."""
MOST_KINDS = 4
"""How many of a part's kinds are named: those that take most."""


def energy(simulation: Simulation) -> list[RenderableType]:
    """The section on energy: sums, every unit and memory with what takes most, and what is uncertain."""
    found, area, about = simulation.stats.energy, simulation.stats.area, declared(Energy)
    if found is None or area is None:
        return [heading("Energy and area"), sentence(not_modelled(simulation))]
    sums = [
        (name.rsplit("_", 1)[0] if name.endswith(("_uj", "_mw")) else name, _amount(found, name), about[name].meaning)
        for name in _SUMS
    ]
    sums[0] = (sums[0][0], f"{sums[0][1]} ({span(found.total_low_uj, found.total_high_uj)})", sums[0][2])
    size = f"{significant(area.area_mm2)} mm2 ({span(area.area_low_mm2, area.area_high_mm2)})"
    sums.append(("area", size, declared(Area)["area_mm2"].meaning))
    rows = [
        (
            name,
            significant(amount),
            part(amount, found.total_uj),
            significant(area.part_area_mm2[name]) if name in area.part_area_mm2 else "-",
            significant(area.part_leakage_mw[name]) if name in area.part_leakage_mw else "-",
            span(found.part_low_uj[name], found.part_high_uj[name]),
            most(simulation, name),
        )
        for name, amount in sorted(found.part_uj.items(), key=lambda item: -item[1])
    ]
    rows += [
        (name, "-", "-", significant(size_mm2), "-", "-", "space between cells")
        for name, size_mm2 in area.part_area_mm2.items()
        if name not in found.part_uj
    ]
    ends = span(found.total_low_uj, found.total_high_uj)
    whole = significant(found.total_uj), percent(1), significant(area.area_mm2), significant(area.leakage_mw)
    rows.append(("sum", *whole, ends, ""))
    return [
        heading(f"Energy of {of_what(simulation)}, and area", f"technology {found.technology}{_off_chip(simulation)}"),
        table(("<", ">", "<~"), None, sums),
        table(
            ("<", ">", ">", ">", ">", ">", "<~"),
            ("unit or memory", "uJ", "of energy", "mm2", "leaks mW", "uJ, low to high", "mostly"),
            rows,
            strong=(len(rows) - 1,),
        ),
        sentence(_conditions(simulation)),
        *(sentence(f"extrapolated: {note}") for note in found.extrapolated),
        sentence(
            "A model of published energies, for comparing designs: the technology's file has a source for every "
            "number, docs/energy.md the rules. Low and high are what its sources disagree by, all of them at once. "
            "Energies are compared only within one chain of sources."
        ),
    ]


def _off_chip(simulation: Simulation) -> str:
    """What is off the chip, with the type of DRAM that prices it; "" if nothing is."""
    costing, found = simulation.arch.config.costing, simulation.stats.energy
    assert costing is not None
    assert found is not None
    outside = off_chip(costing.memories)
    if not outside:
        return ""
    if outside == ("dram",):
        return f", DRAM {found.dram_type}"
    return f", {', '.join(outside)} at the price of {found.dram_type}"


def _conditions(simulation: Simulation) -> str:
    """Under which conditions the energies hold, and what of the surroundings is left out of them."""
    prices, costing, found = simulation.arch.prices, simulation.arch.config.costing, simulation.stats.energy
    assert costing is not None
    assert found is not None
    given, usual, counted = prices.conditions, prices.technology, costing.counted
    volts, kelvin = given.voltage_v or usual.voltage_v, given.temperature_k or usual.leakage.temperature_k
    text = (
        f"conditions: {significant(volts)} V, {significant(kelvin)} K, {given.device or usual.leakage.device} devices"
    )
    if "dram_background" in found.part_uj:
        text += f"; DRAM in {counted.dram_idle.replace('_', ' ')} between transfers"
    if counted.gating != "none":
        text += "; banks that hold nothing are gated in the energy of leakage, not in the column of what leaks"
    if volts != usual.voltage_v:
        text += (
            f"; prices are of {significant(usual.voltage_v)} V, whether logic still reaches the clock is not checked"
        )
    left_out = _left_out(counted)
    return f"{text}; not counted: {', '.join(left_out)}" if left_out else text


def _left_out(counted: Counted) -> list[str]:
    """What the machine's energy_model leaves out, in words."""
    kept = {
        "wires": counted.wires,
        "clock tree": counted.clock,
        "control": counted.control,
        "interface to DRAM": counted.phy,
        "DRAM's power over time": counted.dram_idle != "off",
        "space between cells": counted.layout,
    }
    return [name for name, is_counted in kept.items() if not is_counted]


def of_what(simulation: Simulation) -> str:
    """What the energy is of: an inference, or, of a stream, all its frames from a cold start, which is no frame's."""
    return "an inference" if simulation.frames is None else "the cold start"


def frame_beside(simulation: Simulation) -> str:
    """What stands behind the energy of a stream's cold start: what a frame takes; "" of any other workload."""
    frames = simulation.frames
    if frames is None or frames.frame_energy_uj is None:
        return ""
    ends = behind(frames.frame_energy_low_uj, frames.frame_energy_high_uj)
    return f"; a frame takes {significant(frames.frame_energy_uj)} uJ{ends}"


def not_modelled(simulation: Simulation) -> str:
    """Why a run has no energy and its machine no area."""
    config = simulation.arch.config
    if config.costing is None:
        return f"not modelled: machines of the family {config.family} have no prices"
    names = without_model(build_units(config))
    return f"not modelled: {', '.join(names)} {'has' if len(names) == 1 else 'have'} no model of energy and area"


def kinds_of(simulation: Simulation, name: str) -> Mapping[str, float]:
    """The energy in uJ of each kind in a unit or memory: operators, or reading and writing a kind of data."""
    found, area = simulation.stats.energy, simulation.stats.area
    assert found is not None
    assert area is not None
    if name == LEAKAGE:
        saved = _saved_mw(simulation)
        leaking = {of: leakage - saved.get(of, 0.0) for of, leakage in area.part_leakage_mw.items()}
        whole = sum(leaking.values())
        return {f"{of} leaks": found.leakage_uj * leakage / whole for of, leakage in leaking.items()}
    if name in BESIDE_WORDS:
        return {BESIDE_WORDS[name]: found.part_uj[name]}
    accesses = {
        f"{data} {_DIRECTIONS[direction]}": amount
        for direction, kinds in found.memory_uj.get(name, {}).items()
        for data, amount in kinds.items()
    }
    return {**found.unit_uj.get(name, {}), **accesses}


def _saved_mw(simulation: Simulation) -> Mapping[str, float]:
    """The leakage in mW that gating saves in each memory."""
    costing = simulation.arch.config.costing
    assert costing is not None
    return gated_mw(costing.memories, simulation.arch.prices, costing.counted, simulation.stats.stored_bytes)


def most(simulation: Simulation, name: str) -> str:
    """The kinds of a part that take most, with their shares of it."""
    kinds = kinds_of(simulation, name)
    whole = sum(kinds.values())
    largest = sorted((kind for kind in kinds if kinds[kind]), key=lambda kind: -kinds[kind])[:MOST_KINDS]
    return ", ".join(f"{kind} {part(kinds[kind], whole)}" for kind in largest)


def _amount(found: Energy, name: str) -> str:
    return f"{significant(getattr(found, name))} {declared(Energy)[name].unit}"
