"""The command `archsim fidelity`: machines that exist, as published and as simulated."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from archsim.cli.exit_codes import EXIT_INVALID
from archsim.cli.options import DebugOption, JsonOption

FullOption = Annotated[
    bool, typer.Option("--full", help="Print a Markdown table with tolerances, inputs, predictions and sources.")
]
LiveOption = Annotated[
    bool, typer.Option("--live", help="Run other people's tools on drawn networks, as far as they are installed.")
]
SeedOption = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="What --live draws networks with.")]


def fidelity_command(
    full: FullOption = False,
    live: LiveOption = False,
    seed: SeedOption = 0,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Simulate the published machines and compare with their figures; exit code 1 if one is out of its tolerance."""
    from archsim.fidelity import all_rows
    from archsim.report.text.fidelity_text import fidelity_json, fidelity_table, fidelity_text

    missing: tuple[str, ...] = ()
    if live:
        from archsim.fidelity.live import run_live

        found = run_live(seed)
        rows, missing = found.rows, found.missing
    else:
        rows = all_rows()
    write = fidelity_table if full else fidelity_text
    sys.stdout.write(fidelity_json(rows) + "\n" if json else write(rows))
    for line in missing:
        sys.stderr.write(f"not run: {line}\n")
    if any(row.passed is False for row in rows):
        sys.exit(EXIT_INVALID)
