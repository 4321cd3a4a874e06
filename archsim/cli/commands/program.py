"""The commands `archsim program` and `archsim trace`: the schedule, and what units do in every cycle.

Both are text to read; with --json or --csv they are data for programs (docs/program_json.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.options import (
    DEFAULT_SCHEDULE,
    ActivityOption,
    ArchArgument,
    DebugOption,
    JsonOption,
    ScheduleOption,
    SetOption,
    WorkloadArgument,
    chosen,
    load_inputs,
)
from archsim.cli.output import OutOption, output

if TYPE_CHECKING:
    from archsim.families.load import Arch
    from archsim.workload import Workload

MAX_RECORDED_OPS = 2_000_000
"""A line trace keeps every op of the run in memory."""
DEFAULT_LINES = 2000


def program_command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    schedule: ScheduleOption = DEFAULT_SCHEDULE,
    sets: SetOption = None,
    activity: ActivityOption = None,
    json: JsonOption = False,
    timing_only: Annotated[bool, typer.Option("--timing-only", help="With --json: nothing about numbers.")] = False,
    contents: Annotated[bool, typer.Option("--contents", help="With --json: weights and inputs as stored.")] = False,
    out: OutOption = None,
    debug: DebugOption = False,
) -> None:
    """Print the schedule: prologue, one time step with its dependencies and their lags, epilogue."""
    machine, work = load_inputs(arch, workload, sets, activity)
    schedule = chosen(schedule, machine, work)
    if (timing_only or contents) and not json:
        raise typer.BadParameter(f"{'--timing-only' if timing_only else '--contents'} goes with --json.")
    if timing_only and contents:
        raise typer.BadParameter("--contents are numbers, which --timing-only leaves out.")
    if json:
        from archsim.export.program_json import ExportedProgram

        exported = ExportedProgram.make(machine, work, schedule, timing_only, contents)
        with output(out) as write:
            exported.write(write, contents)
        return
    listing = _listing(machine, work, schedule)
    with output(out) as write:
        write(listing)


def _listing(machine: Arch, work: Workload, schedule: str | None) -> str:
    from archsim.families.registry import build_units
    from archsim.families.schedules import build_program, check_units, find_schedule
    from archsim.report.text.listing import program_listing

    program = build_program(find_schedule(schedule, machine.config.family), work.spec, machine.config)
    units = build_units(machine.config)
    check_units(program, units)
    services = tuple(tuple(units[op.unit].cycles(op) for op in phase.ops) for phase in program.phases)
    return program_listing(program, services)


def trace_command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    schedule: ScheduleOption = DEFAULT_SCHEDULE,
    sets: SetOption = None,
    activity: ActivityOption = None,
    first: Annotated[int, typer.Option("--from", min=0, help="First cycle to show.")] = 0,
    last: Annotated[
        int | None,
        typer.Option(
            "--to", min=0, help=f"Last cycle to show [default: --from + {DEFAULT_LINES - 1}; of data: the end]."
        ),
    ] = None,
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values, a line an op.")] = False,
    out: OutOption = None,
    debug: DebugOption = False,
) -> None:
    """Print what every unit does: a line a cycle and a column a unit, or (--json, --csv) the times of every op."""
    if last is not None and last < first:
        raise typer.BadParameter(f"--from {first} is after --to {last}.")
    if json and csv:
        raise typer.BadParameter("--json and --csv exclude each other.")
    machine, work = load_inputs(arch, workload, sets, activity)
    schedule = chosen(schedule, machine, work)
    if json or csv:
        from archsim.export.op_times import CycleWindow, TracedRun

        run = TracedRun.make(machine, work, schedule)
        with output(out) as write:
            (run.write_json if json else run.write_csv)(write, CycleWindow(first, last))
        return
    lines = _line_trace(machine, work, schedule, first, last)
    with output(out) as write:
        for line in lines:
            write(line + "\n")


def _line_trace(machine: Arch, work: Workload, schedule: str | None, first: int, last: int | None) -> Iterator[str]:
    from archsim.api import simulate
    from archsim.errors import ScheduleError
    from archsim.families.schedules import build_program, find_schedule
    from archsim.report.text.linetrace import line_trace
    from archsim.trace import Window

    ops = build_program(find_schedule(schedule, machine.config.family), work.spec, machine.config).op_instances
    if ops > MAX_RECORDED_OPS:
        raise ScheduleError(
            f"a trace of {ops:,} ops is longer than the {MAX_RECORDED_OPS:,} that are kept; shorten it: --set steps=3"
        )
    whole = Window(0, work.spec.steps + len(work.spec.layers))  # layers may be delayed against each other
    simulation = simulate(machine, work, schedule, timing_only=True, window=whole, statistics=())
    if first > simulation.trace.total_cycles:
        raise ScheduleError(f"--from {first:,}: the run ends at cycle {simulation.trace.total_cycles:,}")
    end = first + DEFAULT_LINES - 1 if last is None else last
    yield from line_trace(simulation, first, end)
    left = simulation.trace.total_cycles - end
    if left > 0:
        yield f"... {left:,} more cycles; --from and --to choose which to show"
