"""Many designs, timing only: Arch + Workload + schedule -> Stats, keeping what designs have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from archsim.api.simulate import machine_spec
from archsim.arch import Arch, build_units
from archsim.machine import Options, execute
from archsim.metrics import Stats, compute_stats
from archsim.program.verifier import verify
from archsim.schedules import find_schedule
from archsim.workload import Workload

ExecutorName = Literal["auto", "fast", "machine"]
"""auto: the fast executor wherever it applies, else the machine."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of one design.

    `executor` is the one that timed it, "fast" or "machine"; `reason`, of `auto`, why it was not the fast one, else "".
    """

    stats: Stats
    executor: str
    reason: str


class Evaluator:
    """Evaluates designs one after the other."""

    def evaluate(
        self, arch: Arch, workload: Workload, schedule: str | None = None, executor: ExecutorName = "auto"
    ) -> Evaluation:
        """The figures of a workload on a machine, without arithmetic; `schedule` None is the default of its family.

        Raises CapacityError if the model does not fit, ScheduleError for an unknown schedule or one with a hazard, and
        ArchError for a machine that cannot execute the workload.
        """
        units = build_units(arch.config)
        program = find_schedule(schedule, arch.config.family).build(workload.spec, arch.config)
        verify(program)
        trace = execute(program, machine_spec(program, arch, units), Options())
        return Evaluation(compute_stats(program, trace, arch, workload, units), "machine", "")
