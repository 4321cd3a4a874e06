"""Streamed matrices in DRAM, tile by tile: where their rows lie, what a tile costs, and that nothing else changes."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.api import simulate
from archsim.cli.options import load_inputs
from archsim.families.gemv.config import GemvConfig
from archsim.families.registry import build_units
from archsim.hardware.dram.transfers import Transfer
from archsim.program.ir import PhaseKind
from tests.export.exports import exported_program
from tests.rings import examples
from tests.strategies import Case, bits, cases, tensors

DDR4 = ("dram={kind: ddr, device: ddr4_3200, channels: 1, controller_latency_cycles: 0}", "dram_type=ddr4")
ROOT = Path(__file__).parents[3]
LITTLE = f"weight_sram.capacity_bytes={2 * 64 * 1200}"
"""Two slots of a tile of each matrix, and nothing else."""
MODEL = "weight_sram.stream_layout=model"
STREAMED = "fused_interleaved_streamed"


def large(*sets: str, steps: int = 2, schedule: str = STREAMED) -> Case:
    """LSTM(200, 1000) on 64 x 64 MACs with DDR4-3200, all weights streamed."""
    machine, work = load_inputs("edge_64x64", f"lstm:200,1000,t={steps}", [*DDR4, LITTLE, *sets])
    assert isinstance(machine.config, GemvConfig)
    return Case(machine.config, work, schedule)


def loads(case: Case, matrix: str) -> list[Transfer]:
    """The loads of a matrix in a time step."""
    body = case.program.phase(PhaseKind.BODY)
    return [op for op in body.ops if isinstance(op, Transfer) and f"stream {matrix}" in op.label]


@pytest.mark.parametrize(("layout", "pieces"), [((), 1), ((MODEL,), 4)])
def test_a_tile_is_one_piece_instead_of_one_for_each_gate(layout: tuple[str, ...], pieces: int) -> None:
    """Group g has units 16 g to 16 g + 15 of i, f, o and g, in torch's matrix (i, f, g, o) 1,000 rows apart.

    Loads stand behind the tile whose place is taken over: two tiles on, those of the first two last.
    """
    found = loads(large(*layout), "W_hh")
    assert [len(op.sources) for op in found] == [pieces] * 63
    first = [[(region.start, region.stop) for region in op.sources] for op in found[:2]]
    by_gate = [[(1000 * gate + 16 * g, 1000 * gate + 16 * g + 16) for gate in (0, 1, 3, 2)] for g in (2, 3)]
    assert first == (by_gate if layout else [[(128, 192)], [(192, 256)]])


def test_the_image_has_the_rows_of_the_model_in_the_order_of_the_tiles() -> None:
    """LSTM(3, 6) on 8 rows: groups of 2 units, in each i, f, o, g; in torch's order i, f, g, o, 6 rows apart."""
    sets = ("formats.weight=float32", "weight_sram.capacity_bytes=128", "mac_array.rows=8", "accumulators.entries=64")
    machine, work = load_inputs("tiny_2x2", "lstm:3,6,t=2", list(sets))
    assert isinstance(machine.config, GemvConfig)
    case = Case(machine.config, work, STREAMED)
    numbers = tensors(case.spec, 5)
    image = case.numbers(numbers).begin(case.units).state
    order = [6 * gate + 2 * group + unit for group, gate, unit in product(range(3), (0, 1, 3, 2), range(2))]
    buffers = {buffer.name: buffer for buffer in case.program.buffers}
    for name, matrix in (("W_ih", numbers.cells[0].weight_ih), ("W_hh", numbers.cells[0].weight_hh)):
        assert matrix is not None
        stored = image.array(buffers[f"dram.tiles.{name}"])[0]
        assert np.array_equal(np.asarray(stored, np.float32), matrix[order].astype(np.float32))


def test_rows_that_lie_in_order_already_are_left_as_they_are() -> None:
    """Gate by gate, in torch's order of gates, a tile of W_hh is a piece of the model's own matrix."""
    names = {buffer.name for buffer in large(schedule="fused_gate_major_streamed").program.buffers}
    assert "dram.W_hh" in names
    assert not any("tiles" in name for name in names)


def test_what_is_not_streamed_lies_as_in_the_model() -> None:
    """With 4 MiB all of W_hh stays."""
    names = {buffer.name for buffer in large("weight_sram.capacity_bytes=4MiB").program.buffers}
    assert {"dram.tiles.W_ih", "dram.W_hh"} <= names


