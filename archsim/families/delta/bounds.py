"""Names the lower bounds on a time step of a delta machine."""

from __future__ import annotations

from collections.abc import Mapping

DELTA_BOUNDS: Mapping[str, str] = {
    "compute": "beats and marks: columns that are multiplied * gates H / pes + marks, the mean of all steps",
    "recurrence": "longest chain of ops from the first that needs h_{t-1} to the last that writes h_t, each as "
    "short as in the step where it is shortest",
    "delta_encoder": "occupancy of the encoder, if it never stands still",
    "pe_array": "occupancy of the PE array in the step with the fewest beats",
    "activation": "occupancy of the activation",
    "sequencer": "ops of a step * issue_cycles",
}
"""The bounds of the family delta."""
