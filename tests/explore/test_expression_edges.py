"""Expressions at their limits, and each operator, function and message by hand."""

from __future__ import annotations

import pytest

from archsim.explore.space.expression import ExpressionError, Scalar, parse_expression

NAMES: dict[str, Scalar] = {"a": 3, "b": 8, "f": "int8", "zero": 0, "yes": True, "no": False}


def value(text: str) -> Scalar:
    return parse_expression(text).value(NAMES.__getitem__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7 + 2", 9),
        ("7 - 2", 5),
        ("7 * 2", 14),
        ("7 / 2", 3.5),
        ("7 // 2", 3),
        ("-7 // 2", -4),
        ("7 % 4", 3),
        ("7 ** 2", 49),
        ("-a", -3),
        ("min(a, b, 5)", 3),
        ("max(a, b, 5)", 8),
        ("abs(a - b)", 5),
        ("ceil(2.1)", 3),
        ("floor(2.9)", 2),
        ("log2(32)", 5),
        ("sqrt(81)", 9),
        ("bits('q4.12')", 16),
        ("bits(f) + bits('float32')", 40),
    ],
)
def test_arithmetic(text: str, expected: float) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("comparison", "of_less", "of_equal", "of_greater"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
        ("==", False, True, False),
        ("!=", True, False, True),
    ],
)
def test_comparisons(comparison: str, of_less: bool, of_equal: bool, of_greater: bool) -> None:
    assert [value(f"{left} {comparison} 3") for left in (2, 3, 4)] == [of_less, of_equal, of_greater]
    assert [value(f"'{left}' {comparison} 'c'") for left in "bcd"] == [of_less, of_equal, of_greater]


def test_each_pair_of_a_chain_is_compared() -> None:
    """1 < 5 < 4 ends with 5 < 4, though 1 < 4; 5 > 1 < 4 holds, though 5 > 4 is another order."""
    assert value("1 < 5 < 4") is False
    assert value("5 > 1 < 4") is True
    assert value("1 < 2 < 3 < 3") is False


def test_words_of_logic() -> None:
    """All values of two truths; what decides already is not followed by what would have no value."""
    for left in (True, False):
        for right in (True, False):
            assert value(f"{left} and {right}") is (left and right)
            assert value(f"{left} or {right}") is (left or right)
    assert value("not yes") is False
    assert value("no or yes or 1 / zero > 1") is True
    assert value("yes and no and 1 / zero > 1") is False
    assert value("a if no else b") == 8
    assert value("a if yes else 1 / zero") == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("f == 3", "'int8' and 3 cannot be compared"),
        ("3 < f", "3 and 'int8' cannot be compared"),
        ("f * 2", "'int8' is no number"),
        ("-f", "'int8' is no number"),
        ("max(a, f)", "'int8' is no number"),
        ("a and yes", "3 is neither true nor false"),
        ("yes and a", "3 is neither true nor false"),
        ("1 if a else 2", "3 is neither true nor false"),
        ("a / zero", "a / zero: division by zero"),
        ("bits('q4.x')", "bits\\('q4.x'\\): .*q4.x"),
        ("sqrt(-a)", "sqrt\\(-a\\): math domain error"),
        ("total(a)", "total\\(a\\) is known of results alone"),
    ],
)
def test_why_there_is_no_value(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        value(text)


def test_a_power_has_an_exponent_up_to_64() -> None:
    assert value("1 ** 64") == value("1 ** -64") == 1
    assert value("2 ** 64") == 1 << 64
    for text in ("1 ** 65", "1 ** -65", "1 ** 64.5"):
        with pytest.raises(ExpressionError, match="exponent of at most 64, whole if the base is below 0"):
            value(text)


def test_a_root_is_of_a_number_of_at_least_0() -> None:
    """Powers with a fraction: of 4 it is 2, of 0 it is 0, of -4 it is no real number; whole ones there are of each."""
    assert (value("4 ** 0.5"), value("0 ** 0.5"), value("(-4) ** 3"), value("(-4) ** 2.0")) == (2, 0, -64, 16)
    with pytest.raises(ExpressionError, match="whole if the base is below 0"):
        value("(-4) ** 0.5")


def test_numbers_have_a_magnitude_up_to_1e36() -> None:
    """As a constant and as a result, of either sign."""
    assert (value("1e36"), value("5e35 * 2"), value("-1e36 - 0")) == (1e36, 1e36, -1e36)
    for text in ("1e36 * 1.5", "1e36 + 1e36", "-1e36 - 1e36", "max(1e36, 1) * 2"):
        with pytest.raises(ExpressionError, match=r"a number is beyond 1e\+36"):
            value(text)
    with pytest.raises(ExpressionError, match=r"a number is beyond 1e\+36"):
        parse_expression("1.5e36")


def test_a_text_has_up_to_500_characters() -> None:
    assert parse_expression("a" + " " * 499).text == "a"
    with pytest.raises(ExpressionError, match="longer than 500 characters"):
        parse_expression("a" + " " * 500)


def test_an_expression_has_up_to_200_parts() -> None:
    """A number is a part, a sign two (that it is one, and which), a sum two more; a sum of 1 and 98 signs before a 1
    has 2 + 2 + 2 x 98."""
    assert parse_expression("1 + " + "-" * 98 + "1").value(NAMES.__getitem__) == 2
    with pytest.raises(ExpressionError, match="has more than 200 parts"):
        parse_expression("-" * 100 + "1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min(1)", "min takes 2 to 8 arguments, got 1"),
        ("max(1, 2, 3, 4, 5, 6, 7, 8, 9)", "max takes 2 to 8 arguments, got 9"),
        ("abs(1, 2)", "abs takes 1 arguments, got 2"),
        ("floor()", "floor takes 1 arguments, got 0"),
        ("bits()", "bits takes 1 arguments, got 0"),
        ("total()", "total takes 1 arguments, got 0"),
        ("total(a, b)", "total takes 1 arguments, got 2"),
        ("round(1)", "no such function; there are min, max, abs, ceil, floor, log2, sqrt, bits, total"),
        ("a.b(1)", "no such function"),
        ("max(1, *a)", "a function takes plain arguments"),
        ("max(1, 2, key=3)", "a function takes plain arguments"),
        ("b''", "a constant is a number, true or false, or a quoted string"),
        ("(1 + 2).a", "a dot stands only between the names of a path"),
    ],
)
def test_what_is_said_of_a_wrong_one(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        parse_expression(text)


def test_functions_take_as_many_arguments_as_they_say() -> None:
    assert value("min(2, 1)") == 1
    assert value("max(1, 2, 3, 4, 5, 6, 7, 8)") == 8


def test_names_are_those_of_every_part() -> None:
    found = parse_expression("a.b if c < d.e.f else min(-g, 2) + total(h.i) * total(j)")
    assert found.names == {"a.b", "c", "d.e.f", "g"}
    assert found.totals == {"h.i", "j"}
