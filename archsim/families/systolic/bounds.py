"""Names the lower bounds on a time step of a machine with a systolic array."""

from __future__ import annotations

from collections.abc import Mapping

SYSTOLIC_BOUNDS: Mapping[str, str] = {
    "compute": "gate rows in ceil(rows / columns) blocks, each of ceil(I / rows) + ceil(H / rows) tiles * B vectors "
    "(rows and columns of the array), times the parts in which its multipliers take the numbers",
    "dram": "occupancy of DRAM by all tiles of weights",
    "weight_shift": "occupancy of the shift of tiles into the array",
    "systolic_array": "occupancy of the array by the vectors of all tiles",
    "accumulators": "occupancy of the accumulators by the conversion of sums",
    "activation": "occupancy of the activation unit; of several, the busiest",
    "elementwise": "occupancy of the element-wise unit; of several, the busiest",
    "host": "occupancy of the host link in the time steps",
    "recurrence": "longest chain of ops from the first that needs h_{t-1} to the last that writes h_t",
    "sequencer": "ops of a step * issue_cycles",
}
"""The bounds of the family systolic."""
