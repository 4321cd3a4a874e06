"""Ways of ordering a recurrent network's work: NetworkSpec x Arch -> Program."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from archsim.errors import ScheduleError
from archsim.schedules.base import AnySchedule, Schedule
from archsim.schedules.fused import fused
from archsim.schedules.hoisted import IN_BLOCKS, hoisted
from archsim.schedules.network import sequential, wavefront
from archsim.schedules.npu_program import NPU_SCHEDULES
from archsim.schedules.split import split
from archsim.schedules.systolic import SYSTOLIC_SCHEDULES
from archsim.schedules.way import STEP_BY_STEP, Way

_COMPUTE = (
    ("fused", fused, STEP_BY_STEP, "one GEMV of [x, h] a tile"),
    ("split", split, STEP_BY_STEP, "W_ih x ahead of W_hh h on the same accumulators"),
    ("hoisted", hoisted, IN_BLOCKS, "W_ih x of a block of steps as one GEMM, W_hh h in each step"),
)
_ORDER = (
    ("interleaved", "a tile holds all gates of some hidden units"),
    ("gate_major", "whole gates one after the other"),
)
_WEIGHTS = (("", False, ""), ("_streamed", True, "; weights that do not fit stream from DRAM every step"))
_LAYERS = (("", sequential, ""), ("_wavefront", wavefront, "; layer l at step t beside layer l-1 at step t+1"))

SCHEDULES: tuple[Schedule, ...] = tuple(
    Schedule(
        Way(f"{name}_{order}{weights}{suffix}", order, compute, streamed, bodies),
        f"{what}; {how}{where}{beside}",
        layers,
    )
    for weights, streamed, where in _WEIGHTS
    for suffix, layers, beside in _LAYERS
    for name, compute, bodies, what in _COMPUTE
    for order, how in _ORDER
    if layers is sequential or not bodies.in_blocks  # a layer's h is the next one's x: there is no block of it
)

__all__ = ["FAMILY_SCHEDULES", "SCHEDULES", "AnySchedule", "Schedule", "find_schedule"]


FAMILY_SCHEDULES: Mapping[str, tuple[AnySchedule, ...]] = MappingProxyType(
    {"gemv": SCHEDULES, "npu": NPU_SCHEDULES, "systolic": SYSTOLIC_SCHEDULES}
)
"""The schedules of each family of machines; the first is the one that runs if none is asked for."""


def find_schedule(name: str | None, family: str = "gemv") -> AnySchedule:
    """The schedule of that name for machines of a family, or the family's first; `interleaved` may be left out, and
    words may stand in any order (`fused`, `streamed_split`).

    Words may be joined by "_", "-", "/" or "."; ScheduleError lists the names if there is none, and says so if another
    family has it.
    """
    schedules = FAMILY_SCHEDULES[family]
    if name is None:
        return schedules[0]
    for schedule in schedules:
        if _means(name, schedule):
            return schedule
    names = ", ".join(schedule.name for schedule in schedules)
    others = [other for other, theirs in FAMILY_SCHEDULES.items() if any(_means(name, one) for one in theirs)]
    if others:
        raise ScheduleError(
            f"--schedule {name[:60]}: is for machines of the family {', '.join(others)}; this one is of the family "
            f"{family}, whose schedules are: {names}"
        )
    hint = "; _interleaved may be left out" if any("_interleaved" in schedule.name for schedule in schedules) else ""
    raise ScheduleError(f"--schedule {name[:60]}: no such schedule; allowed: {names}{hint}")


def _means(name: str, schedule: AnySchedule) -> bool:
    wanted = sorted("".join("_" if char in "-/." else char for char in name.strip()).split("_"))
    words = schedule.name.split("_")
    return wanted in (sorted(words), sorted(word for word in words if word != "interleaved"))
