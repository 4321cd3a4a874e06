"""The schedules of every family of machines, found by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from archsim.errors import ScheduleError
from archsim.families.gemv.schedules import SCHEDULES
from archsim.families.npu.program import NPU_SCHEDULES
from archsim.families.schedule import AnySchedule
from archsim.families.systolic.schedule import SYSTOLIC_SCHEDULES

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
