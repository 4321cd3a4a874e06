"""Bounds of expressions by hand: what each operation and function makes of least and most."""

from __future__ import annotations

import math

import pytest

from archsim.explore.space.expression import Scalar, parse_expression
from archsim.explore.space.interval import ANY, Interval, interval

INF = math.inf
KNOWN: dict[str, Interval | Scalar] = {
    "p": Interval(2, 5),
    "q": Interval(-3, 4),
    "n": Interval(-4, -2),
    "z": Interval(0, 9),
    "m": Interval(-9, 0),
    "t": Interval(10, INF),
    "w": Interval(-INF, 6),
    "u": ANY,
    "k": 7,
    "zero": 0,
    "word": "int8",
}


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("p + q", -1, 9),
        ("p - q", -2, 8),
        ("q - p", -8, 2),
        ("-p", -5, -2),
        ("-t", -INF, -10),
        ("p * q", -15, 20),
        ("n * n", 4, 16),
        ("q / p", -1.5, 2),
        ("p / n", -2.5, -0.5),
        ("k / t", 0, 0.7),
        ("t / t", 0, INF),
        ("t * p", 20, INF),
        ("t * zero", 0, 0),
        ("zero * t", 0, 0),
        ("0 / t", 0, 0),
        ("u * 0", 0, 0),
        ("p ** 2", 4, 25),
        ("z ** 2", 0, 81),
        ("z ** 0.5", 0, 3),
        ("t ** 2", 100, INF),
        ("min(p, q)", -3, 4),
        ("max(p, q)", 2, 5),
        ("max(u, k)", 7, INF),
        ("min(u, k)", -INF, 7),
        ("abs(p)", 2, 5),
        ("abs(n)", 2, 4),
        ("abs(q)", 0, 4),
        ("abs(z)", 0, 9),
        ("abs(m)", 0, 9),
        ("ceil(p / 2)", 1, 3),
        ("floor(p / 2)", 1, 2),
        ("log2(p + 3 * max(p, 1) - 4)", 2, 4),  # of 2 + 6 - 4 = 4 to 5 + 15 - 4 = 16
        ("sqrt(z)", 0, 3),
        ("sqrt(t - 6)", 2, INF),
        ("floor(w)", -INF, 6),
        ("k", 7, 7),
        ("k if k > 5 else zero", 7, 7),  # what can be computed is
        ("bits(word) * k", 56, 56),
        ("k > 5", 1, 1),
        ("p * 0 + k // 2", 3, 3),  # whole and rest of two numbers that are known
        ("(p * 0 + k) % 4", 3, 3),
        ("(k + p * 0) ** 2", 49, 49),
    ],
)
def test_bounds(text: str, least: float, most: float) -> None:
    assert interval(parse_expression(text), KNOWN.__getitem__) == Interval(least, most)


@pytest.mark.parametrize(
    "text",
    [
        "p / q",  # 0 may be below the line
        "p / z",
        "p / m",
        "p // k",
        "k % p",
        "q ** 2",  # not increasing
        "p ** 0",
        "p ** -1",
        "p ** q",
        "log2(q)",
        "sqrt(n)",
        "k / zero",
        "word",
        "p if k > 5 else q",
        "p < q",
        "total(p)",
        "u + t",
        "t - t",
        "(t - u) * p",
        "bits(word) * p",
    ],
)
def test_where_nothing_can_be_said(text: str) -> None:
    assert interval(parse_expression(text), KNOWN.__getitem__) == ANY


def test_a_number_is_known() -> None:
    assert Interval(3, 3).known
    assert not Interval(3, 4).known
    assert not ANY.known
