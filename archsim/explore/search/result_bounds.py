"""What is known of a design's figures before it is simulated: bounds that no schedule can beat, without a program.

`body_cycles` >= T max(compute, W_hh): the bound "compute" of metrics/bounds.py, and one reading of W_hh a step, whose
product with h_{t-1} cannot be had before, through the ports of the weight SRAM. `latency_cycles` >= that, and >= one
loading of all weights from DRAM. What follows from them (times, utilization) is bounded by the same quotients that
metrics/stats.py forms.

Area and leakage are what the machine is, whatever it does. Energy >= a multiplication a MAC, one loading of all weights
from DRAM, one reading of W_hh a step from the weight SRAM, and what leaks in the least latency.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from fractions import Fraction
from typing import Any

from archsim.explore.space.interval import Interval
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.mac_cost import ArrayOperators
from archsim.families.load import Arch
from archsim.families.machine_config import MachineConfig
from archsim.families.registry import build_units
from archsim.hardware.dram.simple import SimpleDramConfig
from archsim.hardware.unit import Unit, ceil_div
from archsim.metrics.energy import PJ_PER_MW_US, compute_costs
from archsim.metrics.unit_facts import PJ_PER_UJ, UnitFacts
from archsim.workload.network import NetworkSpec

KEPT = 4096
"""Units whose costs are kept."""


class ResultBounds:
    """The bounds of results, of many designs one after the other; what a unit costs is kept by its identity."""

    def __init__(self) -> None:
        self._facts: dict[Hashable, UnitFacts] = {}

    def of(self, arch: Arch, spec: NetworkSpec) -> Mapping[str, Interval]:
        """Bounds by name; a result that is not there may be anything. ArchError for an unknown technology."""
        bounds = _times(arch.config, spec)
        if isinstance(arch.config, GemvConfig):
            facts = {name: self._of_unit(unit) for name, unit in build_units(arch.config).items()}
            bounds |= _energies(arch.config, arch, spec, facts, bounds["latency_us"].least)
        return bounds

    def _of_unit(self, unit: Unit[Any]) -> UnitFacts:
        """What is known of a unit that has no ops yet."""
        if len(self._facts) >= KEPT:
            self._facts.clear()
        return self._facts.setdefault(unit.identity, UnitFacts(unit, ()))


def _energies(
    config: GemvConfig, arch: Arch, spec: NetworkSpec, facts: Mapping[str, UnitFacts], least_us: float
) -> dict[str, Interval]:
    costs = compute_costs(arch, facts)
    area, prices, weight = costs.area, costs.prices, config.formats.format("weight")
    recurrent = prices.memory(costs.memories["weight_sram"])
    multiply = prices.operator(ArrayOperators(config.mac_array, config.formats).multiplier)
    loaded_bits = weight.vector_bits(sum(cell.macs for cell in spec.cells))
    recurrent_bits = weight.vector_bits(sum(cell.rows * cell.output_size for cell in spec.cells))
    dynamic_uj = (
        spec.macs * multiply.energy_pj
        + loaded_bits * prices.memory(costs.memories["dram"]).read_pj
        + spec.steps * (recurrent_bits / recurrent.access_bits) * recurrent.read_pj
    ) / PJ_PER_UJ
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
    latency = max(body, _load_cycles(config, spec))
    peak = config.multipliers.macs_per_cycle
    return {
        "mac_utilization": Interval(0.0, float(Fraction(spec.macs, peak * latency))),
        "body_cycles": Interval(body, math.inf),
        "body_us": Interval(float(body / clock_mhz), math.inf),
        "latency_cycles": Interval(latency, math.inf),
        "latency_us": Interval(float(latency / clock_mhz), math.inf),
    }


def _recurrent_weight_cycles(config: MachineConfig, spec: NetworkSpec) -> int:
    weights = sum(cell.rows * cell.output_size for cell in spec.cells)
    if config.weight_bits_per_cycle is None:
        return 0
    return config.formats.format("weight").vector_bits(weights) // config.weight_bits_per_cycle


def _load_cycles(config: MachineConfig, spec: NetworkSpec) -> int:
    if not isinstance(config, GemvConfig) or not isinstance(config.dram, SimpleDramConfig):
        return 0  # admissible, if loose: what a device's rows and refresh cost is the simulation's to say
    weights = sum(cell.macs for cell in spec.cells)  # each is used once for each sequence and step
    bits = config.formats.format("weight").vector_bits(weights)
    return int(ceil_div(bits, 8) / config.dram.bandwidth)
