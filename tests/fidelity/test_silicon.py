"""What is set beside published energies: parts of a run's energy by hand, in the unit of what was published."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from archsim.api.evaluate import Evaluator
from archsim.fidelity.silicon import SILICON, Calibrated, Silicon, simulated

CHIP = Silicon("chip", "source", "tiny_2x2", "lstm_3_2_t4", (), "unlike", published_pj_per_mac=4.0)


def of_a_run(silicon: Silicon) -> Calibrated:
    """A run of 8 us and 1,000 MACs: 6 nJ of logic, 3 of leakage, and 20, 30 and 40 of DRAM, its interface and power.

    The low has half of all that, the high three times as much of what is on the chip, and twice of what is not.
    """
    chip, outside = {"mac_array": 6e-3, "leakage": 3e-3}, {"dram": 20e-3, "dram_phy": 30e-3, "dram_background": 40e-3}
    energy = SimpleNamespace(
        part_uj=chip | outside,
        part_low_uj={name: uj / 2 for name, uj in (chip | outside).items()},
        part_high_uj={name: uj * 3 for name, uj in chip.items()} | {name: uj * 2 for name, uj in outside.items()},
    )
    stats = SimpleNamespace(energy=energy, latency_us=8.0, macs=1000)
    evaluator = SimpleNamespace(evaluate=lambda arch, workload, schedule: SimpleNamespace(stats=stats))
    return simulated(silicon, cast("Evaluator", evaluator))


def test_energy_of_a_mac_on_the_chip_alone() -> None:
    """9 nJ of 1,000 MACs are 9 pJ each, 4.5 at the low and 27 at the high."""
    found = of_a_run(CHIP)
    assert (found.value, found.low, found.high) == pytest.approx((9.0, 4.5, 27.0))
    assert (found.published, found.unit) == (4.0, "pJ/MAC")
    assert found.ratio == pytest.approx(2.25)


def test_energy_of_a_mac_with_dram() -> None:
    """90 nJ more: 99 pJ each, 49.5, and 27 + 180."""
    found = of_a_run(replace(CHIP, with_dram=True))
    assert (found.value, found.low, found.high) == pytest.approx((99.0, 49.5, 207.0))


def test_power_of_a_board() -> None:
    """9 nJ in 8 us are 1.125 mW, and with DRAM 99 nJ 12.375."""
    board = replace(CHIP, published_pj_per_mac=None, published_mw=2.25)
    found = of_a_run(board)
    assert (found.value, found.low, found.high) == pytest.approx((1.125, 0.5625, 3.375))
    assert (found.published, found.unit) == (2.25, "mW")
    assert found.ratio == pytest.approx(0.5)
    assert of_a_run(replace(board, with_dram=True)).value == pytest.approx(12.375)


def test_what_was_published() -> None:
    """2 ops a MAC: W over TOPS, or 1 over TOPS/W, is pJ an op. 17,534 inferences a second of 3.8 uJ are 66.6 mW."""
    published = {one.name: one.published_pj_per_mac or one.published_mw for one in SILICON}
    assert published == pytest.approx(
        {
            "Chipmunk": 0.649,
            "Muntaniala": 0.615,
            "UNPU, 16 bits": 0.649,
            "TPU v1": 0.870,
            "Edge TPU": 1.0,
            "ElasticAI.creator's LSTM, FPGA": 66.6,
            "EdgeDRNN, board": 2420,
        },
        rel=1e-3,
    )
    assert {one.name for one in SILICON if one.with_dram} == {"TPU v1", "EdgeDRNN, board"}
    assert [one for one in SILICON if (one.published_mw is None) == (one.published_pj_per_mac is None)] == []
