"""The command `archsim rerun`: is a run, repeated, the same?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from archsim.cli.exit_codes import EXIT_INVALID
from archsim.cli.options import DebugOption, JsonOption

SHOWN = 20
"""Differences that are shown; --json has all."""


def rerun_command(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A folder that archsim run has written.")],
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Repeat the run of a folder of results, and say whether any figure or number is not the same."""
    from archsim.report.files.rerun import rerun

    found = rerun(result)
    if as_json:
        data = {"figures": found.figures, "numbers": found.numbers}
        lists = {"inputs": list(found.inputs), "differences": list(found.differences)}
        sys.stdout.write(json.dumps(data | lists, indent=2) + "\n")
        return EXIT_INVALID if found.differences else 0
    for line in found.inputs:
        print(f"changed: {line}")
    for line in found.differences[:SHOWN]:
        print(line)
    more = len(found.differences) - SHOWN
    if more > 0:
        print(f"and {more:,} more (--json)")
    compared = f"{found.figures:,} figures" + (f" and {found.numbers:,} numbers" if found.numbers else "")
    if found.differences:
        print(f"DIFFERENT: {len(found.differences):,} of {compared}")
        return EXIT_INVALID
    print(f"SAME: {compared}")
    return 0
