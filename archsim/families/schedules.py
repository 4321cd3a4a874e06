"""Finds a schedule by its name, among those of a family of machines."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from archsim.config.extensions import SCHEDULES as GROUP
from archsim.config.extensions import EntryGroup, named_otherwise
from archsim.config.text import one_line, shown
from archsim.errors import ArchsimError, ExtensionError, ScheduleError, SimulatorBug
from archsim.families.family import Family
from archsim.families.registry import DEFAULT_FAMILY, all_families, family_named, find_family, usable_family
from archsim.families.schedule import ConfigT, Schedule
from archsim.families.schedule_faults import schedule_fault
from archsim.program.ir import Program
from archsim.workload.network import NetworkSpec

KEPT = 256
"""Names whose words are kept."""

AskedSchedule = str | Schedule[Any] | None
"""What a caller asks for: a schedule's name, a schedule, or None for the first of the machine's family."""


def find_schedule(asked: AskedSchedule, family: str = DEFAULT_FAMILY) -> Schedule[Any]:
    """Find the schedule of that name for machines of a family, or the family's first if none is asked for.

    A schedule itself is taken as it is. Of a name `interleaved` may be left out, and its words may stand in any order
    (`fused`, `streamed_split`), joined by "_", "-", "/" or ".". Schedules of installed packages are found as archsim's
    own. Raises ScheduleError, which lists the names, if there is none of that name, and says so if another family has
    it, or if the schedule given is for another family; ExtensionError if one given says wrong things of itself.
    """
    if isinstance(asked, Schedule):
        fault = schedule_fault(asked)
        if fault:
            raise ExtensionError(f"schedule {shown(getattr(asked, 'name', type(asked).__name__))}: {fault}")
        if asked.family != family:
            raise ScheduleError(
                f"schedule {asked.name}: is for machines of the family {asked.family}; this one is of the family "
                f"{family}"
            )
        return asked
    if asked is not None and not isinstance(asked, str):
        raise TypeError(f"a schedule is asked for by its name or given as a Schedule, not as {type(asked).__name__}")
    own = family_named(family)
    if asked is None:
        return own.schedules[0]
    for schedule in own.schedules:  # before any other package is imported
        if _means(asked, schedule):
            return schedule
    OFFERED.check(asked)
    schedules = schedules_of(own)
    for schedule in schedules:
        if _means(asked, schedule):
            return schedule
    names = ", ".join(schedule.name for schedule in schedules)
    others = [other.name for other in all_families().values() if any(_means(asked, one) for one in schedules_of(other))]
    if others:
        raise ScheduleError(
            f"--schedule {asked[:60]}: is for machines of the family {', '.join(others)}; this one is of the family "
            f"{family}, whose schedules are: {names}"
        )
    hint = "; _interleaved may be left out" if any("_interleaved" in schedule.name for schedule in schedules) else ""
    short = [name for schedule in schedules for name in (schedule.name, schedule.name.replace("_interleaved", ""))]
    close = get_close_matches(asked[:60].replace("-", "_"), short, n=1)
    meant = f"did you mean {close[0]!r}? " if close else ""
    raise ScheduleError(f"--schedule {asked[:60]}: no such schedule; {meant}allowed: {names}{hint}")


def schedules_of(family: Family[Any]) -> tuple[Schedule[Any], ...]:
    """The family's own schedules, then those that installed packages offer for it."""
    found = OFFERED.usable().values()
    return (*family.schedules, *(schedule for schedule in found if schedule.family == family.name))


def _fault(name: str, schedule: Schedule[Any]) -> str:
    fault = schedule_fault(schedule)
    if fault:
        return fault
    family = usable_family(schedule.family)
    own = () if family is None else family.schedules
    taken = "its family has a schedule of that name" if any(name == one.name for one in own) else ""
    return named_otherwise(name, schedule.name, "schedule") or taken


OFFERED: EntryGroup[Schedule[Any]] = EntryGroup(GROUP, Schedule, _fault)  # type: ignore[type-abstract]
"""The entries under which packages offer schedules."""


def build_program(schedule: Schedule[ConfigT], spec: NetworkSpec, config: ConfigT) -> Program:
    """The program that a schedule makes of a network on a machine.

    Raises what `Schedule.build` raises; ExtensionError, which names the schedule, for whatever else one of another
    package does.
    """
    if spec.streaming and not schedule.streams:
        raise ScheduleError(_no_frames(schedule))
    if not schedule.sends_deltas(spec) and (spec.activity is not None or spec.delta is not None):
        given = "no recorded activity" if spec.activity is not None else "no thresholds (delta)"
        others = [other.name for other in schedules_of(family_named(schedule.family)) if other.sends_deltas(spec)]
        known = f"; those that do: {', '.join(others)}" if others else ""
        needed = f", with {config.missing_for_deltas}" if config.missing_for_deltas else ""
        raise ScheduleError(f"--schedule {schedule.name}: skips no columns, and so takes {given}{known}{needed}")
    if spec.skips and config.missing_for_deltas:
        message = f"skips nothing on a machine that has no section delta_encoder: {config.missing_for_deltas}"
        raise ScheduleError(f"--schedule {schedule.name}: {message}")
    family = find_family(schedule.family)
    if family is not None and any(schedule is own for own in family.schedules):
        return schedule.build(spec, config)
    try:
        program = schedule.build(spec, config)
    except (ArchsimError, SimulatorBug):
        raise
    except Exception as error:
        what = one_line(f"{type(error).__name__}: {error}")
        raise ExtensionError(f"{GROUP}: {schedule.name}: cannot build a program: {what}") from error
    if not isinstance(program, Program):
        raise ExtensionError(f"{GROUP}: {schedule.name}: build must return a Program, got {type(program).__name__}")
    return program


def _no_frames(schedule: Schedule[Any]) -> str:
    others = [other.name for other in schedules_of(family_named(schedule.family)) if other.streams]
    some = ", ".join(others[:4]) + (", ..." if len(others) > 4 else "")
    known = f"those that do: {some}" if others else "no schedule of its family of machines does"
    return f"--schedule {schedule.name}: takes no frames one at a time (streaming: true); {known}"


def check_units(program: Program, units: Collection[str]) -> None:
    """ScheduleError if a program has an op for a unit that the machine does not have."""
    missing = dict.fromkeys(op.unit for phase in program.phases for op in phase.ops if op.unit not in units)
    if missing:
        raise ScheduleError(
            f"schedule {program.schedule}: needs the unit {', '.join(missing)}, which this machine does not have; it "
            f"has {', '.join(units)}"
        )


def _means(asked: str, schedule: Schedule[Any]) -> bool:
    return _words(asked) in _names(schedule.name)


@lru_cache(KEPT)
def _words(asked: str) -> list[str]:
    return sorted("".join("_" if char in "-/." else char for char in asked.strip()).split("_"))


@lru_cache(KEPT)
def _names(name: str) -> tuple[list[str], list[str]]:
    """The words of a schedule's name, as they may be asked for."""
    words = sorted(name.split("_"))
    return words, [word for word in words if word != "interleaved"]
