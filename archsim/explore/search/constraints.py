"""Judges designs by the constraints of a space, and gives the value of an expression for a design."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace

from archsim.explore.run.outcome import Outputs
from archsim.explore.space.design import Design, Reason
from archsim.explore.space.expression import Expression, ExpressionError, Scalar, truth
from archsim.explore.space.fields import field_value
from archsim.explore.space.names import is_result, of_cold_start
from archsim.explore.space.objectives import named


class Constraints:
    """What must hold of each design of a space; `streams`: whether some workload is a stream."""

    def __init__(self, constraints: Sequence[Expression], streams: bool) -> None:
        self._streams = streams
        self._before = tuple(c for c in constraints if not any(map(is_result, c.names | c.totals)))
        self._after = tuple(c for c in constraints if c not in self._before)

    def before(self, design: Design) -> Reason | None:
        """The first constraint over fields alone that a design does not keep; None if it keeps all of them."""
        return self._violated(self._before, design, {})

    def after(self, design: Design, outputs: Mapping[str, Outputs]) -> Reason | None:
        """The first constraint over results that a design does not keep; `outputs`: workload -> its figures."""
        for name, found in outputs.items():
            reason = self._violated(self._after, design, found)
            if reason is not None:
                return replace(reason, what=f"{reason.what} (on {name})") if len(outputs) > 1 else reason
        return None

    def _violated(self, constraints: tuple[Expression, ...], design: Design, outputs: Outputs) -> Reason | None:
        for constraint in constraints:
            try:
                if not truth(value_of(constraint, design, outputs)):
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
            left, right = (value_of(side, design, outputs) for side in sides)
            if not isinstance(left, str) and not isinstance(right, str):
                at_most = isinstance(tree.ops[0], ast.Lt | ast.LtE)
                need, have = (left, right) if at_most else (right, left)
                return Reason("constraint", self._text(constraint), need, have)
        return Reason("constraint", self._text(constraint))

    def _text(self, constraint: Expression) -> str:
        """A constraint as text; that it is about a cold start is said where workloads are streams."""
        return named(constraint.text, self._streams and of_cold_start(constraint))


def value_of(expression: Expression, design: Design, outputs: Outputs) -> Scalar:
    """The value of an expression for a design with these figures; ExpressionError if it has none."""
    if expression.text in outputs:  # a result by itself, as most objectives are
        return _result(outputs, expression.text)

    def lookup(name: str) -> Scalar:
        return _result(outputs, name) if is_result(name) else field_of(design, name)

    return expression.value(lookup, lambda name: _total(outputs, name))


def field_of(design: Design, name: str) -> Scalar:
    """The value of a field of a design's machine, or its schedule."""
    if name in design.inputs:
        return design.inputs[name]
    assert design.config is not None
    return field_value(design.config, design.schedule, name)


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
