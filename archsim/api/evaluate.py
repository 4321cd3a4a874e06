"""The timing of one design, by whichever executor applies."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.api.simulate import simulate
from archsim.arch import Arch
from archsim.metrics import Stats
from archsim.workload import Workload


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`executor`: which one was used; `reason`: why that one, if another was asked for."""

    stats: Stats
    executor: str
    reason: str


class Evaluator:
    """Evaluates designs, timing only."""

    def evaluate(self, arch: Arch, workload: Workload, schedule: str, executor: str) -> Evaluation:
        """The figures of a workload on a machine; raises as `simulate` does."""
        return Evaluation(simulate(arch, workload, schedule, timing_only=True).stats, "machine", "")
