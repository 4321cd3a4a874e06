"""docs/energy.md: its tables computed again, and how near the machines of measured energy lie."""

from __future__ import annotations

import pytest

from archsim.api.evaluate import Evaluator
from archsim.config import parse_override
from archsim.families.load import load_arch, load_workload_for
from archsim.fidelity.silicon import SILICON, Calibrated, simulated
from archsim.metrics.energy import dram_parts
from archsim.workload import load_workload
from tests.rings import exhaustive
from tools.docs import energy_table

PAGE = energy_table.PAGE.read_text()


@pytest.fixture(scope="module")
def calibrated() -> dict[str, Calibrated]:
    return {one.name: simulated(one) for one in SILICON}


def test_the_calibration_is_fresh_and_within_2(calibrated: dict[str, Calibrated]) -> None:
    """Of what was measured of a chip; UNPU's look-up tables, the FPGA that leaks as a whole, and EdgeDRNN's board are
    further away, as the page says. What was published lies between low and high but of the board's."""
    assert energy_table.calibration_table(list(calibrated.values())) in PAGE
    within = {name for name, one in calibrated.items() if 0.5 <= one.ratio <= 2}
    assert within == {"Chipmunk", "Muntaniala", "TPU v1", "Edge TPU"}
    outside = {name for name, one in calibrated.items() if not one.low <= one.published <= one.high}
    assert outside == {"EdgeDRNN, board"}


def test_what_the_page_says_of_edgedrnns_board(calibrated: dict[str, Calibrated]) -> None:
    """DRAM and its interface, and the fabric, of which the page has the sums; at the high, not a fifth of the board."""
    board = calibrated["EdgeDRNN, board"]
    arch = load_arch(board.silicon.arch)
    work = load_workload_for(arch, board.silicon.workload)
    stats = Evaluator().evaluate(arch, work, None).stats
    assert stats.energy is not None
    assert arch.config.costing is not None
    outside = dram_parts(arch.config.costing.memories)
    dram = sum(uj for name, uj in stats.energy.part_uj.items() if name in outside) / stats.latency_us * 1000
    fabric = board.value - dram
    assert (
        f"of the {board.value:.0f} mW simulated {dram:.0f} are DRAM and its interface, and\n{fabric:.0f} the FPGA"
        in PAGE
    )
    assert f"it would be {board.high:.0f} mW, {board.high / board.published:.2f}" in PAGE
    assert board.high < board.published / 5


def test_what_the_page_says_of_an_fpga_that_leaks(calibrated: dict[str, Calibrated]) -> None:
    fpga = calibrated["ElasticAI.creator's LSTM, FPGA"]
    arch = load_arch(fpga.silicon.arch)
    stats = Evaluator().evaluate(arch, load_workload_for(arch, fpga.silicon.workload), None).stats
    assert stats.area is not None
    assert f"takes {fpga.value:.1f} mW here, of\nwhich {stats.area.leakage_mw:.1f} leak" in PAGE


def test_the_factors_are_fresh() -> None:
    assert energy_table.scaling_table() in PAGE


def test_prices_of_hwcomponents_are_fresh() -> None:
    """The table, and of the reference the two figures below it."""
    assert energy_table.hwcomponents_table() in PAGE
    ours, theirs = (reference(technology) for technology in ("node_45nm", str(energy_table.HWCOMPONENTS)))
    assert f"{theirs[0] / ours[0]:.2f} times the\nenergy ({theirs[0]:,.0f} instead of {ours[0]:,.0f} uJ)" in PAGE
    assert f"and {theirs[1] / ours[1]:.2f} times the area" in PAGE


def reference(technology: str) -> tuple[float, float]:
    """Energy in uJ and area in mm2 of edge_64x64."""
    arch = load_arch("edge_64x64", [parse_override(f"technology={technology}")])
    stats = Evaluator().evaluate(arch, load_workload("lstm_200_1000_t70"), None).stats
    assert stats.energy is not None
    assert stats.area is not None
    return stats.energy.total_uj, stats.area.area_mm2


@exhaustive
def test_the_nodes_are_fresh() -> None:
    assert energy_table.nodes_table() in PAGE
