"""Bounds a machine with one MAC array from below: a time step, and what any run takes at least."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archsim.families.machine_config import Costing, MachineConfig
from archsim.hardware.dram.ddr_unit import DdrConfig
from archsim.hardware.dram.simple import SimpleDramConfig
from archsim.hardware.operators import Operator
from archsim.hardware.unit import ceil_div
from archsim.technology import Prices
from archsim.technology.prices import PJ_PER_UJ
from archsim.workload.network import NetworkSpec

GEMV_BOUNDS: Mapping[str, str] = {
    "compute": "ceil(gate rows / rows) * ceil((I + H) / columns) * B: the MAC array with the least padding; "
    "ceil(I / columns) + ceil(H / columns) where x and h are accumulated apart; with sparsity of the weights kept",
    "weight_sram": "ceil(bits of the weight matrices that the step reads / (banks * port_bits))",
    "recurrence": "longest chain of ops from the first that needs h_{t-1} to the last that writes h_t",
    "mac_array": "occupancy of the MAC array by this schedule's tiles",
    "activation": "occupancy of the activation unit; of several, the busiest",
    "elementwise": "occupancy of the element-wise unit; of several, the busiest",
    "dram": "occupancy of DRAM in the time steps (kind ddr: of its data bus alone)",
    "sequencer": "ops of a step * issue_cycles",
}
"""The bounds of the family gemv: name -> what it is."""


@dataclass(frozen=True, slots=True)
class LeastWork:
    """What no schedule of a network avoids: products, bits of weights loaded once, bits of W_hh read each step."""

    products: int
    loaded_bits: int
    recurrent_bits: int

    @classmethod
    def of(cls, config: MachineConfig, spec: NetworkSpec) -> LeastWork:
        """The least work of a network on a machine, of the weights that it keeps."""
        stored = config.weight_sparsity.stored
        matrices = [
            found
            for cell in spec.cells
            for found in (
                (cell.rows, cell.input_size),
                (cell.rows, cell.recurrent_size),
                (cell.proj_size, cell.hidden_size),
            )
        ]
        weights = 0 if spec.skips else sum(rows * stored(inputs) for rows, inputs in matrices)
        return cls(
            products=weights * spec.steps * spec.batch,  # each is used once for each sequence and step
            loaded_bits=sum(config.weight_bits(rows, inputs) for rows, inputs in matrices),
            recurrent_bits=0
            if spec.skips
            else sum(config.weight_bits(cell.rows, cell.recurrent_size) for cell in spec.cells),
        )


def least_load_cycles(dram: SimpleDramConfig | DdrConfig, work: LeastWork) -> int:
    """The least cycles of DRAM's interface for all weights of a network, each once; 0 of kind ddr.

    For a device that is admissible, if loose: what its rows and refresh cost is the simulation's to say.
    """
    if not isinstance(dram, SimpleDramConfig):
        return 0
    return int(ceil_div(work.loaded_bits, 8) / dram.bandwidth)


def least_energy_uj(costing: Costing, work: LeastWork, multiplier: Operator, steps: int, prices: Prices) -> float:
    """The least energy in uJ that no schedule avoids.

    A multiplication a product, one loading of all weights from DRAM, one reading of W_hh a step from the weight SRAM.
    """
    recurrent = prices.memory(costing.memories["weight_sram"])
    return (
        work.products * prices.operator(multiplier).energy_pj
        + work.loaded_bits * prices.memory(costing.memories["dram"]).read_pj
        + steps * (work.recurrent_bits / recurrent.access_bits) * recurrent.read_pj
    ) / PJ_PER_UJ
