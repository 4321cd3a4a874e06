"""The command `archsim validate`: is this schedule right, and are its numbers?"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from archsim.cli.exit_codes import EXIT_INVALID
from archsim.cli.options import (
    DEFAULT_SCHEDULE,
    ArchArgument,
    DebugOption,
    JsonOption,
    ScheduleOption,
    SetOption,
    WorkloadArgument,
    chosen,
    load_inputs,
)


def validate_command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    schedule: ScheduleOption = DEFAULT_SCHEDULE,
    sets: SetOption = None,
    executor: Annotated[
        str,
        typer.Option(
            metavar="auto|fast|machine", help="fast: also compare every cycle of the machine and the second executor."
        ),
    ] = "auto",
    json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Check a schedule (every conflict ordered) and its numbers (bit-equal to the untimed program, and right)."""
    from archsim.api.verdict import judge
    from archsim.report.text.validate_text import verdict_json, verdict_text

    machine, work = load_inputs(arch, workload, sets)
    schedule = chosen(schedule, machine, work)
    verdict = judge(machine, work, schedule, executor)
    sys.stdout.write(verdict_json(verdict) if json else verdict_text(verdict))
    return 0 if verdict.passed else EXIT_INVALID
