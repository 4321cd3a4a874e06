"""Turns designs and outcomes into points: constraints, objectives, and what is known before a simulation."""

from __future__ import annotations

import math
from collections.abc import Mapping

from archsim.config import Override
from archsim.explore.results.study import Point, Status
from archsim.explore.run.outcome import Kind, Outcome
from archsim.explore.search.constraints import Constraints, field_of
from archsim.explore.search.objective_values import ObjectiveValues
from archsim.explore.search.result_bounds import BatchBounds
from archsim.explore.space.design import Design, Reason
from archsim.explore.space.expression import Expression, Scalar
from archsim.explore.space.interval import ANY, Interval, interval
from archsim.explore.space.names import is_result
from archsim.explore.space.objectives import Objective, aggregated
from archsim.explore.space.space import ResolvedDesigns, Space

SLACK = 1e-12
"""Bounds are taken that much (relatively) weaker, so that rounding of an expression can never make one too strong."""


class PointClassifier:
    """Decides what becomes of the points of one space."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._constraints = Constraints(space.constraints, any(use.workload.spec.streaming for use in space.workloads))
        self._objectives = ObjectiveValues.from_space(space)
        self._bounds = BatchBounds()
        self._weights = [use.weight for use in space.workloads]

    def before(self, design: Design) -> Point | None:
        """The point of a design that is infeasible without a simulation; None if it is not known to be."""
        reason = design.reason or self._constraints.before(design)
        return None if reason is None else self._point(design, Status.INFEASIBLE, reason=reason)

    def after(self, design: Design, outcome: Outcome) -> Point:
        """The point of an evaluated design."""
        if outcome.kind is not Kind.DONE:
            status = Status.INFEASIBLE if outcome.kind is Kind.INFEASIBLE else Status.FAILED
            return self._point(design, status, reason=outcome.reason)
        reason = self._constraints.after(design, outcome.outputs)
        if reason is not None:
            return self._point(design, Status.INFEASIBLE, outcome, reason=reason)
        objectives = self._objectives.of(design, outcome.outputs)
        if isinstance(objectives, Reason):
            return self._point(design, Status.INFEASIBLE, outcome, reason=objectives)
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
            return results.get(name, ANY) if is_result(name) else field_of(design, name)

        return interval(expression, bounds)

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


def _weaker(end: float, sign: int) -> float:
    return end - sign * SLACK * abs(end)
