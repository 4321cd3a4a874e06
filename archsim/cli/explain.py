"""The commands `archsim program` and `archsim trace`: the schedule, and what units do in every cycle, as text."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from archsim.cli.options import (
    DEFAULT_SCHEDULE,
    ArchArgument,
    DebugOption,
    ScheduleOption,
    SetOption,
    WorkloadArgument,
    load_inputs,
)

MAX_RECORDED_OPS = 2_000_000
"""A line trace keeps every op of the run in memory."""
DEFAULT_LINES = 2000


def program_command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    schedule: ScheduleOption = DEFAULT_SCHEDULE,
    sets: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Print the schedule as text: prologue, one time step with its dependencies and their lags, epilogue."""
    from archsim.families.registry import build_units
    from archsim.families.schedules import check_units, find_schedule
    from archsim.report.text.listing import program_listing

    machine, work = load_inputs(arch, workload, sets)
    program = find_schedule(schedule, machine.config.family).build(work.spec, machine.config)
    units = build_units(machine.config)
    check_units(program, units)
    services = tuple(tuple(units[op.unit].cycles(op) for op in phase.ops) for phase in program.phases)
    sys.stdout.write(program_listing(program, services))


def trace_command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    schedule: ScheduleOption = DEFAULT_SCHEDULE,
    sets: SetOption = None,
    first: Annotated[int, typer.Option("--from", min=0, help="First cycle to show.")] = 0,
    last: Annotated[
        int | None, typer.Option("--to", min=0, help=f"Last cycle to show [default: --from + {DEFAULT_LINES - 1}].")
    ] = None,
    debug: DebugOption = False,
) -> None:
    """Print what every unit does, a line for each cycle and a column for each unit."""
    from archsim.api import simulate
    from archsim.errors import ScheduleError
    from archsim.families.schedules import find_schedule
    from archsim.report.text.linetrace import line_trace
    from archsim.trace import Window

    machine, work = load_inputs(arch, workload, sets)
    ops = find_schedule(schedule, machine.config.family).build(work.spec, machine.config).op_instances
    if ops > MAX_RECORDED_OPS:
        raise ScheduleError(
            f"a trace of {ops:,} ops is longer than the {MAX_RECORDED_OPS:,} that are kept; shorten it: --set steps=3"
        )
    whole = Window(0, work.spec.steps + len(work.spec.layers))  # layers may be delayed against each other
    simulation = simulate(machine, work, schedule, timing_only=True, window=whole, statistics=())
    end = first + DEFAULT_LINES - 1 if last is None else last
    for line in line_trace(simulation, first, end):
        sys.stdout.write(line + "\n")
    left = simulation.trace.total_cycles - end
    if left > 0:
        sys.stdout.write(f"... {left:,} more cycles; --from and --to choose which to show\n")
