"""The command `archsim report`: the page of a run, or of several side by side."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from archsim.cli.options import DebugOption
from archsim.cli.output import output
from archsim.errors import OutputError, one_line

_STEPS = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


def report_command(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULT...", help="Folders that archsim run has written.", show_default=False),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="PAGE.html", help="The page [default: report.html in the folder].")
    ] = None,
    steps: Annotated[
        str,
        typer.Option(metavar="FIRST-LAST", help="Time steps of the timeline, from 0 [default: three from the middle]."),
    ] = "",
    debug: DebugOption = False,
) -> None:
    """Write one self-contained HTML page of a run, or of several side by side: figures, charts, timeline, inputs.

    What a folder does not hold is simulated again, without numbers.
    """
    from archsim.cli.progress import working
    from archsim.config.files.one_writer import one_writer
    from archsim.report.files.folder import PAGE
    from archsim.report.page.page import html_page
    from archsim.report.page.saved_run import read_run

    asked = _steps(steps)
    if out is None and len(results) > 1:
        raise OutputError("a page of several results needs a name: --out PAGE.html")
    target = out or results[0] / PAGE
    with one_writer(results[0]) if out is None else nullcontext():  # the page is of the run that is there
        runs = []
        for folder in results:
            with working(f"simulating {folder} again"):
                runs.append(read_run(folder, asked))
        with working("writing the page"):
            page = html_page(runs)
        with output(target) as write:
            write(page)
    print(f"Page: {one_line(str(target))}")


def _steps(text: str) -> range | None:
    """The time steps that are asked for; None if none are."""
    if not text:
        return None
    found = _STEPS.fullmatch(text.strip())
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, -1)
    if last < first:
        raise OutputError(f"--steps {text[:40]}: allowed is one step or FIRST-LAST, counted from 0, as 34-36")
    return range(first, last + 1)
