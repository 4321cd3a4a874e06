"""What stands beside operators and accesses, by hand on tiny_2x2 with lstm_3_2_t4 (as test_energy_by_hand.py)."""

from __future__ import annotations

from math import sqrt

import pytest

from archsim.hardware.storage import Sram
from archsim.metrics import Stats
from archsim.metrics.beside import gated_share
from archsim.technology import load_prices
from tests.metrics.test_energy_by_hand import (
    BANKS,
    COPIES_OF_C,
    COPIES_OF_H,
    LATENCY_US,
    STEPS,
    TILES,
    UJ,
    below,
    run,
)
from tests.present import present

WIRE = 0.1256
"""pJ for a bit over a mm at 45 nm."""


@pytest.fixture(scope="module")
def stats() -> Stats:
    return run().stats


def test_wires(stats: Stats) -> None:
    """Bits times half the sides of a bank and of its share of the unit.

    Words of 64 bits, of biases 32. The array reads 5 words of weights a tile, 2 biases, 2 words of x and one of h. DRAM
    has no area here: it writes 20 words of weights, 8 biases, 8 of x, h_0 to four copies and c_0 to two, and reads h
    once a step, h_n and c_n. The element-wise unit reads c once and five gates for each of 8 hidden units and writes h
    to four copies and c to two; the activation unit reads c once and writes five gates.
    """
    built, units = BANKS + (COPIES_OF_H - 1) + (COPIES_OF_C - 1), 2 * STEPS
    state = below(0.004528, 0.01516, 1024 / 8 / BANKS)
    banks = {
        "weight_sram": (2, 0.01516, 64),
        "bias_buffer": (2, below(0.002204, 0.007056, 32), 32),
        "input_buffer": (1, below(0.004528, 0.01516, 32), 64),
        "state_buffer": (built, state, 64),
    }
    words = {
        ("mac_array", "weight_sram"): TILES * 5,
        ("mac_array", "bias_buffer"): TILES * 2,
        ("mac_array", "input_buffer"): TILES * 2,
        ("mac_array", "state_buffer"): TILES,
        ("dram", "weight_sram"): 20,
        ("dram", "bias_buffer"): 8,
        ("dram", "input_buffer"): STEPS * 2,
        ("dram", "state_buffer"): COPIES_OF_H + COPIES_OF_C + STEPS + 2,
        ("elementwise", "state_buffer"): units * (1 + 5 + COPIES_OF_H + COPIES_OF_C),
        ("activation", "state_buffer"): units * (1 + 5),
    }
    area = present(stats.area).part_area_mm2
    uj = 0.0
    for (unit, memory), count in words.items():
        number, bank_mm2, bits = banks[memory]
        length_mm = (sqrt(bank_mm2) + sqrt(area.get(unit, 0.0) / number)) / 2
        uj += count * bits * length_mm * WIRE * UJ
    assert present(stats.energy).part_uj["wires"] == pytest.approx(uj)
    assert "wires" not in present(run("energy_model.wires=false").stats.energy).part_uj


def test_clock_and_control_go_with_logic(stats: Stats) -> None:
    """All that units switch, and the registers of the accumulators: 0.45 and 0.056 of it."""
    energy = present(stats.energy)
    logic = sum(sum(kinds.values()) for kinds in energy.unit_uj.values()) + energy.part_uj["accumulators"]
    assert energy.part_uj["clock"] == pytest.approx(0.45 * logic)
    assert energy.part_uj["control"] == pytest.approx(0.056 * logic)
    without = present(run("energy_model.clock=false", "energy_model.control=false").stats.energy)
    assert not {"clock", "control"} & without.part_uj.keys()
    assert without.total_uj == pytest.approx(energy.total_uj - (0.45 + 0.056) * logic)


def test_space_between_cells_goes_with_logic(stats: Stats) -> None:
    """0.43 of units and accumulators: 1 / 0.7 - 1."""
    area = present(stats.area)
    logic = sum(area.part_area_mm2[name] for name in ("mac_array", "activation", "elementwise", "accumulators"))
    assert area.part_area_mm2["layout"] == pytest.approx(0.43 * logic)
    assert "layout" not in present(run("energy_model.layout=false").stats.area).part_area_mm2


BURSTS = 8 * 2 + 8 + 8 + 1 + 1 + STEPS * 2 + STEPS + 2
"""As test_dram_pays_for_whole_bursts has them: weights, biases, h, c and x in, outputs, h and c out; of 8 bytes."""


def test_the_interface_of_dram(stats: Stats) -> None:
    """6 pJ a bit of ddr4, from 3 to 12."""
    energy = present(stats.energy)
    assert energy.part_uj["dram_phy"] == pytest.approx(BURSTS * 64 * 6 * UJ)
    assert energy.part_low_uj["dram_phy"] == pytest.approx(BURSTS * 64 * 3 * UJ)
    assert energy.part_high_uj["dram_phy"] == pytest.approx(BURSTS * 64 * 12 * UJ)


def test_the_power_of_dram_by_state(stats: Stats) -> None:
    """One channel of ddr4 for 1.98 us, at work for 48 bursts of 10 ns (8 bytes a cycle at 100 MHz).

    Refresh takes 85.3 mW all the time; an open row 499 mW; besides these standby 355, power down 240, and a device that
    refreshes itself 288 with that in it.
    """
    assert BURSTS == 48
    busy_us, nanojoules = BURSTS / 100, 1e-3
    for state, idle_mw in (("standby", 355 + 85.3), ("power_down", 240 + 85.3), ("self_refresh", 288)):
        energy = present(run(f"energy_model.dram_idle={state}").stats.energy)
        working_mw = 499 + 85.3
        expected = (idle_mw * (LATENCY_US - busy_us) + working_mw * busy_us) * nanojoules
        assert energy.dram_background_uj == pytest.approx(expected)
        assert energy.static_mw == pytest.approx(present(stats.area).leakage_mw + idle_mw)
    off = present(run("energy_model.dram_idle=off").stats.energy)
    assert off.dram_background_uj == 0
    assert "dram_background" not in off.part_uj


def test_banks_that_hold_nothing_are_gated() -> None:
    """4 KiB of weights in 16 banks of 256 bytes: 8 rows x 5 weights of 4 bytes, 160 bytes, fill one, so that 15 of 16
    leak a tenth. The bias buffer's 32 bytes fill one bank of two; x has one bank alone."""
    usual, gated = (run("weight_sram.banks=16", f"energy_model.gating={how}").stats for how in ("none", "unused_banks"))
    prices, area = load_prices("node_45nm"), present(usual.area)
    kept = {memory: sum(buffers.values()) for memory, buffers in usual.stored_bytes.items()}
    assert (kept["weight_sram"], kept["bias_buffer"]) == (160, 32)
    assert gated_share(Sram(16, 4096, 64, dual_port=True), 160, prices) == pytest.approx(15 / 16 * 0.9)
    built = BANKS + (COPIES_OF_H - 1) + (COPIES_OF_C - 1)
    filled = -(-kept["state_buffer"] * BANKS // 1024)
    shares = {"weight_sram": 15 / 16, "bias_buffer": 1 / 2, "input_buffer": 0, "state_buffer": (BANKS - filled) / built}
    saved = sum(area.part_leakage_mw[name] * share * 0.9 for name, share in shares.items())
    assert present(gated.area).leakage_mw == area.leakage_mw
    assert present(gated.energy).static_mw == pytest.approx(present(usual.energy).static_mw - saved)
