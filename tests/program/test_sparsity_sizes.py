"""What a row of a matrix takes of which some weights of each group are stored, by hand."""

from __future__ import annotations

import pytest

from archsim.formats import Float32
from archsim.program.sparsity import DENSE, Sparsity


@pytest.mark.parametrize(
    ("kept", "of", "choices", "index_bits"),
    [(2, 4, 3, 2), (1, 4, 4, 2), (1, 2, 2, 1), (4, 8, 5, 3), (1, 1, 1, 0), (4, 4, 1, 0), (1, 5, 5, 3), (1, 8, 8, 3)],
)
def test_an_index_tells_the_inputs_apart_among_which_a_multiplier_chooses(
    kept: int, of: int, choices: int, index_bits: int
) -> None:
    """The i-th of a group's weights is in one of the columns i to of - kept + i."""
    found = Sparsity(kept, of)
    assert (found.choices, found.index_bits) == (choices, index_bits)


@pytest.mark.parametrize(
    ("inputs", "groups", "stored"),
    [(0, 0, 0), (1, 1, 1), (2, 1, 2), (3, 1, 2), (4, 1, 2), (5, 2, 3), (6, 2, 4), (9, 3, 5)],
)
def test_a_narrower_last_group_keeps_at_most_as_many(inputs: int, groups: int, stored: int) -> None:
    """2 of 4: a last group of one column keeps that one."""
    assert (Sparsity(2, 4).groups(inputs), Sparsity(2, 4).stored(inputs)) == (groups, stored)
    assert Sparsity(2, 4).row_bits(inputs, Float32()) == stored * (32 + 2)
    assert DENSE.row_bits(inputs, Float32()) == inputs * 32


def test_multipliers_take_the_inputs_of_whole_groups() -> None:
    """8 multipliers take 4 groups of 4 inputs where 2 are kept, 8 groups of 4 where 1 is."""
    assert [Sparsity(kept, 4).chunk_inputs(8) for kept in (1, 2, 4)] == [32, 16, 8]
