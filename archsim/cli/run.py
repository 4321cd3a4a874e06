"""The command `archsim run`: one design, one workload."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.exit_codes import EXIT_INVALID
from archsim.cli.options import (
    DEFAULT_ARCH,
    DEFAULT_SCHEDULE,
    DEFAULT_WORKLOAD,
    ArchArgument,
    DebugOption,
    ExecutorOption,
    JsonOption,
    ScheduleOption,
    SetOption,
    WorkloadArgument,
    load_inputs,
    ranked,
)

if TYPE_CHECKING:
    from archsim.api import Simulation


def run_command(
    arch: ArchArgument = DEFAULT_ARCH,
    workload: WorkloadArgument = DEFAULT_WORKLOAD,
    schedule: ScheduleOption = DEFAULT_SCHEDULE,
    sets: SetOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results [default: results/ARCH-WORKLOAD-SCHEDULE].")
    ] = None,
    json: JsonOption = False,
    timing_only: Annotated[bool, typer.Option("--timing-only", help="Compute no numbers, only cycles.")] = False,
    executor: ExecutorOption = "auto",
    no_plots: Annotated[bool, typer.Option("--no-plots", help="Draw no figures.")] = False,
    debug: DebugOption = False,
) -> int:
    """Simulate a workload on an architecture, check its numbers, and report latency, utilization and traffic."""
    from archsim.api import simulate
    from archsim.api.ranking import Ranking
    from archsim.cli.progress import step_progress
    from archsim.families.schedules import find_schedule
    from archsim.report.files.folder import fill_folder, result_folder
    from archsim.report.files.manifest import Options
    from archsim.report.files.saved import stats_json

    machine, work = load_inputs(arch, workload, sets)
    asked = ranked(schedule, machine, work) or find_schedule(schedule, machine.config.family)
    name = asked.best.name if isinstance(asked, Ranking) else asked.name
    target = out or Path("results") / f"{machine.name}-{work.name}-{name}"
    with result_folder(target) as folder:
        with step_progress(work.spec.steps) as progress:
            simulation = simulate(machine, work, asked, timing_only=timing_only, executor=executor, progress=progress)
        fill_folder(folder, simulation, Options(timing_only, executor), plots=not no_plots)
    if json:
        sys.stdout.write(stats_json(simulation))
    else:
        _print_report(simulation, target)
    return EXIT_INVALID if simulation.validation.passed is False else 0


def _print_report(simulation: Simulation, target: Path) -> None:
    """Print the report: in colour and at its width on a terminal, elsewhere the text that the folder holds."""
    if sys.stdout.isatty():
        from rich.console import Console

        from archsim.report.text.report_text import print_report

        print_report(simulation, Console())
    else:
        sys.stdout.write((target / "report.txt").read_text(encoding="utf-8"))
    sys.stdout.write(f"Results: {target}/\n")
