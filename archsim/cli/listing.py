"""The command `archsim list`: what there is."""

from __future__ import annotations

import sys

from archsim.cli.options import DebugOption


def list_command(debug: DebugOption = False) -> None:
    """List presets, schedules and components, with a line each."""
    from archsim.report.text.catalogue import catalogue

    for title, entries in catalogue():
        width = max(len(name) for name, _ in entries)
        sys.stdout.write(f"{title}\n" + "".join(f"  {name:<{width}}  {text}\n" for name, text in entries) + "\n")
