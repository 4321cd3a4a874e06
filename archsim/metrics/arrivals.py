"""Says when the frames of a stream come, how late each was out, and for how long nothing was to be done."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from math import ceil, floor

import numpy as np
import numpy.typing as npt

from archsim.metrics.frames import Arrivals, Latencies, Spread
from archsim.workload.config import WorkloadConfig

Cycles = npt.NDArray[np.int64]


def arrival_cycles(config: WorkloadConfig, clock_mhz: Fraction) -> tuple[int, ...] | None:
    """The cycle at which each frame is there, the first whole one after it came; None if nothing is said of it.

    Frame t of a period P comes at t P, and up to `jitter_us` later: drawn evenly by a generator of `jitter_seed`. Of
    streams in turn, frame t of stream s comes at t P + s * `offset_us`.
    """
    if config.arrivals_us is not None:
        times = [Fraction(repr(time)) for time in config.arrivals_us]
    elif config.period_us is not None:
        jitter = Fraction(repr(config.jitter_us))
        late = np.random.Generator(np.random.PCG64(config.jitter_seed)).random(config.steps)
        due = (_due_us(config, config.period_us, frame) for frame in range(config.steps))
        times = [time + Fraction(share) * jitter for time, share in zip(due, late.tolist(), strict=True)]
    else:
        return None
    return tuple(ceil(time * clock_mhz) for time in times)


def _due_us(config: WorkloadConfig, period_us: float, frame: int) -> Fraction:
    """When a frame comes that is not late."""
    period = Fraction(repr(period_us))
    offset = period / config.streams if config.offset_us is None else Fraction(repr(config.offset_us))
    turn, stream = divmod(frame, config.streams)
    return turn * period + stream * offset


def mean_period_us(config: WorkloadConfig) -> Fraction | None:
    """The period of a stream; of frames that come at given times their mean distance, None of a single one."""
    if config.period_us is not None:
        return Fraction(repr(config.period_us))
    times = config.arrivals_us or ()
    span = Fraction(repr(times[-1])) - Fraction(repr(times[0])) if len(times) > 1 else Fraction(0)
    return config.streams * span / (len(times) - 1) if span else None


def apart_us(config: WorkloadConfig) -> Fraction | None:
    """The mean distance of a frame of any stream to the next one; None if nothing is said of it."""
    period = mean_period_us(config)
    return None if period is None else period / config.streams


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """What became of the T frames of a stream, in cycles from when the machine is ready.

    `arrived` and `out`: when each came and its output was stored. `done`: when all was done that is done as it comes;
    of a wavefront that is the work of later layers on frames before it, too. `behind`: how many frames later the last
    layer works on a frame.
    """

    arrived: Cycles
    out: Cycles
    done: Cycles
    behind: int

    @property
    def latencies(self) -> Cycles:
        """The cycles from each frame's arrival until its output is stored."""
        return self.out - self.arrived

    def arrivals(self, config: WorkloadConfig, clock_mhz: Fraction) -> Arrivals:
        """The figures of the latencies; frame n is one of stream n mod S."""
        latencies, streams = self.latencies, config.streams
        deadline_us = config.deadline_us or config.period_us
        alone = streams == 1
        each = (
            () if alone else tuple(latencies_of(latencies[s::streams], deadline_us, clock_mhz) for s in range(streams))
        )
        together = latencies_of(latencies, deadline_us, clock_mhz)
        return Arrivals(**{field.name: getattr(together, field.name) for field in fields(Latencies)}, streams=each)

    def idle_cycles(self, config: WorkloadConfig, clock_mhz: Fraction) -> Fraction | None:
        """The cycles for each frame in which nothing is to be done: what has come is done, and the next has not come.

        Of whole periods, and of a wavefront none before its last layer works; None of frames without a next one.
        """
        gaps = self._gaps(config, clock_mhz)
        first = -(-self.behind // config.streams) * config.streams
        if config.period_us is not None:
            gaps = gaps[: len(gaps) // config.streams * config.streams]
        gaps = gaps[first:] if len(gaps) > first else gaps
        return Fraction(int(gaps.sum()), len(gaps)) if len(gaps) else None

    def _gaps(self, config: WorkloadConfig, clock_mhz: Fraction) -> Cycles:
        """From when nothing is to be done until the next frame, behind each frame that has a next one."""
        following = self.arrived[1:]
        if config.period_us is not None:
            next_one = ceil(_due_us(config, config.period_us, len(self.arrived)) * clock_mhz)
            following = np.append(following, next_one)
        return np.maximum(0, following - np.maximum.accumulate(self.done)[: len(following)])


def percentile(latencies: Cycles, percent: int) -> int:
    """The smallest latency that so many per cent of all do not exceed (nearest rank)."""
    rank = -(-percent * len(latencies) // 100)
    return int(np.sort(latencies)[rank - 1])


def spread_of(latencies: Cycles) -> Spread:
    """The figures of frames that differ, from the latency of each."""
    return Spread(
        frames=len(latencies),
        mean_cycles=float(latencies.mean()),
        p50_cycles=percentile(latencies, 50),
        p95_cycles=percentile(latencies, 95),
        p99_cycles=percentile(latencies, 99),
        max_cycles=int(latencies.max()),
    )


def latencies_of(latencies: Cycles, deadline_us: float | None, clock_mhz: Fraction) -> Latencies:
    """The figures of some frames' latencies in cycles."""
    limit = None if deadline_us is None else floor(Fraction(repr(deadline_us)) * clock_mhz)
    return Latencies(
        frames=len(latencies),
        deadline_us=deadline_us,
        missed_deadlines=None if limit is None else int(np.count_nonzero(latencies > limit)),
        p50_cycles=percentile(latencies, 50),
        p95_cycles=percentile(latencies, 95),
        p99_cycles=percentile(latencies, 99),
        max_cycles=int(latencies.max()),
    )
