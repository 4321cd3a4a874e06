"""The longest chains of designs at once: what they take in a step, from how long each group of them is."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from archsim.engines.recurrence import lane_chains
from archsim.engines.recurrence.chain import ChainTables
from tests.engines.recurrence.test_chain import ARRAYS


def test_a_chain_counts_by_the_steps_that_it_spans_and_by_how_often_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the first design 10 cycles in two steps are 5 a step, 9 every second step 4.5, and twice 5 in three 3.33.

    Of the second the first group has no way; 3 every second step are 1.5, and twice 6 in three steps 4.
    """
    lengths = np.array([[10, -1], [9, 3], [5, 6]])

    def given(*before: Any) -> None:
        before[-1][:] = lengths

    monkeypatch.setattr(lane_chains, "chain_lanes", given)
    none = ChainTables.from_chains(ARRAYS, [])
    tables = replace(none, lag=(2, 1, 3), per_step=(Fraction(1), Fraction(1, 2), Fraction(2)))
    timing: Any = SimpleNamespace(row=np.zeros((1, 2)), shape_unit=np.zeros(1, np.int64))
    found = lane_chains.longest_chains(tables, timing)
    assert [Fraction(int(value), tables.denominator) for value in found] == [5, 4]
    assert lane_chains.longest_chains(none, timing).tolist() == [0, 0]
