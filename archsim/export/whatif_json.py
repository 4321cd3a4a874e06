"""Writes what changes of a design bring as one JSON array, best first."""

from __future__ import annotations

import json

from archsim.api.change import Measured
from archsim.api.whatif import WhatIf
from archsim.export.plain import Write


def write_what_if(found: WhatIf, write: Write) -> None:
    """Write the array, an object for each change: its text, and figures; null where a machine has no such figure."""
    before = None if found.before is None else found.before.latency_cycles
    rows = [_row(measured, before) for measured in found.changes]
    write(json.dumps(rows, indent=2, allow_nan=False) + "\n")


def _row(measured: Measured, before: int | None) -> dict[str, str | int | float | None]:
    outcome = measured.outcome
    return {
        "change": str(measured.change),
        "before_cycles": before,
        "after_cycles": outcome.latency_cycles,
        "after_cycles_per_step": outcome.cycles_per_step,
        "energy_uj": outcome.energy_uj,
        "area_mm2": outcome.area_mm2,
    }
