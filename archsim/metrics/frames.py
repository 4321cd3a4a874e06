"""Declares the figures of a stream of frames on a machine that is on: what one takes, and what arrivals make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from archsim.metrics.declare import Metric


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
class Spread:
    """The latencies of frames that differ, each alone on a machine that is on."""

    frames: Annotated[int, Metric("frames", "how many were measured: all but the first of each stream")]
    mean_cycles: Annotated[float, Metric("cycles", "in the mean")]
    p50_cycles: Annotated[int, Metric("cycles", "half of the frames take no longer", "nearest rank")]
    p95_cycles: Annotated[int, Metric("cycles", "19 of 20 take no longer", "nearest rank")]
    p99_cycles: Annotated[int, Metric("cycles", "99 of 100 take no longer", "nearest rank")]
    max_cycles: Annotated[int, Metric("cycles", "the slowest of all")]


@dataclass(frozen=True, slots=True)
class Frames:
    """A frame on a machine that is on: weights and state are there, and stay."""

    frame_latency_cycles: Annotated[
        int,
        Metric(
            "cycles",
            "from x_t complete at the input until y_t is stored; nothing else is in its way; of a wavefront of frames "
            "that come a period apart, without one as fast as they can be taken; of a delta network, whose frames "
            "differ, the median",
        ),
    ]
    frame_latency_us: Annotated[float, Metric("us", "the same at the architecture's clock")]
    frame_interval_cycles: Annotated[
        float,
        Metric(
            "cycles",
            "from the end of a frame to the next one's, if the next is always there; of frames that differ the mean",
        ),
    ]
    frame_interval_us: Annotated[float, Metric("us", "the same at the architecture's clock")]
    frame_macs: Annotated[int, Metric("MAC", "multiply-accumulates of a frame, of all sequences")]
    frame_mac_utilization: Annotated[
        float,
        Metric("1", "useful share of the multipliers, frame after frame", "frame_macs / (peak * interval)"),
    ]
    frame_energy_uj: Annotated[
        float | None,
        Metric("uJ", "a frame's: what it switches, and what is taken all the time until the next one; null as energy"),
    ]
    frame_energy_low_uj: Annotated[float | None, Metric("uJ", "the same at the lowest that sources give")]
    frame_energy_high_uj: Annotated[float | None, Metric("uJ", "the same at the highest that sources give")]
    frame_dynamic_energy_uj: Annotated[
        float | None, Metric("uJ", "what a frame switches, DRAM's power while it is at work with it")
    ]
    frame_dynamic_energy_low_uj: Annotated[float | None, Metric("uJ", "the same at the lowest that sources give")]
    frame_dynamic_energy_high_uj: Annotated[float | None, Metric("uJ", "the same at the highest that sources give")]
    frame_leakage_energy_uj: Annotated[
        float | None,
        Metric("uJ", "leakage and idle DRAM from a frame to the next: over the period, else over the interval"),
    ]
    frame_leakage_energy_low_uj: Annotated[float | None, Metric("uJ", "the same at the lowest that sources give")]
    frame_leakage_energy_high_uj: Annotated[float | None, Metric("uJ", "the same at the highest that sources give")]
    frame_idle_energy_uj: Annotated[
        float | None,
        Metric(
            "uJ",
            "the part of that while nothing is to be done: what has come is done, and the next has not come; "
            "null without arrivals",
        ),
    ]
    frame_idle_energy_low_uj: Annotated[float | None, Metric("uJ", "the same at the lowest that sources give")]
    frame_idle_energy_high_uj: Annotated[float | None, Metric("uJ", "the same at the highest that sources give")]
    period_us: Annotated[
        float | None, Metric("us", "from a frame's arrival to the next one's of its stream, in the mean")
    ]
    real_time_factor: Annotated[
        float | None,
        Metric(
            "1",
            "latency against the period, of frames that differ the slowest one's: up to 1 out before the next",
            "frame_latency / period",
        ),
    ]
    headroom: Annotated[
        float | None, Metric("1", "so many times as many frames could come", "period / (streams * frame_interval)")
    ]
    latency_stack: Annotated[
        Mapping[str, Mapping[str, int]],
        Metric("cycles", "unit -> cause -> cycles of the critical path; sums to frame_latency_cycles"),
    ]
    differing_frames: Annotated[
        Spread | None,
        Metric("", "of a delta network the latencies of all its frames, each alone; null of frames that are alike"),
    ]
    arrivals: Annotated[Arrivals | None, Metric("", "latencies with the workload's arrivals; null without any")]


COLD_START = frozenset(
    {
        "latency_cycles",
        "latency_us",
        "prologue_cycles",
        "body_cycles",
        "body_us",
        "handover_cycles",
        "epilogue_cycles",
        "macs",
        "mac_utilization",
        "throughput_gops",
        "cycle_stack",
        "unit_cycle_stacks",
        "traffic_bytes",
        "phase_traffic_bytes",
        "dram_burst_bytes",
        "compulsory_dram_bytes",
        "dram_traffic_ratio",
        "dram_counts",
        "operational_intensity_ops_per_byte",
        "energy",
    }
)
"""Figures of `Stats` that are of a whole run from cold: of a streaming workload they answer another question."""
