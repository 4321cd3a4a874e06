"""NetworkSpec + Arch -> Program -> Trace -> Stats, with the arithmetic checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from archsim.api.validation import Validation, compare, not_validated
from archsim.arch import Arch, Datapath, build_units
from archsim.arch.datapath import Units
from archsim.machine import Arithmetic, MachineSpec, Options, execute
from archsim.metrics import Stats, compute_stats
from archsim.program.ir import Program
from archsim.program.state import State
from archsim.program.verifier import verify
from archsim.schedules import find_schedule
from archsim.schedules.image import Results, dram_image, results
from archsim.trace import Trace, Window
from archsim.workload import NetworkTensors, Workload, load_tensors

RECORDED_STEPS = 3
"""Time steps whose ops are kept one by one, for the timeline."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """Everything that came out of one run; `results` and `tensors` are None if it was timing only."""

    arch: Arch
    workload: Workload
    program: Program
    trace: Trace
    stats: Stats
    validation: Validation
    tensors: NetworkTensors | None
    results: Results | None


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
    tensors = None if timing_only else load_tensors(workload)
    state = None if tensors is None else initial_state(program, tensors, arch, workload)
    options = Options(
        arithmetic=None if state is None else Arithmetic(state, Datapath(units)),
        window=window or _middle(workload.spec.steps),
        progress=progress,
    )
    trace = execute(program, machine_spec(program, arch, units), options)
    stats = compute_stats(program, trace, arch, workload, units)
    computed = None if state is None else results(program, state, workload.spec)
    validation = not_validated() if tensors is None or computed is None else compare(computed, tensors, workload.spec)
    return Simulation(arch, workload, program, trace, stats, validation, tensors, computed)


def initial_state(program: Program, tensors: NetworkTensors, arch: Arch, workload: Workload) -> State:
    """The buffers before the program starts: the workload's tensors in DRAM, everything else empty."""
    spec = workload.spec
    return State(program, dram_image(tensors, spec, arch.config.formats), spec.steps)


def machine_spec(program: Program, arch: Arch, units: Units) -> MachineSpec:
    """Service times of all ops, and the sequencer's parameters."""
    services = tuple(tuple(units[op.unit].cycles(op) for op in phase.ops) for phase in program.phases)
    sequencer = arch.config.sequencer
    return MachineSpec(tuple(units), services, sequencer.issue_cycles, sequencer.queue_depth)


def _middle(steps: int) -> Window:
    """A few steps from the middle of the run, where the steady state is."""
    return Window(max(0, steps // 2 - RECORDED_STEPS // 2), RECORDED_STEPS)
