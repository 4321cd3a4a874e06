"""Gives what a run's number formats cost as figures: each with unit, meaning and formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Annotated

import numpy as np
import numpy.typing as npt

from archsim.api import Simulation
from archsim.checking.format_error import OverflowCount, TensorAccuracy
from archsim.checking.saturated_sums import SaturatedKind
from archsim.checking.task import ScoreDifference, TaskFigures
from archsim.config.csv_cells import harmless
from archsim.metrics import Metric
from archsim.workload import NetworkSpec, Workload
from archsim.workload.calibration import Calibration, needed_ranges

QUARTER = 4
"""The error along the sequence is that of the first part of so many against that of the last."""


@dataclass(frozen=True, slots=True)
class TensorFigures:
    """The error of one tensor against the golden model; a figure that is no finite number is None."""

    name: Annotated[str, Metric("", "output; c and the gates of each cell")]
    max_abs_error: Annotated[float | None, Metric("of the tensor", "largest error of any element", "max |e|")]
    rms_error: Annotated[float | None, Metric("of the tensor", "root of the mean squared error", "sqrt(mean e^2)")]
    largest: Annotated[float | None, Metric("of the tensor", "largest magnitude in the golden model", "max |golden|")]
    sqnr_db: Annotated[
        float | None,
        Metric(
            "dB",
            "signal to quantization noise; null if there is no error, or no signal",
            "10 log10(sum golden^2 / sum e^2)",
        ),
    ]
    first_quarter_rms_error: Annotated[
        float | None, Metric("of the tensor", "RMS error over the first quarter of the time steps, rounded up")
    ]
    last_quarter_rms_error: Annotated[float | None, Metric("of the tensor", "the same over as many at the end")]
    error_growth: Annotated[
        float | None,
        Metric("1", "the last over the first; null if there is no first", "last_quarter / first_quarter"),
    ]


@dataclass(frozen=True, slots=True)
class OverflowFigures:
    """The values of a kind of data beyond its format's range."""

    kind: Annotated[str, Metric("", "kind of data; address: arguments of tables and line segments")]
    overflowed: Annotated[int, Metric("values", "how many the format's range changed")]
    values: Annotated[int, Metric("values", "how many were brought into the format, each time it happened")]
    share: Annotated[float, Metric("1", "the part beyond the range", "overflowed / values")]


@dataclass(frozen=True, slots=True)
class SaturatedSums:
    """The sums of a delta network that a format has cut off: what is lost stays lost in all later steps."""

    kind: Annotated[str, Metric("", "kind of data that has the format")]
    number_format: Annotated[str, Metric("", "the format that the sums are brought into")]
    saturated: Annotated[int, Metric("sums", "how many were cut off")]
    sums: Annotated[int, Metric("sums", "how many there were: one for each addition, and each bias as it is loaded")]
    share: Annotated[float, Metric("1", "the part that was cut off", "saturated / sums")]
    reached: Annotated[float, Metric("of the sum", "the complete sum of the largest magnitude in the golden model")]
    remedy: Annotated[
        str, Metric("", "the setting of a format that holds that sum; empty if none was cut off, or there is none")
    ]


@dataclass(frozen=True, slots=True)
class ScoreFigures:
    """The machine's scores against others."""

    max_abs_difference: Annotated[float | None, Metric("of the score", "largest difference of any score")]
    rms_difference: Annotated[float | None, Metric("of the score", "root of the mean squared difference")]
    frames: Annotated[int, Metric("scores", "scores compared: a frame is a time step of a sequence")]
    changed_side: Annotated[int, Metric("scores", "scores on another side of the threshold")]
    changed_share: Annotated[float, Metric("1", "the same as a part of all", "changed_side / frames")]


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """The task's view of the outputs: scores, and what differs."""

    summary: Annotated[str, Metric("", "what the scores are")]
    threshold: Annotated[float, Metric("of the score", "at least this is one side, less the other")]
    golden: Annotated[ScoreFigures, Metric("", "the machine's scores against those of the golden model")]
    witness: Annotated[ScoreFigures | None, Metric("", "the same against the outside witness; null without one")]


@dataclass(frozen=True, slots=True)
class RangeFigures:
    """The numbers that a tensor's format was made to cover."""

    low: Annotated[float, Metric("of the tensor", "least number to cover, at most 0")]
    high: Annotated[float, Metric("of the tensor", "largest number to cover, at least 0")]
    number_format: Annotated[str, Metric("", "number format that the range was chosen for")]


@dataclass(frozen=True, slots=True)
class CalibrationFigures:
    """The source of the scales of intN formats."""

    method: Annotated[str, Metric("", "how the ranges were chosen: max, percentile, mse")]
    percentile: Annotated[float, Metric("%", "what the method percentile covers")]
    weight_method: Annotated[str, Metric("", "how the ranges of the weights were chosen")]
    source: Annotated[str, Metric("", "the file that they were read from, or the input that they were observed on")]
    ranges: Annotated[
        Mapping[str, RangeFigures],
        Metric("", "tensor -> range, of those with an intN format: x, h_l0, c_l0, gate_l0, activation_l0, vector_l0"),
    ]


