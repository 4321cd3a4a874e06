"""Times a delta network's run in which no column is skipped: what skipping saves is the difference."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archsim.api.evaluate import Evaluator
from archsim.engines.choose import AUTO
from archsim.families.load import Arch
from archsim.families.schedule import Schedule
from archsim.metrics import Stats
from archsim.workload import NetworkSpec, Workload
from archsim.workload.activity import Activity, LayerActivity, StepColumns


def dense_stats(arch: Arch, workload: Workload, schedule: Schedule[Any], evaluator: Evaluator) -> Stats | None:
    """The figures of the same machine if every column changed in every step; None where it skips none anyway.

    Raises what `evaluate` raises.
    """
    if not schedule.sends_deltas(workload.spec):
        return None
    dense = replace(workload, activity=dense_activity(workload.spec))
    return evaluator.evaluate(arch, dense, schedule, AUTO).stats


def dense_activity(spec: NetworkSpec) -> Activity:
    """All columns of x and h in every step, and the bias in the first, of each cell."""
    layers = []
    for cell in spec.cells:
        inputs, hidden = cell.input_size, cell.recurrent_size
        h = tuple(range(inputs + 1, inputs + hidden + 1))
        later = StepColumns(tuple(range(1, inputs + 1)), h)
        first = replace(later, x=(0, *later.x)) if cell.bias else later
        layers.append(LayerActivity((first, *(later,) * (spec.steps - 1))))
    return tuple(layers)
