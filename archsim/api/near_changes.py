"""Measures what small changes of a run's machine bring, as far as its program stays the one it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from archsim.api.change import Change, Measured, changed, enough_memory, notch_changes
from archsim.api.evaluate import Evaluator
from archsim.api.machine_spec import machine_spec
from archsim.api.outcome import Outcome, outcome_of
from archsim.api.simulate import Simulation
from archsim.config.aims import By
from archsim.engines.choose import AUTO, MACHINE, SHORT_OPS
from archsim.errors import ArchsimError, CapacityError
from archsim.families.load import Arch
from archsim.families.registry import build_units, family_of
from archsim.families.schedules import AskedSchedule, find_schedule, schedules_of
from archsim.metrics import Stats
from archsim.metrics.traffic import DRAM
from archsim.program.ir import DataKind
from archsim.workload import Workload

MAX_MACHINE_OPS = 1_000_000
"""Ops that are executed at most for changes of a machine that the fast executor cannot time: some seconds."""

MAX_FITTING_CYCLES = 20_000
"""Cycles of useful work in a time step up to which designs that a model fits are measured: some seconds."""


@dataclass(frozen=True, slots=True)
class NearChanges:
    """What changes of a design bring that leave its program as it is, best first; `before` is the design itself.

    A machine that loads more than it must, since its memory is short, is measured with enough memory, too. `left_out`:
    why nothing was measured; "" if it was.
    """

    before: Outcome
    changes: tuple[Measured, ...]
    left_out: str = ""

    @property
    def better(self) -> tuple[Measured, ...]:
        """The changes that make the latency less."""
        return tuple(
            measured for measured in self.changes if measured.outcome.latency_cycles < self.before.latency_cycles
        )


def near_changes(simulation: Simulation, evaluator: Evaluator) -> NearChanges:
    """Measure the changes of a run; `evaluator` is the one that it was simulated with."""
    arch, ops = simulation.arch, simulation.program.op_instances
    frames = simulation.frames
    before = Outcome.of_run(simulation.stats) if frames is None else Outcome.of_frame(frames, simulation.stats)
    asked = list(notch_changes(arch.config))
    static = machine_spec(simulation.program, arch, build_units(arch.config)).static
    if not static and ops * len(asked) > MAX_MACHINE_OPS:
        return NearChanges(before, (), f"a run of {ops:,} ops on a machine whose times depend on when ops start")
    # What the machine executes in the time that loading the compiled code takes, it does.
    executor = MACHINE if ops * len(asked) < SHORT_OPS else AUTO
    tried = (_measure(change, simulation, evaluator, executor) for change in asked)
    found = [measured for measured in tried if measured is not None]
    found += _with_enough_memory(simulation, evaluator)
    found.sort(key=lambda measured: measured.outcome.order(By.LATENCY, str(measured.change)))
    return NearChanges(before, tuple(found))


def _measure(change: Change, simulation: Simulation, evaluator: Evaluator, executor: str) -> Measured | None:
    """What a change brings; None if it cannot be made, or makes another program."""
    workload, schedule = simulation.workload, simulation.schedule
    try:
        arch = changed(simulation.arch, change)
        if not evaluator.keeps(arch, workload, schedule):
            return None
        return Measured(change, outcome_of(arch, workload, schedule, evaluator, executor))
    except (ArchsimError, ValidationError):
        return None


def _reloads_weights(stats: Stats) -> bool:
    """Whether more bytes of weights are read from DRAM than there are."""
    read = stats.traffic_bytes.get(DRAM, {}).get("read", {})
    least = stats.compulsory_dram_bytes.get("read", {})
    return any(read.get(kind.value, 0) > least.get(kind.value, 0) for kind in DataKind if kind.is_matrix)


def _with_enough_memory(simulation: Simulation, evaluator: Evaluator) -> Iterator[Measured]:
    """If weights are loaded more than once: what the memory brings that holds all that another schedule wants to."""
    if not _reloads_weights(simulation.stats):
        return
    arch, workload = simulation.arch, simulation.workload
    tried: set[Change] = set()
    for schedule in schedules_of(family_of(arch.config)):
        try:
            evaluator.program(arch, workload.spec, schedule)
        except CapacityError as error:
            enough = enough_memory(error, arch.config)
            if enough is None or enough in tried:
                continue
            tried.add(enough)
            try:
                outcome = outcome_of(changed(arch, enough), workload, simulation.schedule, evaluator)
            except (ArchsimError, ValidationError):
                continue
            yield Measured(enough, outcome)
        except ArchsimError:
            continue


def fitting(
    error: CapacityError, arch: Arch, workload: Workload, schedule: AskedSchedule, evaluator: Evaluator
) -> Iterator[str]:
    """What is measured of designs that a model fits which does not fit as asked: enough memory, and another schedule.

    The schedule is the first of the family with which the model fits. Nothing is measured of a step of so many cycles
    that its program would take long to build.
    """
    cycles = workload.spec.macs / (workload.spec.steps * arch.config.multipliers.macs_per_cycle)
    if cycles > MAX_FITTING_CYCLES:
        return
    enough = enough_memory(error, arch.config)
    if enough is not None:
        try:
            outcome = outcome_of(
                changed(arch, enough), workload, find_schedule(schedule, arch.config.family), evaluator
            )
            yield f"{enough}: {outcome.latency_cycles:,} cycles"
        except (ArchsimError, ValidationError):
            pass  # another memory is too small as well, or none may be so large
    for other in schedules_of(family_of(arch.config)):
        try:
            outcome = outcome_of(arch, workload, other, evaluator)
        except ArchsimError:
            continue
        yield f"{Change(schedule=other.name)}: {outcome.latency_cycles:,} cycles"
        return
