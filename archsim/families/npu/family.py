"""Defines the family npu as one value, which the registry lists."""

from __future__ import annotations

from archsim.families.family import Family
from archsim.families.npu.bounds import NPU_BOUNDS
from archsim.families.npu.chain_words import Idle
from archsim.families.npu.config import NpuConfig
from archsim.families.npu.evrf import Forward, Ones
from archsim.families.npu.loader import Deliver, WriteBack
from archsim.families.npu.mfu import Pass
from archsim.families.npu.mvu import MatVec
from archsim.families.npu.program import NPU_SCHEDULES
from archsim.families.npu.units import NPU_KINDS, npu_units

NPU = Family(
    name="npu",
    summary="chains of vector units behind a matrix-vector unit of tiles; weights resident, VLIW instructions",
    config=NpuConfig,
    unit_kinds=NPU_KINDS,
    units=npu_units,
    schedules=NPU_SCHEDULES,
    bounds=NPU_BOUNDS,
    explained={"recurrence": ("wait_recurrence",), "sequencer": ("wait_issue",)},
    reference_ops=frozenset({MatVec, Forward, Ones, Pass, Deliver, WriteBack, Idle}),
)
