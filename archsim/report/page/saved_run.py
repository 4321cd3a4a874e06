"""Reads a folder of results, and repeats its run for what the folder does not hold: cycles, not numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from archsim.api import Simulation, simulate
from archsim.api.evaluate import Evaluator
from archsim.api.explain import Findings, find
from archsim.api.near_changes import NearChanges, near_changes
from archsim.checking.format_error import Accuracy, OverflowCount, TensorAccuracy
from archsim.checking.saturated_sums import SaturatedKind
from archsim.checking.validation import Validation
from archsim.config.files.regular_files import read_regular
from archsim.errors import Fault, WorkloadError, one_line
from archsim.families.load import load_arch
from archsim.metrics.run_folder import REPEATABLE, check_run_folder
from archsim.report.files.accuracy_figures import AccuracyFigures
from archsim.report.files.manifest import Manifest, read_manifest
from archsim.report.files.rerun import flat_figures, saved_stats
from archsim.report.files.saved import run_figures
from archsim.trace import Window
from archsim.workload import load_workload

_NOT_REPEATED = ("validation", "accuracy", "executor")
"""Figures of the numbers, which are not computed again, and what timed the run."""
_TEXT_BYTES = 1 << 20
"""Most of a file's text that a page shows."""
_MOST_CSV_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A run of a folder: repeated without its numbers, of which it has the verdict and the errors that were saved.

    `near`: what small changes of its machine bring; `steps`: the time steps that the timeline is to show; `changed`:
    figures of the folder that are others now.
    """

    folder: Path
    manifest: Manifest
    simulation: Simulation
    findings: Findings
    near: NearChanges
    accuracy: AccuracyFigures | None
    steps: range
    changed: tuple[str, ...]
    arch_yaml: str
    workload_yaml: str


def read_run(folder: Path, steps: range | None = None, near: NearChanges | None = None) -> SavedRun:
    """Read and repeat the run of a folder; `steps`: those of the timeline, by default some from the middle.

    `near`: what changes of the machine bring, if they were measured already; else they are here.

    Raises what loading and simulating its inputs raises, and WorkloadError for a folder that is none of a run, or for
    steps that it does not have.
    """
    check_run_folder(folder, REPEATABLE)
    manifest, saved = read_manifest(folder), saved_stats(folder / "stats.json")
    try:
        names, schedule = (one_line(str(saved["arch"])), one_line(str(saved["workload"]))), str(saved["schedule"])
        overrides = tuple(map(str, saved["overrides"]))
        validation = TypeAdapter(Validation).validate_python(saved["validation"])
        accuracy = TypeAdapter(AccuracyFigures | None).validate_python(saved["accuracy"])
    except (KeyError, TypeError, ValidationError) as error:
        raise _no_run(folder) from error
    arch = replace(load_arch(str(folder / "arch.yaml")), name=names[0], overrides=overrides)
    workload = replace(load_workload(str(folder / "workload.yaml")), name=names[1])
    shown = _middle(workload.spec.steps) if steps is None else steps
    if not shown or shown.stop > workload.spec.steps:
        asked, last = f"{shown.start}-{shown.stop - 1}", workload.spec.steps - 1
        raise WorkloadError((Fault(f"--steps {asked}", "", f"{folder} has the time steps 0 to {last}"),))
    window = Window(max(0, shown.start - 1), len(shown) + 1)  # what a step's first ops wait for is in the one before
    evaluator = Evaluator()
    run = simulate(arch, workload, schedule, timing_only=True, window=window, evaluator=evaluator)
    changed = _changed(saved, run)
    by_step = {} if accuracy is None else _errors_by_step(folder / "accuracy.csv")
    run = replace(run, validation=validation, accuracy=None if accuracy is None else _errors(accuracy, by_step))
    return SavedRun(
        folder,
        manifest,
        run,
        find(run),
        near_changes(run, evaluator) if near is None else near,
        accuracy,
        shown,
        changed,
        _text(folder / "arch.yaml"),
        _text(folder / "workload.yaml"),
    )


def _middle(steps: int) -> range:
    first = max(0, steps // 2 - 1)
    return range(first, min(steps, first + 3))


def _changed(saved: Mapping[str, Any], run: Simulation) -> tuple[str, ...]:
    """The figures of cycles, traffic and energy that are not those of the folder."""
    old, new = (
        dict(flat_figures({name: value for name, value in figures.items() if name not in _NOT_REPEATED}))
        for figures in (saved, _plain(run_figures(run)))
    )
    return tuple(name for name in new if old.get(name) != new[name])


def _plain(figures: Mapping[str, Any]) -> Mapping[str, Any]:
    """The figures as they come back from a file."""
    import json

    found: Mapping[str, Any] = json.loads(json.dumps(figures))
    return found


def _errors(figures: AccuracyFigures, by_step: Mapping[str, Sequence[float]]) -> Accuracy:
    """The accuracy that was saved, without the scores of a task."""
    tensors = [
        TensorAccuracy(
            tensor.name,
            _number(tensor.max_abs_error),
            _number(tensor.rms_error),
            _number(tensor.largest),
            tensor.sqnr_db,
            _column(by_step, tensor.name, "max_abs_error"),
            _column(by_step, tensor.name, "rms_error"),
        )
        for tensor in figures.tensors
    ]
    overflows = tuple(OverflowCount(count.kind, count.overflowed, count.values) for count in figures.overflows)
    saturated = tuple(
        SaturatedKind(each.kind, each.number_format, each.saturated, each.sums, each.reached, each.remedy)
        for each in figures.saturated_sums
    )
    return Accuracy(tuple(tensors), overflows, None, saturated)


def _number(value: float | None) -> float:
    return nan if value is None else value


def _column(by_step: Mapping[str, Sequence[float]], tensor: str, what: str) -> npt.NDArray[np.float64]:
    """A tensor's errors over time, as accuracy.csv has them; none if it has not."""
    return np.array(by_step.get(f"{tensor.replace(' ', '_')}_{what}", ()), np.float64)


def _errors_by_step(file: Path) -> dict[str, list[float]]:
    """The columns of accuracy.csv; none if there is no such file."""
    if not file.is_file():
        return {}
    try:
        rows = list(csv.reader(io.StringIO(read_regular(file, _MOST_CSV_BYTES).decode("utf-8"), newline="")))
        return {name: [float(row[place]) for row in rows[1:]] for place, name in enumerate(rows[0])}
    except (OSError, ValueError, IndexError) as error:
        raise WorkloadError((Fault(str(file), "", "is no accuracy.csv of archsim"),)) from error


def _text(file: Path) -> str:
    text = read_regular(file, 2 * _TEXT_BYTES).decode("utf-8")
    return text if len(text) <= _TEXT_BYTES else text[:_TEXT_BYTES] + "\n... (cut off)\n"


def _no_run(folder: Path) -> WorkloadError:
    message = "is no stats.json of this archsim; run the design again"
    return WorkloadError((Fault(str(folder / "stats.json"), "", message),))
