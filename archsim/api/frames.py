"""Measures what a frame takes on a machine that is on: alone, behind others, and as the workload has them come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from archsim.api.evaluate import Evaluator
from archsim.api.frame_run import FrameRun, frame_latencies, run_frame
from archsim.families.load import Arch
from archsim.families.schedule import Schedule
from archsim.metrics.frames import Arrivals, Frames, arrival_cycles, latencies_of, mean_period_us
from archsim.workload import Workload


def measure_frames(
    arch: Arch, workload: Workload, schedule: Schedule[Any], evaluator: Evaluator | None = None
) -> Frames:
    """The figures of a frame, of a streaming workload, and of its arrivals; raises what `run_frame` raises."""
    found = figures_of_frame(arch, workload, run_frame(arch, workload, schedule, evaluator))
    return replace(found, arrivals=_arrivals(arch, workload, schedule, Fraction(repr(arch.config.clock_mhz))))


def figures_of_frame(arch: Arch, workload: Workload, run: FrameRun) -> Frames:
    """The figures of a frame without those of the workload's arrivals.

    The interval is that of the steady state of many frames, and an energy what one frame more of them takes.
    """
    clock, period = Fraction(repr(arch.config.clock_mhz)), mean_period_us(workload.config)
    interval, macs = run.interval_cycles, run.alone.macs
    latency_us, interval_us = run.latency_cycles / clock, interval / clock
    apart = None if period is None else period / workload.config.streams
    energy = _energy(run, latency_us, interval_us, apart)
    return Frames(
        frame_latency_cycles=run.latency_cycles,
        frame_latency_us=float(latency_us),
        frame_interval_cycles=run.many.cycles_per_step,
        frame_interval_us=float(interval_us),
        frame_macs=macs,
        frame_mac_utilization=float(macs / (arch.config.multipliers.macs_per_cycle * interval)),
        frame_energy_uj=None if energy is None else energy.dynamic_uj + energy.leakage_uj,
        frame_dynamic_energy_uj=None if energy is None else energy.dynamic_uj,
        frame_leakage_energy_uj=None if energy is None else energy.leakage_uj,
        frame_idle_energy_uj=None if energy is None or period is None else energy.idle_uj,
        period_us=None if period is None else float(period),
        real_time_factor=None if period is None else float(latency_us / period),
        headroom=None if apart is None else float(apart / interval_us),
        latency_stack=run.stack,
        arrivals=None,
    )


@dataclass(frozen=True, slots=True)
class _FrameEnergy:
    dynamic_uj: float
    leakage_uj: float
    idle_uj: float


def _energy(
    run: FrameRun, latency_us: Fraction, interval_us: Fraction, period_us: Fraction | None
) -> _FrameEnergy | None:
    """What a frame switches, from runs of one and of many; what leaks until the next one, and while none is on.

    Frames that come faster than they can be done come at the interval.
    """
    alone, many = run.alone, run.many
    if alone.energy is None or many.energy is None or alone.area is None:
        return None
    length = max(interval_us, period_us or interval_us)
    uj_per_us = alone.area.leakage_mw / 1000
    return _FrameEnergy(
        dynamic_uj=(many.energy.dynamic_uj - alone.energy.dynamic_uj) / (run.frames - 1),
        leakage_uj=uj_per_us * float(length),
        idle_uj=uj_per_us * float(max(Fraction(0), length - latency_us)),
    )


def _arrivals(arch: Arch, workload: Workload, schedule: Schedule[Any], clock: Fraction) -> Arrivals | None:
    """The latencies of the workload's frames, each issued from its arrival on."""
    config = workload.config
    releases = arrival_cycles(config, clock)
    if releases is None:
        return None
    found = frame_latencies(arch, workload.spec, schedule, releases)
    return latencies_of(found, config.deadline_us or config.period_us, clock, config.streams)