@pytest.mark.parametrize(("layout", "cycles"), [((), 400), ((MODEL,), 446)])
def test_a_tile_by_hand(layout: tuple[str, ...], cycles: int) -> None:
    """The second tile of W_ih, 64 rows of 200 bytes, on DDR4-3200 at 800 MHz: two clocks are a cycle.

    In one piece it is 200 bursts of 64 bytes behind those of the first tile, all in the row set of 512 bursts that is
    open: 200 * tCCD_S 4 = 800 clocks, 400 cycles.

    In pieces it is 50 bursts each of i, f, o, g, which begin 3,125 bursts apart in the order i, f, g, o: row sets
    (3,125 n // 512) 0, 6, 18, 12; with 4 banks a group these are banks 0, 2, 2, 0, rows 0, 1, 4, 3. Two conflicts:

    i  Bank 0 has row 3 of the first tile's g. Its first burst, number 50, is of group 2 (50 mod 4). g's bursts began in
       group 2 (6,250 mod 4), so that the last but one, 8 clocks before the end of its turns, was of group 2, too: PRE
       tRTP 12 after it, 4 clocks into this tile; tRP 22 + tRCD 22 later its first RD: 48 clocks.
    f  Opened behind i. 3,175 is of group 3, in which i ended (50 + 49): tCCD_L 8 instead of 4, 4 clocks.
    o  Bank 2 again, row 4 after 1. 9,425 is of group 1, whose last burst of f came 3 turns, 12 clocks, before f's last:
       PRE 12 after it is at f's last, RD tRP + tRCD 44 after that instead of 4: 40 clocks.
    g  Opened behind o; group 0, o ended in 2: nothing.

    800 + 48 + 4 + 40 = 892 clocks, 446 cycles.
    """
    case = large(*layout)
    first, second = (op for op in case.program.phases[0].ops if "stream W_ih" in op.label)
    session = build_units(case.config)["dram"].session(case.program.buffers)
    start = session.service(first, 0, 0, 0).occupancy_cycles
    assert session.service(second, 0, start, start).occupancy_cycles == cycles


@pytest.mark.exhaustive
def test_a_stream_of_weights_reaches_95_percent_of_the_peak() -> None:
    """LSTM(200, 1000) behind 4 MiB on ddr4_3200: 8 % less time than in pieces, and no more than gate by gate.

    A step streams 633,600 bytes, 19,800 cycles at the peak of 32 bytes a cycle; refresh takes 560 of 12,480 clocks.
    """
    sets = (*DDR4, "weight_sram.capacity_bytes=4MiB")
    schedules = {"tiles": (STREAMED, ()), "pieces": (STREAMED, (MODEL,)), "gates": ("fused_gate_major_streamed", ())}
    found = {}
    for name, (schedule, layout) in schedules.items():
        machine, work = load_inputs("edge_64x64", "lstm:200,1000,t=20", [*sets, *layout])
        found[name] = simulate(machine, work, schedule, timing_only=True).stats
    assert 633_600 / 32 / found["tiles"].cycles_per_step == pytest.approx(0.947, abs=0.005)
    assert found["pieces"].cycles_per_step / found["tiles"].cycles_per_step == pytest.approx(1.097, abs=0.005)
    assert found["gates"].cycles_per_step == pytest.approx(found["tiles"].cycles_per_step, rel=0.002)


@pytest.mark.exhaustive
def test_what_the_pages_say_of_a_run() -> None:
    """Of LSTM(200, 1000) with 70 steps, with 40 cycles of controller latency: docs/memory.md, and D19."""
    found = {}
    for schedule, *layout in ((STREAMED,), (STREAMED, MODEL), ("fused_gate_major_streamed",)):
        dram = (DDR4[0].replace("latency_cycles: 0", "latency_cycles: 40"), DDR4[1])
        machine, work = load_inputs(
            "edge_64x64", "lstm:200,1000,t=70", [*dram, "weight_sram.capacity_bytes=4MiB", *layout]
        )
        found[schedule, *layout] = simulate(machine, work, schedule, timing_only=True).stats
    tiles, pieces, gates = found.values()
    memory, deviations = (" ".join((ROOT / name).read_text().split()) for name in ("docs/memory.md", "DEVIATIONS.md"))
    less = 1 - tiles.latency_cycles / pieces.latency_cycles
    assert (
        f"{tiles.latency_cycles:,} cycles instead of {pieces.latency_cycles:,}, {less:.1%}".replace("%", " %") in memory
    )
    assert f"fused_gate_major_streamed ({gates.latency_cycles:,})" in memory
    prologues = f"{tiles.prologue_cycles:,} cycles interleaved, {gates.prologue_cycles:,} gate by gate"
    assert f"{prologues}, of {tiles.latency_cycles:,} of the run" in deviations


@settings(max_examples=examples(20))
@given(cases(schedules=(STREAMED, "split_interleaved_streamed")), st.data())
def test_both_layouts_give_the_same_bits(case: Case, data: st.DataObject) -> None:
    """And move the same bytes of data: only bursts and time differ."""
    both = [case.with_fields({"weight_sram.stream_layout": name}) for name in ("tiles", "model")]
    assume(any("tiles" in buffer.name for buffer in both[0].program.buffers))
    numbers = tensors(case.spec, data.draw(st.integers(0, 9)))
    assert bits(both[0].execute(numbers)[1]) == bits(both[1].execute(numbers)[1])
    moved = [
        sum(sum(kinds.values()) for kinds in one.simulate(timing_only=True).stats.traffic_bytes["dram"].values())
        for one in both
    ]
    assert moved[0] == moved[1]


def test_the_exported_program_says_the_order() -> None:
    sets = ("weight_sram.capacity_bytes=1KiB",)
    program = exported_program("edge_16x16", "lstm:20,24,t=3", STREAMED, *sets, timing_only=True)
    packed = {buffer["name"]: buffer for buffer in program["buffers"] if buffer["tiles"]}
    assert packed["dram.tiles.W_ih"]["filled_from"] == "dram.W_ih"
    (tile,) = packed["dram.tiles.W_ih"]["tiles"]
    assert tile["columns"] == [0, 20]
    assert tile["rows"][:5] == [[0, 4], [24, 28], [72, 76], [48, 52], [4, 8]]
