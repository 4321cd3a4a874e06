"""The lower bounds on a time step of a machine with one MAC array."""

from __future__ import annotations

from collections.abc import Mapping

BOUNDS: Mapping[str, str] = {
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
