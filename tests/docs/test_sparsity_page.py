"""docs/sparsity.md: its table of LSTM(200, 1000) is what is simulated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archsim.api.evaluate import Evaluator
from archsim.families.load import load_arch
from archsim.workload import load_workload
from tests.present import present

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sparsity.md").read_text()
ROWS = {
    cells[0]: cells[1:]
    for line in re.findall(r"^\| (?:all|\d+ of \d+)[^|]* \|.*\| \d\.\d{3} \|$", PAGE, re.MULTILINE)
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
}


def wide(inputs: int, weight: int) -> tuple[str, ...]:
    """Ports of x and h of `inputs` bytes, and of 64 weights of `weight` bits with their indexes."""
    ports = [f"{memory}.port_bits={8 * inputs}" for memory in ("input_buffer", "state_buffer")]
    return (*ports, f"weight_sram.port_bits={64 * weight}")


# Bits of an index: log2(m - n + 1), rounded up; a chunk of 64 weights takes 64 m / n inputs.
@pytest.mark.parametrize(
    ("row", "kept", "ports"),
    [
        ("all", None, ()),
        ("2 of 4, ports as they were", "{kept: 2, of: 4}", ()),
        ("2 of 4", "{kept: 2, of: 4}", wide(128, 10)),
        ("4 of 8", "{kept: 4, of: 8}", wide(128, 11)),
        ("1 of 2", "{kept: 1, of: 2}", wide(128, 9)),
        ("1 of 4", "{kept: 1, of: 4}", wide(256, 10)),
    ],
)
def test_what_is_kept(row: str, kept: str | None, ports: tuple[str, ...]) -> None:
    sets = [*([f"mac_array.sparsity={kept}"] if kept else []), *ports]
    stats = Evaluator().evaluate(load_arch("edge_64x64", sets), load_workload("lstm:200,1000,t=70")).stats
    area = present(stats.area)
    cells = ROWS[row]
    assert cells[0] == f"{stats.cycles_per_step:,.0f}"
    assert cells[3:] == [
        f"{present(stats.energy).total_uj:.1f}",
        f"{area.area_mm2:.2f}",
        f"{area.part_area_mm2['mac_array']:.3f}",
    ]
