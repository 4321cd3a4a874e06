"""Parses expressions of a space file, as `weight_sram.capacity_bytes >= 2 * mac_array.rows`; nothing is eval'ed.

Python's own parser makes the tree; only what `_NODES` and `FUNCTIONS` name may stand in it, and its size is bounded.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archsim.config.text import shorten
from archsim.formats import parse_format

Scalar = bool | int | float | str
Lookup = Callable[[str], Scalar]

MAX_CHARACTERS = 500
MAX_NODES = 200
MAX_POWER = 64
MAX_MAGNITUDE = 1e36
"""Beyond this a number is an error: no quantity has it, and integers would grow without bound."""

BINARY: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
COMPARE: Mapping[type[ast.cmpop], Callable[[Scalar, Scalar], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
FUNCTIONS: Mapping[str, tuple[int, int, Callable[..., float]]] = {
    "min": (2, 8, min),
    "max": (2, 8, max),
    "abs": (1, 1, abs),
    "ceil": (1, 1, math.ceil),
    "floor": (1, 1, math.floor),
    "log2": (1, 1, math.log2),
    "sqrt": (1, 1, math.sqrt),
}
"""Functions of numbers: fewest and most arguments. Beside them `bits(format)` and `total(name)`."""

TOTAL = "total"
BITS = "bits"
_PARTS = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Name, ast.Attribute, ast.Constant)
_SIGNS = (ast.USub, ast.Not, ast.And, ast.Or, ast.Load)
_NODES = (*_PARTS, *_SIGNS, *BINARY, *COMPARE)


class ExpressionError(ValueError):
    """An expression that cannot be parsed, or has no value for a point; `str()` is one line."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression. `names` are the fields and results that it refers to; `totals` those inside total()."""

    text: str
    tree: ast.expr
    names: frozenset[str]
    totals: frozenset[str]

    def value(self, lookup: Lookup, total: Lookup | None = None) -> Scalar:
        """The value of the expression, where `lookup` gives that of each name.

        `total` gives the sum of all results below a name. Raises ExpressionError if there is no value (division by
        zero, a string where a number is needed).

        Raises ExpressionError if there is none (division by zero, a string where a number is needed).
        """
        try:
            return _value(self.tree, lookup, total or _no_totals)
        except ExpressionError:
            raise
        except ArithmeticError as error:
            raise ExpressionError(f"{self.text}: {error}") from None
        except (TypeError, ValueError) as error:
            raise ExpressionError(f"{self.text}: {shorten(str(error), 120)}") from None


def parse_expression(text: str) -> Expression:
    """Parse and check an expression; ExpressionError says what is wrong and what is allowed."""
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"longer than {MAX_CHARACTERS} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ExpressionError(f"cannot be read as an expression: {shorten(message, 120)}") from None
    nodes = list(ast.walk(tree))
    if len(nodes) > MAX_NODES:
        raise ExpressionError(f"has more than {MAX_NODES} parts")
    for node in nodes:
        _check(node)
    names: set[str] = set()
    totals: set[str] = set()
    _collect(tree, names, totals)
    return Expression(text.strip(), tree, frozenset(names), frozenset(totals))


