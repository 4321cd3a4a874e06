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
    witness: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:FUNCTION|COMMAND",
            help="A model of your own: a Python function from a dict of arrays to one, or a command that reads an .npz "
            "file and writes another, whose names stand behind it or for {inputs} and {outputs}.",
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(min=1e-12, max=1e6, help="Of --witness: largest error, relative to a tensor's largest magnitude."),
    ] = None,
    within_codes: Annotated[
        int | None, typer.Option(min=0, max=2**31, help="Of --witness: largest difference of integer codes.")
    ] = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Check a schedule (every conflict ordered) and its numbers (bit-equal to the untimed program, and right)."""
    from archsim.errors import Fault, WorkloadError

    if witness is None and (tolerance is not None or within_codes is not None):
        option = "--within-codes" if tolerance is None else "--tolerance"
        raise WorkloadError((Fault(option, "", "is for --witness; that of a file is --set expected.tolerance=..."),))
    machine, work = load_inputs(arch, workload, sets)
    from archsim.api.verdict import judge
    from archsim.checking.witness import Witness
    from archsim.report.text.validate_text import verdict_json, verdict_text

    schedule = chosen(schedule, machine, work)
    own = None if witness is None else Witness(witness, tolerance, within_codes)
    verdict = judge(machine, work, schedule, executor, own)
    sys.stdout.write(verdict_json(verdict) if json else verdict_text(verdict))
    return 0 if verdict.passed else EXIT_INVALID
