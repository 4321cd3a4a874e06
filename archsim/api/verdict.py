"""Judges a schedule: statically, against the untimed program, against the golden model and witnesses."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from archsim.api.judge import compared_run
from archsim.api.simulate import Simulation, simulate
from archsim.checking.brought_results import compare_brought
from archsim.checking.saturated_sums import SaturatedKind
from archsim.checking.validation import MACHINE as COMPARED_MACHINE
from archsim.checking.validation import Check, Validation, with_brought
from archsim.checking.witness import Witness, run_witness
from archsim.engines.choose import AUTO, FAST, MACHINE, check_executor
from archsim.errors import SimulatorBug
from archsim.families.load import Arch
from archsim.families.registry import build_units
from archsim.families.schedules import AskedSchedule, build_program, check_units, find_schedule
from archsim.lowering.tensors import Results
from archsim.program.interpreter import interpret
from archsim.program.ir import Program
from archsim.program.verifier import find_hazards
from archsim.workload import Workload


class Outcome(StrEnum):
    """How a verdict came out: all was judged and is right, something is wrong, or not all could be judged.

    NUMBERS_NOT_JUDGED: no reference judged the numbers. NOT_VALIDATED: the workload brings results along that nothing
    could be compared with. Both are right in what could be looked at, as the schedule, and the machine against the
    untimed program.
    """

    VALID = "valid"
    NOT_VALID = "not_valid"
    NOT_VALIDATED = "not_validated"
    NUMBERS_NOT_JUDGED = "numbers_not_judged"


@dataclass(frozen=True, slots=True)
class ExecutorCheck:
    """How the machine's trace compares with the second executor's: both cycle counts, and what differs."""

    machine_cycles: int
    fast_cycles: int
    differing: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether phases, ends of time steps, cycle stacks, timelines and recorded ops are all the same."""
        return not self.differing


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked, and how it came out.

    `hazards`: conflicts that nothing orders, one text each (then nothing was simulated). `differing_numbers`: how
    many of `compared_numbers` results differ in any bit between the machine and the untimed program. `not_judged`: why
    no reference of archsim's judged the numbers, "" if one did. `not_compared`: what the workload brings along and
    nothing was compared with, a reason each. `output_sqnr_db`: the output against the golden model, None if it is equal
    or was held to a bound instead. `executors`: the machine against the second one; None if not asked for. `saturated`:
    of a delta network, what was cut off of its sums.
    """

    arch: str
    workload: str
    schedule: str
    ops: int
    dependencies: int
    hazards: tuple[str, ...]
    compared_numbers: int
    differing_numbers: int
    checks: tuple[Check, ...]
    tolerance: float
    not_judged: str
    not_compared: tuple[str, ...]
    output_sqnr_db: float | None
    executors: ExecutorCheck | None
    saturated: tuple[SaturatedKind, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong; numbers that no reference judged are not (`outcome` tells the two apart)."""
        right = all(check.passed for check in self.checks) and (self.executors is None or self.executors.passed)
        return not self.hazards and not self.differing_numbers and right

    @property
    def outcome(self) -> Outcome:
        """What came out; VALID only if a reference judged the machine's numbers, and all that was brought along did."""
        if not self.passed:
            return Outcome.NOT_VALID
        if self.not_compared:
            return Outcome.NOT_VALIDATED
        judged = any(check.subject == COMPARED_MACHINE for check in self.checks)
        return Outcome.VALID if judged else Outcome.NUMBERS_NOT_JUDGED


def judge(
    arch: Arch, workload: Workload, schedule: AskedSchedule, executor: str = AUTO, witness: Witness | None = None
) -> Verdict:
    """Verify a schedule and check its numbers; errors as for `simulate`.

    With the executor "fast" the two executors' cycles are compared besides. `witness`: a model of the user's own, with
    whose results the run's are compared; WorkloadError if it fails.
    """
    check_executor(executor)
    program = build_program(find_schedule(schedule, arch.config.family), workload.spec, arch.config)
    check_units(program, build_units(arch.config))
    hazards = tuple(str(hazard) for hazard in find_hazards(program))
    if hazards:
        return _verdict(arch, workload, program, hazards, (0, 0), None)
    simulation = simulate(arch, workload, schedule, executor=MACHINE, statistics=(), keep_steps=witness is not None)
    if simulation.results is None or simulation.numbers is None:
        raise SimulatorBug("a run with arithmetic has no results")
    untimed = simulation.numbers.begin(build_units(arch.config))
    interpret(simulation.numbers.program, untimed.datapath, untimed.state)
    differing = _differing(simulation.results, untimed.results())
    executors = _compare_executors(arch, workload, schedule, simulation) if executor == FAST else None
    if witness is not None:
        simulation = replace(simulation, validation=_with_witness(simulation, witness))
    return _verdict(arch, workload, program, (), differing, simulation, executors)


def _with_witness(simulation: Simulation, witness: Witness) -> Validation:
    """The validation of a run with what the user's model gives compared besides."""
    numbers, computed = simulation.numbers, simulation.results
    assert numbers is not None
    assert computed is not None
    run = compared_run(numbers, computed, simulation.arch, simulation.recorded)
    found = compare_brought(run_witness(witness, simulation.workload, numbers), run, "your model")
    return with_brought(simulation.validation, found.checks, found.not_compared)


def _compare_executors(
    arch: Arch, workload: Workload, schedule: AskedSchedule, simulation: Simulation
) -> ExecutorCheck:
    machine = simulation.trace
    fast = simulate(arch, workload, schedule, timing_only=True, executor=FAST, statistics=()).trace
    names = [field.name for field in fields(machine)]
    differing = tuple(name for name in names if getattr(machine, name) != getattr(fast, name))
    return ExecutorCheck(machine.total_cycles, fast.total_cycles, differing)


def _verdict(
    arch: Arch,
    workload: Workload,
    program: Program,
    hazards: tuple[str, ...],
    differing: tuple[int, int],
    simulation: Simulation | None,
    executors: ExecutorCheck | None = None,
) -> Verdict:
    checks = simulation.validation.checks if simulation else ()
    return Verdict(
        arch=arch.name,
        workload=workload.name,
        schedule=program.schedule,
        ops=sum(len(phase.ops) for phase in program.phases),
        dependencies=sum(len(deps) for phase in program.phases for deps in phase.deps),
        hazards=hazards,
        compared_numbers=differing[0],
        differing_numbers=differing[1],
        checks=checks,
        tolerance=simulation.validation.tolerance if simulation else 0.0,
        not_judged=simulation.validation.not_judged if simulation else "the schedule has hazards",
        not_compared=simulation.validation.not_compared if simulation else (),
        output_sqnr_db=simulation.accuracy.tensors[0].sqnr_db if simulation and simulation.accuracy else None,
        executors=executors,
        saturated=simulation.accuracy.saturated if simulation and simulation.accuracy else (),
    )


def _differing(machine: Results, untimed: Results) -> tuple[int, int]:
    """How many numbers were compared, and how many of them differ in any bit."""
    pairs = [(a, b) for a, b in zip(_arrays(machine), _arrays(untimed), strict=True) if a is not None and b is not None]
    differing = sum(int(np.count_nonzero(a.view(np.uint64) != b.view(np.uint64))) for a, b in pairs)
    return sum(a.size for a, _ in pairs), differing


def _arrays(results: Results) -> tuple[npt.NDArray[np.float64] | None, ...]:
    return (results.output, *results.h_n, *results.c_n)
