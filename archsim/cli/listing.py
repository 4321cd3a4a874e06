"""The command `archsim list`: what there is."""

from __future__ import annotations

import sys

from archsim.cli.options import DebugOption
from archsim.errors import ExtensionError


def list_command(debug: DebugOption = False) -> None:
    """List presets, schedules and components, with a line each, and what installed packages add to them."""
    from archsim.report.text.catalogue import catalogue

    found = catalogue()
    for title, entries in found.sections:
        width = max(len(name) for name, _ in entries)
        sys.stdout.write(f"{title}\n" + "".join(f"  {name:<{width}}  {text}\n" for name, text in entries) + "\n")
    if found.broken:
        sys.stdout.flush()  # the list comes before what is wrong
        raise ExtensionError("\n".join(found.broken))
