"""Gives the values of expressions for many designs at once, from columns of their fields and figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from archsim.api.batch import Column, Designs
from archsim.api.batch.columns import Codes, Picked, Scalar, classes
from archsim.explore.space import expression as of_one
from archsim.explore.space.expression import Expression, ExpressionError
from archsim.explore.space.fields import plain_value
from archsim.explore.space.names import is_result
from archsim.explore.space.parameters import SCHEDULE


class FieldColumns:
    """The fields of designs. `labels`: what tables show of those that are varied, by path."""

    def __init__(self, designs: Designs, labels: Mapping[str, Picked[of_one.Scalar]]) -> None:
        self._designs, self._labels = designs, labels

    def __len__(self) -> int:
        return len(self._designs)

    def field(self, name: str) -> Picked[Scalar]:
        """A field of every design as expressions see it, or its schedule; None where it is no plain value."""
        if name in self._labels:
            labels = self._labels[name]
            return Picked(labels.values, labels.codes)
        if name == SCHEDULE:
            schedules = self._designs.schedules
            return Picked([str(schedule) for schedule in schedules.values], schedules.codes)
        found = self._designs.field(name)
        return Picked([_plain(value, name) for value in found.values], found.codes)


def column_of(expression: Expression, fields: FieldColumns, figures: Mapping[str, Column]) -> Column:
    """The value of an expression for every design, None where it has none; `figures`: on one workload, by name.

    It is worked out once for designs that are alike in all that it names.
    """
    if expression.text in figures:  # a result by itself, as most objectives are
        return figures[expression.text]
    named = {
        name: figures.get(name) if is_result(name) else Column(fields.field(name)) for name in sorted(expression.names)
    }
    below = {
        total: {name: column for name, column in figures.items() if name.startswith(f"{total}.")}
        for total in sorted(expression.totals)
    }
    columns = [*named.values(), *(column for of_total in below.values() for column in of_total.values())]
    first, codes = _alike([column for column in columns if column is not None], len(fields))
    values = {name: None if column is None else _at(column, first) for name, column in named.items()}
    entries = {total: [_at(column, first) for column in of_total.values()] for total, of_total in below.items()}
    return Column(Picked([_value(expression, values, entries, row) for row in range(len(first))], codes))


def _value(
    expression: Expression,
    values: Mapping[str, list[Scalar] | None],
    entries: Mapping[str, list[list[Scalar]]],
    row: int,
) -> Scalar:
    def lookup(name: str) -> of_one.Scalar:
        column = values[name]
        value = None if column is None else column[row]
        if value is None:
            raise ExpressionError(name)
        return value

    def total(name: str) -> float:
        numbers = [value for column in entries[name] if isinstance(value := column[row], int | float)]
        if not numbers:
            raise ExpressionError(name)
        return sum(numbers)

    try:
        return expression.value(lookup, total)
    except ExpressionError:
        return None


def _alike(columns: list[Column], designs: int) -> tuple[Codes, Codes]:
    """Designs that have the same value in all columns: the first of each class, and the class of every design."""
    picked = [column.of for column in columns if isinstance(column.of, Picked)]
    if len(picked) < len(columns):  # numbers that are hardly ever the same
        return np.arange(designs), np.arange(designs)
    return classes([each.codes for each in picked], designs)


def _at(column: Column, rows: Codes) -> list[Scalar]:
    return column.at(rows).values()


def _plain(value: object, name: str) -> Scalar:
    try:
        return plain_value(value, name)
    except ExpressionError:
        return None
