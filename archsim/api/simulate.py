"""Simulates a workload on a machine: builds the program, executes it, checks the arithmetic, forms the figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from archsim.api.dense_run import dense_stats
from archsim.api.evaluate import Evaluator
from archsim.api.fast_timing import time_fast
from archsim.api.inputs import AnyArch, AnyWorkload, as_arch, as_workload
from archsim.api.judge import check_numbers
from archsim.api.machine_spec import machine_spec
from archsim.api.op_times import Listener, OpTimesTaken
from archsim.api.programs.cached_program import CachedProgram
from archsim.api.ranking import Ranking, asked_best, rank_schedules
from archsim.api.run_tables import ops_table, steps_table
from archsim.api.tables import Table
from archsim.checking.brought_results import Recorded
from archsim.checking.format_error import Accuracy, measure
from archsim.checking.numbers import Numbers, prepare
from archsim.checking.recorder import Recorder
from archsim.checking.validation import Validation, not_validated
from archsim.critical import AllTimes
from archsim.engines.choose import AUTO, FAST, MACHINE, SHORT_OPS, Executor, check_executor, choose
from archsim.engines.events import Arithmetic, Options, execute
from archsim.errors import ExecutorError, Fault, WorkloadError
from archsim.families.load import Arch
from archsim.families.registry import build_units
from archsim.families.schedule import Schedule
from archsim.families.schedules import AskedSchedule, find_schedule
from archsim.hardware.numerics import Overflows
from archsim.hardware.unit import Units
from archsim.lowering.tensors import Results
from archsim.metrics import Stats, compute_stats
from archsim.metrics.activity import ActivityFigures, activity_figures
from archsim.metrics.frames import Frames
from archsim.metrics.statistic import FinishedRun, Further, Statistic, compute_further, installed_statistics
from archsim.program.ir import Program
from archsim.program.joined import interpret_joined
from archsim.trace import Trace, Window
from archsim.workload import Workload

TIMING_ONLY = "timing only: nothing was computed"
"""Why nothing was judged of a run without arithmetic."""

MAX_STACK_OPS = 200_000
"""Most ops of a run whose latency stack stands in its results."""

RECORDED_STEPS = 3
"""Time steps whose ops are kept one by one, for the timeline."""


@dataclass(frozen=True, slots=True, repr=False)
class Simulation:
    """Everything that came out of one run.

    `results` and `numbers` are None if the run was timing only. `accuracy`, against the golden model, is None then too,
    and where the errors were held to a bound (float32). `executor` says what timed the run; `further` has the
    statistics of other packages. `dense`: of a delta network, the figures if no column were skipped; else None.
    `recorded`: what a run passed through at every step, for each cell, if that was kept. `frames`: of a streaming
    workload what a frame takes; else None. `times`: those of all ops, if the run has no more than MAX_STACK_OPS.
    `ranking`: all schedules, if the best one was asked for.
    """

    arch: Arch
    workload: Workload
    schedule: Schedule[Any]
    program: Program
    trace: Trace
    stats: Stats
    dense: Stats | None
    validation: Validation
    numbers: Numbers | None
    results: Results | None
    recorded: Recorded | None
    accuracy: Accuracy | None
    executor: Executor
    further: tuple[Further, ...]
    frames: Frames | None
    times: AllTimes | None
    ranking: Ranking | None

    def __repr__(self) -> str:
        """One line: what was run, how long it takes, and whether its numbers are right."""
        verdict = {None: "numbers not judged", True: "numbers passed", False: "NUMBERS FAILED"}[self.validation.passed]
        return (
            f"<{self.stats.workload} on {self.stats.arch}, schedule {self.stats.schedule}: "
            f"{self.stats.latency_cycles:,} cycles, {self.stats.latency_us:,.4g} us; {verdict}>"
        )

    def _repr_html_(self) -> str:
        """The figures that are asked for first, as a table for a notebook."""
        stats = self.stats
        rows = [
            ("latency", f"{stats.latency_cycles:,} cycles, {stats.latency_us:,.4g} us"),
            ("a time step", f"{stats.cycles_per_step:,.6g} cycles; {stats.binding_bound} binds"),
            ("utilization", f"{stats.mac_utilization:.1%} of the multipliers"),
        ]
        rows += [] if stats.energy is None else [("energy", f"{stats.energy.total_uj:,.4g} uJ")]
        rows += [] if stats.area is None else [("area", f"{stats.area.area_mm2:,.4g} mm2")]
        cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
        return f"<table><caption>{escape(repr(self)[1:-1])}</caption>{cells}</table>"

    @property
    def step_end_cycles(self) -> tuple[int, ...] | None:
        """The end of each time step, where steps may differ; the first begins at 0.

        None where they repeat, where several layers run one after the other, each with all steps, and of a wavefront.
        """
        phases = zip(self.program.phases, self.trace.phases, strict=True)
        marked = [trace for phase, trace in phases if phase.marks_all and phase.repeat == phase.time_steps]
        return tuple(end - marked[0].start for _, end in marked[0].ends) if len(marked) == 1 else None

    @property
    def activity(self) -> ActivityFigures | None:
        """What a delta network has multiplied and skipped; None of any other network."""
        peak = self.arch.config.multipliers.macs_per_cycle * self.trace.total_cycles
        return activity_figures(self.workload.spec, self.trace.counts, peak, self.stats, self.dense)

    def ops(self) -> Table:
        """A table with a row for each op: when it was where, why it waited, what it moved (archsim.api.op_rows.OpRow).

        The run is executed once more for it, without numbers. ScheduleError if it has too many ops.
        """
        return ops_table(self)

    def steps(self) -> Table:
        """A table with a row for each time step (archsim.api.op_rows.StepRow); as `ops`."""
        return steps_table(self)


def simulate(
    arch: AnyArch,
    workload: AnyWorkload,
    schedule: AskedSchedule | Ranking = None,
    *,
    timing_only: bool = False,
    executor: str = AUTO,
    window: Window | None = None,
    statistics: Sequence[Statistic] | None = None,
    keep_steps: bool = False,
    progress: Callable[[int], None] | None = None,
    evaluator: Evaluator | None = None,
    listeners: Sequence[Listener] = (),
) -> Simulation:
    """Simulate a workload on a machine and check what it computed.

    `arch` and `workload`: names, paths, or what load_arch and load_workload return.

    `schedule`: its name, or a schedule of your own; None is the first of the machine's family; a ranking, or "best",
    "best_step" or "best_energy", the best of all, and the others are kept beside it. `window`: the time
    steps whose ops are recorded one by one (by default some from the middle of the run). `executor`: "machine"
    executes the numbers as it goes; "fast" times the program by the recurrence, "auto" by it or, a short one, by the
    machine: then the numbers are the untimed program's, which ends with the same bits. `statistics`: those that are
    computed besides archsim's own; None: those of installed packages. `keep_steps`: keep c and gates of every step.
    `evaluator`: one whose programs need not be built again, and that keeps the one of this run. `listeners`: each
    is called with the times of every op as soon as they are certain, a unit's ops in their order; the machine must
    time the run then. Raises CapacityError if the model does
    not fit, ScheduleError for a schedule that machines of the family do not have or one with a hazard, WorkloadError
    for unusable weights or input, ExecutorError for an executor that does not exist or cannot time this run, TypeError
    for arguments that are none of these.
    """
    arch = as_arch(arch)
    workload = as_workload(workload, arch)
    check_executor(executor)
    if workload.spec.activity is not None and not timing_only:
        message = "recorded activity says which columns are multiplied, and has no numbers: --timing-only"
        raise WorkloadError((Fault(workload.name, "activity", message),))
    units = build_units(arch.config)
    by = asked_best(schedule)
    evaluator = evaluator or Evaluator()
    ranking = schedule if isinstance(schedule, Ranking) else None
    if by is not None:
        ranking = rank_schedules(arch, workload, by, evaluator)
    asked = schedule if ranking is None else ranking.best
    assert not isinstance(asked, Ranking)
    found = find_schedule(asked, arch.config.family)
    cached = evaluator.cached(arch, workload.spec, found, units)
    own = evaluator.activities.of(workload, found, cached, arch)
    if own is not None:
        workload = replace(workload, activity=own)
        cached = evaluator.cached(arch, workload.spec, found, units)
    program = cached.program
    numbers = None if timing_only else prepare(program, arch.config, workload)
    computation = None if numbers is None else numbers.begin(units)
    recorder = None if numbers is None or not _records(numbers, keep_steps) else Recorder(numbers)
    joint = computation is not None and executor == MACHINE
    arithmetic = Arithmetic(computation.state, computation.datapath, recorder) if computation and joint else None
    options = Options(arithmetic, window or _middle(workload.spec.steps), progress=progress)
    trace, used, times = _execute(cached, arch, units, options, executor, listeners)
    if computation is not None and not joint:  # no number decides when anything happens
        interpret_joined(program, computation.datapath, computation.state, recorder)
    computed = None if computation is None else computation.results()
    overflows = Overflows() if computation is None else computation.overflows
    del computation, arithmetic, options  # the contents of all buffers, which nothing needs any more
    stats = compute_stats(program, trace, arch, workload, units)
    run = FinishedRun(program, trace, arch.config, units, workload.spec, stats)
    further = compute_further(run, installed_statistics() if statistics is None else statistics)
    frames = _frames(arch, workload, found, evaluator) if workload.spec.streaming else None
    validation, accuracy = not_validated(TIMING_ONLY), None
    if numbers is not None and computed is not None:
        validation = check_numbers(computed, numbers, arch, found, recorder, overflows)
        if recorder is not None and (numbers.golden.traces is not None or numbers.pruning is not None):
            accuracy = measure(numbers, computed, recorder, overflows)
    return Simulation(
        arch,
        workload,
        found,
        program,
        trace,
        stats,
        dense_stats(arch, workload, found, evaluator),
        validation,
        numbers,
        computed,
        None if recorder is None else recorder.values,
        accuracy,
        used,
        further,
        frames,
        times,
        ranking,
    )


def _execute(
    cached: CachedProgram,
    arch: Arch,
    units: Units,
    options: Options,
    executor: str,
    listeners: Sequence[Listener],
) -> tuple[Trace, Executor, AllTimes | None]:
    """Run the program by the executor that was asked for; the machine executes the numbers, if the options have any.

    The times of all ops are kept, unless the run has too many.
    """
    program, rather_machine = cached.program, ""
    few = program.op_instances <= MAX_STACK_OPS
    if listeners:
        rather_machine = "each op is listened to"
    elif program.op_instances < SHORT_OPS:
        rather_machine = f"the run is short, less than {SHORT_OPS:,} ops"
    if listeners and executor == FAST:
        raise ExecutorError(f"--executor {FAST}: knows no single ops, which a trace or a table of them needs")
    timing, used = choose(executor, lambda: time_fast(cached, arch.config, units, options.window, few), rather_machine)
    if timing is None:
        machine = machine_spec(program, arch, units)
        if not few and not listeners:
            return execute(program, machine, options), used, None
        taken = OpTimesTaken(program, options.window, few, listeners)
        trace = execute(program, machine, replace(options, window=taken.window, listener=taken.add))
        return taken.trace(trace), used, taken.all
    return timing.trace, used, timing.times


def _frames(arch: Arch, workload: Workload, schedule: Schedule[Any], evaluator: Evaluator) -> Frames:
    from archsim.api.frames import measure_frames  # of streaming workloads alone

    return measure_frames(arch, workload, schedule, evaluator)


def _records(numbers: Numbers, keep_steps: bool) -> bool:
    """Whether a run keeps what it passes through: asked for, expected, or to measure what formats cost."""
    expected = numbers.tensors.expected
    by_step = expected is not None and expected.by_step
    return keep_steps or numbers.golden.traces is not None or by_step or numbers.pruning is not None


def _middle(steps: int) -> Window:
    """The window of a few time steps in the middle of the run, where the steady state is."""
    return Window(max(0, steps // 2 - RECORDED_STEPS // 2), RECORDED_STEPS)
