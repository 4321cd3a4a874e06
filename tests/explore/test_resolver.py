"""Points resolved at once are those resolved one by one: machines, keys, inputs, and what is wrong with them."""

from __future__ import annotations

import pytest

from archsim.explore import Space
from archsim.explore.space.grid import Grid
from tests.explore.conftest import Write


def check(space: Space) -> int:
    """All points of a space; returns how many have no valid machine."""
    numbers = list(range(space.size))
    found = space.designs(numbers)
    for number, design in zip(numbers, found, strict=True):
        wanted = space.design(number)
        assert design == wanted
        assert design.config == wanted.config
        if design.config is not None and wanted.config is not None:
            assert design.config.model_dump_json() == wanted.config.model_dump_json()
            assert list(design.inputs) == list(wanted.inputs)
    return sum(design.reason is not None for design in found)


def test_all_points_of_a_space_with_derived_fields(write: Write) -> None:
    assert check(Space.load(write())) == 0


def test_sections_that_are_not_valid_are_left_to_be_said_one_by_one(write: Write) -> None:
    """A derived field of 0 banks, where 2 columns are not above 4 rows: the message is that of the whole machine."""
    derived = ("weight_sram.banks: mac_array.rows", "weight_sram.banks: mac_array.rows - 4")
    space = Space.load(write(derived))
    assert check(space) == 24


def test_what_sections_may_not_be_together_is_found_by_the_checks_of_the_whole(write: Write) -> None:
    """By kind, the state buffer's banks need ports of their own: 1RW is not valid then, and is with one bank."""
    ports = ("schedule: [fused, split]", "state_buffer.banks: [one, by_kind]\n  state_buffer.ports: [1R1W, 1RW]")
    space = Space.load(write(ports))
    assert check(space) == space.size // 4


def test_an_expression_without_a_value(write: Write) -> None:
    derived = ("weight_sram.banks: mac_array.rows", "weight_sram.banks: mac_array.rows // (mac_array.columns - 3)")
    assert check(Space.load(write(derived))) == 32


@pytest.mark.parametrize(
    "parameter",
    [
        "formats: [tflite_int8, q4.12]",
        "formats.cell: [float32, bfloat16]",
        "activation.method: [table, exact]",
        "dram_type: [lpddr4, hbm2]\n  technology: [node_45nm, node_7nm]",
        "bias_buffer: [{capacity_bytes: 64KiB}, {capacity_bytes: 32KiB}]",
    ],
)
def test_kinds_of_parameters(write: Write, parameter: str) -> None:
    check(Space.load(write(("schedule: [fused, split]", parameter))))


def test_a_grid_travels_as_text(write: Write) -> None:
    grid = Space.load(write(("schedule: [fused, split]", "formats: [tflite_int8, q4.12]"))).grid
    again = Grid.from_json(grid.to_json())
    assert [again.resolve(number) for number in range(0, grid.size, 5)] == [
        grid.resolve(number) for number in range(0, grid.size, 5)
    ]
