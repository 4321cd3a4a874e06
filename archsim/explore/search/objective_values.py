"""Gives designs their objectives: an expression on each workload, and one number of all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archsim.explore.run.outcome import Outputs
from archsim.explore.search.constraints import value_of
from archsim.explore.space.design import Design, Reason
from archsim.explore.space.expression import Expression, ExpressionError
from archsim.explore.space.objectives import Objective, aggregated
from archsim.explore.space.space import Space
from archsim.explore.space.space_config import Aggregate


@dataclass(frozen=True, slots=True)
class ObjectiveValues:
    """The objectives of a space. `weights`: workload -> its weight, in the space's order."""

    objectives: Sequence[Objective]
    weights: Mapping[str, float]
    aggregate: Aggregate

    @staticmethod
    def from_space(space: Space) -> ObjectiveValues:
        """The objectives that a space has, with the weights of its workloads."""
        weights = {use.workload.name: use.weight for use in space.workloads}
        return ObjectiveValues(space.objectives, weights, space.aggregate)

    def of(self, design: Design, outputs: Mapping[str, Outputs]) -> tuple[float, ...] | Reason:
        """The objectives of a design with these figures (workload -> its figures), or why one of them is undefined."""
        try:
            return tuple(self._value(objective, design, outputs) for objective in self.objectives)
        except (ExpressionError, ValueError) as error:
            return Reason("objective", str(error))

    def _value(self, objective: Objective, design: Design, outputs: Mapping[str, Outputs]) -> float:
        values = [_number(objective.expression, design, outputs[workload]) for workload in self.weights]
        return aggregated(values, list(self.weights.values()), self.aggregate, objective.sign)


def _number(expression: Expression, design: Design, outputs: Outputs) -> float:
    value = value_of(expression, design, outputs)
    if isinstance(value, str) or not math.isfinite(value):
        raise ExpressionError(f"{expression.text}: {value!r} is no number")
    return value
