"""The range of an approximation: powers of two, address formats, and when an address has to be limited."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.errors import SimulatorBug
from archsim.formats import Encoding, Fixed, parse_format
from archsim.hardware.functions.approximation_range import (
    CURVED,
    check_address,
    check_curved,
    element,
    limits,
    power_of_two,
    scale_of,
)
from archsim.hardware.functions.piecewise import PiecewiseConfig
from archsim.hardware.functions.table import TableConfig
from archsim.workload.network import FunctionSpec


@pytest.mark.parametrize("value", [0.25, 0.5, 1.0, 2.0, 64.0, 2.0**-30])
def test_powers_of_two(value: float) -> None:
    assert power_of_two(value) == value


@pytest.mark.parametrize(
    ("value", "below", "above"), [(3.0, 2, 4), (5.0, 4, 8), (0.3, 0.25, 0.5), (7.9, 4, 8), (48.0, 32, 64)]
)
def test_what_is_no_power_of_two_is_told_which_are_next_to_it(value: float, below: float, above: float) -> None:
    with pytest.raises(ValueError, match=f"^not a power of two; next to it are {below:g} and {above:g}$"):
        power_of_two(value)


@pytest.mark.parametrize("value", [2.0**-4, 2.0**6])
def test_the_least_and_the_largest_range(value: float) -> None:
    assert TableConfig(span=value).span == PiecewiseConfig(span=value).span == value
    for beyond in (2.0**-5, 2.0**7):
        with pytest.raises(ValueError, match="greater than or equal to|less than or equal to"):
            TableConfig(span=beyond)


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({"entries": 2}, True),
        ({"entries": 1}, False),
        ({"entries": 65_536}, True),
        ({"entries": 131_072}, False),
        ({"entries": 48}, False),
    ],
)
def test_tables_have_as_many_entries_as_an_address_picks(fields: dict[str, int], fits: bool) -> None:
    if fits:
        assert TableConfig.model_validate(fields).entries == fields["entries"]
    else:
        with pytest.raises(ValueError, match="entries"):
            TableConfig.model_validate(fields)


@pytest.mark.parametrize(("field", "least", "most"), [("segments", 2, 256), ("coefficient_bits", 4, 32)])
def test_lines_and_their_coefficients(field: str, least: int, most: int) -> None:
    for value in (least, most):
        assert getattr(PiecewiseConfig.model_validate({field: value}), field) == value
    for value in (least - 1, most + 1):
        with pytest.raises(ValueError, match=field):
            PiecewiseConfig.model_validate({field: value})


def test_an_address_has_at_most_32_bits() -> None:
    check_address(Fixed(16, 16))
    with pytest.raises(ValueError, match=r"address format q17\.16: more than 32 bits"):
        check_address(Fixed(17, 16))


@pytest.mark.parametrize(("span", "comparators"), [(4.0, (16, 16)), (8.0, ()), (16.0, ())])
def test_an_address_is_limited_only_if_it_can_be_beyond_the_range(span: float, comparators: tuple[int, ...]) -> None:
    """q4.12 holds [-8, 8), and q6.10 four times as much."""
    assert limits(Fixed(4, 12), span) == comparators
    assert limits(Fixed(6, 10), 4 * span) == comparators


def test_functions_that_are_lines_are_not_approximated() -> None:
    for name in sorted(CURVED):
        check_curved(FunctionSpec(name))
    for name in ("relu", "identity", "hardsigmoid"):
        with pytest.raises(SimulatorBug, match="is no curved function"):
            check_curved(FunctionSpec(name))


def test_blocks_are_made_of_single_numbers_behind_the_lanes() -> None:
    assert str(element(parse_format("float16"))) == "float16"
    assert str(element(parse_format("q4.12"))) == "q4.12"


def test_a_result_has_one_scale() -> None:
    int8 = parse_format("int8")
    assert scale_of(Encoding(int8, 0.25)) == 0.25
    with pytest.raises(SimulatorBug, match="a scale for each row"):
        scale_of(Encoding(int8, np.ones((2, 1))))
