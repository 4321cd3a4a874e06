"""Bounds a design's figures before it is simulated, without a program: no schedule can beat the bounds.

`body_cycles` >= T max(compute, W_hh): the bound "compute" of metrics/bounds.py, and one reading of W_hh a step, whose
product with h_{t-1} cannot be had before, through the ports of the weight SRAM. `latency_cycles` >= that, and >= one
loading of all weights from DRAM. What follows from them (times, utilization) is bounded by the same quotients that
metrics/stats.py forms.

Area and leakage are what the machine is, whatever it does. Energy >= a multiplication a MAC, one loading of all weights
from DRAM, one reading of W_hh a step from the weight SRAM, and what leaks in the least latency.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from archsim.api.batch import Designs
from archsim.api.batch.columns import Codes, Picked
from archsim.api.batch.energy import AreaColumns, Priced
from archsim.api.batch.machines import MachineColumns, Machines
from archsim.api.batch.observer import Observer
from archsim.api.batch.unit_rows import FactSource, unit_rows
from archsim.errors import ArchError
from archsim.explore.space.interval import Interval
from archsim.families.load import Arch
from archsim.families.machine_config import MachineConfig
from archsim.families.registry import build_units
from archsim.hardware.unit import Unit
from archsim.metrics.beside import UJ_PER_MW_US
from archsim.metrics.energy import compute_costs, without_model
from archsim.metrics.op_facts import NO_OPS
from archsim.metrics.unit_facts import SharedFacts, UnitFacts
from archsim.workload.network import NetworkSpec


class ResultBounds:
    """The bounds of results, for designs one after the other; a unit's costs are kept by its identity."""

    def __init__(self) -> None:
        self._facts = SharedFacts()

    def bounds_of(self, arch: Arch, spec: NetworkSpec) -> Mapping[str, Interval]:
        """The bounds of a design's results by name; a result that is not there may be anything.

        ArchError for an unknown technology.
        """
        bounds = _times(arch.config, spec)
        units = {} if arch.config.costing is None else build_units(arch.config)
        if units and not without_model(units):
            facts = {name: self._facts.get(name, unit, NO_OPS) for name, unit in units.items()}  # of units without ops
            bounds |= _energies(arch, spec, facts, bounds["latency_us"].least)
        return bounds


class _WithoutOps:
    """Gives the facts of units that execute no ops."""

    def __init__(self) -> None:
        self._facts = SharedFacts()

    def content(self, name: str) -> Hashable:
        """Nothing that tells units apart: without ops what they execute is the same for all."""
        del name
        return None

    def unit_facts(self, name: str, unit: Unit[Any]) -> UnitFacts:
        """The facts of the unit of that name."""
        return self._facts.get(name, unit, NO_OPS)


class BatchBounds:
    """The bounds of results of many designs at once, the same as those of ResultBounds; what they share is kept."""

    def __init__(self) -> None:
        self._without_ops = _WithoutOps()
        self._machines = Machines()
        self._times: dict[NetworkSpec, Observer[dict[str, Interval]]] = {}
        self._dynamic: dict[NetworkSpec, Observer[float]] = {}

    def bounds_of(self, designs: Designs, spec: NetworkSpec) -> Sequence[Mapping[str, Interval]]:
        """The bounds of each design's results by name; a design without prices has none of energy and area."""
        if spec not in self._times:
            self._times[spec] = Observer(lambda config: _times(config, spec))
            self._dynamic[spec] = Observer(lambda config: _dynamic_uj(config, spec))
        found = [dict(bounds) for bounds in self._times[spec].column(designs).each()]
        machines = MachineColumns(designs, self._machines)
        names, memories, prices = machines.unit_names, machines.memory_names, machines.prices
        unpriced = np.array([price is None for price in prices.values], np.intp)[prices.codes]
        _, group = designs.together((names.codes, memories.codes, unpriced))
        for number in range(int(group.max(initial=-1)) + 1):
            rows = np.flatnonzero(group == number)
            if not unpriced[rows[0]]:
                self._add_costs(machines, rows, self._dynamic[spec].column(designs), found)
        return found

    def _add_costs(
        self, machines: MachineColumns, rows: Codes, dynamic_uj: Picked[float], found: list[dict[str, Interval]]
    ) -> None:
        source: Picked[FactSource] = Picked((self._without_ops,), np.zeros(len(rows), np.intp))
        units = unit_rows(machines.unit_names.of(int(rows[0])), source, machines, rows)
        priced = Priced.of(machines, units, rows)
        assert priced is not None
        area = AreaColumns.of(priced)
        gates = np.array([counted.gating != "none" for counted in priced.counted.values])[priced.counted.codes]
        leaks_mw = np.where(gates, 0.0, area.leakage_mw)  # how much is gated depends on what a program keeps
        figures = zip(rows.tolist(), area.area_mm2.tolist(), leaks_mw.tolist(), area.leakage_mw.tolist(), strict=True)
        for design, area_mm2, least_mw, leakage_mw in figures:
            least_us = found[design]["latency_us"].least
            found[design] |= _costs(area_mm2, leakage_mw, least_mw, dynamic_uj.of(design), least_us)


def _dynamic_uj(config: MachineConfig, spec: NetworkSpec) -> float:
    try:
        return 0.0 if config.costing is None else config.least_energy_uj(spec, Arch("", config).prices)
    except ArchError:
        return 0.0  # of a design without prices nothing is asked


def _energies(arch: Arch, spec: NetworkSpec, facts: Mapping[str, UnitFacts], least_us: float) -> dict[str, Interval]:
    costs = compute_costs(arch, facts)
    dynamic_uj = arch.config.least_energy_uj(spec, costs.prices)
    area = costs.area
    least_mw = 0.0 if costs.counted.gating != "none" else area.leakage_mw
    return _costs(area.area_mm2, area.leakage_mw, least_mw, dynamic_uj, least_us)


def _costs(
    area_mm2: float, leakage_mw: float, least_mw: float, dynamic_uj: float, least_us: float
) -> dict[str, Interval]:
    """`least_mw`: the part of the leakage that no run is without."""
    leakage_uj = least_mw * (least_us * UJ_PER_MW_US)
    return {
        "area.area_mm2": Interval(area_mm2, area_mm2),
        "area.leakage_mw": Interval(leakage_mw, leakage_mw),
        "energy.dynamic_uj": Interval(dynamic_uj, math.inf),
        "energy.leakage_uj": Interval(leakage_uj, math.inf),
        "energy.total_uj": Interval(dynamic_uj + leakage_uj, math.inf),
    }


def _times(config: MachineConfig, spec: NetworkSpec) -> dict[str, Interval]:
    clock_mhz = Fraction(repr(config.clock_mhz))
    body = spec.steps * max(config.compute_cycles_per_step(spec), _recurrent_weight_cycles(config, spec))
    latency = max(body, config.least_load_cycles(spec), 1)  # no run takes no time
    peak = config.multipliers.macs_per_cycle
    return {
        "mac_utilization": Interval(0.0, float(Fraction(spec.macs, peak * latency))),
        "body_cycles": Interval(body, math.inf),
        "body_us": Interval(float(body / clock_mhz), math.inf),
        "latency_cycles": Interval(latency, math.inf),
        "latency_us": Interval(float(latency / clock_mhz), math.inf),
    }


def _recurrent_weight_cycles(config: MachineConfig, spec: NetworkSpec) -> int:
    if config.weight_bits_per_cycle is None or spec.skips:
        return 0
    bits = sum(config.weight_bits(cell.rows, cell.recurrent_size) for cell in spec.cells)
    return bits // config.weight_bits_per_cycle
