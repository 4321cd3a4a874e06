"""What number formats cost as figures of an exploration, by hand."""

from __future__ import annotations

import numpy as np

from archsim.checking.format_error import Accuracy, OverflowCount, TensorAccuracy
from archsim.checking.saturated_sums import SaturatedKind
from archsim.checking.task import TaskFigures
from archsim.explore.results.accuracy_results import measured_outputs

NONE = np.empty(0)


def test_figures_have_the_names_of_their_tensors() -> None:
    """Of two tensors, five values that overflowed, and six sums that were cut off; without a task none of it."""
    tensors = (
        TensorAccuracy("output", 0.5, 0.25, 9.0, 40.0, NONE, NONE),
        TensorAccuracy("h of layer 1", 0.75, 0.125, 9.0, None, NONE, NONE),
    )
    overflows = (OverflowCount("cell", 2, 100), OverflowCount("gate", 3, 200))
    found = measured_outputs(Accuracy(tensors, overflows, None))
    assert found == {
        "accuracy.overflows": 5,
        "accuracy.output.max_abs_error": 0.5,
        "accuracy.output.rms_error": 0.25,
        "accuracy.output.sqnr_db": 40.0,
        "accuracy.h_of_layer_1.max_abs_error": 0.75,
        "accuracy.h_of_layer_1.rms_error": 0.125,
        "accuracy.h_of_layer_1.sqnr_db": None,
    }
    sums = (SaturatedKind("cell", "q4.12", 4, 10, 1.0, ""), SaturatedKind("gate", "q4.12", 2, 10, 1.0, ""))
    assert measured_outputs(Accuracy((), (), None, sums)) == {"accuracy.overflows": 0, "accuracy.saturated_sums": 6}


def test_figures_of_a_task() -> None:
    task = TaskFigures(
        max_abs_difference=0.5, rms_difference=0.125, frames=8, changed_side=2, changed_share=0.25,
        summary="", threshold=0.5, machine_scores=NONE, golden_scores=NONE, witness=None,
    )  # fmt: skip
    assert measured_outputs(Accuracy((), (), task)) == {
        "accuracy.overflows": 0,
        "accuracy.task.max_abs_difference": 0.5,
        "accuracy.task.rms_difference": 0.125,
        "accuracy.task.frames": 8,
        "accuracy.task.changed_side": 2,
        "accuracy.task.changed_share": 0.25,
    }
