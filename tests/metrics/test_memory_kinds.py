"""Kinds of DRAM and of ports: bursts of a device are paid for, and a single port has its own table."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from archsim.api import simulate
from archsim.config import Override, parse_override
from archsim.errors import ArchError
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import load_arch
from archsim.hardware.dram.ddr_presets import TYPES
from archsim.technology import load_technology
from archsim.workload import load_workload
from tests.metrics.test_energy_by_hand import STEPS, run
from tests.present import present

MEMORIES = ("weight_sram", "input_buffer", "state_buffer")
DDR = ("dram={kind: ddr, device: lpddr4_3200, channels: 2, controller_latency_cycles: 20}", "dram_type=lpddr4")


@pytest.mark.parametrize("memory", MEMORIES)
def test_a_single_port_has_the_prices_of_one(memory: str) -> None:
    """Less area, leakage and energy, and nothing else changes its price. (The state buffer has one bank.)"""
    two, one = (run("state_buffer.banks=one", f"{memory}.ports={ports}").stats for ports in ("1R1W", "1RW"))
    for other in set(MEMORIES) - {memory}:
        assert present(one.energy).memory_uj[other] == present(two.energy).memory_uj[other]
    assert present(one.area).part_area_mm2[memory] < present(two.area).part_area_mm2[memory]
    assert present(one.area).part_leakage_mw[memory] < present(two.area).part_leakage_mw[memory]
    assert present(one.energy).part_uj[memory] < present(two.energy).part_uj[memory]


def test_the_single_ported_weight_sram_by_hand() -> None:
    """256 words x 64 bits, as in test_energy_by_hand.py: 48 and 32 reads, 12 and 8 writes."""
    table = load_technology("node_45nm").sram.single_port
    found = present(run("weight_sram.ports=1RW").stats.energy).memory_uj["weight_sram"]
    assert sum(found["read"].values()) == pytest.approx(80 * table.read_pj[1][1] * 1e-6)
    assert sum(found["write"].values()) == pytest.approx(20 * table.write_pj[1][1] * 1e-6)


def test_bursts_of_a_ddr_device() -> None:
    """LPDDR4: a burst of 16 transfers on 16 pins is 32 bytes; each piece of the tiny model fits into one."""
    stats = run(*DDR).stats
    pieces = {"read": 8 + 8 + 8 + 1 + 1 + STEPS, "write": STEPS + 2}
    assert stats.dram_burst_bytes == {direction: 32 * count for direction, count in pieces.items()}
    assert present(stats.energy).part_uj["dram"] == pytest.approx(32 * 8 * sum(pieces.values()) * 5.9 * 1e-6)
    # Two channels of 3,200 MT/s x 2 bytes.
    dram = stats.roofline.ceilings["dram"]
    assert dram.bandwidth_gb_per_s == pytest.approx(2 * 6.4)
    assert dram.run_ops_per_byte == pytest.approx(320 / (32 * sum(pieces.values())))


def line_of_the_page() -> list[str]:
    """The command of docs/energy.md that puts an HBM2 device on a machine."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "energy.md").read_text()
    (line,) = [line for line in page.splitlines() if line.strip().startswith("archsim run") and "hbm2_2000" in line]
    return shlex.split(line)


def test_the_device_of_the_page_is_paid_for_as_what_it_is() -> None:
    """Four pseudo channels of 16 GB/s, and HBM2's energy for each bit of each burst."""
    _, _, name, workload, *sets = line_of_the_page()
    arch = load_arch(name, [parse_override(text) for text in sets if text != "--set"])
    stats = simulate(arch, load_workload(workload), timing_only=True).stats
    price = next(dram for dram in load_technology("node_45nm").dram if dram.name == "hbm2").energy_pj_per_bit
    bits = 8 * sum(stats.dram_burst_bytes.values())
    assert present(stats.energy).dram_type == "hbm2"
    assert present(stats.energy).part_uj["dram"] == pytest.approx(bits * price * 1e-6)
    assert stats.roofline.ceilings["dram"].bandwidth_gb_per_s == pytest.approx(4 * 16)


def dram_type_of(changes: Sequence[Override]) -> str:
    """The type of edge_64x64 with changes."""
    config = load_arch("edge_64x64", changes).config
    assert isinstance(config, GemvConfig)
    return config.dram_type


@pytest.mark.parametrize(("device", "of_type"), TYPES.items())
def test_a_device_is_not_paid_for_as_another(device: str, of_type: str) -> None:
    """Every other type of the technology is refused; a device of one's own parameters may be of any."""
    dram = f"dram={{kind: ddr, device: {device}, channels: 2, controller_latency_cycles: 20}}"
    for dram_type in (found.name for found in load_technology("node_45nm").dram):
        changes = [parse_override(text) for text in (dram, f"dram_type={dram_type}")]
        if dram_type == of_type:
            assert dram_type_of(changes) == of_type
            continue
        with pytest.raises(ArchError, match=f"dram_type is {dram_type}, but dram.device is of type {of_type}"):
            load_arch("edge_64x64", changes)
        own = parse_override("dram.device.dram_type=null")
        assert dram_type_of([*changes, own]) == dram_type
