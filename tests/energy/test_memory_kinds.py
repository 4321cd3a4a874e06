"""Kinds of DRAM and of ports: bursts of a device are paid for, and a single port has its own table."""

from __future__ import annotations

import pytest
from test_energy_by_hand import STEPS, run

from archsim.technology import load_technology

MEMORIES = ("weight_sram", "input_buffer", "state_buffer")
DDR = ("dram={kind: ddr, device: lpddr4_3200, channels: 2, controller_latency_cycles: 20}", "dram_type=lpddr4")


@pytest.mark.parametrize("memory", MEMORIES)
def test_a_single_port_has_the_prices_of_one(memory: str) -> None:
    """Less area, leakage and energy, and nothing else changes its price."""
    two, one = run().stats, run(f"{memory}.ports=1RW").stats
    for other in set(MEMORIES) - {memory}:
        assert one.energy.memory_uj[other] == two.energy.memory_uj[other]
    assert one.area.part_area_mm2[memory] < two.area.part_area_mm2[memory]
    assert one.area.part_leakage_mw[memory] < two.area.part_leakage_mw[memory]
    assert one.energy.part_uj[memory] < two.energy.part_uj[memory]


def test_the_single_ported_weight_sram_by_hand() -> None:
    """256 words x 64 bits, as in test_energy_by_hand.py: 48, 32 and 16 reads."""
    table = load_technology("node_45nm").sram.single_port
    found = run("weight_sram.ports=1RW").stats.energy.memory_uj["weight_sram"]
    assert sum(found["read"].values()) == pytest.approx(96 * table.read_pj[1][1] * 1e-6)
    assert sum(found["write"].values()) == pytest.approx(24 * table.write_pj[1][1] * 1e-6)


def test_bursts_of_a_ddr_device() -> None:
    """LPDDR4: a burst of 16 transfers on 16 pins is 32 bytes; each piece of the tiny model fits into one."""
    stats = run(*DDR).stats
    pieces = {"read": 8 + 8 + 8 + 1 + 1 + STEPS, "write": STEPS + 2}
    assert stats.dram_burst_bytes == {direction: 32 * count for direction, count in pieces.items()}
    assert stats.energy.part_uj["dram"] == pytest.approx(32 * 8 * sum(pieces.values()) * 8 * 1e-6)
    # Two channels of 3,200 MT/s x 2 bytes.
    dram = stats.roofline.ceilings["dram"]
    assert dram.bandwidth_gb_per_s == pytest.approx(2 * 6.4)
    assert dram.run_ops_per_byte == pytest.approx(320 / (32 * sum(pieces.values())))
