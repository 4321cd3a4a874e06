"""Writes what a frame of a stream takes on a machine that is on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.api.explain import Findings
from archsim.metrics import declared
from archsim.metrics.frames import Arrivals, Frames, Spread
from archsim.report.text.explain_text import composition
from archsim.report.text.figures_as_text import cycles, part, percent, plural, significant, span
from archsim.report.text.layout import heading, sentence, table

if TYPE_CHECKING:
    from rich.console import RenderableType

Row = tuple[str, str, str, str]


def frame(simulation: Simulation, findings: Findings) -> list[RenderableType]:
    """The section on a frame, the first one of a streaming workload; nothing of any other."""
    frames = simulation.frames
    if frames is None:
        return []
    clock_mhz = Fraction(repr(simulation.arch.config.clock_mhz))
    rows = list(_rows(frames))
    if frames.differing_frames is not None:
        rows += _differing(frames.differing_frames, clock_mhz)
    if frames.arrivals is not None:
        rows += _arrivals(frames.arrivals, clock_mhz)
    stack = findings.stack
    found = [
        heading("A frame", "on a machine that is on: weights and states are there, and stay"),
        table(("<", ">", ">", "<~"), None, rows),
    ]
    if stack is not None:
        found.append(sentence(f"Where the latency goes, {composition(stack, frames.frame_latency_cycles)}."))
    found.append(sentence(_other_questions(simulation)))
    return found


def _rows(frames: Frames) -> Iterator[Row]:
    about = {name: metric.meaning.split("; null")[0] for name, metric in declared(Frames).items()}
    latency, interval = f"{frames.frame_latency_cycles:,} cycles", f"{cycles(frames.frame_interval_cycles)} cycles"
    yield "latency", latency, _us(frames.frame_latency_us), about["frame_latency_cycles"]
    yield "interval", interval, _us(frames.frame_interval_us), about["frame_interval_cycles"]
    share = percent(frames.frame_mac_utilization)
    skipped = "" if frames.differing_frames is None else "; counts what is skipped, too"
    yield "utilization", share, "", about["frame_mac_utilization"] + skipped
    for name, amount, low, high in _energies(frames):
        ends = "" if low is None or high is None else span(low, high)
        yield name, f"{significant(amount)} uJ", ends, about[_ABOUT[name]]
    if frames.real_time_factor is not None and frames.headroom is not None and frames.period_us is not None:
        factor = f"of {significant(frames.period_us)} us"
        yield "real-time factor", significant(frames.real_time_factor), factor, about["real_time_factor"]
        yield "headroom", f"{significant(frames.headroom)} times", "", about["headroom"]


def _differing(found: Spread, clock_mhz: Fraction) -> Iterator[Row]:
    """The latencies of frames that differ, each alone."""
    about = {name: metric.meaning for name, metric in declared(Spread).items()}
    of = f"of {plural(found.frames, 'frame')} alone, "
    yield (
        "mean alone",
        f"{cycles(found.mean_cycles)} cycles",
        _us(found.mean_cycles / float(clock_mhz)),
        of + "in the mean",
    )
    for name, amount in (("p95", found.p95_cycles), ("p99", found.p99_cycles), ("max", found.max_cycles)):
        yield f"{name} alone", f"{amount:,} cycles", _us(float(amount / clock_mhz)), of + about[f"{name}_cycles"]


_ABOUT = {
    "energy": "frame_energy_uj",
    "- switched": "frame_dynamic_energy_uj",
    "- all the time": "frame_leakage_energy_uj",
    "  idle": "frame_idle_energy_uj",
}
"""Rows on energy, and the figure of each."""


def _energies(frames: Frames) -> Iterator[tuple[str, float, float | None, float | None]]:
    """Each energy of a frame with its low and high."""
    for name, figure in _ABOUT.items():
        stem = figure.removesuffix("_uj")
        amount, *ends = (getattr(frames, f"{stem}{end}_uj") for end in ("", "_low", "_high"))
        if amount is not None:
            yield name, amount, *ends


def _arrivals(found: Arrivals, clock_mhz: Fraction) -> Iterator[Row]:
    """The latencies of frames that come when the workload says."""
    about = {name: metric.meaning for name, metric in declared(Arrivals).items()}
    for name, amount in (
        ("p50", found.p50_cycles),
        ("p95", found.p95_cycles),
        ("p99", found.p99_cycles),
        ("max", found.max_cycles),
    ):
        yield f"latency {name}", f"{amount:,} cycles", _us(float(amount / clock_mhz)), about[f"{name}_cycles"]
    if found.missed_deadlines is not None and found.deadline_us is not None:
        missed = f"{found.missed_deadlines:,} of {plural(found.frames, 'frame')}"
        meaning = f"out later than {significant(found.deadline_us)} us after they came"
        yield "missed", missed, part(found.missed_deadlines, found.frames), meaning
    for number, stream in enumerate(found.streams):
        late = "" if stream.missed_deadlines is None else f"; {stream.missed_deadlines:,} of {stream.frames:,} missed"
        meaning = f"p50 {stream.p50_cycles:,}, p95 {stream.p95_cycles:,}, p99 {stream.p99_cycles:,} cycles{late}"
        yield (
            f"stream {number} max",
            f"{stream.max_cycles:,} cycles",
            _us(float(stream.max_cycles / clock_mhz)),
            meaning,
        )


def _us(value: float) -> str:
    return f"{significant(value)} us"


def _other_questions(simulation: Simulation) -> str:
    frames = plural(simulation.workload.spec.steps, "frame")
    return (
        f"All that follows is of another question: a machine that is switched on, loads its weights and states, takes "
        f"{frames} that are all there, and stores its states."
    )