def dotted_name(node: ast.expr) -> str:
    """The name `a.b.c` that a chain of attributes spells; ExpressionError for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted_name(node.value)}.{node.attr}"
    raise ExpressionError("a dot stands only between the names of a path, as mac_array.rows")


def function_name(call: ast.Call) -> str:
    """The name of the function that is called."""
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _check(node: ast.AST) -> None:
    if not isinstance(node, _NODES):
        raise ExpressionError(
            f"{type(node).__name__} is not allowed; numbers, quoted strings, names, + - * / // % **, comparisons, "
            f"and, or, not, a if c else b, {', '.join([*FUNCTIONS, BITS, TOTAL])} are"
        )
    if isinstance(node, ast.Constant) and type(node.value) not in (bool, int, float, str):
        raise ExpressionError("a constant is a number, true or false, or a quoted string")
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        _bounded(node.value)
    if isinstance(node, ast.Call):
        _check_call(node)


def _check_call(node: ast.Call) -> None:
    name, count = function_name(node), len(node.args)
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise ExpressionError("a function takes plain arguments")
    if name in (TOTAL, BITS):
        least = most = 1
        if name == TOTAL and node.args:
            dotted_name(node.args[0])
    elif name in FUNCTIONS:
        least, most, _ = FUNCTIONS[name]
    else:
        raise ExpressionError(f"no such function; there are {', '.join([*FUNCTIONS, BITS, TOTAL])}")
    if not least <= count <= most:
        raise ExpressionError(f"{name} takes {least}{f' to {most}' if most > least else ''} arguments, got {count}")


def _collect(node: ast.AST, names: set[str], totals: set[str]) -> None:
    if isinstance(node, ast.Name | ast.Attribute):
        names.add(dotted_name(node))
    elif isinstance(node, ast.Call):
        if function_name(node) == TOTAL:
            totals.add(dotted_name(node.args[0]))
        else:
            for argument in node.args:
                _collect(argument, names, totals)
    else:
        for child in ast.iter_child_nodes(node):
            _collect(child, names, totals)


def _value(node: ast.expr, lookup: Lookup, total: Lookup) -> Scalar:
    if isinstance(node, ast.Constant):
        assert isinstance(node.value, bool | int | float | str)
        return node.value
    if isinstance(node, ast.Name | ast.Attribute):
        return lookup(dotted_name(node))
    if isinstance(node, ast.BinOp):
        left, right = number(_value(node.left, lookup, total)), number(_value(node.right, lookup, total))
        return apply_binary(type(node.op), left, right)
    if isinstance(node, ast.UnaryOp):
        operand = _value(node.operand, lookup, total)
        return (not truth(operand)) if isinstance(node.op, ast.Not) else -number(operand)
    if isinstance(node, ast.BoolOp):
        stop = isinstance(node.op, ast.Or)
        return stop if any(truth(_value(v, lookup, total)) is stop for v in node.values) else not stop
    if isinstance(node, ast.IfExp):
        return _value(node.body if truth(_value(node.test, lookup, total)) else node.orelse, lookup, total)
    if isinstance(node, ast.Compare):
        return _compare(node, lookup, total)
    assert isinstance(node, ast.Call)
    return _call(node, lookup, total)


def _compare(node: ast.Compare, lookup: Lookup, total: Lookup) -> bool:
    left = _value(node.left, lookup, total)
    for comparison, operand in zip(node.ops, node.comparators, strict=True):
        right = _value(operand, lookup, total)
        if isinstance(left, str) is not isinstance(right, str):
            raise ExpressionError(f"{left!r} and {right!r} cannot be compared")
        if not COMPARE[type(comparison)](left, right):
            return False
        left = right
    return True


def _call(node: ast.Call, lookup: Lookup, total: Lookup) -> Scalar:
    name = function_name(node)
    if name == TOTAL:
        return total(dotted_name(node.args[0]))
    values = [_value(argument, lookup, total) for argument in node.args]
    if name == BITS:
        return parse_format(str(values[0])).bits
    return _bounded(FUNCTIONS[name][2](*map(number, values)))


def apply_binary(kind: type[ast.operator], left: float, right: float) -> float:
    """Apply one operation to two numbers, within bounds."""
    if kind is ast.Pow and (abs(right) > MAX_POWER or (left < 0 and not float(right).is_integer())):
        raise ExpressionError(f"a power has an exponent of at most {MAX_POWER}, whole if the base is below 0")
    return _bounded(BINARY[kind](left, right))


def number(value: Scalar) -> int | float:
    """The value as a number; ExpressionError for a string."""
    if isinstance(value, str):
        raise ExpressionError(f"{value!r} is no number")
    return value


def truth(value: Scalar) -> bool:
    """The value as true or false; ExpressionError for anything else."""
    if not isinstance(value, bool):
        raise ExpressionError(f"{value!r} is neither true nor false; compare it with something")
    return value


def _bounded(value: float) -> float:
    if not abs(value) <= MAX_MAGNITUDE:
        raise ExpressionError(f"a number is beyond {MAX_MAGNITUDE:g}")
    return value


def _no_totals(name: str) -> Scalar:
    raise ExpressionError(f"total({name}) is known of results alone")
