"""Judges many designs at once by the constraints and objectives of a space, as far as nothing is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from archsim.api.batch import Column
from archsim.api.batch.columns import Picked, Scalar
from archsim.explore.search.column_values import FieldColumns, column_of
from archsim.explore.search.front import Booleans, Values
from archsim.explore.space.expression import Expression
from archsim.explore.space.names import is_result
from archsim.explore.space.objectives import Objective, aggregated
from archsim.explore.space.space import Space


class ColumnClassifier:
    """Finds the designs of one space that keep all constraints and have all objectives.

    Of the others PointClassifier says, one by one, what is wrong with them.
    """

    def __init__(self, space: Space) -> None:
        self._space = space
        self._weights = [use.weight for use in space.workloads]
        after = [any(map(is_result, each.names | each.totals)) for each in space.constraints]
        self._before = [each for each, of_results in zip(space.constraints, after, strict=True) if not of_results]
        self._after = [each for each, of_results in zip(space.constraints, after, strict=True) if of_results]

    def before(self, fields: FieldColumns) -> Booleans:
        """Which designs keep the constraints over fields alone."""
        return self._kept(self._before, fields, {})

    def after(self, fields: FieldColumns, outputs: Mapping[str, Mapping[str, Column]]) -> tuple[Booleans, Values]:
        """Which designs keep those over results and have all objectives, and the objectives (N, M), nan elsewhere.

        `outputs`: workload -> its figures as columns.
        """
        kept = np.ones(len(fields), np.bool_)
        for figures in outputs.values():
            kept &= self._kept(self._after, fields, figures)
        values = [self._objective(objective, fields, outputs) for objective in self._space.objectives]
        found: Values = np.stack(values, axis=1)
        return kept & np.isfinite(found).all(axis=1), found

    def _kept(self, constraints: list[Expression], fields: FieldColumns, figures: Mapping[str, Column]) -> Booleans:
        kept = np.ones(len(fields), np.bool_)
        for constraint in constraints:
            found = column_of(constraint, fields, figures).of
            if isinstance(found, Picked):
                kept &= np.array([value is True for value in found.values], np.bool_)[found.codes]
            else:  # numbers, which are neither true nor false
                kept[:] = False
        return kept

    def _objective(
        self, objective: Objective, fields: FieldColumns, outputs: Mapping[str, Mapping[str, Column]]
    ) -> Values:
        """The values of an objective (N), nan where there is none."""
        expression, each = objective.expression, self._space.workloads
        columns = [_numbers(column_of(expression, fields, outputs[use.workload.name])) for use in each]
        if len(columns) == 1:
            return columns[0]
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return np.array([self._aggregated(row, objective.sign) for row in rows], np.float64)

    def _aggregated(self, values: tuple[float, ...], sign: int) -> float:
        if not all(map(math.isfinite, values)):
            return math.nan
        try:
            return aggregated(values, self._weights, self._space.aggregate, sign)
        except ValueError:
            return math.nan


def _numbers(column: Column) -> Values:
    """A column as floats, nan where there is no number."""
    if not isinstance(column.of, Picked):
        return column.of.astype(np.float64)
    found: Values = np.array(list(map(_number, column.of.values)), np.float64)[column.of.codes]
    return found


def _number(value: Scalar) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
