"""Writes the report of one run as text: what an architect asks first, every figure with its unit."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.api.explain import Findings, find
from archsim.api.near_changes import NearChanges
from archsim.report.text.layout import print_parts

if TYPE_CHECKING:
    from rich.console import Console

TEXT_WIDTH = 100
"""Characters a line of the plain text."""


def print_report(simulation: Simulation, console: Console, findings: Findings, changes: NearChanges | None) -> None:
    """Print the whole report; colours and width are the console's. `changes`: None if none were measured."""
    from archsim.report.text.sections.accuracy_section import accuracy
    from archsim.report.text.sections.activity_section import activity
    from archsim.report.text.sections.changes_section import measured_changes
    from archsim.report.text.sections.energy_section import energy
    from archsim.report.text.sections.frames_section import frame
    from archsim.report.text.sections.further_section import further
    from archsim.report.text.sections.roofline_section import roofline
    from archsim.report.text.sections.room_section import room
    from archsim.report.text.sections.schedules_section import schedules
    from archsim.report.text.sections.time_section import latency, step, throughput
    from archsim.report.text.sections.traffic_section import traffic
    from archsim.report.text.sections.use_section import mac_stack, units
    from archsim.report.text.sections.verdict_section import header, validation

    sections = (
        header(simulation),
        schedules(simulation),
        frame(simulation, findings),
        latency(simulation),
        step(simulation, findings),
        [] if changes is None else measured_changes(changes),
        throughput(simulation),
        roofline(simulation),
        mac_stack(simulation),
        units(simulation),
        activity(simulation),
        room(simulation),
        traffic(simulation),
        energy(simulation),
        further(simulation),
        accuracy(simulation),
        validation(simulation),
    )
    for parts in sections:
        print_parts(parts, console)


def report_text(simulation: Simulation, findings: Findings | None = None, changes: NearChanges | None = None) -> str:
    """The whole report as plain text, 100 characters wide, without colours; findings are made if none are given."""
    return as_text(lambda console: print_report(simulation, console, findings or find(simulation), changes))


def as_text(show: Callable[[Console], None], width: int = TEXT_WIDTH) -> str:
    """What is printed to a console of a width, as plain text."""
    from rich.console import Console

    text = io.StringIO()
    console = Console(file=text, width=width, color_system=None, force_terminal=False, force_jupyter=False, _environ={})
    show(console)
    return "".join(line.rstrip() + "\n" for line in text.getvalue().splitlines())
