"""docs/memory.md: its tables computed again, and each run near its bound."""

import re
from functools import cache

import pytest

from archsim import simulate
from tests.rings import exhaustive
from tools.docs import memory_table
from tools.docs.memory_table import CAPACITY_DESIGNS, HOISTED_DESIGNS, SLOT_DESIGNS, Design, Point

PAGE = memory_table.PAGE.read_text()
FAST = ("int8, 1MiB", "1 slots", "2 slots", "4MiB, 2")
"""Designs that the fast ring evaluates: weights that stay in part, slots, blocks of steps."""


@cache
def point(design: Design) -> Point:
    """Evaluated once for all tests."""
    return design.evaluated()


def some_in_the_fast_ring(designs: tuple[Design, ...]) -> pytest.MarkDecorator:
    """A test of each design."""
    marks = [() if design.name in FAST else exhaustive for design in designs]
    rows = [pytest.param(design, id=design.name, marks=m) for design, m in zip(designs, marks, strict=True)]
    return pytest.mark.parametrize("design", rows)


@some_in_the_fast_ring((*CAPACITY_DESIGNS, *SLOT_DESIGNS, *HOISTED_DESIGNS))
def test_a_row_is_fresh_and_its_run_within_5_percent_of_its_bound(design: Design) -> None:
    """The bound: T times the largest bound of a step, and prologue and epilogue."""
    found = point(design)
    row = found.hoisted_row if design in HOISTED_DESIGNS else found.row
    assert f"{row}\n" in PAGE, "run: python -m tools.docs.memory_table"
    assert 1 <= found.share <= 1.05


@exhaustive
def test_the_tables_are_fresh() -> None:
    made = {
        "capacities": memory_table.table("weights, SRAM", [point(design) for design in CAPACITY_DESIGNS]),
        "slots and bandwidths": memory_table.table("4 MiB, int8", [point(design) for design in SLOT_DESIGNS]),
        "hoisted": memory_table.hoisted_table([point(design) for design in HOISTED_DESIGNS]),
    }
    assert memory_table.filled(PAGE, made) == PAGE, "run: python -m tools.docs.memory_table"


@exhaustive
@pytest.mark.parametrize("designs", [CAPACITY_DESIGNS[:4], CAPACITY_DESIGNS[4:]], ids=memory_table.WEIGHTS)
def test_more_room_is_never_slower_and_moves_no_more(designs: tuple[Design, ...]) -> None:
    four = [point(design).stats for design in designs]
    cycles = [stats.latency_cycles for stats in four]
    bursts = [sum(stats.dram_burst_bytes.values()) for stats in four]
    assert cycles == sorted(cycles)
    assert bursts == sorted(bursts)


def stays(capacity_bytes: int, weight_bytes: int) -> tuple[int, int]:
    """Bytes of W_ih and W_hh that stay, derived from sizes alone: the best of the three ways to give them slots.

    4,000 rows in 62 tiles of 64 and one of 32, 200 and 1,000 wide; two slots of a tile; biases have their own memory.
    """
    room = capacity_bytes
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


@some_in_the_fast_ring(CAPACITY_DESIGNS)
def test_what_stays_is_the_most_that_can(design: Design) -> None:
    weights, capacity = design.name.split(", ")
    found = stays(size_in_bytes(capacity), {"int8": 1, "float32": 4}[weights])
    assert point(design).stays_bytes == found
    weight_bytes = 4_800_000 * {"int8": 1, "float32": 4}[weights]
    read = point(design).stats.traffic_bytes["dram"]["read"]
    assert read["W_ih"] + read["W_hh"] == sum(found) + memory_table.STEPS * (weight_bytes - sum(found))


def size_in_bytes(capacity: str) -> int:
    """8MiB in bytes."""
    number, unit = capacity[:-3], capacity[-3:]
    return int(number) * {"KiB": 2**10, "MiB": 2**20}[unit]


def test_with_one_slot_dram_waits_for_the_array() -> None:
    """Of two slots it never waits."""
    one, two = (point(design).stats.unit_cycle_stacks["dram"]["wait_buffer"] for design in SLOT_DESIGNS[:2])
    assert f"{one // memory_table.STEPS:,} cycles a step" in PAGE
    assert two < one / 1000


AHEAD = [line for line in PAGE.splitlines() if re.match(r"\| `\w+`, `lstm:[^|]*layers=\d` \|", line)]


@pytest.mark.parametrize(
    "line", [AHEAD[0], *(pytest.param(line, marks=exhaustive) for line in AHEAD[1:])], ids=range(4)
)
def test_what_loading_weights_beside_a_layer_would_bring_at_most(line: str) -> None:
    """Of each layer's weights no more than the steps of the layer before can hide, from the first start to the end."""
    machine, workload = re.findall(r"`([^`]+)`", line)
    run = simulate(machine, workload, schedule="fused", timing_only=True)
    ops = run.ops()
    lasts = (ops["free_cycle"] - ops["start_cycle"])[(ops["unit"] == "dram") & (ops["phase"] == "prologue")]
    layer = ops["layer"][(ops["unit"] == "dram") & (ops["phase"] == "prologue")]
    layers = len(run.workload.spec.layers)
    loads = [int(lasts[layer == number].sum()) for number in range(layers)]
    bodies = []
    for number in range(layers):
        body = ops["phase"] == f"body of layer {number}"
        bodies.append(int(ops["done_cycle"][body].max() - ops["start_cycle"][body].min()))
    hidden = sum(map(min, loads[1:], bodies[:-1]))
    total = run.stats.latency_cycles
    row = f"{total:,} | {sum(loads[1:]):,} | {sum(bodies[:-1]):,} | {100 * hidden / total:.1f} %"
    assert line == f"| `{machine}`, `{workload}` | {row} |"


def test_four_rows_are_measured() -> None:
    assert len(AHEAD) == 4
