"""The command `archsim compare`: designs beside each other."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.options import DebugOption
from archsim.cli.output import OutOption, output
from archsim.config.files.whole_files import write_whole
from archsim.config.table_format import TableFormat
from archsim.errors import OutputError

if TYPE_CHECKING:
    from archsim.cli.set_option import Sets


def compare_command(
    machines: Annotated[
        list[str], typer.Argument(metavar="MACHINE...", help="Presets, .yaml files, or folders of results.")
    ],
    workloads: Annotated[
        list[str] | None,
        typer.Option("--workloads", "-w", metavar="WORKLOAD", help="What runs on each; repeatable."),
    ] = None,
    schedules: Annotated[
        list[str] | None,
        typer.Option("--schedules", "-s", metavar="SCHEDULE", help="In which ways; repeatable; best: the fastest."),
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a field in all machines or workloads; repeatable."),
    ] = None,
    written: Annotated[TableFormat, typer.Option("--format", help="How to write it.")] = TableFormat.TEXT,
    figure: Annotated[Path | None, typer.Option("--figure", metavar="FILE", help="Draw it, too: a .png.")] = None,
    out: OutOption = None,
    debug: DebugOption = False,
) -> None:
    """Compare machines, or results of runs: what differs in their inputs, and their figures."""
    from archsim.api.compare import compare
    from archsim.report.text.compare_tables import WRITERS

    if figure is not None and figure.suffix != ".png":
        raise OutputError(f"{figure}: --figure names a .png file")
    given = [_sets(machine, sets or []) for machine in machines]
    found = compare(machines, workloads or (), schedules or (), given[0].arch, given[0].workload)
    if figure is not None:
        from archsim.report.figures.figure_compare import comparison_png

        png = comparison_png(found)
        try:
            write_whole(figure, png)
        except OSError as error:
            raise OutputError(f"{figure}: cannot write: {error.strerror or error}") from error
    if written is not TableFormat.TEXT:
        with output(out) as write:
            write(WRITERS[written](found))
        return
    from rich.console import Console

    from archsim.report.text.compare_text import print_comparison
    from archsim.report.text.report_text import TEXT_WIDTH

    if out is None and sys.stdout.isatty():
        print_comparison(found, Console())
        return
    lines = io.StringIO()
    print_comparison(found, Console(file=lines, width=TEXT_WIDTH, color_system=None))
    with output(out) as write:
        write("".join(f"{line.rstrip()}\n" for line in lines.getvalue().splitlines()))


def _sets(machine: str, texts: list[str]) -> Sets:
    """What is set in a machine, and in workloads; ArchError for a field that neither has."""
    from archsim.cli.set_option import Sets
    from archsim.config import parse_override
    from archsim.errors import ArchError
    from archsim.families.load import arch_model
    from archsim.metrics.run_folder import check_run_folder

    overrides = [parse_override(text, ArchError) for text in texts]
    if not overrides:
        return Sets((), (), ())
    if Path(machine).is_dir():
        check_run_folder(Path(machine))
        machine = str(Path(machine) / "arch.yaml")
    found = Sets.make(overrides, arch_model(machine, overrides))
    if found.faults:
        raise ArchError(found.faults)
    return found
