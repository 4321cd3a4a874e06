"""Bounds an expression's value when for some of its names only bounds are known."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from archsim.explore.space.expression import (
    TOTAL,
    Expression,
    ExpressionError,
    Scalar,
    apply_binary,
    dotted_name,
    function_name,
)


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers from `least` to `most`, both included."""

    least: float
    most: float

    @property
    def known(self) -> bool:
        """Whether the interval is a single number."""
        return self.least == self.most


ANY = Interval(-math.inf, math.inf)
Bounds = Callable[[str], Interval | Scalar]
"""What is known of a name: its value, or bounds of it (ANY if nothing is)."""

_INCREASING = {"ceil": math.ceil, "floor": math.floor, "log2": math.log2, "sqrt": math.sqrt}


def interval(expression: Expression, bounds: Bounds) -> Interval:
    """The bounds of the expression's value; ANY where nothing can be said."""
    known = _known(expression, bounds)
    if known is not None:
        return Interval(known, known)
    try:
        return _interval(expression.tree, bounds)
    except (ExpressionError, ArithmeticError, ValueError):
        return ANY


def _known(expression: Expression, bounds: Bounds) -> float | None:
    """The value of an expression of which every name has one, computed as it would be after a simulation."""
    values = {name: bounds(name) for name in expression.names}
    if expression.totals or any(isinstance(value, Interval) for value in values.values()):
        return None
    try:
        value = expression.value(lambda name: _scalar(values[name]))
    except ExpressionError:
        return None
    return None if isinstance(value, str) else value


def _scalar(value: Interval | Scalar) -> Scalar:
    assert not isinstance(value, Interval)
    return value


def _interval(node: ast.expr, bounds: Bounds) -> Interval:
    if isinstance(node, ast.Constant):
        return _point(node.value)
    if isinstance(node, ast.Name | ast.Attribute):
        found = bounds(dotted_name(node))
        return found if isinstance(found, Interval) else _point(found)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _interval(node.operand, bounds)
        return Interval(-inner.most, -inner.least)
    if isinstance(node, ast.BinOp):
        return _binary(node.op, _interval(node.left, bounds), _interval(node.right, bounds))
    if isinstance(node, ast.Call) and function_name(node) != TOTAL:
        return _call(function_name(node), [_interval(argument, bounds) for argument in node.args])
    return ANY


def _point(value: object) -> Interval:
    return Interval(value, value) if isinstance(value, int | float) else ANY


def _binary(op: ast.operator, left: Interval, right: Interval) -> Interval:
    if isinstance(op, ast.Add):
        return Interval(left.least + right.least, left.most + right.most)
    if isinstance(op, ast.Sub):
        return Interval(left.least - right.most, left.most - right.least)
    if isinstance(op, ast.Mult):
        return _hull(_product(a, b) for a, b in _corners(left, right))
    if isinstance(op, ast.Div) and (right.least > 0 or right.most < 0):
        return _hull(_quotient(a, b) for a, b in _corners(left, right))
    if left.known and right.known:
        value = apply_binary(type(op), left.least, right.least)
        return Interval(value, value)
    if isinstance(op, ast.Pow) and right.known and left.least >= 0 and right.least > 0:
        return Interval(_power(left.least, right.least), _power(left.most, right.least))
    return ANY


def _call(name: str, values: list[Interval]) -> Interval:
    if name == "min":
        return Interval(min(v.least for v in values), min(v.most for v in values))
    if name == "max":
        return Interval(max(v.least for v in values), max(v.most for v in values))
    if name == "abs":
        ends = (abs(values[0].least), abs(values[0].most))
        return Interval(0.0 if values[0].least <= 0 <= values[0].most else min(ends), max(ends))
    function = _INCREASING.get(name)
    if function is None or any(math.isnan(end) for end in (values[0].least, values[0].most)):
        return ANY
    least, most = values[0].least, values[0].most
    return Interval(least if math.isinf(least) else function(least), most if math.isinf(most) else function(most))


def _corners(left: Interval, right: Interval) -> list[tuple[float, float]]:
    return list(itertools.product((left.least, left.most), (right.least, right.most)))


def _product(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b  # inf * 0: the factor is finite, only not known


def _quotient(a: float, b: float) -> float:
    return 0.0 if a == 0 or math.isinf(b) else a / b


def _power(base: float, exponent: float) -> float:
    return base if math.isinf(base) else base**exponent


def _hull(values: Iterable[float]) -> Interval:
    found = list(values)
    return ANY if any(math.isnan(value) for value in found) else Interval(min(found), max(found))
