"""Forms the figures of a frame from what was measured of it, by whichever executor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from archsim.critical import LatencyStack
from archsim.metrics.arrivals import Cycles, Served, apart_us, mean_period_us, spread_of
from archsim.metrics.beside import UJ_PER_MW_US
from archsim.metrics.frames import Frames
from archsim.technology.spread import Range
from archsim.workload.config import WorkloadConfig

ENERGY_FIGURES = tuple(
    f"energy.{name}"
    for name in (
        "dynamic_uj",
        "active_uj",
        "static_mw",
        *(f"total{end}_uj" for end in ("", "_low", "_high")),
        *(f"part{end}_uj.{part}" for part in ("leakage", "dram_background") for end in ("", "_low", "_high")),
    )
)
"""The figures of a run's energy that `RunEnergy` is made of; dram_background only where it is counted."""


@dataclass(frozen=True, slots=True)
class RunEnergy:
    """The energy of a run, as far as a frame's follows from it: what it switches, and what grows with time."""

    latency_us: float
    dynamic_uj: float
    active_uj: float
    static_mw: float
    total: Range
    leakage: Range
    background: Range

    @classmethod
    def of(cls, latency_us: float, figure: Callable[[str], float]) -> RunEnergy:
        """The energy of a run of which `figure` gives those that ENERGY_FIGURES names; 0 for one that there is not."""

        def ends(name: str) -> Range:
            return Range(*(figure(f"energy.{name.format(end)}") for end in ("", "_low", "_high")))

        return cls(
            latency_us,
            figure("energy.dynamic_uj"),
            figure("energy.active_uj"),
            figure("energy.static_mw"),
            ends("total{}_uj"),
            ends("part{}_uj.leakage"),
            ends("part{}_uj.dram_background"),
        )

    @property
    def static(self) -> Range:
        """The power all the time in mW: leakage, and DRAM that is idle, whose sources disagree as of all its power."""
        leaking = self.leakage.value / (self.latency_us * UJ_PER_MW_US)
        idle = max(0.0, self.static_mw - leaking)
        low, high = (leaking * leak + idle * dram for leak, dram in zip(*self._factors, strict=True))
        return Range(self.static_mw, low, high)

    @property
    def active(self) -> Range:
        """The energy in uJ beside that power: what is switched, and what DRAM takes more while it is at work."""
        working = max(0.0, self.active_uj - self.dynamic_uj)
        _, (dram_low, dram_high) = self._factors
        low = self.total.low - self.leakage.low - self.background.low + working * dram_low
        high = self.total.high - self.leakage.high - self.background.high + working * dram_high
        return Range(self.active_uj, low, high)

    @property
    def _factors(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The low and high of leakage and of DRAM's power, as factors of them."""
        leakage, dram = (
            (found.low / found.value, found.high / found.value) if found.value else (1.0, 1.0)
            for found in (self.leakage, self.background)
        )
        return leakage, dram


def frame_dynamic(alone: RunEnergy, many: RunEnergy, more: int) -> Range:
    """The energy in uJ of a frame besides the power all the time, from runs of one and of so many more."""
    return _in_order(*((b - a) / more for a, b in zip(alone.active.each, many.active.each, strict=True)))


def _in_order(value: float, low: float, high: float) -> Range:
    """A range of which rounding puts no end beyond the value: the sums of the ends are others than the value's."""
    return Range(value, min(value, low), max(value, high))


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """What was measured of a frame, and what it takes of the machine to make figures of that.

    `differing`: the latencies of all frames, of a delta network, whose frames differ; then `latency_cycles` is the
    median of them.

    `interval_cycles`: those of a time step of many frames, in the steady state. `dynamic_uj`: what one frame more
    switches, with its low and high; None, as `leakage_mw`, of a machine without a model of energy.
    """

    latency_cycles: int
    interval_cycles: float
    macs: int
    macs_per_cycle: int
    clock_mhz: Fraction
    dynamic_uj: Range | None
    leakage_mw: Range | None
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
    leakage = idle = energy = None
    if facts.leakage_mw is not None and facts.dynamic_uj is not None:
        leakage = _over(facts.leakage_mw, max(interval_us, apart or interval_us))
        idle_cycles = None if served is None else served.idle_cycles(config, clock)
        idle = None if idle_cycles is None else _over(facts.leakage_mw, idle_cycles / clock)
        energy = facts.dynamic_uj.plus(leakage)
    return Frames(
        frame_latency_cycles=facts.latency_cycles,
        frame_latency_us=float(latency_us),
        frame_interval_cycles=facts.interval_cycles,
        frame_interval_us=float(interval_us),
        frame_macs=facts.macs,
        frame_mac_utilization=float(facts.macs / (facts.macs_per_cycle * interval)),
        frame_energy_uj=_value(energy),
        frame_energy_low_uj=_low(energy),
        frame_energy_high_uj=_high(energy),
        frame_dynamic_energy_uj=_value(facts.dynamic_uj),
        frame_dynamic_energy_low_uj=_low(facts.dynamic_uj),
        frame_dynamic_energy_high_uj=_high(facts.dynamic_uj),
        frame_leakage_energy_uj=_value(leakage),
        frame_leakage_energy_low_uj=_low(leakage),
        frame_leakage_energy_high_uj=_high(leakage),
        frame_idle_energy_uj=_value(idle),
        frame_idle_energy_low_uj=_low(idle),
        frame_idle_energy_high_uj=_high(idle),
        period_us=None if period is None else float(period),
        real_time_factor=None if period is None else float(longest_us / period),
        headroom=None if apart is None else float(apart / interval_us),
        latency_stack=stack,
        differing_frames=None if facts.differing is None else spread_of(facts.differing),
        arrivals=None if served is None else served.arrivals(config, clock),
    )


def _over(power_mw: Range, time_us: Fraction) -> Range:
    """The energy in uJ of a power over a time."""
    value, low, high = (mw / 1000 * float(time_us) for mw in power_mw.each)
    return _in_order(value, low, high)


def _value(found: Range | None) -> float | None:
    return None if found is None else found.value


def _low(found: Range | None) -> float | None:
    return None if found is None else found.low


def _high(found: Range | None) -> float | None:
    return None if found is None else found.high
