"""When Python looks for cycles of dead objects."""

from __future__ import annotations

import subprocess
import sys

from archsim.config.collecting import NEW_OBJECTS

COMMAND = """
import gc, os, sys

def seen(phase, info):
    if phase == "start":
        os.write(2, f"{gc.get_threshold()[0]} {len(gc.get_objects())}\\n".encode())

from archsim.cli.main import main
gc.callbacks.append(seen)
sys.argv = ["archsim", "list"]
main()
"""


def test_a_command_looks_for_cycles_seldom_and_not_at_its_end() -> None:
    """A short command makes fewer than NEW_OBJECTS: all that looks is the end of Python, and nothing is left to it."""
    done = subprocess.run([sys.executable, "-c", COMMAND], capture_output=True, text=True, check=True)
    assert done.stdout
    looked = [tuple(map(int, line.split())) for line in done.stderr.splitlines()]
    assert looked
    assert all(threshold == NEW_OBJECTS and objects < 1000 for threshold, objects in looked), looked
