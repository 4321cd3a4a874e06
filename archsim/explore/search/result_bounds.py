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
from collections.abc import Mapping
from fractions import Fraction

from archsim.explore.space.interval import Interval
from archsim.families.load import Arch
from archsim.families.machine_config import MachineConfig
from archsim.families.registry import build_units
from archsim.metrics.energy import PJ_PER_MW_US, compute_costs, without_model
from archsim.metrics.unit_facts import SharedFacts, UnitFacts
from archsim.technology.prices import PJ_PER_UJ
from archsim.workload.network import NetworkSpec


class ResultBounds:
    """The bounds of results, for many designs one after the other; a unit's costs are kept by its identity."""

    def __init__(self) -> None:
        self._facts = SharedFacts()

    def bounds_of(self, arch: Arch, spec: NetworkSpec) -> Mapping[str, Interval]:
        """The bounds of a design's results by name; a result that is not there may be anything.

        ArchError for an unknown technology.
        """
        bounds = _times(arch.config, spec)
        units = {} if arch.config.costing is None else build_units(arch.config)
        if units and not without_model(units):
            facts = {name: self._facts.get(name, unit, ()) for name, unit in units.items()}  # of units without ops
            bounds |= _energies(arch, spec, facts, bounds["latency_us"].least)
        return bounds


def _energies(arch: Arch, spec: NetworkSpec, facts: Mapping[str, UnitFacts], least_us: float) -> dict[str, Interval]:
    costs = compute_costs(arch, facts)
    area, dynamic_uj = costs.area, arch.config.least_energy_uj(spec, costs.prices)
    leakage_uj = area.leakage_mw * least_us * PJ_PER_MW_US / PJ_PER_UJ
    return {
        "area.area_mm2": Interval(area.area_mm2, area.area_mm2),
        "area.leakage_mw": Interval(area.leakage_mw, area.leakage_mw),
        "energy.dynamic_uj": Interval(dynamic_uj, math.inf),
        "energy.leakage_uj": Interval(leakage_uj, math.inf),
        "energy.total_uj": Interval(dynamic_uj + leakage_uj, math.inf),
    }


def _times(config: MachineConfig, spec: NetworkSpec) -> dict[str, Interval]:
    clock_mhz = Fraction(repr(config.clock_mhz))
    body = spec.steps * max(config.compute_cycles_per_step(spec), _recurrent_weight_cycles(config, spec))
    latency = max(body, config.least_load_cycles(spec))
    peak = config.multipliers.macs_per_cycle
    return {
        "mac_utilization": Interval(0.0, float(Fraction(spec.macs, peak * latency))),
        "body_cycles": Interval(body, math.inf),
        "body_us": Interval(float(body / clock_mhz), math.inf),
        "latency_cycles": Interval(latency, math.inf),
        "latency_us": Interval(float(latency / clock_mhz), math.inf),
    }


def _recurrent_weight_cycles(config: MachineConfig, spec: NetworkSpec) -> int:
    weights = sum(cell.rows * cell.recurrent_size for cell in spec.cells)
    if config.weight_bits_per_cycle is None:
        return 0
    return config.formats.format("weight").vector_bits(weights) // config.weight_bits_per_cycle
