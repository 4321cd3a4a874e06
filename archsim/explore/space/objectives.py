"""Defines objectives: what is minimized or maximized, and how several workloads become one number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archsim.explore.space.expression import Expression
from archsim.explore.space.space_config import Aggregate

SHORT_NAMES: Mapping[str, str] = {
    "latency": "latency_us",
    "energy": "energy.total_uj",
    "area": "area.area_mm2",
    "edp": "energy.total_uj * latency_us",
    "utilization": "mac_utilization",
    "traffic": "total(traffic_bytes.dram)",
    "accuracy": "accuracy.output.sqnr_db",
}
"""Objectives that may be named by a word instead of an expression."""

STREAM_NAMES: Mapping[str, str] = {
    **SHORT_NAMES,
    "latency": "frame_latency_us",
    "energy": "frame_energy_uj",
    "edp": "frame_energy_uj * frame_latency_us",
    "utilization": "frame_mac_utilization",
}
"""Words for objectives where every workload is a stream: what SHORT_NAMES ask of a run is asked of a frame."""

COLD = "cold start"
"""What the name of an objective says of which a stream's frames know nothing."""


def named(name: str, cold: bool) -> str:
    """The name of an objective; `cold`: of streams it is the figure of a cold start, and its name says so."""
    return f"{name} ({COLD})" if cold and COLD not in name else name


@dataclass(frozen=True, slots=True)
class Objective:
    """A named expression; `sign` is 1 if it is minimized, -1 if it is maximized."""

    name: str
    expression: Expression
    sign: int

    @property
    def direction(self) -> str:
        """The direction in words."""
        return "minimize" if self.sign == 1 else "maximize"


def aggregated(values: Sequence[float], weights: Sequence[float], how: Aggregate, sign: int) -> float:
    """The one number that stands for the values on all workloads.

    `max` is the worst one: the least of an objective to maximize.

    Raises ValueError for a geometric mean of numbers that are not all above 0.
    """
    if len(set(values)) == 1:
        return values[0]
    if how is Aggregate.MAX:
        return max(values) if sign == 1 else min(values)
    if how is Aggregate.WEIGHTED:
        return math.fsum(w * v for w, v in zip(weights, values, strict=True)) / math.fsum(weights)
    if min(values) <= 0:
        raise ValueError(f"the geometric mean needs numbers above 0, got {min(values):g}")
    return math.exp(math.fsum(map(math.log, values)) / len(values))
