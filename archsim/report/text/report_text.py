"""Writes the report of one run as text: what an architect asks first, every figure with its unit."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from archsim.api import Simulation

if TYPE_CHECKING:
    from rich.console import Console

TEXT_WIDTH = 100
"""Characters a line of the plain text."""


def print_report(simulation: Simulation, console: Console) -> None:
    """Print the report; colours and width are the console's."""
    from archsim.report.text.text_accuracy import accuracy
    from archsim.report.text.text_energy import energy
    from archsim.report.text.text_frames import frame
    from archsim.report.text.text_further import further
    from archsim.report.text.text_roofline import roofline
    from archsim.report.text.text_room import room
    from archsim.report.text.text_schedules import schedules
    from archsim.report.text.text_time import latency, step, throughput
    from archsim.report.text.text_traffic import traffic
    from archsim.report.text.text_use import mac_stack, units
    from archsim.report.text.text_verdict import header, validation

    performance = (latency, step, throughput, roofline, mac_stack, units)
    sections = (header, schedules, frame, *performance, room, traffic, energy, further, accuracy, validation)
    for section in sections:
        parts = section(simulation)
        if parts:
            console.print(*parts, sep="\n", soft_wrap=False, markup=False, highlight=False, emoji=False)


def report_text(simulation: Simulation) -> str:
    """The report as plain text, 100 characters wide, without colours."""
    from rich.console import Console

    text = io.StringIO()
    console = Console(
        file=text, width=TEXT_WIDTH, color_system=None, force_terminal=False, force_jupyter=False, _environ={}
    )
    print_report(simulation, console)
    return "".join(line.rstrip() + "\n" for line in text.getvalue().splitlines())
