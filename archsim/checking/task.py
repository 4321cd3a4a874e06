"""Measures what the machine's errors do to the workload's task: to the scores that it makes of h."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.workload import NetworkSpec, NetworkTensors, TaskTensors

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreDifference:
    """How the machine's scores differ from others, over the steps within each sequence's length.

    `max_abs_difference` and `rms_difference` are in units of the score. Of `frames` scores compared, `changed_side` are
    at least the threshold in one and below it in the other; as a share of them (0 to 1) that is `changed_share`.
    """

    max_abs_difference: float
    rms_difference: float
    frames: int
    changed_side: int
    changed_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFigures(ScoreDifference):
    """What the task makes of the machine's outputs, and how that differs from the golden model's.

    Scores are (T, B, N) float64, of all steps, also of those beyond a sequence's end, which count nowhere. `witness`:
    the machine's difference from the outside witness's scores, None if there are none.
    """

    summary: str
    threshold: float
    machine_scores: Float64
    golden_scores: Float64
    witness: ScoreDifference | None


def task_figures(
    spec: NetworkSpec, tensors: NetworkTensors, machine_output: Float64, golden_output: Float64
) -> TaskFigures | None:
    """The task's figures for two outputs (T, B, D P), the machine's and the golden model's; None without a task.

    All in float64. ValueError if an output has another shape.
    """
    task = tensors.task
    if task is None:
        return None
    for output in (machine_output, golden_output):
        if output.shape != (spec.steps, spec.batch, spec.output_size):
            raise ValueError(f"expected {(spec.steps, spec.batch, spec.output_size)}, got {output.shape}")
    counted = _within_length(spec)
    machine, golden = task_scores(task, machine_output), task_scores(task, golden_output)
    witness = None
    if task.expected is not None:
        witness = _difference(machine[counted], task.expected[counted].astype(np.float64), task.threshold)
    return TaskFigures(
        **dataclasses.asdict(_difference(machine[counted], golden[counted], task.threshold)),
        summary=task.summary,
        threshold=task.threshold,
        machine_scores=machine,
        golden_scores=golden,
        witness=witness,
    )


def task_scores(task: TaskTensors, output: Float64) -> Float64:
    """The scores (T, B, N) of an output (T, B, D P), in float64."""
    h = np.asarray(output, np.float64)
    if task.before == "relu":
        h = np.maximum(h, 0.0)
    scores: Float64 = h @ task.weight.astype(np.float64).T
    if task.bias is not None:
        scores = scores + task.bias.astype(np.float64)
    if task.after == "sigmoid":
        scores = 0.5 * (1.0 + np.tanh(0.5 * scores))  # 1 / (1 + exp(-scores)), without overflow
    return scores


def _within_length(spec: NetworkSpec) -> npt.NDArray[np.bool_]:
    """Whether each step lies within its sequence, (T, B)."""
    lengths = np.full(spec.batch, spec.steps) if spec.lengths is None else np.array(spec.lengths)
    return np.arange(spec.steps)[:, None] < lengths


def _difference(machine: Float64, other: Float64, threshold: float) -> ScoreDifference:
    """The differences between two arrays of scores of one shape."""
    difference = machine - other
    changed = int(np.count_nonzero((machine >= threshold) != (other >= threshold)))
    return ScoreDifference(
        max_abs_difference=float(np.max(np.abs(difference))),
        rms_difference=float(np.sqrt(np.mean(difference**2))),
        frames=difference.size,
        changed_side=changed,
        changed_share=changed / difference.size,
    )
