"""Puts the schedules of a machine in order for a workload, by simulating each."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from archsim.api.evaluate import Evaluator
from archsim.api.outcome import Outcome, outcome_of
from archsim.config.aims import By
from archsim.config.text import one_line
from archsim.errors import ArchsimError, CapacityError, ScheduleError
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


Progress = Callable[[int, int], None]
"""What is called with how many designs are measured, and how many there are."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The schedules that can run a workload on a machine, best first, with their figures; and why others cannot.

    Of those that take as much, the one with the least energy stands first, then the one whose name does.
    """

    by: By
    ranked: tuple[tuple[Schedule[Any], Outcome], ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def best(self) -> Schedule[Any]:
        """The first of them."""
        return self.ranked[0][0]

    @property
    def tied(self) -> tuple[str, ...]:
        """The names of others that take as little as the best one."""
        (_, best), *others = self.ranked
        return tuple(schedule.name for schedule, found in others if found.amount(self.by) == best.amount(self.by))


def rank_schedules(
    arch: Arch,
    workload: Workload,
    by: By = By.LATENCY,
    evaluator: Evaluator | None = None,
    progress: Progress | None = None,
) -> Ranking:
    """Simulate all schedules of the machine's family, without numbers; those of installed packages too.

    Those that make the same program are simulated once. `evaluator`: one that keeps the programs. ScheduleError, with
    the reason of each, if none can run the workload.
    """
    evaluator = evaluator or Evaluator()
    found: list[tuple[Schedule[Any], Outcome]] = []
    left_out: list[tuple[str, str]] = []
    reasons: list[str] = []
    known: dict[Hashable, Outcome] = {}
    asked = schedules_of(family_of(arch.config))
    for number, schedule in enumerate(asked):
        if progress is not None:
            progress(number, len(asked))
        try:
            key = schedule.program_key(workload.spec, arch.config)
            if key not in known:
                known[key] = outcome_of(arch, workload, schedule, evaluator)
            found.append((schedule, known[key]))
        except ArchsimError as error:
            left_out.append((schedule.name, one_line(str(error)).removeprefix(f"--schedule {schedule.name}: ")))
            reasons.append(error.short if isinstance(error, CapacityError) else left_out[-1][1])  # the same of many
    if not found:
        why = "; ".join(dict.fromkeys(reasons))
        raise ScheduleError(f"--schedule best: no schedule can run {workload.name} on {arch.name}: {why}")
    found.sort(key=lambda one: one[1].order(by, one[0].name))
    return Ranking(by, tuple(found), tuple(left_out))
