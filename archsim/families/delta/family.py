"""Defines the family delta as one value, which the registry lists."""

from __future__ import annotations

from archsim.families.delta.bounds import DELTA_BOUNDS
from archsim.families.delta.config import DeltaConfig
from archsim.families.delta.ops import MultiplyColumns, Scan, UpdateHidden
from archsim.families.delta.schedule import DELTA_SCHEDULES
from archsim.families.delta.units import DELTA_KINDS, delta_units
from archsim.families.family import Family

DELTA = Family(
    name="delta",
    summary="delta networks: only columns of the weights whose element has changed are fetched and multiplied",
    config=DeltaConfig,
    unit_kinds=DELTA_KINDS,
    units=delta_units,
    schedules=DELTA_SCHEDULES,
    bounds=DELTA_BOUNDS,
    reference_ops=frozenset({Scan, MultiplyColumns, UpdateHidden}),
    explained={"recurrence": ("wait_recurrence",), "sequencer": ("wait_issue",)},
)
