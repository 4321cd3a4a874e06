"""docs/energy.md: its tables computed again, and how near the machines of measured energy lie."""

from __future__ import annotations

import pytest

from archsim.fidelity.silicon import SILICON, Calibrated, simulated
from tests.rings import exhaustive
from tools.docs import energy_table

PAGE = energy_table.PAGE.read_text()


@pytest.fixture(scope="module")
def calibrated() -> dict[str, Calibrated]:
    return {one.name: simulated(one) for one in SILICON}


def test_the_calibration_is_fresh_and_within_2(calibrated: dict[str, Calibrated]) -> None:
    """Of what was measured of a chip alone; UNPU's look-up tables and EdgeDRNN's board are further away, as the page
    says, and what was published of each chip lies between low and high but of the board's."""
    assert energy_table.calibration_table(list(calibrated.values())) in PAGE
    within = {name for name, one in calibrated.items() if 0.5 <= one.ratio <= 2}
    assert within == {"Chipmunk", "Muntaniala", "TPU v1", "Edge TPU"}
    inside = {name for name, one in calibrated.items() if one.low <= one.published <= one.high}
    assert inside == {"Chipmunk", "Muntaniala", "TPU v1", "Edge TPU"}


def test_the_factors_are_fresh() -> None:
    assert energy_table.scaling_table() in PAGE


@exhaustive
def test_the_nodes_are_fresh() -> None:
    assert energy_table.nodes_table() in PAGE
