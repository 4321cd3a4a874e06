"""The command `archsim run`: one design, one workload."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsim.cli.exit_codes import EXIT_INVALID
from archsim.cli.options import (
    DEFAULT_ARCH,
    DEFAULT_SCHEDULE,
    DEFAULT_WORKLOAD,
    ActivityOption,
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
from archsim.config.run_files import TableFormat, TableKind, TraceArrows, TraceKind
from archsim.config.text import UNENCODABLE
from archsim.errors import CapacityError, Interrupted, one_line

if TYPE_CHECKING:
    from rich.console import Console

    from archsim.api import Simulation
    from archsim.api.evaluate import Evaluator
    from archsim.api.explain import Findings
    from archsim.api.near_changes import NearChanges
    from archsim.api.ranking import Ranking
    from archsim.export.run_streams import Written
    from archsim.families.schedule import Schedule
    from archsim.program.ir import Program
    from archsim.report.files.manifest import Asked
    from archsim.trace import OpTimes

SCREEN_WIDTH = 80
"""Characters a line of what is printed where there is no terminal."""
MAX_SCREEN_WIDTH = 100
"""Most characters a line of it on a terminal: longer lines are hard to read."""


def run_command(
    arch: ArchArgument = DEFAULT_ARCH,
    workload: WorkloadArgument = DEFAULT_WORKLOAD,
    schedule: ScheduleOption = DEFAULT_SCHEDULE,
    sets: SetOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for the results [default: results/ARCH-WORKLOAD-SCHEDULE, and a mark of what else was asked].",
        ),
    ] = None,
    json: JsonOption = False,
    full: Annotated[bool, typer.Option("--full", help="Print the whole report, which is in report.txt.")] = False,
    timing_only: Annotated[bool, typer.Option("--timing-only", help="Compute no numbers, only cycles.")] = False,
    executor: ExecutorOption = "auto",
    activity: ActivityOption = None,
    keep_steps: Annotated[
        bool, typer.Option("--keep-steps", help="Put c and gates of every time step into outputs.npz, too.")
    ] = False,
    plots: Annotated[
        bool | None,
        typer.Option(
            "--plots/--no-plots",
            help="Draw all figures and the page, or none [default: utilization.png and report.html].",
        ),
    ] = None,
    trace: Annotated[
        list[TraceKind] | None,
        typer.Option(
            metavar="perfetto|vcd|konata",
            help="Write every op for a viewer: trace.json.gz, trace.vcd, trace.konata; repeatable.",
        ),
    ] = None,
    trace_arrows: Annotated[
        TraceArrows,
        typer.Option(
            metavar="path|all",
            help="Arrows of the Perfetto trace: the critical path, or all dependencies, too (the first 100,000).",
        ),
    ] = TraceArrows.PATH,
    export: Annotated[
        str, typer.Option(metavar="ops,steps", help="Write a table with a row for each op, each time step, or both.")
    ] = "",
    export_format: Annotated[
        TableFormat, typer.Option(metavar="parquet|csv", help="The form of these tables.")
    ] = TableFormat.PARQUET,
    force: Annotated[bool, typer.Option("--force", help="Replace the results of another run in --out.")] = False,
    debug: DebugOption = False,
) -> int:
    """Simulate a workload on an architecture, check its numbers, and report latency, utilization and energy.

    With --json and without --out nothing is written.
    """
    if trace_arrows is TraceArrows.ALL and TraceKind.PERFETTO not in (trace or ()):
        raise typer.BadParameter("--trace-arrows all: is for --trace perfetto.")
    machine, work = load_inputs(arch, workload, sets, activity)

    from archsim.api.evaluate import Evaluator
    from archsim.api.ranking import best_name
    from archsim.config.files.one_writer import one_writer
    from archsim.export.run_streams import Streams, written
    from archsim.export.traces.traced_run import TracedRun
    from archsim.families.registry import build_units
    from archsim.families.schedules import find_schedule
    from archsim.report.files.folder import result_folder
    from archsim.report.files.manifest import Asked, Options
    from archsim.report.files.saved import stats_json

    evaluator = Evaluator()
    ranking = ranked(schedule, machine, work, evaluator)
    found = ranking.best if ranking else find_schedule(schedule, machine.config.family)
    asked_for = best_name(ranking.by) if ranking else found.name
    asked = Asked(machine, work, asked_for, Options(timing_only, executor, keep_steps))
    streams = Streams(tuple(trace or ()), _tables(export), export_format, trace_arrows)
    program = _program(asked, found, evaluator)
    if json and out is None and not streams.any:
        simulation = _simulated(asked, ranking or found, evaluator)
        sys.stdout.write(stats_json(simulation))
        return _exit_code(simulation)
    target = out or Path("results") / "-".join(filter(None, (machine.name, work.name, found.name, asked.mark)))
    report = _Report(json, full, keep_steps=keep_steps)
    title, units = f"{work.name} on {machine.name}, schedule {found.name}", tuple(build_units(machine.config))
    about = TracedRun(title, machine.config.clock_mhz, units)
    with one_writer(target, parents=True):
        with result_folder(target, asked, force) as folder, written(streams, folder, about, program) as files:
            simulation = _simulated(asked, ranking or found, evaluator, files.listeners)
            findings, changes = report.make(simulation, evaluator, folder, files)
        try:
            if not json:
                sys.stdout.write(f"Results: {one_line(str(target))}/\n")
            sys.stdout.flush()
            _draw(simulation, findings, changes, target, plots)
        except KeyboardInterrupt as stop:
            raise Interrupted(f"interrupted while drawing; all results but figures are in {target}/") from stop
    return _exit_code(simulation)


def _draw(simulation: Simulation, findings: Findings, changes: NearChanges, folder: Path, plots: bool | None) -> None:
    """Draw figures and the page into the folder of the results, which is in place: Ctrl-C loses nothing but these."""
    from archsim.cli.progress import working
    from archsim.report.figures.kinds import FigureKind
    from archsim.report.files.folder import PAGE, add_to_folder, draw_into

    kinds = (FigureKind.UTILIZATION,) if plots is None else tuple(FigureKind) if plots else ()
    with working("drawing"):
        draw_into(folder, simulation, findings, kinds)
        if plots is not False:
            from archsim.report.page.page import html_page
            from archsim.report.page.saved_run import read_run

            add_to_folder(folder, PAGE, html_page([read_run(folder, near=changes)]).encode(errors=UNENCODABLE))


def _exit_code(simulation: Simulation) -> int:
    return EXIT_INVALID if simulation.validation.passed is False else 0


def _tables(asked: str) -> tuple[TableKind, ...]:
    """The tables of `--export ops,steps`."""
    names = [name.strip() for name in asked.split(",") if name.strip()]
    wrong = [name for name in names if name not in list(TableKind)]
    if wrong:
        allowed = ", ".join(TableKind)
        raise typer.BadParameter(f"--export: there is no table '{wrong[0][:40]}'; allowed: {allowed}.")
    return tuple(TableKind(name) for name in dict.fromkeys(names))


def _program(asked: Asked, schedule: Schedule[Any], evaluator: Evaluator) -> Program:
    """The program of what was asked; a model that does not fit is measured on designs that it fits."""
    from archsim.api.near_changes import fitting
    from archsim.cli.progress import working

    try:
        with working("building the program"):
            return evaluator.program(asked.arch, asked.workload.spec, schedule)
    except CapacityError as error:
        with working("measuring designs that fit"):
            error.measured = tuple(fitting(error, asked.arch, asked.workload, asked.schedule, evaluator))
        raise


def _simulated(
    asked: Asked,
    schedule: Ranking | Schedule[Any],
    evaluator: Evaluator,
    listeners: Sequence[Callable[[OpTimes], None]] = (),
) -> Simulation:
    """Run what was asked."""
    from archsim.api import simulate
    from archsim.cli.progress import step_progress

    options = asked.options
    with step_progress(asked.workload.spec.steps) as progress:
        return simulate(
            asked.arch,
            asked.workload,
            schedule,
            timing_only=options.timing_only,
            executor=options.executor,
            keep_steps=options.keep_steps,
            progress=progress,
            evaluator=evaluator,
            listeners=listeners,
        )


@dataclass(frozen=True, slots=True)
class _Report:
    """What is printed of a run and written into its folder: the answer first, then what takes longer."""

    json: bool
    full: bool
    keep_steps: bool

    def make(
        self, simulation: Simulation, evaluator: Evaluator, folder: Path, files: Written
    ) -> tuple[Findings, NearChanges]:
        """Print it, and write everything but figures; return what was found and measured."""
        from archsim.api.explain import find
        from archsim.api.near_changes import near_changes
        from archsim.cli.progress import working
        from archsim.report.files.folder import fill_folder
        from archsim.report.files.saved import stats_json
        from archsim.report.text.report_text import print_report
        from archsim.report.text.summary import print_changes, print_summary, width_of_names

        findings = find(simulation)
        files.finish(simulation, findings)
        short = not self.json and not self.full
        if short:
            _show(lambda console: print_summary(simulation, findings, console), MAX_SCREEN_WIDTH)
        with working("measuring changes"):
            changes = near_changes(simulation, evaluator)
        if short:
            width = width_of_names(simulation, findings)
            _show(lambda console: print_changes(changes, console, width), MAX_SCREEN_WIDTH)
        elif self.json:
            sys.stdout.write(stats_json(simulation, findings))
        else:
            _show(lambda console: print_report(simulation, console, findings, changes), None)
        with working("writing the results"):
            fill_folder(folder, simulation, findings, changes, self.keep_steps)
        return findings, changes


def _show(show: Callable[[Console], None], most: int | None) -> None:
    """Print in colour and at its width on a terminal, at most `most` wide; elsewhere as plain text."""
    from archsim.report.text.report_text import TEXT_WIDTH, as_text

    if sys.stdout.isatty():
        from rich.console import Console

        console = Console()
        if most is not None:
            console.width = min(console.width, most)
        show(console)
    else:
        sys.stdout.write(as_text(show, TEXT_WIDTH if most is None else SCREEN_WIDTH))
