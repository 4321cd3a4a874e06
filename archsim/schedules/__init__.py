"""Ways of ordering a recurrent network's work: NetworkSpec x Arch -> Program."""

from __future__ import annotations

from archsim.errors import ScheduleError
from archsim.schedules.base import Schedule
from archsim.schedules.fused import fused
from archsim.schedules.network import Way, sequential, wavefront
from archsim.schedules.split import split

_COMPUTE = (
    ("fused", fused, "one GEMV of [x, h] a tile"),
    ("split", split, "W_ih x ahead of W_hh h on the same accumulators"),
)
_ORDER = (
    ("interleaved", "a tile holds all gates of some hidden units"),
    ("gate_major", "whole gates one after the other"),
)
_WEIGHTS = (("", False, ""), ("_streamed", True, "; weights that do not fit stream from DRAM every step"))
_LAYERS = (("", sequential, ""), ("_wavefront", wavefront, "; layer l at step t beside layer l-1 at step t+1"))

SCHEDULES: tuple[Schedule, ...] = tuple(
    Schedule(Way(f"{name}_{order}{weights}{suffix}", order, compute, streamed), f"{what}; {how}{where}{beside}", layers)
    for weights, streamed, where in _WEIGHTS
    for suffix, layers, beside in _LAYERS
    for name, compute, what in _COMPUTE
    for order, how in _ORDER
)

__all__ = ["SCHEDULES", "Schedule", "find_schedule"]


def find_schedule(name: str) -> Schedule:
    """The schedule of that name; `interleaved` may be left out, and words may stand in any order (`fused_streamed`).

    Words may be joined by "_", "-", "/" or "."; ScheduleError lists the names if there is none.
    """
    wanted = sorted("".join("_" if char in "-/." else char for char in name.strip()).split("_"))
    for schedule in SCHEDULES:
        words = schedule.name.split("_")
        if wanted in (sorted(words), sorted(word for word in words if word != "interleaved")):
            return schedule
    names = ", ".join(schedule.name for schedule in SCHEDULES)
    raise ScheduleError(f"--schedule {name[:60]}: no such schedule; allowed: {names}; _interleaved may be left out")
