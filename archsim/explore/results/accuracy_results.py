"""Gives what a design's number formats cost as results of an exploration."""

from __future__ import annotations

import numpy as np

from archsim.api import Simulation
from archsim.checking.format_error import Accuracy, TensorAccuracy, compare_tensor
from archsim.checking.task import TaskFigures, task_figures
from archsim.explore.run.output_table import Output


def accuracy_outputs(simulation: Simulation) -> dict[str, Output]:
    """The results named accuracy.TENSOR.FIGURE, accuracy.overflows and accuracy.task.FIGURE of a run.

    Of a delta network accuracy.saturated_sums, too. Of a float32 machine, whose run is held to a bound instead, the
    output and the task alone. `sqnr_db` is None where there is no error at all.
    """
    numbers, results = simulation.numbers, simulation.results
    assert numbers is not None
    assert results is not None
    if simulation.accuracy is not None:
        outputs = measured_outputs(simulation.accuracy)
    else:
        spec = numbers.spec
        lengths = np.array(spec.lengths or (spec.steps,) * spec.batch)
        within = np.arange(spec.steps)[:, None] < lengths
        tensor = compare_tensor("output", results.output, numbers.model.output, within)
        task = task_figures(spec, numbers.tensors, results.output, numbers.model.output)
        outputs = _tensor(tensor) | _task(task)
    if numbers.pruning is not None:
        outputs["accuracy.pruning.pruned"] = numbers.pruning.pruned
        outputs["accuracy.pruning.sqnr_db"] = numbers.pruning.sqnr_db
    return outputs


def measured_outputs(accuracy: Accuracy) -> dict[str, Output]:
    """The results accuracy.* of an accuracy that was measured against the golden model."""
    outputs: dict[str, Output] = {"accuracy.overflows": sum(count.overflowed for count in accuracy.overflows)}
    if accuracy.saturated:
        outputs["accuracy.saturated_sums"] = sum(found.saturated for found in accuracy.saturated)
    for tensor in accuracy.tensors:
        outputs |= _tensor(tensor)
    return outputs | _task(accuracy.task)


def _tensor(found: TensorAccuracy) -> dict[str, Output]:
    prefix = f"accuracy.{found.name.replace(' ', '_')}"
    return {
        f"{prefix}.max_abs_error": found.max_abs_error,
        f"{prefix}.rms_error": found.rms_error,
        f"{prefix}.sqnr_db": found.sqnr_db,
    }


def _task(found: TaskFigures | None) -> dict[str, Output]:
    if found is None:
        return {}
    return {
        "accuracy.task.max_abs_difference": found.max_abs_difference,
        "accuracy.task.rms_difference": found.rms_difference,
        "accuracy.task.frames": found.frames,
        "accuracy.task.changed_side": found.changed_side,
        "accuracy.task.changed_share": found.changed_share,
    }
