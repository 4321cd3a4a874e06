"""What the command line loads before it knows the command: nothing that takes a while, which most commands need not."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "numba", "rich", "matplotlib", "pyarrow", "archsim.api", "archsim.explore", "archsim.metrics")


def test_commands_load_what_they_need_when_they_run() -> None:
    code = f"import sys, archsim.cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
