"""Defines the family ethosu as one value, which the registry lists."""

from __future__ import annotations

from archsim.families.ethosu.config import EthosuConfig
from archsim.families.ethosu.operators import ETHOSU_KINDS, ethosu_units
from archsim.families.ethosu.schedule import ETHOSU_SCHEDULES
from archsim.families.family import Family

ETHOSU = Family(
    name="ethosu",
    summary="Arm Ethos-U55 as its compiler estimates it: operators one after the other, weights from flash every step",
    config=EthosuConfig,
    unit_kinds=ETHOSU_KINDS,
    units=ethosu_units,
    schedules=ETHOSU_SCHEDULES,
    bounds={
        "compute": "dot products: gates * ceil(H / 8) micro-blocks * (ceil(I / 32) + ceil(H / 32)) * 32 cycles",
        "recurrence": "longest chain of ops from the first that needs h_{t-1} to the last that writes h_t",
        "engine": "all operators of a step, each as long as the slowest of engine, SRAM and flash",
        "sequencer": "ops of a step * issue_cycles",
    },
    explained={"recurrence": ("wait_recurrence",), "sequencer": ("wait_issue",)},
)
"""Not judged by the integer reference, which does not know these operators."""
