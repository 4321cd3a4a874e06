"""Declares the figures of a stream of frames on a machine that is on: what one takes, and what arrivals make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from math import ceil
from typing import Annotated

import numpy as np
import numpy.typing as npt

from archsim.metrics.declare import Metric
from archsim.workload.config import WorkloadConfig


@dataclass(frozen=True, slots=True)
class Latencies:
    """The latencies of frames that come when the workload says, each from its arrival until its output is stored."""

    frames: Annotated[int, Metric("frames", "how many came")]
    deadline_us: Annotated[
        float | None, Metric("us", "after its arrival a frame should be out; the period if not given")
    ]
    missed_deadlines: Annotated[int | None, Metric("frames", "how many were out later; null without a deadline")]
    p50_cycles: Annotated[int, Metric("cycles", "half of the frames are out no later", "nearest rank")]
    p95_cycles: Annotated[int, Metric("cycles", "19 of 20 are out no later", "nearest rank")]
    p99_cycles: Annotated[int, Metric("cycles", "99 of 100 are out no later", "nearest rank")]
    max_cycles: Annotated[int, Metric("cycles", "the latest of all")]


@dataclass(frozen=True, slots=True)
class Arrivals(Latencies):
    """The latencies of all frames, and those of each stream where several take turns."""

    streams: Annotated[
        tuple[Latencies, ...], Metric("", "the same figures of each stream that shares the machine; [] of one alone")
    ]


@dataclass(frozen=True, slots=True)
class Frames:
    """A frame on a machine that is on: weights and state are there, and stay."""

    frame_latency_cycles: Annotated[
        int, Metric("cycles", "from x_t complete at the input until y_t is stored; nothing else is in its way")
    ]
    frame_latency_us: Annotated[float, Metric("us", "the same at the architecture's clock")]
    frame_interval_cycles: Annotated[
        float, Metric("cycles", "from the end of a frame to the next one's, if the next is always there")
    ]
    frame_interval_us: Annotated[float, Metric("us", "the same at the architecture's clock")]
    frame_macs: Annotated[int, Metric("MAC", "multiply-accumulates of a frame, of all sequences")]
    frame_mac_utilization: Annotated[
        float,
        Metric("1", "useful share of the multipliers, frame after frame", "frame_macs / (peak * interval)"),
    ]
    frame_energy_uj: Annotated[
        float | None,
        Metric("uJ", "a frame's: what it switches, and what leaks until the next one; null as energy"),
    ]
    frame_dynamic_energy_uj: Annotated[float | None, Metric("uJ", "what a frame switches")]
    frame_leakage_energy_uj: Annotated[
        float | None, Metric("uJ", "what leaks from a frame to the next: over the period, else over the interval")
    ]
    frame_idle_energy_uj: Annotated[
        float | None, Metric("uJ", "the part of the leakage while nothing is done; null without a period")
    ]
    period_us: Annotated[
        float | None, Metric("us", "from a frame's arrival to the next one's of its stream, in the mean")
    ]
    real_time_factor: Annotated[
        float | None,
        Metric("1", "latency against the period: up to 1 out before the next", "frame_latency / period"),
    ]
    headroom: Annotated[
        float | None, Metric("1", "so many times as many frames could come", "period / (streams * frame_interval)")
    ]
    latency_stack: Annotated[
        Mapping[str, Mapping[str, int]],
        Metric("cycles", "unit -> cause -> cycles of the critical path; sums to frame_latency_cycles"),
    ]
    arrivals: Annotated[Arrivals | None, Metric("", "latencies with the workload's arrivals; null without any")]


def arrival_cycles(config: WorkloadConfig, clock_mhz: Fraction) -> tuple[int, ...] | None:
    """The cycle at which each frame is there, the first whole one after it came; None if nothing is said of it.

    Frame t of a period P comes at t P, and up to `jitter_us` later: drawn evenly by a generator of `jitter_seed`. Of
    streams in turn, frame t of stream s comes at t P + s * `offset_us`.
    """
    if config.arrivals_us is not None:
        times = [Fraction(repr(time)) for time in config.arrivals_us]
    elif config.period_us is not None:
        period, jitter = Fraction(repr(config.period_us)), Fraction(repr(config.jitter_us))
        late = np.random.Generator(np.random.PCG64(config.jitter_seed)).random(config.steps)
        streams = config.streams
        offset = period / streams if config.offset_us is None else Fraction(repr(config.offset_us))
        due = (frame * period + stream * offset for frame, stream in (divmod(n, streams) for n in range(config.steps)))
        times = [time + Fraction(share) * jitter for time, share in zip(due, late.tolist(), strict=True)]
    else:
        return None
    return tuple(ceil(time * clock_mhz) for time in times)


def mean_period_us(config: WorkloadConfig) -> Fraction | None:
    """The period of a stream; of frames that come at given times their mean distance, None of a single one."""
    if config.period_us is not None:
        return Fraction(repr(config.period_us))
    times = config.arrivals_us or ()
    span = Fraction(repr(times[-1])) - Fraction(repr(times[0])) if len(times) > 1 else Fraction(0)
    return config.streams * span / (len(times) - 1) if span else None


def percentile(latencies: npt.NDArray[np.int64], percent: int) -> int:
    """The smallest latency that so many per cent of all do not exceed (nearest rank)."""
    rank = -(-percent * len(latencies) // 100)
    return int(np.sort(latencies)[rank - 1])


def latencies_of(
    latencies: npt.NDArray[np.int64], deadline_us: float | None, clock_mhz: Fraction, streams: int = 1
) -> Arrivals:
    """The figures of the frames' latencies in cycles; frame n is one of stream n mod `streams`."""
    alone = streams == 1
    each = () if alone else tuple(_latencies(latencies[s::streams], deadline_us, clock_mhz) for s in range(streams))
    together = _latencies(latencies, deadline_us, clock_mhz)
    return Arrivals(**{field.name: getattr(together, field.name) for field in fields(Latencies)}, streams=each)


def _latencies(latencies: npt.NDArray[np.int64], deadline_us: float | None, clock_mhz: Fraction) -> Latencies:
    limit = None if deadline_us is None else Fraction(repr(deadline_us)) * clock_mhz
    return Latencies(
        frames=len(latencies),
        deadline_us=deadline_us,
        missed_deadlines=None if limit is None else sum(1 for cycles in latencies.tolist() if cycles > limit),
        p50_cycles=percentile(latencies, 50),
        p95_cycles=percentile(latencies, 95),
        p99_cycles=percentile(latencies, 99),
        max_cycles=int(latencies.max()),
    )
