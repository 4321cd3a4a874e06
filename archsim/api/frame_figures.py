"""Forms the figures of a frame from what was measured of it, by whichever executor."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from archsim.critical import LatencyStack
from archsim.metrics.arrivals import Cycles, Served, apart_us, mean_period_us, spread_of
from archsim.metrics.frames import Frames
from archsim.workload.config import WorkloadConfig


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """What was measured of a frame, and what it takes of the machine to make figures of that.

    `differing`: the latencies of all frames, of a delta network, whose frames differ; then `latency_cycles` is the
    median of them.

    `interval_cycles`: those of a time step of many frames, in the steady state. `dynamic_uj`: what one frame more
    switches; None, as `leakage_mw`, of a machine without a model of energy.
    """

    latency_cycles: int
    interval_cycles: float
    macs: int
    macs_per_cycle: int
    clock_mhz: Fraction
    dynamic_uj: float | None
    leakage_mw: float | None
    differing: Cycles | None = None

    @property
    def longest_cycles(self) -> int:
        """The latency of the slowest frame."""
        return self.latency_cycles if self.differing is None else int(self.differing.max())


def frame_figures(facts: FrameFacts, config: WorkloadConfig, stack: LatencyStack, served: Served | None) -> Frames:
    """The figures of a frame; `served`: what became of all frames as they came, None if that is not known or asked.

    Frames that come faster than they can be done come at the interval.
    """
    clock, period, apart = facts.clock_mhz, mean_period_us(config), apart_us(config)
    interval = Fraction(facts.interval_cycles)
    latency_us, longest_us, interval_us = (
        cycles / clock for cycles in (facts.latency_cycles, facts.longest_cycles, interval)
    )
    leakage = idle = None
    if facts.leakage_mw is not None:
        uj_per_us = facts.leakage_mw / 1000
        leakage = uj_per_us * float(max(interval_us, apart or interval_us))
        idle_cycles = None if served is None else served.idle_cycles(config, clock)
        idle = None if idle_cycles is None else uj_per_us * float(idle_cycles / clock)
    energy = None if facts.dynamic_uj is None or leakage is None else facts.dynamic_uj + leakage
    return Frames(
        frame_latency_cycles=facts.latency_cycles,
        frame_latency_us=float(latency_us),
        frame_interval_cycles=facts.interval_cycles,
        frame_interval_us=float(interval_us),
        frame_macs=facts.macs,
        frame_mac_utilization=float(facts.macs / (facts.macs_per_cycle * interval)),
        frame_energy_uj=energy,
        frame_dynamic_energy_uj=facts.dynamic_uj,
        frame_leakage_energy_uj=leakage,
        frame_idle_energy_uj=idle,
        period_us=None if period is None else float(period),
        real_time_factor=None if period is None else float(longest_us / period),
        headroom=None if apart is None else float(apart / interval_us),
        latency_stack=stack,
        differing_frames=None if facts.differing is None else spread_of(facts.differing),
        arrivals=None if served is None else served.arrivals(config, clock),
    )
