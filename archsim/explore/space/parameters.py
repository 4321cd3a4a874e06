"""Defines the parameters of a space: a path and the values that it takes, in order."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from archsim.explore.space.expression import Scalar
from archsim.explore.space.space_config import MAX_CHOICES, Range

SCHEDULE = "schedule"
"""The parameter that is no field."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a parameter: as tables and expressions see it, and as it stands in the data."""

    label: Scalar
    value: Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """A path of the architecture, or of the workloads, and the values that are tried for it."""

    path: str
    choices: tuple[Choice, ...]
    of_workloads: bool = False

    @property
    def of_machine(self) -> bool:
        """Whether the path names a field of the architecture."""
        return self.path != SCHEDULE and not self.of_workloads

    @property
    def numeric(self) -> bool:
        """Whether every value is a number, so that an axis can show it to scale."""
        return all(isinstance(c.label, int | float) and not isinstance(c.label, bool) for c in self.choices)


def range_values(found: Range) -> tuple[int | float, ...]:
    """All values of a range; ValueError if there are none or too many."""
    if found.linear is not None:
        first, last, step = (_exact(v) for v in (found.linear.first, found.linear.last, found.linear.step))
        count = (last - first) // step + 1 if last >= first else 0
        values = [first + number * step for number in range(_bounded(count))]
    else:
        assert found.log2 is not None
        value, last = _exact(found.log2.first), _exact(found.log2.last)
        values = []
        while value <= last:
            values.append(value)
            value *= 2
    if not values:
        raise ValueError("there is no value from 'from' to 'to'")
    return tuple(value.numerator if value.denominator == 1 else float(value) for value in values)


def label_of(value: object) -> Scalar:
    """The text for a choice that is no plain value: compact JSON."""
    return value if isinstance(value, bool | int | float | str) else json.dumps(value, separators=(",", ":"))


def _exact(value: float) -> Fraction:
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def _bounded(count: int) -> int:
    if count > MAX_CHOICES:
        raise ValueError(f"has {count:,} values; at most {MAX_CHOICES:,} are taken")
    return count
