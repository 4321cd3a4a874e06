"""Ways of ordering an LSTM's work: LstmSpec x Arch -> Program."""

from __future__ import annotations

from archsim.errors import ScheduleError
from archsim.schedules.base import Schedule
from archsim.schedules.fused import FUSED
from archsim.schedules.split import SPLIT

SCHEDULES: tuple[Schedule, ...] = (*FUSED, *SPLIT)

__all__ = ["SCHEDULES", "Schedule", "find_schedule"]


def find_schedule(name: str) -> Schedule:
    """The schedule of that name; `fused` and `split` alone mean their interleaved order.

    Words may be joined by "_", "-", "/" or "."; ScheduleError lists the names if there is none.
    """
    wanted = "".join("_" if char in "-/." else char for char in name.strip())
    for schedule in SCHEDULES:
        if schedule.name in (wanted, f"{wanted}_interleaved"):
            return schedule
    names = ", ".join(schedule.name for schedule in SCHEDULES)
    raise ScheduleError(f"--schedule {name[:60]}: no such schedule; allowed: {names}; fused and split mean interleaved")
