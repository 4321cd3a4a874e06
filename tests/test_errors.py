"""Errors as other processes and SimPy hand them on: made again from their arguments."""

from __future__ import annotations

import pickle

import pytest

from archsim.errors import CapacityError

DEMAND = CapacityError("weight_sram", 512, 256, "bytes", "all weights", ("capacity_bytes=512", "a streamed schedule"))


@pytest.mark.parametrize("again", [type(DEMAND)(*DEMAND.args), pickle.loads(pickle.dumps(DEMAND))])
def test_a_capacity_error_says_the_same_again(again: CapacityError) -> None:
    assert str(again) == (
        "weight_sram: needs 512 bytes (all weights), has 256, 256 short; "
        "what would close the gap: capacity_bytes=512; or a streamed schedule"
    )
    assert (again.need, again.have, again.gap, again.unit) == (512, 256, 256, "bytes")
    assert again.knobs == ("capacity_bytes=512", "a streamed schedule")
