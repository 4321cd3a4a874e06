"""The faults that one expression admits: pairs of a kind and the expression that takes its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from tools.faults.fault import Kind

Change = tuple[Kind, ast.expr | ast.stmt]

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitOr,
}
NOT_COMMUTATIVE = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod)
EXTREMES = {
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "argmin": "argmax",
    "argmax": "argmin",
}


def changes(node: ast.AST, names: Sequence[str]) -> Iterator[Change]:
    """All faults of this node itself; `names` are the parameters of the function around it."""
    if isinstance(node, ast.Compare):
        yield from _of_comparison(node, names)
    elif isinstance(node, ast.BinOp):
        yield from _of_arithmetic(node, names)
    elif isinstance(node, ast.AugAssign) and type(node.op) in OPERATORS:
        yield Kind.OPERATOR, ast.AugAssign(node.target, OPERATORS[type(node.op)](), node.value)
    elif isinstance(node, ast.BoolOp):
        yield from _of_and_or(node)
    elif isinstance(node, ast.UnaryOp):
        if isinstance(node.op, ast.Not):
            yield Kind.CONDITION, node.operand
        elif isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
            yield Kind.OPERATOR, node.operand
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Subscript):
        yield from _of_slice(node)
    elif isinstance(node, ast.Constant):
        yield from _of_number(node)


def negations(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The conditions of a node, each with its negation; comparisons and `not` have faults of their own that do that."""
    if isinstance(node, ast.If | ast.IfExp):
        tests = [node.test]
    elif isinstance(node, ast.comprehension):
        tests = node.ifs
    else:
        tests = []
    for test in tests:
        if not isinstance(test, ast.Compare) and not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
            yield test, ast.UnaryOp(ast.Not(), test)


def _of_comparison(node: ast.Compare, names: Sequence[str]) -> Iterator[Change]:
    for place, op in enumerate(node.ops):
        for other in COMPARISONS[type(op)]:
            ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
            yield Kind.COMPARISON, ast.Compare(node.left, ops, node.comparators)
    for place, operand in enumerate(node.comparators):
        if isinstance(operand, ast.Name) and (other_name := _other(operand.id, names)):
            operands = [*node.comparators[:place], _name(other_name), *node.comparators[place + 1 :]]
            yield Kind.OPERAND, ast.Compare(node.left, node.ops, operands)


def _of_arithmetic(node: ast.BinOp, names: Sequence[str]) -> Iterator[Change]:
    if type(node.op) not in OPERATORS or _is_text(node.left) or _is_text(node.right):
        return
    yield Kind.OPERATOR, ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
    if isinstance(node.op, NOT_COMMUTATIVE):
        yield Kind.OPERAND, ast.BinOp(node.right, node.op, node.left)
    if isinstance(node.op, ast.FloorDiv):  # rounds up where it rounded down
        up = ast.BinOp(ast.UnaryOp(ast.USub(), node.left), ast.FloorDiv(), node.right)
        yield Kind.OPERATOR, ast.UnaryOp(ast.USub(), up)
    if isinstance(node.op, ast.Add | ast.Sub):
        yield Kind.DROPPED_TERM, node.left
    if isinstance(node.op, ast.Add):
        yield Kind.DROPPED_TERM, node.right
    if isinstance(node.op, ast.Mult):
        yield Kind.FACTOR, node.left
        yield Kind.FACTOR, node.right
    if isinstance(node.op, ast.Div | ast.FloorDiv):
        yield Kind.FACTOR, node.left
    for left in (True, False):
        operand = node.left if left else node.right
        if isinstance(operand, ast.Name) and (other := _other(operand.id, names)):
            swapped = (_name(other), node.right) if left else (node.left, _name(other))
            yield Kind.OPERAND, ast.BinOp(swapped[0], node.op, swapped[1])


def _of_and_or(node: ast.BoolOp) -> Iterator[Change]:
    yield Kind.CONDITION, ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for place in range(len(node.values)):
        rest = node.values[:place] + node.values[place + 1 :]
        yield Kind.DROPPED_TERM, rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _of_call(node: ast.Call) -> Iterator[Change]:
    function = node.func
    if isinstance(function, ast.Name) and function.id in EXTREMES:
        yield Kind.MIN_MAX, ast.Call(_name(EXTREMES[function.id]), node.args, node.keywords)
    if isinstance(function, ast.Attribute) and function.attr in EXTREMES:
        renamed = ast.Attribute(function.value, EXTREMES[function.attr], ast.Load())
        yield Kind.MIN_MAX, ast.Call(renamed, node.args, node.keywords)
    if isinstance(function, ast.Name) and function.id == "range":
        for step in (1, -1):
            last = min(len(node.args), 2) - 1
            bound = node.args[last]
            if not isinstance(bound, ast.Constant | ast.Starred):
                arguments = [*node.args[:last], _plus(bound, step), *node.args[last + 1 :]]
                yield Kind.OFF_BY_ONE, ast.Call(function, arguments, node.keywords)
    for place, (one, two) in enumerate(zip(node.args, node.args[1:], strict=False)):
        if isinstance(one, ast.Name | ast.Attribute) and isinstance(two, ast.Name | ast.Attribute):
            if isinstance(function, ast.Name) and function.id in ("isinstance", "issubclass", "cast", *EXTREMES):
                continue
            yield (
                Kind.OPERAND,
                ast.Call(function, [*node.args[:place], two, one, *node.args[place + 2 :]], node.keywords),
            )


def _of_slice(node: ast.Subscript) -> Iterator[Change]:
    part = node.slice
    if not isinstance(part, ast.Slice):
        return
    if part.lower is not None and not isinstance(part.lower, ast.Constant):
        yield (
            Kind.OFF_BY_ONE,
            ast.Subscript(node.value, ast.Slice(_plus(part.lower, 1), part.upper, part.step), node.ctx),
        )
    if part.upper is not None and not isinstance(part.upper, ast.Constant):
        yield (
            Kind.OFF_BY_ONE,
            ast.Subscript(node.value, ast.Slice(part.lower, _plus(part.upper, -1), part.step), node.ctx),
        )


def _of_number(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield Kind.CONDITION, ast.Constant(not value)
    elif isinstance(value, int):
        yield Kind.OFF_BY_ONE, ast.Constant(value + 1)
        if value > 0:
            yield Kind.OFF_BY_ONE, ast.Constant(value - 1)
    elif isinstance(value, float):
        yield Kind.FACTOR, ast.Constant(value * 2 if value else 1.0)


def _plus(node: ast.expr, step: int) -> ast.expr:
    return ast.BinOp(node, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step)))


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _other(name: str, names: Sequence[str]) -> str | None:
    """The parameter after this one, in a circle; none for what is no parameter or stands alone."""
    if name not in names or len(names) < 2:
        return None
    return names[(names.index(name) + 1) % len(names)]


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
