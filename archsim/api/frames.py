"""Measures what a frame takes on a machine that is on: alone, behind others, and as the workload has them come."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from archsim.api.evaluate import Evaluator
from archsim.api.frame_figures import FrameFacts, RunEnergy, frame_dynamic, frame_figures
from archsim.api.frame_run import FrameRun, run_frame
from archsim.api.timed_frames import serve_frames
from archsim.families.load import Arch
from archsim.families.schedule import Schedule
from archsim.metrics.arrivals import Served, arrival_cycles
from archsim.metrics.energy import Energy
from archsim.metrics.flat import flat
from archsim.metrics.frames import Frames
from archsim.workload import Workload


def measure_frames(
    arch: Arch, workload: Workload, schedule: Schedule[Any], evaluator: Evaluator | None = None
) -> Frames:
    """The figures of a frame, of a streaming workload, and of its arrivals; raises what `run_frame` raises."""
    evaluator = evaluator or Evaluator()
    if schedule.sends_deltas(workload.spec):
        workload = evaluator.with_activity(arch, workload, schedule)
    run = run_frame(arch, workload, schedule, evaluator)
    return figures_of_frame(arch, workload, run, _served(arch, workload, schedule))


def figures_of_frame(arch: Arch, workload: Workload, run: FrameRun, served: Served | None = None) -> Frames:
    """The figures of a frame; without `served` there are none of the workload's arrivals and of idle energy.

    The interval is that of the steady state of many frames, or, where frames differ, the mean of all behind the first;
    and an energy what one frame more of them takes.
    """
    alone, many = run.alone, run.many
    dynamic = leakage = None
    if alone.energy is not None and many.energy is not None and alone.area is not None:
        first, more = _run_energy(alone.latency_us, alone.energy), run.frames - run.first_frames
        dynamic = frame_dynamic(first, _run_energy(many.latency_us, many.energy), more)
        leakage = first.static
    facts = FrameFacts(
        run.latency_cycles,
        _number(run.interval_cycles),
        alone.macs // run.first_frames,
        arch.config.multipliers.macs_per_cycle,
        Fraction(repr(arch.config.clock_mhz)),
        dynamic,
        leakage,
        run.differing,
    )
    return frame_figures(facts, workload.config, run.stack, served)


def _number(value: Fraction) -> float:
    return value.numerator if value.denominator == 1 else float(value)


def _run_energy(latency_us: float, energy: Energy) -> RunEnergy:
    figures = {name: value for name, value in flat("energy", energy) if isinstance(value, int | float)}
    return RunEnergy.of(latency_us, lambda name: figures.get(name, 0.0))


def _served(arch: Arch, workload: Workload, schedule: Schedule[Any]) -> Served | None:
    """What becomes of the workload's frames, each issued from its arrival on; None if nothing is said of arrivals."""
    releases = arrival_cycles(workload.config, Fraction(repr(arch.config.clock_mhz)))
    return None if releases is None else serve_frames(arch, workload.spec, schedule, releases)
