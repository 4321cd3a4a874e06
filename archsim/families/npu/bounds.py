"""Names the lower bounds on a time step of a machine whose vector units stand in a chain."""

from __future__ import annotations

from collections.abc import Mapping

NPU_BOUNDS: Mapping[str, str] = {
    "compute": "micro-ops: gates * ceil(H / dpes) * (ceil(I / columns) + ceil(H / columns)), columns = tiles * lanes",
    "recurrence": "longest chain of ops from the first that needs h_{t-1} to the last that writes h_t",
    "mvu": "occupancy of the matrix-vector unit",
    "evrf": "occupancy of the external vector register file",
    "mfu0": "occupancy of the first multi-function unit",
    "mfu1": "occupancy of the second multi-function unit",
    "ld": "occupancy of the loader",
    "wb": "occupancy of the write-back",
    "sequencer": "instructions of a step * issue_cycles",
}
"""The bounds of the family npu."""
