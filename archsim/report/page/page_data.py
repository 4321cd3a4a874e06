"""Collects what the page of a run shows: tables of text, and data for the charts."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archsim import __version__
from archsim.report.page.blocks import Block, blocks
from archsim.report.page.charts.accuracy import ErrorChart, accuracy_chart
from archsim.report.page.charts.costs import CostChart, energy_charts, traffic_chart
from archsim.report.page.charts.roofline import RooflineChart, roofline_chart
from archsim.report.page.charts.stacks import StackChart, cycle_charts, latency_chart
from archsim.report.page.charts.timeline import TimelineChart, timeline_chart
from archsim.report.page.charts.utilization import UseChart, utilization_chart
from archsim.report.page.saved_run import SavedRun
from archsim.report.text.explain_text import latency_by_cause
from archsim.report.text.layout import facts, heading, sentence
from archsim.report.text.sections.accuracy_section import accuracy
from archsim.report.text.sections.activity_section import activity
from archsim.report.text.sections.changes_section import measured_changes
from archsim.report.text.sections.energy_section import energy
from archsim.report.text.sections.frames_section import frame
from archsim.report.text.sections.further_section import further
from archsim.report.text.sections.roofline_section import roofline
from archsim.report.text.sections.room_section import room
from archsim.report.text.sections.time_section import latency, step, throughput
from archsim.report.text.sections.traffic_section import traffic
from archsim.report.text.sections.use_section import mac_stack, units
from archsim.report.text.sections.verdict_section import header_rows, validation
from archsim.report.text.summary import MORE, change_rows, summary_rows

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_OPS = 3000
"""Ops in the timeline of a run; of all runs of a page together twice as many."""
_SHOWN_CHANGES = 5

SECTIONS = (
    ("summary", "Summary"),
    ("latency", "Latency"),
    ("cycles", "Cycle stacks"),
    ("utilization", "Utilization"),
    ("timeline", "Timeline"),
    ("roofline", "Roofline"),
    ("traffic", "Traffic"),
    ("energy", "Energy and area"),
    ("accuracy", "Validation and accuracy"),
    ("configuration", "Configuration"),
)
"""The sections of a page by name, each a tab, and the tabs' texts."""


@dataclass(frozen=True, slots=True)
class Charts:
    """The data of all charts of a run."""

    name: str
    clock_mhz: float
    latency: StackChart | None
    cycles: tuple[StackChart, ...]
    utilization: UseChart
    timeline: TimelineChart
    roofline: RooflineChart
    traffic: CostChart
    energy: tuple[CostChart, ...]
    accuracy: ErrorChart | None


@dataclass(frozen=True, slots=True)
class RunTexts:
    """The tables and sentences of each section of a run, and the files and the command of its configuration."""

    name: str
    title: str
    sections: dict[str, tuple[Block, ...]]
    arch_yaml: str
    workload_yaml: str
    command: str


def charts_of(run: SavedRun, name: str, runs: int) -> Charts:
    """What the charts of a run show; `runs`: how many share the page."""
    simulation, findings = run.simulation, run.findings
    return Charts(
        name,
        float(simulation.arch.config.clock_mhz),
        latency_chart(simulation, findings),
        cycle_charts(simulation),
        utilization_chart(simulation),
        timeline_chart(simulation, findings, run.steps, min(MOST_OPS, 2 * MOST_OPS // runs)),
        roofline_chart(simulation),
        traffic_chart(simulation),
        energy_charts(simulation),
        accuracy_chart(simulation),
    )


def texts_of(run: SavedRun, name: str) -> RunTexts:
    """The text of a run, section by section; what is only drawn has none."""
    simulation, findings, stats = run.simulation, run.findings, run.simulation.stats
    by_cause: list[RenderableType] = []
    if findings.stack is not None:
        frames = simulation.frames
        total = stats.latency_cycles if frames is None else frames.frame_latency_cycles
        by_cause = latency_by_cause(findings.stack, total)
    sections = {
        "summary": [facts(_summary(run)), *_notes(run), facts(header_rows(simulation))],
        "latency": [
            *frame(simulation, findings),
            *latency(simulation),
            *step(simulation, findings),
            *measured_changes(run.near),
            *by_cause,
            *throughput(simulation),
        ],
        "cycles": mac_stack(simulation),
        "utilization": [*units(simulation), *activity(simulation)],
        "timeline": [],
        "roofline": roofline(simulation),
        "traffic": [*traffic(simulation), *room(simulation)],
        "energy": [*energy(simulation), *further(simulation)],
        "accuracy": [*validation(simulation), *accuracy(simulation, run.accuracy)],
        "configuration": [heading("Inputs"), facts(_inputs(run))],
    }
    title = f"{stats.workload} on {stats.arch}, schedule {stats.schedule}"
    texts = {section: blocks(parts) for section, parts in sections.items()}
    command = f"cd {shlex.quote(str(run.folder))} && {shlex.join(run.manifest.command)}"
    return RunTexts(name, title, texts, run.arch_yaml, run.workload_yaml, command)


def _summary(run: SavedRun) -> list[tuple[str, str]]:
    """What `archsim run` prints, but what the header, which stands below it here, says in more words."""
    below = {name for name, _ in header_rows(run.simulation) if name}
    return [
        *(row for row in summary_rows(run.simulation, run.findings) if row[0] not in below),
        *change_rows(run.near),
        ("more", f"the other tabs, report.txt; {MORE}"),
    ]


def names_of(folders: Sequence[Path]) -> list[str]:
    """A name for each run: its folder's, or the whole path where that is not enough; never two the same."""
    short = [folder.resolve().name for folder in folders]
    if len(set(short)) == len(short):
        return short
    return [f"{number + 1}: {folder}" for number, folder in enumerate(folders)]


def _notes(run: SavedRun) -> list[RenderableType]:
    """What the page says of itself: where its figures come from, and whether they are still the same."""
    made, now = run.manifest.archsim, __version__
    if not run.changed:
        return [sentence(f"Cycles and traffic were simulated again for this page, by archsim {now}: all as saved.")]
    listed = ", ".join(run.changed[:_SHOWN_CHANGES]) + (", ..." if len(run.changed) > _SHOWN_CHANGES else "")
    return [
        sentence(
            f"CHANGED: {len(run.changed):,} figures are not those in the folder, which archsim {made} made; this page "
            f"shows what archsim {now} simulates: {listed}",
            "bold",
        )
    ]


def _inputs(run: SavedRun) -> list[tuple[str, str]]:
    manifest = run.manifest
    rows = [("folder", run.folder.resolve().name), ("archsim", manifest.archsim), ("NumPy", manifest.numpy)]
    rows += [("schedule", manifest.schedule), ("executor", manifest.executor)]
    return rows + [(name, f"SHA-256 {digest}") for name, digest in manifest.inputs.items()]
