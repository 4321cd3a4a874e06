"""Looks at the points of a job: those with nothing wrong as columns, the others one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from archsim.api.batch.columns import Codes, Picked
from archsim.engines.choose import FAST
from archsim.explore.parts.evaluated_rows import EvaluatedRows, table_of_rows
from archsim.explore.parts.part_file import PartFiles
from archsim.explore.parts.part_merge import merged_tables
from archsim.explore.parts.part_rows import numbers_array
from archsim.explore.ranges.piece_job import PieceJob
from archsim.explore.results.study import Point
from archsim.explore.run.evaluation import DesignEvaluator, Task, infeasible
from archsim.explore.run.found import add_points
from archsim.explore.run.local_deaths import MOST_DEATHS, died
from archsim.explore.run.outcome import Kind, Outcome
from archsim.explore.run.output_table import OutputTable
from archsim.explore.run.table_evaluation import Columns, EvaluatedTable
from archsim.explore.search.column_classifier import ColumnClassifier
from archsim.explore.search.column_values import FieldColumns
from archsim.explore.search.front import Booleans, Front
from archsim.explore.search.point_classifier import PointClassifier
from archsim.explore.space.design import Design
from archsim.explore.space.point_table import PointTable
from archsim.explore.space.space import Space
from archsim.explore.space.workload_variants import Variant


@dataclass(slots=True, eq=False)
class FoundPoints:
    """What became of the points of a job.

    `front`: those that no other dominates; `designs`: points of designs that were evaluated, of which `simulated` are
    different ones; `alone`: why designs were evaluated one by one -> how many.
    """

    files: PartFiles
    front: Front
    tables: list[Any] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    keys: dict[int, str] = field(default_factory=dict)
    designs: int = 0
    simulated: int = 0
    alone: Counter[str] = field(default_factory=Counter)

    def table(self, numbers: Sequence[int]) -> Any:  # noqa: ANN401 pyarrow has no types
        """The table of all points, in the order of their numbers here."""
        tables = list(self.tables)
        if self.points or not tables:
            tables.append(self.files.table_of_points(self.points, self.keys))
        if len(tables) == 1 and not self.points:
            return tables[0]  # which is in that order
        return merged_tables(self.files, numbers_array(numbers, self.files.space.size), tables)

    def add_points(self, points: Sequence[Point], outcome: Outcome | None = None) -> None:
        """Add points that became objects; `outcome`: that of their design, None if it was not evaluated."""
        self.points += points
        if outcome is not None:
            self.keys.update((point.number, outcome.key) for point in points)
            self.designs += len(points)
        add_points(self.front, self.files.space, points)

    def add_rows(self, rows: EvaluatedRows) -> None:
        """Add points that are rows."""
        self.tables.append(table_of_rows(self.files, rows))
        self.designs += len(rows.numbers)
        signs = [objective.sign for objective in self.files.space.objectives]
        self.front.add(list(rows.numbers), rows.objectives * signs)


class JobPoints:
    """Looks at points of one space, job by job."""

    def __init__(self, space: Space, files: PartFiles, evaluator: DesignEvaluator) -> None:
        self._space, self._files, self._evaluator = space, files, evaluator
        self._classifier, self._columns = PointClassifier(space), ColumnClassifier(space)

    def of(self, job: PieceJob) -> FoundPoints:
        """What becomes of the points of a job."""
        found = FoundPoints(self._files, Front(len(self._space.objectives)))
        table = self._space.table(job.numbers)
        valid = set(table.places.tolist())
        for place, number in enumerate(job.numbers):
            if place not in valid:
                self._add_invalid(found, self._space.design(number))
        for rows in _alike(table.variants):
            of_variant = _at(table, rows)
            reason = of_variant.variants.of(0).reason
            if reason is not None or job.deaths >= MOST_DEATHS:
                self._one_by_one(found, of_variant, job)
            else:
                self._together(found, of_variant)
        return found

    def _add_invalid(self, found: FoundPoints, design: Design) -> None:
        point = self._classifier.before(design)
        assert point is not None  # its machine is not valid
        found.add_points([point])

    def _one_by_one(self, found: FoundPoints, table: PointTable, job: PieceJob) -> None:
        """Take points that are not evaluated: they have no workload, or workers die of them."""
        for design in table.all_designs():
            point = self._classifier.before(design)
            if point is not None:
                found.add_points([point])
                continue
            outcome = died(Task(design.key, design.number, design.schedule), job.exit_code)
            found.simulated += 1
            found.alone[outcome.alone] += 1
            found.add_points([self._classifier.after(design, outcome)], outcome)

    def _together(self, found: FoundPoints, table: PointTable) -> None:
        """Evaluate points that all have the same workloads."""
        kept = self._columns.before(FieldColumns(table.designs, table.labels))
        if not kept.all():
            table = self._without_infeasible(found, table, kept)
        if not len(table):
            return
        first, same = _distinct(table.digests)
        designs = table.designs if len(first) == len(table) else table.designs.at(first.tolist())
        evaluated = self._evaluator.table(designs, table.variants.of(0).workloads)
        found.simulated += len(first)
        taken = self._add_done(found, table, evaluated, same)
        if not taken.all():
            self._add_others(found, table, evaluated, same, np.flatnonzero(~taken))

    def _without_infeasible(self, found: FoundPoints, table: PointTable, kept: Booleans) -> PointTable:
        """The points of a table that are evaluated; the others, which fields alone make infeasible, are added."""
        others = np.flatnonzero(~kept)
        for row, design in zip(others.tolist(), table.at(others).all_designs(), strict=True):
            point = self._classifier.before(design)
            if point is None:
                kept[row] = True
            else:
                found.add_points([point])
        return table.at(np.flatnonzero(kept))

    def _add_done(self, found: FoundPoints, table: PointTable, evaluated: EvaluatedTable, same: Codes) -> Booleans:
        """Add the points that have figures and all objectives, and keep all constraints; which of the points they are.

        `same`: the row of each point's design among the evaluated ones.
        """
        place_of = np.full(same.max() + 1, -1)
        place_of[evaluated.rows] = np.arange(len(evaluated.rows))
        done = np.flatnonzero(place_of[same] >= 0)
        taken = np.zeros(len(table), np.bool_)
        if not len(done):
            return taken
        mine = _at(table, done)
        outputs = _columns_at(evaluated.columns, place_of[same[done]])
        good, objectives = self._columns.after(FieldColumns(mine.designs, mine.labels), outputs)
        rows = np.flatnonzero(good)
        taken[done[rows]] = True
        if len(rows):
            chosen = _at(mine, rows)
            schedules = chosen.designs.schedules
            words = Picked([str(schedule) for schedule in schedules.values], schedules.codes)
            found.add_rows(
                EvaluatedRows(
                    *(chosen.numbers, words, chosen.labels, objectives[rows], _columns_at(outputs, rows)),
                    *(chosen.digests, FAST),
                )
            )
        return taken

    def _add_others(
        self, found: FoundPoints, table: PointTable, evaluated: EvaluatedTable, same: Codes, rows: Codes
    ) -> None:
        """Add the points that have no figures, or with which something is wrong."""
        outputs = {workload: OutputTable(columns) for workload, columns in evaluated.columns.items()}
        place_of = {row: place for place, row in enumerate(evaluated.rows.tolist())}
        of_design: dict[int, list[Design]] = {}
        for row, design in zip(same[rows].tolist(), table.at(rows).all_designs(), strict=True):
            of_design.setdefault(row, []).append(design)
        for row, designs in of_design.items():
            key, error = designs[0].key, evaluated.refused.get(row)
            if row in evaluated.left:
                task = Task(key, designs[0].number, designs[0].schedule)
                outcome = self._evaluator.run(task, evaluated.left[row])
                found.alone[outcome.alone] += 1
            elif error is not None:
                outcome = infeasible(key, error)
            else:
                figures = {workload: of.row(place_of[row]) for workload, of in outputs.items()}
                outcome = Outcome(key, Kind.DONE, figures, FAST)
            found.add_points([self._classifier.after(design, outcome) for design in designs], outcome)


def _alike(variants: Picked[Variant]) -> Iterator[Codes]:
    """The rows that have each variant."""
    for variant in range(len(variants.values)):
        rows = np.flatnonzero(variants.codes == variant)
        if len(rows):
            yield rows


def _distinct(digests: Sequence[bytes]) -> tuple[Codes, Codes]:
    """The first row of each design, and for each row which of these its design is."""
    if len(set(digests)) == len(digests):
        return np.arange(len(digests)), np.arange(len(digests))
    places: dict[bytes, int] = {}
    same = np.array([places.setdefault(digest, len(places)) for digest in digests], np.intp)
    return np.unique(same, return_index=True)[1], same


def _at(table: PointTable, rows: Codes) -> PointTable:
    """Rows of a table, in ascending order."""
    return table if len(rows) == len(table) else table.at(rows)


def _columns_at(outputs: Mapping[str, Columns], rows: Codes) -> dict[str, Columns]:
    return {workload: {name: column.at(rows) for name, column in found.items()} for workload, found in outputs.items()}
