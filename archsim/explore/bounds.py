"""What is known of a design's figures before it is simulated: bounds that no schedule can beat, without a program.

`body_cycles` >= T max(compute, W_hh): the bound "compute" of metrics/bounds.py, and one reading of W_hh a step, whose
product with h_{t-1} cannot be had before, through the ports of the weight SRAM. `latency_cycles` >= that, and >= one
loading of all weights from DRAM. What follows from them (times, utilization, throughput) is bounded by the same
quotients that metrics/stats.py forms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from archsim.arch import ArchConfig, MachineConfig
from archsim.components.base import ceil_div
from archsim.components.dram_simple import SimpleDramConfig
from archsim.explore.interval import Interval
from archsim.workload.network import NetworkSpec


def result_bounds(config: MachineConfig, spec: NetworkSpec) -> Mapping[str, Interval]:
    """Bounds of results by name; a result that is not there may be anything."""
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
    if not isinstance(config, ArchConfig) or not isinstance(config.dram, SimpleDramConfig):
        return 0  # admissible, if loose: what a device's rows and refresh cost is the simulation's to say
    weights = sum(cell.macs for cell in spec.cells)  # each is used once for each sequence and step
    bits = config.formats.format("weight").vector_bits(weights)
    return int(ceil_div(bits, 8) / config.dram.bandwidth)
