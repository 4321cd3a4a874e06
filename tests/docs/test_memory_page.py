"""docs/memory.md: its tables computed again, and each run near its bound."""

import pytest

from tools.docs import memory_table

POINTS = memory_table.capacities()
OTHERS = memory_table.slots_and_bandwidths()
HOISTED = memory_table.hoisted()


def test_the_tables_are_fresh() -> None:
    page = memory_table.PAGE.read_text()
    made = {
        "capacities": memory_table.table("weights, SRAM", POINTS),
        "slots and bandwidths": memory_table.table("4 MiB, int8", OTHERS),
        "hoisted": memory_table.hoisted_table(HOISTED),
    }
    assert all(rows in page for rows in made.values()), "run: python -m tools.docs.memory_table"
    assert memory_table.filled(page, made) == page


@pytest.mark.parametrize("point", [*POINTS, *OTHERS, *HOISTED], ids=lambda point: point.name)
def test_a_run_is_within_5_percent_of_its_bound(point: memory_table.Point) -> None:
    """Of T times the largest bound of a step, and prologue and epilogue."""
    assert 1 <= point.share <= 1.05


def test_more_room_is_never_slower_and_moves_no_more() -> None:
    for four in (POINTS[:4], POINTS[4:]):
        cycles = [point.stats.latency_cycles for point in four]
        bursts = [sum(point.stats.dram_burst_bytes.values()) for point in four]
        assert cycles == sorted(cycles)
        assert bursts == sorted(bursts)


def stays(capacity_bytes: int, weight_bytes: int) -> tuple[int, int]:
    """Bytes of W_ih and W_hh that stay, derived from sizes alone: the best of the three ways to give them slots.

    4,000 rows in 62 tiles of 64 and one of 32, 200 and 1,000 wide; biases of 4 bytes; two slots of a tile.
    """
    room = capacity_bytes - 4 * 4000
    width = {"W_ih": 200 * weight_bytes, "W_hh": 1000 * weight_bytes}
    whole = {name: 4000 * row for name, row in width.items()}
    if sum(whole.values()) <= room:
        return whole["W_ih"], whole["W_hh"]
    ways = []
    for slots in (("W_hh", "W_ih"), ("W_hh",), ("W_ih",)):
        held = {name: 0 if name in slots else size for name, size in whole.items()}
        left = room - sum(held.values()) - sum(2 * 64 * width[name] for name in slots)
        for name in slots if left >= 0 else ():
            tiles = min(62, left // (64 * width[name]))
            ragged = left - tiles * 64 * width[name] >= 32 * width[name]
            held[name] = (64 * tiles + 32 * ragged) * width[name]
            left -= held[name]
        if left >= 0:
            ways.append(held)
    best = max(ways, key=lambda held: sum(held.values()), default={"W_ih": 0, "W_hh": 0})
    return best["W_ih"], best["W_hh"]


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_what_stays_is_the_most_that_can(point: memory_table.Point) -> None:
    weights, capacity = point.name.split(", ")
    found = stays(point_bytes(capacity), {"int8": 1, "float32": 4}[weights])
    assert point.stays_bytes == found
    weight_bytes = 4_800_000 * {"int8": 1, "float32": 4}[weights]
    read = point.stats.traffic_bytes["dram"]["read"]
    assert read["W_ih"] + read["W_hh"] == sum(found) + memory_table.STEPS * (weight_bytes - sum(found))


def point_bytes(capacity: str) -> int:
    """8MiB in bytes."""
    number, unit = capacity[:-3], capacity[-3:]
    return int(number) * {"KiB": 2**10, "MiB": 2**20}[unit]


def test_with_one_slot_dram_waits_for_the_array() -> None:
    """Of two slots it never waits."""
    one, two = (point.stats.unit_cycle_stacks["dram"]["wait_buffer"] for point in OTHERS[:2])
    assert f"{one // memory_table.STEPS:,} cycles a step" in memory_table.PAGE.read_text()
    assert two < one / 1000
