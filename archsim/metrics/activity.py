"""Counts what a delta network has skipped: columns of each layer's matrices, and what they would have taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from archsim.metrics.declare import Metric
from archsim.metrics.stats import Stats
from archsim.workload.network import NetworkSpec


@dataclass(frozen=True, slots=True)
class LayerColumns:
    """The columns of one layer, or of one direction of it, over all steps."""

    x: Annotated[
        int,
        Metric(
            "columns", "elements of the layer's input that were passed on, over all steps; of a batch in some sequence"
        ),
    ]
    h: Annotated[int, Metric("columns", "elements of h_{t-1} that were passed on, over all steps")]
    bias: Annotated[int, Metric("columns", "how often the bias was passed on: once")]
    x_share: Annotated[float, Metric("1", "share of the input's elements that were passed on", "x / (I T)")]
    h_share: Annotated[float, Metric("1", "share of h's elements that were passed on", "h / (H T), or h / (P T)")]


@dataclass(frozen=True, slots=True)
class ActivityFigures:
    """What a delta network has multiplied and skipped."""

    layers: Annotated[
        tuple[LayerColumns, ...], Metric("", "the columns of each layer, of one of two directions of each direction")
    ]
    multiplied_macs: Annotated[
        int,
        Metric(
            "MAC",
            "multiply-accumulates that were done",
            "columns of x and h * gates H * B, and projections, over all layers",
        ),
    ]
    skipped_share: Annotated[
        float, Metric("1", "share of the model's multiply-accumulates that were skipped", "1 - multiplied_macs / macs")
    ]
    multiplied_utilization: Annotated[
        float,
        Metric(
            "1",
            "share of the multipliers' cycles over the whole run in which a column that had changed was multiplied",
            "multiplied_macs / (peak MACs a cycle * latency_cycles)",
        ),
    ]
    dense_latency_cycles: Annotated[
        int, Metric("cycles", "latency of the run on the same machine if no column were skipped")
    ]
    dense_energy_uj: Annotated[
        float | None, Metric("uJ", "energy of such a run; null where the family has no model of it")
    ]
    skipped_uj: Annotated[
        float | None,
        Metric("uJ", "energy that the skipped columns would have taken", "dense_energy_uj - energy.total_uj"),
    ]
    skipped_part_uj: Annotated[
        Mapping[str, float] | None,
        Metric("uJ", "the same by unit, memory, leakage and so on; sums to skipped_uj"),
    ]
    counts: Annotated[
        Mapping[str, Mapping[str, int]],
        Metric("", "what units counted: cycles that the encoder stood still for a full FIFO, columns of the array"),
    ]


def activity_figures(
    spec: NetworkSpec, counts: Mapping[str, Mapping[str, int]], peak_macs: int, stats: Stats, dense: Stats | None
) -> ActivityFigures | None:
    """The figures of a run whose columns are known; None of any other network.

    `peak_macs`: the multiply-accumulates that the multipliers could have done in the whole run; `dense`: the figures
    of the run in which no column is skipped.
    """
    if spec.activity is None or dense is None:
        return None
    layers, macs = [], 0
    for cell, layer in zip(spec.cells, spec.activity, strict=True):
        bias = sum(0 in step.x for step in layer.steps)
        x, h = sum(len(step.x) for step in layer.steps) - bias, sum(len(step.h) for step in layer.steps)
        projected = cell.proj_size * cell.hidden_size * spec.steps
        macs += ((x + h) * cell.rows + projected) * spec.batch
        dense_x, dense_h = cell.input_size * spec.steps, cell.recurrent_size * spec.steps
        layers.append(LayerColumns(x, h, bias, x / dense_x, h / max(1, dense_h)))
    total = saved = parts = None
    if stats.energy is not None and dense.energy is not None:
        total, mine, all_parts = dense.energy.total_uj, stats.energy.part_uj, dense.energy.part_uj
        saved = total - stats.energy.total_uj
        parts = {name: uj - mine.get(name, 0.0) for name, uj in all_parts.items()}
    skipped, done = 1 - macs / spec.macs, macs / peak_macs
    return ActivityFigures(tuple(layers), macs, skipped, done, dense.latency_cycles, total, saved, parts, counts)
