"""Turns designs and outcomes into points: constraints, objectives, and what is known before a simulation."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping

from archsim.config import Override
from archsim.explore.results.study import Point, Status
from archsim.explore.run.outcome import Kind, Outcome, Outputs
from archsim.explore.search.result_bounds import BatchBounds
from archsim.explore.space.design import Design, Reason
from archsim.explore.space.expression import Expression, ExpressionError, Scalar, truth
from archsim.explore.space.fields import field_value
from archsim.explore.space.interval import ANY, Interval, interval
from archsim.explore.space.names import is_result, of_cold_start
from archsim.explore.space.objectives import Objective, aggregated, named
from archsim.explore.space.space import ResolvedDesigns, Space

SLACK = 1e-12
"""Bounds are taken that much (relatively) weaker, so that rounding of an expression can never make one too strong."""


class PointClassifier:
    """Decides what becomes of the points of one space."""

    def __init__(self, space: Space) -> None:
        self._space = space
        before = [c for c in space.constraints if not any(map(is_result, c.names | c.totals))]
        self._before = tuple(before)
        self._after = tuple(c for c in space.constraints if c not in before)
        self._bounds = BatchBounds()
        self._weights = [use.weight for use in space.workloads]

    def before(self, design: Design) -> Point | None:
        """The point of a design that is infeasible without a simulation; None if it is not known to be."""
        reason = design.reason or self._violated(self._before, design, {})
        return None if reason is None else self._point(design, Status.INFEASIBLE, reason=reason)

    def after(self, design: Design, outcome: Outcome) -> Point:
        """The point of an evaluated design."""
        if outcome.kind is not Kind.DONE:
            status = Status.INFEASIBLE if outcome.kind is Kind.INFEASIBLE else Status.FAILED
            return self._point(design, status, reason=outcome.reason)
        for name, outputs in outcome.outputs.items():
            reason = self._violated(self._after, design, outputs)
            if reason is not None:
                where = f" (on {name})" if len(outcome.outputs) > 1 else ""
                reason = Reason(reason.kind, reason.what + where, reason.need, reason.have, reason.unit)
                return self._point(design, Status.INFEASIBLE, outcome, reason=reason)
        try:
            objectives = tuple(self._objective(objective, design, outcome) for objective in self._space.objectives)
        except (ExpressionError, ValueError) as error:
            return self._point(design, Status.INFEASIBLE, outcome, reason=Reason("objective", str(error)))
        return self._point(design, Status.EVALUATED, outcome, objectives)

    def pruned(self, design: Design, by: int) -> Point:
        """The point of a design whose bounds are dominated by point number `by`."""
        return self._point(design, Status.PRUNED, reason=Reason("bounds", f"dominated by point {by} at best"))

    def best_possible(self, found: ResolvedDesigns) -> dict[int, tuple[float, ...]]:
        """The best that each objective of designs can be, all to be minimized, by the number of their points.

        It is -inf where nothing is known; machines that are not valid have none.
        """
        alike: dict[tuple[Override, ...], list[Design]] = {}
        for design in found.designs:
            if design.number in found.rows:
                alike.setdefault(self._space.grid.overrides(design.number), []).append(design)
        best: dict[int, tuple[float, ...]] = {}
        for designs in alike.values():
            table = found.table.at([found.rows[design.number] for design in designs])
            workloads = self._space.variant(designs[0].number).workloads
            bounds = [self._bounds.bounds_of(table, workload.spec) for workload in workloads]
            for row, design in enumerate(designs):
                best[design.number] = self._best_of(design, [of_workload[row] for of_workload in bounds])
        return best

    def _best_of(self, design: Design, known: list[Mapping[str, Interval]]) -> tuple[float, ...]:
        return tuple(self._best(objective, design, known) for objective in self._space.objectives)

    def _best(self, objective: Objective, design: Design, known: list[Mapping[str, Interval]]) -> float:
        found = [self._interval(objective.expression, design, results) for results in known]
        if all(each.known for each in found):
            ends = [each.least for each in found]
        else:
            ends = [_weaker(each.least if objective.sign == 1 else each.most, objective.sign) for each in found]
        if not all(map(math.isfinite, ends)):
            return -math.inf
        try:
            return objective.sign * aggregated(ends, self._weights, self._space.aggregate, objective.sign)
        except ValueError:
            return -math.inf

    def _interval(self, expression: Expression, design: Design, results: Mapping[str, Interval]) -> Interval:
        if expression.text in results:  # a result by itself, as most objectives are
            return results[expression.text]

        def bounds(name: str) -> Interval | Scalar:
            return results.get(name, ANY) if is_result(name) else self._field(design, name)

        return interval(expression, bounds)

    def _objective(self, objective: Objective, design: Design, outcome: Outcome) -> float:
        values = [
            self._number(objective.expression, design, outcome.outputs[use.workload.name])
            for use in self._space.workloads
        ]
        return aggregated(values, self._weights, self._space.aggregate, objective.sign)

    def _number(self, expression: Expression, design: Design, outputs: Outputs) -> float:
        value = self._value(expression, design, outputs)
        if isinstance(value, str) or not math.isfinite(value):
            raise ExpressionError(f"{expression.text}: {value!r} is no number")
        return value

    def _value(self, expression: Expression, design: Design, outputs: Outputs) -> Scalar:
        if expression.text in outputs:  # a result by itself, as most objectives are
            return _result(outputs, expression.text)

        def lookup(name: str) -> Scalar:
            return _result(outputs, name) if is_result(name) else self._field(design, name)

        return expression.value(lookup, lambda name: _total(outputs, name))

    def _field(self, design: Design, name: str) -> Scalar:
        if name in design.inputs:
            return design.inputs[name]
        assert design.config is not None
        return field_value(design.config, design.schedule, name)

    def _violated(self, constraints: tuple[Expression, ...], design: Design, outputs: Outputs) -> Reason | None:
        for constraint in constraints:
            try:
                if not truth(self._value(constraint, design, outputs)):
                    return self._gap(constraint, design, outputs)
            except ExpressionError as error:
                return Reason("constraint", str(error))
        return None

    def _gap(self, constraint: Expression, design: Design, outputs: Outputs) -> Reason:
        """The demand and the bound of a constraint that is one comparison of numbers."""
        tree = constraint.tree
        if isinstance(tree, ast.Compare) and len(tree.ops) == 1:
            sides = (
                Expression("", side, constraint.names, constraint.totals) for side in (tree.left, *tree.comparators)
            )
            left, right = (self._value(side, design, outputs) for side in sides)
            if not isinstance(left, str) and not isinstance(right, str):
                at_most = isinstance(tree.ops[0], ast.Lt | ast.LtE)
                need, have = (left, right) if at_most else (right, left)
                return Reason("constraint", self._text(constraint), need, have)
        return Reason("constraint", self._text(constraint))

    def _text(self, constraint: Expression) -> str:
        """A constraint as text; that it is about a cold start is said where workloads are streams."""
        streams = any(use.workload.spec.streaming for use in self._space.workloads)
        return named(constraint.text, streams and of_cold_start(constraint))

    def _point(
        self,
        design: Design,
        status: Status,
        outcome: Outcome | None = None,
        objectives: tuple[float, ...] | None = None,
        reason: Reason | None = None,
    ) -> Point:
        outputs = outcome.outputs if outcome is not None else None
        executor = outcome.executor if outcome is not None else ""
        inputs, schedule = design.inputs, design.schedule
        return Point(design.number, inputs, schedule, status, objectives, outputs, executor, reason)


def violation(point: Point) -> float:
    """How far an infeasible point is from feasible: its gap relative to what there is; 1 where that is no number."""
    reason = point.reason
    if point.status is Status.EVALUATED or reason is None:
        return 0.0
    if reason.gap is None or reason.have is None:
        return 1.0
    return max(abs(reason.gap) / max(abs(reason.have), 1.0), 1e-9)


def _result(outputs: Outputs, name: str) -> Scalar:
    value = outputs.get(name)
    if value is None:
        raise ExpressionError(f"this design has no {name}")
    return value


def _total(outputs: Outputs, name: str) -> float:
    values = [v for key, v in outputs.items() if key.startswith(f"{name}.") and isinstance(v, int | float)]
    if not values:
        raise ExpressionError(f"this design has no {name}")
    return sum(values)


def _weaker(end: float, sign: int) -> float:
    return end - sign * SLACK * abs(end)
