"""Explains a run: the chain of ops and waits that its latency is, and what a step waits for in the long run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from archsim.api.frame_run import run_frame
from archsim.api.machine_spec import machine_spec, rules_of
from archsim.api.own_activity import with_own_activity
from archsim.api.simulate import MAX_STACK_OPS, Simulation
from archsim.critical import (
    MAX_OPS,
    AllTimes,
    CriticalCycle,
    LatencyStack,
    Link,
    Rules,
    Segment,
    critical_cycle,
    critical_path,
    latency_stack,
    links,
    step_stack,
)
from archsim.engines.events import MachineSpec, Options, execute
from archsim.errors import ScheduleError
from archsim.families.load import Arch
from archsim.families.registry import build_units
from archsim.families.schedules import AskedSchedule, build_program, check_units, find_schedule
from archsim.hardware.unit import Units
from archsim.program.ir import Phase, PhaseKind, Program
from archsim.program.verifier import verify
from archsim.trace import Window
from archsim.workload import NetworkSpec, Workload


@dataclass(frozen=True, slots=True)
class Step:
    """What a body's time step waits for in the long run: the critical cycle of its dependencies, units and issue.

    `links`: its cycles in order, over `lag` repetitions of `unroll` time steps each; `stack`: the same by unit and
    cause. `recurrence`: the critical cycle of the dependencies alone, cycles a time step; None if none closes one.
    """

    phase: int
    cycle: CriticalCycle
    links: tuple[Link, ...]
    stack: LatencyStack
    unroll: int
    recurrence: Fraction | None

    @property
    def cycles_per_step(self) -> Fraction:
        """The cycles that a time step takes in the long run."""
        return self.cycle.ratio / self.unroll

    @property
    def steps(self) -> int:
        """The time steps that the cycle spans."""
        return self.cycle.lag * self.unroll


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """Why a run takes as long as it does; of a streaming workload: why a frame does.

    `path`: the critical path from cycle 0 to the end, without a gap; `stack`: its cycles by unit and cause, which sum
    to `latency_cycles`. `steps`: for each body that is repeated what a step waits for; () on a machine whose times
    depend on the run (DRAM of kind ddr, single ports) or on each step's data (delta networks).
    """

    arch: Arch
    workload: Workload
    program: Program
    units: Units
    latency_cycles: int
    cycles_by_phase: Mapping[str, int]
    path: tuple[Segment, ...]
    stack: LatencyStack
    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        """One line: of what it is, and where most of the latency goes."""
        rows = ((n, unit, cause) for unit, causes in self.stack.items() for cause, n in causes.items())
        most = max(rows, default=None)
        where = "" if most is None else f"; most: {most[0]:,} {most[1]} {most[2]}"
        return f"<{self.workload.name} on {self.arch.name}: {self.latency_cycles:,} cycles{where}>"

    @property
    def max_cycle_ratio(self) -> Fraction | None:
        """Cycles a time step in the long run; those of layers after each other add up.

        None if nothing repeats, or if times depend on the run.
        """
        return sum((step.cycles_per_step for step in self.steps), Fraction(0)) if self.steps else None


def explain(arch: Arch, workload: Workload, schedule: AskedSchedule = None) -> Explanation:
    """Execute a run, without its numbers, and explain its latency; of a streaming workload that of a frame alone.

    Raises what `simulate` raises, and ScheduleError for a run of more than MAX_OPS ops: all their times are kept.
    """
    units = build_units(arch.config)
    found = find_schedule(schedule, arch.config.family)
    workload = with_own_activity(workload, found, arch)
    program = build_program(found, workload.spec, arch.config)
    check_units(program, units)
    verify(program)
    if workload.spec.streaming:
        frame = run_frame(arch, workload, found)
        program = frame.program  # of more frames than one, if not of as many
        run = ExplainedRun(frame.latency_cycles, {PhaseKind.BODY.value: frame.latency_cycles}, frame.path, frame.stack)
    else:
        run = explain_run(program, workload.spec, arch, units)
    machine = machine_spec(program, arch, units)
    bodies = _steps(program, rules_of(machine), units) if machine.static else ()
    return Explanation(arch, workload, program, units, run.cycles, run.cycles_by_phase, run.path, run.stack, bodies)


@dataclass(frozen=True, slots=True)
class Findings:
    """Why a run takes as long as it does, as far as it costs little to say.

    `stack`: the latency by unit and cause, of a streaming workload that of a frame; None if the run has too many ops.
    `steps`: what a step waits for in each body that is repeated; () where times depend on the run. `path`: the critical
    path of the run, where frames were asked for of all of them one behind the other; () if it has too many ops.
    """

    stack: LatencyStack | None
    steps: tuple[Step, ...]
    path: tuple[Segment, ...] = ()


def find(simulation: Simulation) -> Findings:
    """Explain a run that is over."""
    arch, program = simulation.arch, simulation.program
    units = build_units(arch.config)
    machine = machine_spec(program, arch, units)
    steps = _steps(program, rules_of(machine), units) if machine.static else ()
    path = _path(simulation, machine, units) if program.op_instances <= MAX_STACK_OPS else ()
    if simulation.frames is not None:
        return Findings(simulation.frames.latency_stack, steps, path)
    return Findings(latency_stack(path, program, units) if path else None, steps, path)


def _path(simulation: Simulation, machine: MachineSpec, units: Units) -> tuple[Segment, ...]:
    program, times = simulation.program, simulation.times
    if times is None:
        return explain_run(program, simulation.workload.spec, simulation.arch, units).path
    return tuple(critical_path(program, rules_of(machine), times))


@dataclass(frozen=True, slots=True)
class ExplainedRun:
    """The critical path of a run."""

    cycles: int
    cycles_by_phase: Mapping[str, int]
    path: tuple[Segment, ...]
    stack: LatencyStack


def explain_run(program: Program, network: NetworkSpec, arch: Arch, units: Units) -> ExplainedRun:
    """Execute a verified program, without numbers, for its critical path; ScheduleError if it has too many ops."""
    if program.op_instances > MAX_OPS:
        raise ScheduleError(
            f"a run of {program.op_instances:,} ops is longer than the {MAX_OPS:,} whose times are kept; a shorter one "
            "takes the same path in its steps: --set steps=100"
        )
    spec, times = machine_spec(program, arch, units), AllTimes(program)
    steps = network.steps + len(network.layers)  # layers may be delayed against each other
    trace = execute(program, spec, Options(window=Window(0, steps), listener=times.add))
    path = critical_path(program, rules_of(spec), times)
    by_phase = {kind.value: trace.cycles_of(kind) for kind in PhaseKind}
    return ExplainedRun(sum(by_phase.values()), by_phase, path, latency_stack(path, program, units))


def _steps(program: Program, rules: Rules, units: Units) -> tuple[Step, ...]:
    """What a step waits for in each body that is repeated."""
    found = (
        _step(number, phase, rules, units)
        for number, phase in enumerate(program.phases)
        if phase.kind is PhaseKind.BODY and phase.repeat > 1
    )
    return tuple(step for step in found if step is not None)


def _step(number: int, phase: Phase, rules: Rules, units: Units) -> Step | None:
    cycle = critical_cycle(phase, number, rules)
    if cycle is None:
        return None
    alone = critical_cycle(phase, number, rules, recurrence_alone=True)
    chain = links(cycle, number, rules)
    recurrence = None if alone is None else alone.ratio / phase.unroll
    return Step(number, cycle, chain, step_stack(chain, phase, units), phase.unroll, recurrence)
