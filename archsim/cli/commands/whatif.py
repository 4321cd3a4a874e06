"""The command `archsim whatif`: what changing one thing of a design brings, measured."""

from __future__ import annotations

import io
import sys
from typing import Annotated

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
from archsim.config.aims import By


def whatif_command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    schedule: ScheduleOption = DEFAULT_SCHEDULE,
    sets: SetOption = None,
    activity: ActivityOption = None,
    by: Annotated[By, typer.Option("--by", help="What is to become less.")] = By.LATENCY,
    every: Annotated[bool, typer.Option("--all", help="Show all changes, not the best dozen.")] = False,
    json: JsonOption = False,
    out: OutOption = None,
    debug: DebugOption = False,
) -> None:
    """Change one thing of a design at a time, and measure: each number by a notch, each schedule, memory that fits."""
    machine, work = load_inputs(arch, workload, sets, activity)
    from archsim.api.whatif import what_if
    from archsim.cli.progress import design_progress
    from archsim.report.text.report_text import TEXT_WIDTH
    from archsim.report.text.whatif_text import SHOWN, print_what_if

    schedule = chosen(schedule, machine, work)
    with design_progress("changes") as progress:
        found = what_if(machine, work, schedule, by, progress)
    if json:
        from archsim.export.whatif_json import write_what_if

        with output(out) as write:
            write_what_if(found, write)
        return
    from rich.console import Console

    shown = None if every else SHOWN
    if out is None and sys.stdout.isatty():
        print_what_if(found, Console(), shown)
        return
    lines = io.StringIO()
    print_what_if(found, Console(file=lines, width=TEXT_WIDTH, color_system=None), shown)
    with output(out) as write:
        write("".join(f"{line.rstrip()}\n" for line in lines.getvalue().splitlines()))
