"""Evaluates tables of designs in batches: on one workload after the other, and what has no figures, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from archsim.api.batch import EVERYTHING, BatchEvaluator, BatchFrames, Column, Designs, evaluate_frames
from archsim.api.batch.columns import Codes, concatenated
from archsim.api.batch.designs import distinct
from archsim.errors import ArchsimError
from archsim.explore.run.declared import Declared
from archsim.explore.run.output_table import Output
from archsim.explore.space.names import frame_names
from archsim.metrics.flat import flat
from archsim.metrics.frames import Frames
from archsim.workload import Workload

Columns = dict[str, Column]


@dataclass(frozen=True, slots=True, eq=False)
class TablePart:
    """What is known of some designs on a workload: their rows, and the columns of those that have figures."""

    rows: Codes
    figures: list[tuple[Codes, Columns]]


class TableEvaluation:
    """The evaluation of one table of designs. `declared`: the figures that are wanted; None is all.

    `left`: designs that must be evaluated one by one, by row, and why.
    """

    def __init__(self, batches: BatchEvaluator, designs: Designs, declared: Declared | None) -> None:
        self._batches, self._designs, self._declared = batches, designs, declared
        self._wanted = EVERYTHING if declared is None else declared.wanted
        self.left: dict[int, str] = {}
        self._refused: dict[int, ArchsimError] = {}
        self._without: dict[int, ArchsimError] = {}

    def refusal(self, row: int) -> ArchsimError | None:
        """Why a design has no program; the first workload that has none says why."""
        return self._refused.get(row, self._without.get(row))

    def refusals(self) -> dict[int, ArchsimError]:
        """The designs that have no program, by row, and why."""
        refused = self._without | self._refused
        return {row: error for row, error in refused.items() if row not in self.left}

    @property
    def without_figures(self) -> set[int]:
        """The rows of designs that have not all figures."""
        return {*self.left, *self._refused, *self._without}

    def parts(self, workload: Workload) -> Iterator[TablePart]:
        """The figures on the next workload, some programs at a time."""
        frames = BatchFrames()
        if workload.spec.streaming:
            frames = evaluate_frames(self._batches, self._designs, workload)
        self._without = {row: error for rows, error in frames.refused for row in rows.tolist()}
        self.left |= {row: why for rows, why in frames.left for row in rows.tolist()}
        for part in self._batches.parts(self._designs, workload.spec, self._wanted):
            self.left |= {row: why for rows, why in part.left for row in rows.tolist()}
            mine = {row: error for rows, error in part.refused for row in rows.tolist()}
            self._refused = mine | self._refused
            figures = [
                (each.designs, self._columns(each.designs, frames.frames, each.columns)) for each in part.figures
            ]
            yield TablePart(part.designs, figures)
        self._refused = self._without | self._refused

    def _columns(self, rows: Codes, frames: Mapping[int, Frames], columns: Columns) -> Columns:
        found = _frame_columns(rows.tolist(), frames) | columns
        return found if self._declared is None else self._declared.within(found)


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedTable:
    """What became of a table of designs, by row.

    `rows`: those that have figures, and in `columns` workload -> figure -> its column in that order; `refused`: those
    that have no program, and why; `left`: those that must be evaluated one by one, and why.
    """

    rows: Codes
    columns: Mapping[str, Columns]
    refused: Mapping[int, ArchsimError]
    left: Mapping[int, str]

    @staticmethod
    def without(designs: int, why: str) -> EvaluatedTable:
        """Designs all of which must be evaluated one by one."""
        return EvaluatedTable(np.empty(0, np.intp), {}, {}, dict.fromkeys(range(designs), why))


def evaluated_table(
    batches: BatchEvaluator, designs: Designs, workloads: Sequence[Workload], declared: Declared | None
) -> EvaluatedTable:
    """What becomes of a table of designs, all with these workloads."""
    table = TableEvaluation(batches, designs, declared)
    try:
        parts = {work.name: [figures for part in table.parts(work) for figures in part.figures] for work in workloads}
    except Exception as error:  # whatever it is: one by one it is the failure of the design that has it
        return EvaluatedTable.without(len(designs), f"a batch failed: {type(error).__name__}")
    without = table.without_figures
    rows = np.array([row for row in range(len(designs)) if row not in without], np.intp)
    columns = {name: _joined(of_workload, rows) for name, of_workload in parts.items()}
    return EvaluatedTable(rows, columns, table.refusals(), table.left)


def _joined(parts: Sequence[tuple[Codes, Columns]], rows: Codes) -> Columns:
    """The columns of parts as those of some rows, in that order; None where a part does not have a figure."""
    of_parts = np.concatenate([part for part, _ in parts]) if parts else np.empty(0, np.intp)
    places = np.empty(int(of_parts.max(initial=-1)) + 1, np.intp)
    places[of_parts] = np.arange(len(of_parts))
    names = dict.fromkeys(name for _, columns in parts for name in columns)
    return {
        name: concatenated([columns.get(name) or Column.same(None, len(part)) for part, columns in parts]).at(
            places[rows]
        )
        for name in names
    }


def frame_outputs(frames: Frames | None) -> dict[str, Output]:
    """Every figure of a frame under its name, those of arrivals after a dot; none of a workload that is no stream."""
    if frames is None:
        return {}
    named = {name: getattr(frames, name) for name in frame_names()}
    for absent in ("arrivals", "differing_frames"):
        if named[absent] is None:
            del named[absent]
    return {entry: value for name, figure in named.items() for entry, value in flat(name, figure)}


def _frame_columns(designs: Sequence[int], frames: Mapping[int, Frames]) -> Columns:
    """The figures of a frame as columns; designs that have none are left to be evaluated one by one."""
    if not frames:
        return {}
    rows = [frame_outputs(frames.get(design)) for design in designs]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: Column(distinct([row.get(name) for row in rows])) for name in names}
