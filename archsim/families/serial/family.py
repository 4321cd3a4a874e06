"""Defines the family serial as one value, which the registry lists."""

from __future__ import annotations

from archsim.families.family import Family
from archsim.families.serial.config import SerialConfig
from archsim.families.serial.schedule import SERIAL_SCHEDULES
from archsim.families.serial.units import SERIAL_KINDS, serial_units

SERIAL = Family(
    name="serial",
    summary="a hidden unit after the other: one multiplier a gate, and one element-wise machine behind them",
    config=SerialConfig,
    unit_kinds=SERIAL_KINDS,
    units=serial_units,
    schedules=SERIAL_SCHEDULES,
    bounds={
        "compute": "operands: H * (I + H) * operand_cycles",
        "recurrence": "longest chain of ops from the first that needs h_{t-1} to the last that writes h_t",
        "dot_product": "occupancy of the gates' multipliers",
        "elementwise": "occupancy of the element-wise machine, copies included",
        "controller": "start and end of a step",
        "sequencer": "ops of a step * issue_cycles",
    },
    explained={"recurrence": ("wait_recurrence",), "sequencer": ("wait_issue",)},
)
"""Not judged by the integer reference: its sums are cut toward zero, and wrap."""
