"""Gives the few figures by which designs are put in order: of a run, or of a frame of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archsim.api.evaluate import Evaluator
from archsim.config.aims import By
from archsim.families.load import Arch
from archsim.families.schedule import Schedule
from archsim.metrics import Stats
from archsim.metrics.frames import Frames
from archsim.workload import Workload


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of a design: of a run, or, of a streaming workload, of a frame on a machine that is on.

    `latency_cycles` of the run or the frame, `cycles_per_step` from a step or frame to the next, `energy_uj` of the run
    or a frame. None where a machine has no such figure.
    """

    latency_cycles: int
    cycles_per_step: float
    energy_uj: float | None
    area_mm2: float | None

    @classmethod
    def of_run(cls, stats: Stats) -> Outcome:
        """The figures of a run, from cold."""
        energy = None if stats.energy is None else stats.energy.total_uj
        return cls(stats.latency_cycles, stats.cycles_per_step, energy, _area(stats))

    @classmethod
    def of_frame(cls, frames: Frames, stats: Stats) -> Outcome:
        """The figures of a frame; `stats` of any run on the machine."""
        latency, interval = frames.frame_latency_cycles, frames.frame_interval_cycles
        return cls(latency, interval, frames.frame_energy_uj, _area(stats))

    def amount(self, by: By) -> float:
        """What is to become less."""
        match by:
            case By.LATENCY:
                return self.latency_cycles
            case By.STEP:
                return self.cycles_per_step
            case By.ENERGY:
                return self.energy_uj or 0.0

    def order(self, by: By, name: str) -> tuple[float | str, ...]:
        """What designs are sorted by: the least of what is asked for, then the least energy, area, and the name."""
        return self.amount(by), self.energy_uj or 0.0, self.area_mm2 or 0.0, name

    def no_worse(self, than: Outcome) -> bool:
        """Whether no figure is more than another design's."""
        return all(mine <= its for mine, its in zip(self.figures, than.figures, strict=True))

    def cheaper(self, than: Outcome) -> bool:
        """Whether energy or area is less than another design's, and no figure is more."""
        less = (self.energy_uj or 0.0, self.area_mm2 or 0.0) != (than.energy_uj or 0.0, than.area_mm2 or 0.0)
        return less and self.no_worse(than)

    @property
    def figures(self) -> tuple[float, ...]:
        """What two designs that come to the same have in common."""
        return self.latency_cycles, self.energy_uj or 0.0, self.area_mm2 or 0.0, self.cycles_per_step


def _area(stats: Stats) -> float | None:
    return None if stats.area is None else stats.area.area_mm2


def outcome_of(
    arch: Arch, workload: Workload, schedule: Schedule[Any], evaluator: Evaluator, executor: str | None = None
) -> Outcome:
    """The figures of a design, without its numbers; raises what `Evaluator.evaluate` raises.

    `executor`: what times a run that is none of frames, if not what the evaluator has.
    """
    if workload.spec.streaming:
        from archsim.api.frame_run import run_frame
        from archsim.api.frames import figures_of_frame

        run = run_frame(arch, workload, schedule, evaluator)
        return Outcome.of_frame(figures_of_frame(arch, workload, run), run.alone)
    return Outcome.of_run(evaluator.evaluate(arch, workload, schedule, executor).stats)
