"""docs/memory.md: its tables computed again, and each run near its bound."""

import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
sys.path.insert(0, str(DOCS))

import memory_table  # noqa: E402

POINTS = memory_table.capacities()


def test_the_tables_are_fresh() -> None:
    page = memory_table.PAGE.read_text()
    made = {
        "capacities": memory_table.table("weights, SRAM", POINTS),
        "slots and bandwidths": memory_table.table("4 MiB, int8", memory_table.slots_and_bandwidths()),
    }
    assert all(rows in page for rows in made.values()), "run: python docs/memory_table.py"
    assert memory_table.filled(page, made) == page


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_a_run_is_within_5_percent_of_its_bound(point: memory_table.Point) -> None:
    """Of T times the largest bound of a step, and prologue and epilogue."""
    assert 1 <= point.share <= 1.05


def test_more_room_is_never_slower_and_moves_no_more() -> None:
    for four in (POINTS[:4], POINTS[4:]):
        cycles = [point.stats.latency_cycles for point in four]
        bursts = [sum(point.stats.dram_burst_bytes.values()) for point in four]
        assert cycles == sorted(cycles)
        assert bursts == sorted(bursts)
