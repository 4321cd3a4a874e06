"""NetworkSpec + Arch -> Program -> Trace -> Stats, with the arithmetic checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from archsim.api.accuracy import Accuracy, measure
from archsim.api.integer_reference import integer_golden
from archsim.api.numbers import Numbers, prepare
from archsim.api.recorder import Recorder
from archsim.api.validation import Validation, compare, compare_bits, not_validated
from archsim.arch import Arch, build_units
from archsim.arch.datapath import Units
from archsim.components.activation_methods import MethodName
from archsim.machine import Arithmetic, MachineSpec, Options, execute
from archsim.metrics import Stats, compute_stats
from archsim.program.ir import Program
from archsim.program.verifier import verify
from archsim.schedules import find_schedule
from archsim.schedules.image import Results
from archsim.trace import Trace, Window
from archsim.workload import Workload

RECORDED_STEPS = 3
"""Time steps whose ops are kept one by one, for the timeline."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """Everything that came out of one run; `results` and `numbers` are None if it was timing only.

    `accuracy`, against the golden model, is None of such a run and of a float32 machine, whose errors are validated.
    """

    arch: Arch
    workload: Workload
    program: Program
    trace: Trace
    stats: Stats
    validation: Validation
    numbers: Numbers | None
    results: Results | None
    accuracy: Accuracy | None


def simulate(
    arch: Arch,
    workload: Workload,
    schedule: str = "fused",
    *,
    timing_only: bool = False,
    window: Window | None = None,
    progress: Callable[[int], None] | None = None,
) -> Simulation:
    """Simulate a workload on a machine and check what it computed.

    `window`: the time steps whose ops are recorded one by one (by default some from the middle of the run). Raises
    CapacityError if the model does not fit, ScheduleError for an unknown schedule or one with a hazard, WorkloadError
    for unusable weights or input.
    """
    units = build_units(arch.config)
    program = find_schedule(schedule).build(workload.spec, arch.config)
    verify(program)
    numbers = None if timing_only else prepare(program, arch.config, workload)
    computation = None if numbers is None else numbers.begin(units)
    recorder = None if numbers is None or numbers.golden.traces is None else Recorder(numbers)
    arithmetic = None if computation is None else Arithmetic(computation.state, computation.datapath, recorder)
    options = Options(arithmetic, window or _middle(workload.spec.steps), progress=progress)
    trace = execute(program, machine_spec(program, arch, units), options)
    stats = compute_stats(program, trace, arch, workload, units)
    if numbers is None or computation is None:
        return Simulation(arch, workload, program, trace, stats, not_validated(), None, None, None)
    computed = computation.results()
    validation = check_numbers(computed, numbers, arch, program.schedule)
    accuracy = None if recorder is None else measure(numbers, computed, recorder, computation.overflows)
    return Simulation(arch, workload, program, trace, stats, validation, numbers, computed, accuracy)


def check_numbers(computed: Results, numbers: Numbers, arch: Arch, schedule: str) -> Validation:
    """The verdict on a run's results: within a bound in float32, in every bit on integers; else none."""
    if numbers.formats.float32 and arch.config.activation.method is MethodName.EXACT:
        return compare(computed, numbers.golden, numbers.tensors.expected)
    if numbers.formats.exact:
        return compare_bits(computed, integer_golden(numbers, arch.config, schedule))
    return not_validated()


def machine_spec(program: Program, arch: Arch, units: Units) -> MachineSpec:
    """Service times of all ops, and the sequencer's parameters."""
    services = tuple(tuple(units[op.unit].cycles(op) for op in phase.ops) for phase in program.phases)
    sequencer = arch.config.sequencer
    return MachineSpec(tuple(units), services, sequencer.issue_cycles, sequencer.queue_depth)


def _middle(steps: int) -> Window:
    """A few steps from the middle of the run, where the steady state is."""
    return Window(max(0, steps // 2 - RECORDED_STEPS // 2), RECORDED_STEPS)
