"""Entries of a calibration file at their ends, and what a range becomes where codes are fixed already."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from archsim.formats import Scaled, parse_format
from archsim.formats.scaling import Method
from archsim.workload.calibration import Range, _RangeEntry
from archsim.workload.calibration_source import _same_codes, _serves


def entry(**fields: Any) -> _RangeEntry:
    return _RangeEntry(**({"format": "int16/asymmetric"} | fields))


@pytest.mark.parametrize(
    ("base", "field", "allowed", "not_allowed"),
    [
        ({"high": 1.0}, "low", [-1e300, 0.0], [-1.001e300, 1e-300]),
        ({"low": -1.0}, "high", [1e300, 0.0], [1.001e300, -1e-300]),
        ({}, "scale", [1e-30, 1e30], [0.999e-30, 1.001e30, 0.0]),
        ({"scale": 1.0, "format": "int32/asymmetric"}, "zero", [-(2**15), 2**15], [-(2**15) - 1, 2**15 + 1]),
        ({"scale": 1.0, "format": "int8/asymmetric"}, "zero", [-128, 127], [-129, 128]),
        ({"scale": 1.0, "format": "int8"}, "zero", [0], [1, -1]),
        ({"format": "int8/power_of_two"}, "scale", [0.25, 4.0], [0.3, 3.0]),
    ],
)
def test_the_ends_of_a_range(base: dict[str, Any], field: str, allowed: list[Any], not_allowed: list[Any]) -> None:
    for value in allowed:
        assert getattr(entry(**(base | {field: value})), field) == value
    for value in not_allowed:
        with pytest.raises(ValidationError):
            entry(**(base | {field: value}))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "expected either low and high, or scale"),
        ({"scale": 1.0, "low": -1.0}, "expected either low and high, or scale"),
        ({"scale": 1.0, "high": 1.0}, "expected either low and high, or scale"),
        ({"low": -1.0}, "or one is missing"),
        ({"high": 1.0}, "or one is missing"),
        ({"low": 0.0, "high": 0.0}, "low and high are both 0"),
        ({"scale": 1.0, "format": "q4.4"}, "q4.4 has no scale to be given"),
    ],
)
def test_a_range_or_a_scale(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        entry(**fields)


def test_the_range_of_fixed_codes() -> None:
    """int8 with the zero point 10 has -138 to 117 steps of 1/4 on either side of 0."""
    assert entry(scale=0.25, zero=10, format="int8/asymmetric").range() == Range(
        -34.5, 29.25, "int8/asymmetric", 0.25, 10
    )
    assert entry(low=-0.5, high=0.0).range() == Range(-0.5, 0.0, "int16/asymmetric")
    assert entry(low=0.0, high=2.0).range() == Range(0.0, 2.0, "int16/asymmetric")


def scaled(name: str) -> Scaled:
    found = parse_format(name)
    assert isinstance(found, Scaled)
    return found


def test_which_formats_have_the_same_codes() -> None:
    """Bits, zero point and powers of two count; rounding, and how many weights share a scale, do not."""
    wanted = scaled("int8")
    same = {name: _same_codes(parse_format(name), wanted) for name in ("int8/gemmlowp", "int8/row", "int8/wrap")}
    assert set(same.values()) == {True}
    for name in ("int9", "int8/asymmetric", "int8/power_of_two", "q4.4", "float32"):
        assert not _same_codes(parse_format(name), wanted), name


@pytest.mark.parametrize(
    ("made_for", "serves"),
    [
        ("int8/gemmlowp", (True, True, True)),
        ("int16", (True, True, False)),
        ("int8/power_of_two", (True, True, False)),
        ("int8/asymmetric", (True, False, False)),
        ("q4.4", (True, False, False)),
    ],
)
def test_which_methods_would_choose_the_same_range(made_for: str, serves: tuple[bool, ...]) -> None:
    """max asks nothing, percentile whether the range is symmetric, mse for the same codes."""
    methods = (Method.MAX, Method.PERCENTILE, Method.MSE)
    assert tuple(_serves(method, parse_format(made_for), scaled("int8")) for method in methods) == serves
