"""Defines the family systolic as one value, which the registry lists."""

from __future__ import annotations

from archsim.families.cells.reference_ops import REFERENCE_CELL_OPS
from archsim.families.family import Family
from archsim.families.systolic.bounds import SYSTOLIC_BOUNDS
from archsim.families.systolic.config import SystolicConfig
from archsim.families.systolic.drain import Drain
from archsim.families.systolic.schedule import SYSTOLIC_SCHEDULES
from archsim.families.systolic.systolic_array import TilePass, WeightShift
from archsim.families.systolic.units import SYSTOLIC_KINDS, systolic_units

SYSTOLIC = Family(
    name="systolic",
    summary="a weight-stationary systolic array; weights stream from DRAM through a FIFO every time step",
    config=SystolicConfig,
    unit_kinds=SYSTOLIC_KINDS,
    units=systolic_units,
    schedules=SYSTOLIC_SCHEDULES,
    bounds=SYSTOLIC_BOUNDS,
    explained={
        "dram": ("wait_weights",),
        "weight_shift": ("wait_weights",),
        "recurrence": ("wait_recurrence",),
        "sequencer": ("wait_issue",),
    },
    reference_ops=REFERENCE_CELL_OPS | {WeightShift, TilePass, Drain},
)
