"""The command `archsim fidelity`: machines that exist, as published and as simulated."""

from __future__ import annotations

import sys

from archsim.cli.exit_codes import EXIT_INVALID
from archsim.cli.options import DebugOption, JsonOption


def fidelity_command(json: JsonOption = False, debug: DebugOption = False) -> None:
    """Simulate the published machines and compare with their figures; exit code 1 if one is out of its tolerance."""
    from archsim.fidelity import all_rows
    from archsim.report.text.fidelity_text import fidelity_json, fidelity_table

    rows = all_rows()
    sys.stdout.write(fidelity_json(rows) + "\n" if json else fidelity_table(rows))
    if any(row.passed is False for row in rows):
        sys.exit(EXIT_INVALID)
