"""Puts the schedules of a machine in order for a workload, by simulating each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archsim.api.evaluate import Evaluator
from archsim.api.outcome import Outcome, outcome_of
from archsim.config.aims import By
from archsim.config.text import one_line
from archsim.errors import ArchsimError, ScheduleError
from archsim.families.load import Arch
from archsim.families.registry import family_of
from archsim.families.schedule import Schedule
from archsim.families.schedules import schedules_of
from archsim.workload import Workload

BEST = {"best": By.LATENCY, "best_step": By.STEP, "best_energy": By.ENERGY}
"""What may be asked for instead of a schedule's name: that which takes least of something."""


def asked_best(asked: object) -> By | None:
    """What is to be least, if the best schedule is asked for; None of a schedule or its name."""
    return BEST.get(asked.replace("-", "_")) if isinstance(asked, str) else None


def best_name(by: By) -> str:
    """What is asked for to get the schedule that takes least of something."""
    return next(name for name, least in BEST.items() if least is by)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The schedules that can run a workload on a machine, best first, with their figures; and why others cannot.

    Of schedules that come to the same figures the one that is listed first stands first.
    """

    by: By
    ranked: tuple[tuple[Schedule[Any], Outcome], ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def best(self) -> Schedule[Any]:
        """The first of them."""
        return self.ranked[0][0]


def rank_schedules(arch: Arch, workload: Workload, by: By = By.LATENCY) -> Ranking:
    """Simulate all schedules of the machine's family, without numbers; those of installed packages too.

    ScheduleError, with the reason of each, if none can run the workload.
    """
    evaluator = Evaluator()
    found: list[tuple[Schedule[Any], Outcome]] = []
    left_out: list[tuple[str, str]] = []
    for schedule in schedules_of(family_of(arch.config)):
        try:
            found.append((schedule, outcome_of(arch, workload, schedule, evaluator)))
        except ArchsimError as error:
            left_out.append((schedule.name, one_line(str(error)).removeprefix(f"--schedule {schedule.name}: ")))
    if not found:
        reasons = "; ".join(dict.fromkeys(reason for _, reason in left_out))
        raise ScheduleError(f"--schedule best: no schedule can run {workload.name} on {arch.name}: {reasons}")
    found.sort(key=lambda one: (one[1].amount(by), one[1].latency_cycles, one[1].energy_uj or 0.0))
    return Ranking(by, tuple(found), tuple(left_out))