@dataclass(frozen=True, slots=True)
class AccuracyFigures:
    """The object `accuracy` of stats.json."""

    tensors: Annotated[tuple[TensorFigures, ...], Metric("", "errors against the golden model, machine - golden")]
    overflows: Annotated[tuple[OverflowFigures, ...], Metric("", "values beyond the range, by kind of data")]
    task: Annotated[TaskSummary | None, Metric("", "what the errors mean for the task; null without one")]
    saturated_sums: Annotated[
        tuple[SaturatedSums, ...],
        Metric("", "of a delta network, the sums that were cut off, by format; empty of any other"),
    ]
    calibration: Annotated[
        CalibrationFigures | None, Metric("", "where the scales of intN formats come from; null without such formats")
    ]


def accuracy_figures(simulation: Simulation) -> AccuracyFigures | None:
    """All accuracy figures of a run; None if it has no accuracy to report."""
    accuracy, numbers = simulation.accuracy, simulation.numbers
    if accuracy is None or numbers is None:
        return None
    counts = counted_sequences(numbers.spec)
    return AccuracyFigures(
        tensors=tuple(_tensor(tensor, counts) for tensor in accuracy.tensors),
        overflows=tuple(_overflow(count) for count in accuracy.overflows),
        task=_task(accuracy.task) if accuracy.task else None,
        saturated_sums=tuple(map(_saturated, accuracy.saturated)),
        calibration=None if numbers.calibration is None else _calibration(simulation, numbers.calibration),
    )


def counted_sequences(spec: NetworkSpec) -> npt.NDArray[np.int64]:
    """The number of sequences that have each time step, for steps that any has; at least one."""
    lengths = np.array(spec.lengths or (spec.steps,) * spec.batch)
    return np.array([np.count_nonzero(lengths > step) for step in range(lengths.max())], np.int64)


def quarter_steps(spec: NetworkSpec) -> int:
    """The number of time steps in the first, as in the last, quarter; 0 if they would be the same steps."""
    steps = len(counted_sequences(spec))
    return -(-steps // QUARTER) if steps > 1 else 0


def accuracy_csv(simulation: Simulation) -> str:
    """The errors as CSV, a line for each time step that any sequence has: max and RMS of every tensor.

    Python reads the numbers back as they are.
    """
    accuracy, numbers = simulation.accuracy, simulation.numbers
    assert accuracy is not None
    assert numbers is not None
    names = [str(harmless(tensor.name.replace(" ", "_"))) for tensor in accuracy.tensors]
    lines = [["step", *(f"{name}_{what}" for name in names for what in ("max_abs_error", "rms_error"))]]
    for step in range(len(counted_sequences(numbers.spec))):
        pairs = [(tensor.max_by_step[step], tensor.rms_by_step[step]) for tensor in accuracy.tensors]
        lines.append([str(step), *(repr(float(value)) for pair in pairs for value in pair)])
    return "".join(",".join(line) + "\n" for line in lines)


def _tensor(tensor: TensorAccuracy, counts: npt.NDArray[np.int64]) -> TensorFigures:
    quarter = -(-len(counts) // QUARTER)
    by_step = tensor.rms_by_step[: len(counts)]
    first = _pooled(by_step[:quarter], counts[:quarter])
    last = _pooled(by_step[-quarter:], counts[-quarter:])
    return TensorFigures(
        name=tensor.name,
        max_abs_error=_finite(tensor.max_abs_error),
        rms_error=_finite(tensor.rms_error),
        largest=_finite(tensor.largest),
        sqnr_db=None if tensor.sqnr_db is None else _finite(tensor.sqnr_db),
        first_quarter_rms_error=_finite(first),
        last_quarter_rms_error=_finite(last),
        error_growth=_finite(last / first) if first else None,
    )


def _pooled(rms: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]) -> float:
    """The RMS over several steps, each with its own number of sequences."""
    return sqrt(float(np.sum(np.square(rms) * counts)) / float(counts.sum()))


def _overflow(count: OverflowCount) -> OverflowFigures:
    return OverflowFigures(count.kind, count.overflowed, count.values, count.overflowed / max(1, count.values))


def _saturated(found: SaturatedKind) -> SaturatedSums:
    share = found.saturated / max(1, found.sums)
    return SaturatedSums(
        found.kind, found.number_format, found.saturated, found.sums, share, found.reached, found.remedy
    )


def _task(task: TaskFigures) -> TaskSummary:
    witness = None if task.witness is None else _scores(task.witness)
    return TaskSummary(task.summary, task.threshold, _scores(task), witness)


def _scores(found: ScoreDifference) -> ScoreFigures:
    return ScoreFigures(
        max_abs_difference=_finite(found.max_abs_difference),
        rms_difference=_finite(found.rms_difference),
        frames=found.frames,
        changed_side=found.changed_side,
        changed_share=found.changed_share,
    )


def _calibration(simulation: Simulation, found: Calibration) -> CalibrationFigures:
    needed = needed_ranges(simulation.workload.spec, simulation.arch.config.formats)
    ranges = {name: found.ranges[name] for name in needed}
    return CalibrationFigures(
        method=str(found.method),
        percentile=float(found.percentile),
        weight_method=str(found.weight_method),
        source=_source(simulation.workload),
        ranges={name: RangeFigures(float(r.low), float(r.high), r.number_format) for name, r in ranges.items()},
    )


def _source(workload: Workload) -> str:
    """The file or input that the ranges come from."""
    section = workload.config.calibration
    if section.file is not None:
        return f"the file {section.file}"
    if section.input is None:
        return "the workload's own input"
    if section.input.file is not None:
        return f"the input in the file {section.input.file}"
    return f"an input drawn with seed {section.input.seed}"


def _finite(value: float) -> float | None:
    """The number as Python's float, None for what JSON cannot hold."""
    return float(value) if isfinite(value) else None
