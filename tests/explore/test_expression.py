"""Expressions: values, what is refused, and intervals that hold every value."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.explore.space.expression import ExpressionError, parse_expression
from archsim.explore.space.interval import ANY, Interval, interval

NAMES = {"a": 3, "b.c": 8, "f": "int8", "z": 0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a * b.c + 1", 25),
        ("b.c // a, ", None),
        ("-a + 2 ** 3", 5),
        ("ceil(b.c / a)", 3),
        ("max(a, b.c) - min(a, 1)", 7),
        ("bits(f) * a", 24),
        ("a < b.c <= 8 and not a == 4", True),
        ("a if f == 'int8' else b.c", 3),
        ("log2(b.c) + sqrt(4) + abs(-1) + floor(1.5)", 7),
    ],
)
def test_values(text: str, value: object) -> None:
    if value is None:
        with pytest.raises(ExpressionError, match="Tuple is not allowed|cannot be read"):
            parse_expression(text)
        return
    assert parse_expression(text).value(NAMES.__getitem__) == value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "a.__class__()",
        "(lambda: 1)()",
        "[x for x in (1, 2)]",
        "a[0]",
        "a := 3",
        "f'{a}'",
        "print(a)",
        "max(*a)",
        "min(a, key=b)",
        "total(1 + a)",
        "1 +",
        "(" * 300 + "1" + ")" * 300,
        "-" * 400 + "1",
        "a" + " + a" * 200,
        "1e400",
        "1j",
        "None",
        "",
    ],
)
def test_whatever_is_no_plain_expression_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_expression(text)


@pytest.mark.parametrize("text", ["a / z", "a // z", "9 ** 9 ** 2", "10 ** 40", "f + 1", "f < 1", "not a", "log2(z)"])
def test_an_expression_without_a_value_says_so(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_expression(text).value(NAMES.__getitem__)  # type: ignore[arg-type]


def test_names_and_totals_are_known_before_any_value() -> None:
    expression = parse_expression("total(traffic_bytes.dram) / latency_us + min(mac_array.rows, 2)")
    assert expression.names == {"latency_us", "mac_array.rows"}
    assert expression.totals == {"traffic_bytes.dram"}
    assert expression.value({"latency_us": 2, "mac_array.rows": 9}.__getitem__, lambda name: len(name)) == 9 + 2


NUMBERS = st.integers(-20, 20)
LEAVES = st.sampled_from(["x", "y", "3", "0.5"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
        inner.map(lambda t: f"abs({t})"),
        inner.map(lambda t: f"(-{t})"),
    ),
    max_leaves=6,
)


@given(TREES, NUMBERS, NUMBERS, st.integers(0, 5), st.integers(0, 5))
def test_an_interval_holds_every_value(text: str, x: int, y: int, below: int, above: int) -> None:
    expression = parse_expression(text)
    known = {"x": Interval(x - below, x + above), "y": Interval(y - above, y + below)}
    found = interval(expression, known.__getitem__)
    for dx in (-below, 0, above):
        for dy in (-above, 0, below):
            try:
                value = expression.value({"x": x + dx, "y": y + dy}.__getitem__)
            except ExpressionError:
                continue
            slack = 1e-9 * max(1.0, abs(value))  # type: ignore[arg-type]
            assert found.least - slack <= value <= found.most + slack  # type: ignore[operator]


def test_intervals_by_hand() -> None:
    bounds = {"t": Interval(10, math.inf), "n": 4, "u": ANY}
    lookup = bounds.__getitem__
    assert interval(parse_expression("t * n"), lookup) == Interval(40, math.inf)  # type: ignore[arg-type]
    assert interval(parse_expression("n / t"), lookup) == Interval(0, 0.4)  # type: ignore[arg-type]
    assert interval(parse_expression("n * n"), lookup) == Interval(16, 16)  # type: ignore[arg-type]
    assert interval(parse_expression("t - u"), lookup) == ANY  # type: ignore[arg-type]
    assert interval(parse_expression("max(u, n)"), lookup) == Interval(4, math.inf)  # type: ignore[arg-type]
    assert interval(parse_expression("total(u)"), lookup) == ANY  # type: ignore[arg-type]
