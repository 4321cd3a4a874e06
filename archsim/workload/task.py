"""Loads what a workload's outputs are used for: the layer behind the network that makes scores of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from archsim.errors import Fault, WorkloadError
from archsim.workload.config import TaskSource
from archsim.workload.files import read_tensors, tensor_names, tensor_shape
from archsim.workload.layout import Layout
from archsim.workload.network import NetworkSpec
from archsim.workload.spec import Workload

Float32Array = npt.NDArray[np.float32]

MAX_TASK_NUMBERS = 1 << 27
"""Most weights, and most scores, that a task may have (1 GiB in float64)."""


@dataclass(frozen=True, slots=True)
class TaskTensors:
    """The tensors of score (T, B, N) = after(before(output) @ weight.T + bias), and its threshold.

    A score is on one side of `threshold` if it is at least that.

    weight (N, D P) and bias (N) or None, float32; `expected` (T, B, N), float32: the scores of an outside witness.
    """

    summary: str
    weight: Float32Array
    bias: Float32Array | None
    before: Literal["identity", "relu"]
    after: Literal["identity", "sigmoid"]
    threshold: float
    expected: Float32Array | None


def load_task(workload: Workload, spec: NetworkSpec, layout: Layout) -> TaskTensors | None:
    """Load the workload's task, None if it has none.

    WorkloadError for tensors that are not there or do not fit.
    """
    source = workload.config.task
    if source is None:
        return None
    path = workload.folder / source.file
    shapes = _shapes(path, source, spec)
    read = read_tensors(path, shapes)
    scores = shapes[source.weight][0]
    return TaskTensors(
        summary=source.summary,
        weight=read[source.weight],
        bias=None if source.bias is None else read[source.bias],
        before=source.before,
        after=source.after,
        threshold=source.threshold,
        expected=_expected(workload, source, spec, layout, scores),
    )


def _shapes(path: Path, source: TaskSource, spec: NetworkSpec) -> dict[str, tuple[int, ...]]:
    """The shapes of weight and bias; N is the file's to say, within what fits into memory."""
    shape = tensor_shape(path, source.weight)
    if len(shape) != 2 or shape[0] < 1 or shape[1] != spec.output_size:
        raise _fault(path, source.weight, f"expected shape (N, {spec.output_size}), got {shape}")
    scores = shape[0] * spec.steps * spec.batch
    if max(scores, shape[0] * shape[1]) > MAX_TASK_NUMBERS:
        message = f"shape {shape} gives {scores:,} scores; at most {MAX_TASK_NUMBERS:,} weights and as many scores fit"
        raise _fault(path, source.weight, message)
    return {source.weight: shape} | ({} if source.bias is None else {source.bias: shape[:1]})


def _expected(
    workload: Workload, source: TaskSource, spec: NetworkSpec, layout: Layout, scores: int
) -> Float32Array | None:
    """The scores of the witness.

    In the file they have the layout of the output, less any axes of length 1.
    """
    witness = workload.config.expected
    if source.expected is None or witness is None:
        return None
    path = workload.folder / witness.file
    names = tensor_names(path)
    output = next((name for name in ("output", "output_codes") if name in names), None)  # scores may be there alone
    steps = spec.steps if output is None else tensor_shape(path, output)[layout.time_axis]
    if steps > spec.steps and spec.runs_in_reverse:  # as of the witness's output, which is not compared then
        return None
    full = layout.sequence_shape(steps, spec.batch, scores)
    shape = tensor_shape(path, source.expected)
    if _long_axes(shape) != _long_axes(full):
        message = f"expected shape {full}, in which axes of length 1 may be left out, got {shape}"
        raise _fault(path, source.expected, message)
    read = read_tensors(path, {source.expected: shape})[source.expected]
    return np.ascontiguousarray(layout.sequence_in(read.reshape(full))[: spec.steps], np.float32)


def _long_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


def _fault(path: Path, tensor: str, message: str) -> WorkloadError:
    return WorkloadError((Fault(str(path), tensor, message),))
