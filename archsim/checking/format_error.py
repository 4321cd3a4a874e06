"""Measures what a machine's number formats cost: its numbers against those of the golden model in float64."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.checking.numbers import Numbers
from archsim.checking.recorder import Recorder
from archsim.checking.saturated_sums import SaturatedKind, saturated_sums
from archsim.checking.task import TaskFigures, task_figures
from archsim.hardware.numerics import Overflows
from archsim.lowering.tensors import Results
from archsim.workload.network import NetworkSpec, suffixes

Float64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TensorAccuracy:
    """The error of one tensor, machine less golden model, over the steps within each sequence's length.

    `sqnr_db`: 10 log10(sum of golden^2 / sum of error^2), signal to quantization noise; None if there is no error.
    `max_by_step` and `rms_by_step` (T): the same over time; steps that no sequence has are 0.
    """

    name: str
    max_abs_error: float
    rms_error: float
    largest: float
    sqnr_db: float | None
    max_by_step: Float64
    rms_by_step: Float64


@dataclass(frozen=True, slots=True)
class OverflowCount:
    """How many values of a kind of data were brought into its format, and how many were beyond its range."""

    kind: str
    overflowed: int
    values: int


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The accuracy of a run: errors of tensors (output, h and c, gates), overflows, and the workload's task.

    Errors are against the golden model with all weights, also on a machine that does not keep them all. `saturated`: of
    a delta network, what was cut off of its sums, in each format that they pass; empty of any other.
    """

    tensors: tuple[TensorAccuracy, ...]
    overflows: tuple[OverflowCount, ...]
    task: TaskFigures | None
    saturated: tuple[SaturatedKind, ...] = ()


def measure(numbers: Numbers, computed: Results, recorder: Recorder, overflows: Overflows) -> Accuracy:
    """The accuracy of a finished run."""
    spec, golden = numbers.spec, numbers.model
    within = _within_length(spec)
    tensors = [compare_tensor("output", computed.output, golden.output, within)]
    tensors += [compare_tensor(name, got, want, within) for name, got, want in _inside(numbers, recorder)]
    counts = tuple(
        OverflowCount(kind, overflows.overflowed.get(kind, 0), values)
        for kind, values in sorted(overflows.values.items())
    )
    task = task_figures(spec, numbers.tensors, computed.output, golden.output)
    return Accuracy(tuple(tensors), counts, task, saturated_sums(numbers, overflows))


def compare_tensor(name: str, got: npt.NDArray[np.floating], want: Float64, within: Mask) -> TensorAccuracy:
    """The error of `got` against `want`, both (T, B, n), over the steps where `within` (T, B) is true."""
    error = np.where(within[:, :, np.newaxis], got - want, 0.0)
    squares = np.square(error)
    counted = np.maximum(within.sum(axis=1) * want.shape[2], 1)
    noise, signal = (
        float(squares.sum()),
        float(np.square(want, where=within[:, :, None], out=np.zeros_like(want)).sum()),
    )
    return TensorAccuracy(
        name=name,
        max_abs_error=float(np.abs(error).max()),
        rms_error=float(np.sqrt(noise / (within.sum() * want.shape[2]))),
        largest=float(np.abs(np.where(within[:, :, None], want, 0.0)).max()),
        sqnr_db=float(10 * np.log10(signal / noise)) if noise and signal else None,
        max_by_step=np.abs(error).max(axis=(1, 2)),
        rms_by_step=np.sqrt(squares.sum(axis=(1, 2)) / counted),
    )


def _inside(numbers: Numbers, recorder: Recorder) -> Iterator[tuple[str, npt.NDArray[np.floating], Float64]]:
    """The c and gates of each cell, as (name, machine's values, golden model's values)."""
    traces = numbers.model.traces
    if traces is None:
        return
    flat = [trace for layer in traces for trace in layer]
    several = len(flat) > 1
    for trace, values, suffix in zip(flat, recorder.values, suffixes(numbers.spec), strict=True):
        place = suffix.replace("_", " ") if several else ""
        for name, got in sorted(values.items(), key=lambda item: item[0] != "c"):  # c before the gates
            want = trace.c if name == "c" else trace.gates[name]
            assert want is not None
            yield (f"c{place}" if name == "c" else f"gate {name}{place}"), got, want


def _within_length(spec: NetworkSpec) -> Mask:
    """Whether each step lies within its sequence, (T, B)."""
    lengths: Sequence[int] = spec.lengths or (spec.steps,) * spec.batch
    return np.arange(spec.steps)[:, None] < np.array(lengths)
