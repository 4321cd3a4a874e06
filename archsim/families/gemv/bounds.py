"""Bounds a machine with one MAC array from below: a time step, and what any run takes at least."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.families.machine_config import Costing
from archsim.formats import NumberFormat
from archsim.hardware.dram.ddr_unit import DdrConfig
from archsim.hardware.dram.simple import SimpleDramConfig
from archsim.hardware.operators import Operator
from archsim.hardware.unit import ceil_div
from archsim.technology import Prices
from archsim.technology.prices import PJ_PER_UJ
from archsim.workload.network import NetworkSpec

GEMV_BOUNDS: Mapping[str, str] = {
    "compute": "ceil(gate rows / rows) * ceil((I + H) / columns) * B: the MAC array with the least padding; "
    "ceil(I / columns) + ceil(H / columns) where x and h are accumulated apart",
    "weight_sram": "ceil(bits of the weight matrices that the step reads / (banks * port_bits))",
    "recurrence": "longest chain of ops from the first that needs h_{t-1} to the last that writes h_t",
    "mac_array": "occupancy of the MAC array by this schedule's tiles",
    "activation": "occupancy of the activation unit; of several, the busiest",
    "elementwise": "occupancy of the element-wise unit; of several, the busiest",
    "dram": "occupancy of DRAM in the time steps (kind ddr: of its data bus alone)",
    "sequencer": "ops of a step * issue_cycles",
}
"""The bounds of the family gemv: name -> what it is."""


def least_load_cycles(dram: SimpleDramConfig | DdrConfig, weight: NumberFormat, spec: NetworkSpec) -> int:
    """The least cycles of DRAM's interface for all weights of a network, each once; 0 of kind ddr.

    For a device that is admissible, if loose: what its rows and refresh cost is the simulation's to say.
    """
    if not isinstance(dram, SimpleDramConfig):
        return 0
    weights = sum(cell.macs for cell in spec.cells)  # each is used once for each sequence and step
    return int(ceil_div(weight.vector_bits(weights), 8) / dram.bandwidth)


def least_energy_uj(
    costing: Costing, weight: NumberFormat, multiplier: Operator, spec: NetworkSpec, prices: Prices
) -> float:
    """The least energy in uJ that no schedule avoids.

    A multiplication a MAC, one loading of all weights from DRAM, one reading of W_hh a step from the weight SRAM.
    """
    recurrent = prices.memory(costing.memories["weight_sram"])
    loaded_bits = weight.vector_bits(sum(cell.macs for cell in spec.cells))
    recurrent_bits = weight.vector_bits(sum(cell.rows * cell.recurrent_size for cell in spec.cells))
    return (
        spec.macs * prices.operator(multiplier).energy_pj
        + loaded_bits * prices.memory(costing.memories["dram"]).read_pj
        + spec.steps * (recurrent_bits / recurrent.access_bits) * recurrent.read_pj
    ) / PJ_PER_UJ
