"""How many groups of rows the accumulators hold at once."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.errors import CapacityError
from archsim.families.gemv.cell import _accumulator_slots
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import load_arch


def slots(entries: int, group: int, rotations: int, sharers: int) -> int:
    config = load_arch("tiny_2x2", [parse_override(f"accumulators.entries={entries}")]).config
    assert isinstance(config, GemvConfig)
    return _accumulator_slots(config, group, rotations, sharers)


@pytest.mark.parametrize(
    ("entries", "group", "rotations", "sharers", "found"),
    [
        (20, 4, 3, 1, 5),
        (23, 4, 3, 1, 5),
        (1000, 4, 3, 1, 6),  # the groups of two steps: no more are of use
        (1000, 4, 1, 1, 2),
        (20, 4, 3, 2, 2),  # each of two cells has its own
    ],
)
def test_as_many_as_fit_and_no_more_than_two_steps_have(
    entries: int, group: int, rotations: int, sharers: int, found: int
) -> None:
    assert slots(entries, group, rotations, sharers) == found


def test_not_one_group() -> None:
    with pytest.raises(CapacityError, match=r"accumulators: needs 8 entries .*x 2 cells at a time.*, has 7, 1 short"):
        slots(7, 4, 3, 2)
