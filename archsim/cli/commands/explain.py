"""The command `archsim explain`: why a run takes as long as it does."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

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
    from archsim.api.explain import Explanation


def explain_command(
    arch: ArchArgument,
    workload: WorkloadArgument,
    schedule: ScheduleOption = DEFAULT_SCHEDULE,
    sets: SetOption = None,
    activity: ActivityOption = None,
    json: JsonOption = False,
    out: OutOption = None,
    debug: DebugOption = False,
) -> None:
    """Explain a latency: the critical path by unit and cause, and the chain that a time step waits for."""
    machine, work = load_inputs(arch, workload, sets, activity)
    from archsim.api.explain import explain

    schedule = chosen(schedule, machine, work)
    found = explain(machine, work, schedule)
    if json:
        from archsim.export.explanation_json import write_explanation

        with output(out) as write:
            write_explanation(found, write)
    elif out is None and sys.stdout.isatty():
        from rich.console import Console

        from archsim.report.text.explain_text import print_explanation

        print_explanation(found, Console())
    else:
        text = _text(found)
        with output(out) as write:
            write(text)


def _text(found: Explanation) -> str:
    """The explanation as plain text, as wide as reports are in files."""
    from rich.console import Console

    from archsim.report.text.explain_text import print_explanation
    from archsim.report.text.report_text import TEXT_WIDTH

    lines = io.StringIO()
    print_explanation(found, Console(file=lines, width=TEXT_WIDTH, color_system=None))
    return "".join(f"{line.rstrip()}\n" for line in lines.getvalue().splitlines())
