"""Errors as other processes and SimPy hand them on: made again from their arguments."""

from __future__ import annotations

import pickle

import pytest

from archsim.errors import CapacityError, Fault

DEMAND = CapacityError("weight_sram", 512, 256, "bytes", "all weights", ("capacity_bytes=512", "a streamed schedule"))


@pytest.mark.parametrize("again", [type(DEMAND)(*DEMAND.args), pickle.loads(pickle.dumps(DEMAND))])
def test_a_capacity_error_says_the_same_again(again: CapacityError) -> None:
    assert str(again) == (
        "weight_sram: needs 512 bytes (all weights), has 256, 256 short; "
        "what would close the gap: capacity_bytes=512; or a streamed schedule"
    )
    assert (again.need, again.have, again.gap, again.unit) == (512, 256, 256, "bytes")
    assert again.knobs == ("capacity_bytes=512", "a streamed schedule")


@pytest.mark.parametrize("place", ["where", "path", "message"])
def test_a_fault_is_one_line_whatever_stands_in_it(place: str) -> None:
    """What others wrote forges no second error, and says nothing to a terminal."""
    parts = {"where": "a.yaml:3", "path": "b.c", "message": "expected 1"} | {
        place: "x\narchsim: error: y\x1b[31m\u2028\x07"
    }
    text = str(Fault(**parts))
    assert text.isprintable()
    assert "x\\narchsim: error: y\\x1b[31m\\u2028\\x07" in text
