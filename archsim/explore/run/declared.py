"""Names the figures that a large exploration keeps of each design: those that its expressions refer to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from archsim.api.batch import Wanted
from archsim.explore.run.outcome import Outcome
from archsim.explore.space.names import is_result
from archsim.explore.space.space import Space

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Declared:
    """Figures by name, and beginnings of names, below which all are meant."""

    names: tuple[str, ...]
    totals: tuple[str, ...]

    @staticmethod
    def of(space: Space) -> Declared:
        """The figures that a space's objectives and constraints name."""
        expressions = [*space.constraints, *(objective.expression for objective in space.objectives)]
        names = {name for expression in expressions for name in expression.names if is_result(name)}
        totals = {name for expression in expressions for name in expression.totals}
        return Declared(tuple(sorted(names)), tuple(sorted(totals)))

    @staticmethod
    def from_data(data: Sequence[Sequence[str]] | None) -> Declared | None:
        """Reads what `dataclasses.astuple` gave, after JSON."""
        return None if data is None else Declared(tuple(data[0]), tuple(data[1]))

    def has(self, figure: str) -> bool:
        """Whether a figure is one of them."""
        return figure in self.names or any(figure.startswith(f"{total}.") for total in self.totals)

    @property
    def wanted(self) -> Wanted:
        """The figures as what evaluates designs is asked for them."""
        return Wanted((*self.names, *self.totals))

    def within(self, figures: Mapping[str, Value]) -> dict[str, Value]:
        """The figures that are declared, out of the given ones."""
        return {name: value for name, value in figures.items() if self.has(name)}

    def outcome(self, outcome: Outcome) -> Outcome:
        """The outcome with these figures alone."""
        outputs = {name: self.within(found) for name, found in outcome.outputs.items()}
        return Outcome(outcome.key, outcome.kind, outputs, outcome.executor, outcome.reason, outcome.alone)


def settings_digest(space: Space, pruning: bool) -> str:
    """The digest of what turns figures into points: objectives, constraints, and whether designs are pruned."""
    objectives = [[o.name, o.expression.text, o.sign] for o in space.objectives]
    text = json.dumps([objectives, [c.text for c in space.constraints], pruning])
    return hashlib.sha256(text.encode()).hexdigest()
