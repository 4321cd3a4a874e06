"""The command `archsim plot`: a figure of a run for a paper or a talk."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.options import DebugOption
from archsim.errors import OutputError, one_line

if TYPE_CHECKING:
    from archsim.api import Simulation
    from archsim.report.figures.kinds import FigureKind
    from archsim.report.figures.look import FigureFormat, Look

KINDS = "utilization|timeline|cycle_stack|roofline|energy|accuracy|format_ranges"


def plot_command(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A folder that archsim run has written.")],
    kind: Annotated[str, typer.Option("--kind", metavar=KINDS, help="What it shows.")] = "utilization",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="File to write [default: KIND.FORMAT here].")
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", metavar="png|svg|pdf", help="Its form [default: by the end of --out, or else svg]."),
    ] = None,
    width: Annotated[
        str, typer.Option("--width", metavar="one|two|LENGTH", help="One column, two, or a length as 8.8cm or 3.5in.")
    ] = "16cm",
    font_size: Annotated[float, typer.Option("--font-size", metavar="POINTS", help="Size of the font.")] = 8.0,
    dpi: Annotated[int, typer.Option("--dpi", min=50, max=1200, help="Dots an inch of a png.")] = 300,
    title: Annotated[bool, typer.Option("--title/--no-title", help="Whether a title stands above it.")] = True,
    debug: DebugOption = False,
) -> None:
    """Draw a figure of a run for print: vector or dots, of the width of a column, the same bytes every time.

    The run is repeated from its folder, without numbers unless the figure shows some.
    """
    from archsim.cli.progress import working
    from archsim.config.files.whole_files import write_whole
    from archsim.report.figures.kinds import OF_NUMBERS
    from archsim.report.figures.look import Look, checked_font, width_of
    from archsim.report.files.rerun import repeated

    chosen = _kind(kind)
    form = _format(file_format, out)
    look = Look(width_of(width), checked_font(font_size), dpi, title)
    target = out or Path(f"{chosen}.{form}")
    if target.is_dir():
        raise OutputError(f"{target}: is a folder; --out names a file")
    _check_folder(result)
    with working("repeating the run"):
        run = repeated(result, numbers=chosen in OF_NUMBERS)
    _compare(run, result)
    with working("drawing"):
        picture = _drawn(chosen, form, look, run)
    try:
        write_whole(target, picture)
    except OSError as error:
        raise OutputError(f"{target}: cannot write: {error.strerror or error}") from error
    sys.stdout.write(f"{one_line(str(target))}\n")


def _kind(text: str) -> FigureKind:
    from archsim.report.figures.kinds import FigureKind

    if text not in list(FigureKind):
        raise typer.BadParameter(f"--kind: there is no figure '{text[:40]}'; allowed: {', '.join(FigureKind)}.")
    return FigureKind(text)


def _format(text: str | None, out: Path | None) -> FigureFormat:
    """The form that is asked for, or that the file's name says."""
    from archsim.report.figures.look import FigureFormat
    from archsim.report.figures.plots import format_of

    if text is None:
        return FigureFormat.SVG if out is None else format_of(out)
    if text not in list(FigureFormat):
        raise typer.BadParameter(f"--format: there is no '{text[:40]}'; allowed: {', '.join(FigureFormat)}.")
    if out is not None and out.suffix[1:].lower() in list(FigureFormat) and out.suffix[1:].lower() != text:
        raise OutputError(f"--format {text}: --out {out} names a file of another form")
    return FigureFormat(text)


def _check_folder(result: Path) -> None:
    """Raise OutputError in one line if the folder is none that `archsim run` has written."""
    from archsim.report.files.folder import INPUTS

    for name in INPUTS:
        if not (result / name).is_file():
            raise OutputError(f"{result}: is no folder of results that archsim run has written (it has no {name})")


def _drawn(kind: FigureKind, form: FigureFormat, look: Look, run: Simulation) -> bytes:
    from archsim.api.explain import find
    from archsim.report.figures.drawing import drawn
    from archsim.report.figures.kinds import FigureKind, figure_of, why_none

    missing = why_none(kind, run)
    if missing:
        raise OutputError(f"--kind {kind}: {missing}")
    path = find(run).path if kind is FigureKind.TIMELINE else ()
    return drawn(lambda: figure_of(kind, run, look, path), look, form)


def _compare(run: Simulation, result: Path) -> None:
    """Say on stderr if the run takes another time than when its folder was written: by another archsim, most likely."""
    from archsim.metrics.saved_stats import read_stats

    try:
        then = read_stats(result / "stats.json")["latency_cycles"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    now = run.stats.latency_cycles
    if then != now:
        print(
            f"archsim: note: {one_line(str(result))} has {then:,} cycles, repeated the run takes {now:,}",
            file=sys.stderr,
        )
