"""Bounds, memories, and what units of a systolic machine switch, by hand; and the edges of its capacity."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.errors import CapacityError, ScheduleError
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.families.systolic.config import SystolicConfig
from archsim.families.systolic.drain import Drain
from archsim.families.systolic.systolic_array import TilePass
from archsim.hardware.operators import REGISTER_BIT, Width, integer_adder, multiplier
from archsim.hardware.storage import OffChip, Registers, Sram
from archsim.hardware.unit import Work
from archsim.program.ir import Op, PhaseKind
from archsim.workload import load_workload

SMALL = ("systolic_array.rows=4", "systolic_array.columns=6")


def config(*overrides: str) -> SystolicConfig:
    found = load_arch("tpu_v1", [parse_override(text) for text in (*SMALL, *overrides)]).config
    assert isinstance(found, SystolicConfig)
    return found


def body_of(workload: str, machine: SystolicConfig) -> list[Op]:
    program = find_schedule(None, "systolic").build(load_workload(workload).spec, machine)
    return list(program.phase(PhaseKind.BODY).ops)


@pytest.mark.parametrize(
    ("sets", "first", "second"),
    [
        # LSTM(5, 7), 3 projected, on 4 x 6: ceil(28 / 6) = 5 blocks of ceil(5 / 4) = 2 tiles of x and ceil(3 / 4) = 1
        # of h; the projection has 1 block of ceil(7 / 4) = 2. The second layer takes h: 5 blocks of 1 + 1, and 2.
        # 8 x 16 bits of multipliers of 8 take two passes.
        ((), 2 * (5 * 3 + 2), 2 * (5 * 2 + 2)),
        # x of 8 bits takes one.
        (("formats.input=int8",), 5 * (2 + 2) + 2 * 2, 2 * (5 * 2 + 2)),
        # Weights of 16 bits take twice as many, and so do states of 17: three parts instead of two.
        (("formats.weight=int16",), 4 * (5 * 3 + 2), 4 * (5 * 2 + 2)),
        (("formats.hidden=int17",), 5 * (2 * 2 + 3) + 2 * 3, 3 * (5 * 2 + 2)),
    ],
)
def test_passes_of_a_step(sets: tuple[str, ...], first: int, second: int) -> None:
    for layers, cycles in ((1, first), (2, first + second)):
        for batch in (1, 3):
            spec = load_workload(f"lstm:5,7,t=2,proj=3,layers={layers},b={batch}").spec
            assert config(*sets).compute_cycles_per_step(spec) == batch * cycles


def test_what_its_memories_are_made_of() -> None:
    """A tile of 4 x 6 weights of 8 bits is 24 bytes: three in the FIFO, two in the array's registers. Seven vectors of
    six sums of 32 bits. 700 MHz at 48.57 bytes a cycle are 34 GB/s."""
    machine = config("weight_fifo.tiles=3", "accumulators.vectors=7", "unified_buffer.port_bits=512")
    found = machine.storages()
    assert found == {
        "dram": OffChip("ddr3"),
        "host": Registers(0),
        "weight_fifo": Sram(1, 3 * 24, 6 * 8, True),
        "array_weights": Registers(2 * 24 * 8),
        "accumulators": Sram(1, 7 * 6 * 4, 6 * 32, True),
        "unified_buffer": Sram(1, 24 << 20, 512, machine.unified_buffer.ports == "1R1W"),
        "sequencer": Registers(0),
    }
    assert machine.dram_width.gb_per_s == pytest.approx(34)
    assert (machine.multipliers.macs_per_cycle, machine.inputs_per_chunk) == (24, 4)


def test_ports_of_the_unified_buffer_are_as_it_says() -> None:
    for ports, dual in (("1R1W", True), ("1RW", False)):
        assert config(f"unified_buffer.ports={ports}").storages()["unified_buffer"] == Sram(1, 24 << 20, 16384, dual)


def test_what_a_pass_and_a_drain_switch() -> None:
    """LSTM(3, 5), 2 sequences. A pass of 5 rows by 3 inputs: 30 MACs, in two parts of 8 x 16 bits each: a multiplier of
    8 bits, an adder of 16 + 2, registers of 8 + 18; of each of its 10 sums an adder of 32 bits.

    A drain of 5 + 5 rows: 20 sums, each a multiplication by 31 bits, a rounding of 32, an addition of 16, and registers
    of 16 bits in 8 stages.
    """
    machine = config()
    units, ops = build_units(machine), body_of("lstm:3,5,t=2,b=2", machine)
    passed = next(op for op in ops if isinstance(op, TilePass) and op.label.startswith("mac_x"))
    drained = next(op for op in ops if isinstance(op, Drain))
    byte, word = Width(8, floating=False), Width(32, floating=False)
    cell = {multiplier(byte, byte): 1, integer_adder(18): 1, REGISTER_BIT: 8 + 18}
    assert units["systolic_array"].tally(passed) == {
        **{kind: 2 * 30 * count for kind, count in cell.items()},
        integer_adder(32): 2 * 10,
    }
    assert units["systolic_array"].work(passed) == Work(30, Fraction(24))
    lane = {
        multiplier(word, Width(31, floating=False)): 1,
        integer_adder(32): 1,
        integer_adder(16): 1,
        REGISTER_BIT: 16 * 8,
    }
    assert units["accumulators"].tally(drained) == {kind: 20 * count for kind, count in lane.items()}
    assert units["accumulators"].inventory() == {kind: 6 * count for kind, count in lane.items()}
    assert units["systolic_array"].depth_cycles(passed) == 4 + 6


def test_a_shift_passes_half_of_the_rows() -> None:
    """24 weights of 8 bits through (4 + 1) / 2 rows in the mean."""
    machine = config()
    shift = next(op for op in body_of("lstm:3,5,t=2", machine) if op.unit == "weight_shift")
    assert build_units(machine)["weight_shift"].tally(shift) == {REGISTER_BIT: 24 * 8 * 5 // 2}


@pytest.mark.parametrize(
    ("workload", "need", "what"),
    [
        ("lstm:3,5,t=2,b=3", 6, "2 products x batch"),
        ("lstm:3,5,t=2,b=3,bidirectional=1", 12, "2 products x batch x 2 cells at a time"),
        ("lstm:3,5,t=2,layers=2", 2, "2 products x batch"),
    ],
)
def test_accumulators_hold_two_products_of_every_cell_at_a_time(workload: str, need: int, what: str) -> None:
    spec = load_workload(workload).spec
    find_schedule(None, "systolic").build(spec, config(f"accumulators.vectors={need}"))
    with pytest.raises(CapacityError, match="accumulators") as caught:
        find_schedule(None, "systolic").build(spec, config(f"accumulators.vectors={need - 1}"))
    assert (caught.value.need, caught.value.have, caught.value.needed_for) == (need, need - 1, what)


def test_the_unified_buffer_may_be_full() -> None:
    """It is as large as what lies in it; with a byte less the run is refused, with its parts."""
    work = load_workload("lstm:3,5,t=2")
    program = find_schedule(None, "systolic").build(work.spec, config())
    held = {buffer.name: buffer.size_bytes for buffer in program.buffers if buffer.memory == "unified_buffer"}
    need = sum(held.values())
    find_schedule(None, "systolic").build(work.spec, config(f"unified_buffer.capacity_bytes={need}"))
    with pytest.raises(CapacityError) as caught:
        find_schedule(None, "systolic").build(work.spec, config(f"unified_buffer.capacity_bytes={need - 1}"))
    assert (caught.value.need, caught.value.have) == (need, need - 1)
    assert all(f"{name} {size:,}" in caught.value.needed_for for name, size in held.items())


def test_what_is_kept_in_the_unified_buffer() -> None:
    """LSTM(3, 5) of 2 sequences, 16 bits each: x of two steps, h of two, c, two groups of 5 sums; biases of 32."""
    program = find_schedule(None, "systolic").build(load_workload("lstm:3,5,t=2,b=2").spec, config())
    held = {buffer.name: buffer.size_bytes for buffer in program.buffers if buffer.memory == "unified_buffer"}
    assert held["x"] == 2 * 3 * 2 * 2
    assert held["h"] == 2 * 5 * 2 * 2
    assert held["c"] == 5 * 2 * 2
    assert held["sums"] == 2 * 5 * 2 * 2
    assert held["bias"] == 20 * 4


@pytest.mark.parametrize(
    ("vectors", "slots"),
    [
        # LSTM(3, 5): 4 groups of one gate each, two products of each: 8 places at most, of 2 vectors for 2 sequences.
        (4, 1),
        (8, 2),
        (12, 3),
        (1000, 8),
    ],
)
def test_how_many_tiles_steps_and_products_are_kept(vectors: int, slots: int) -> None:
    """The array holds the tile that vectors pass and one that is shifted in; x is there for the steps ahead."""
    machine = config(f"accumulators.vectors={vectors}", "weight_fifo.tiles=5", "unified_buffer.prefetch_steps=3")
    program = find_schedule(None, "systolic").build(load_workload("lstm:3,5,t=9,b=2").spec, machine)
    kept = {buffer.name: buffer.slots for buffer in program.buffers}
    assert (kept["array_weights"], kept["weight_fifo"], kept["x"], kept["h"], kept["c"]) == (2, 5, 4, 2, 1)
    assert (kept["products.W_ih"], kept["products.W_hh"]) == (slots, slots)


@pytest.mark.parametrize(
    ("workload", "field", "what"),
    [("lstm:3,5", "layer_norm=true", "no layer normalization"), ("linear:3,5", "batch=1", "take no linear layers yet")],
)
def test_layers_that_it_does_not_take(workload: str, field: str, what: str) -> None:
    spec = load_workload(workload, [parse_override(field)]).spec
    with pytest.raises(ScheduleError, match=what):
        find_schedule(None, "systolic").build(spec, config())


@pytest.mark.parametrize(
    ("workload", "formats"), [("gru:5,7,t=2,b=2", "float32"), ("gru:5,7,t=2", "tflite_int8"), ("rnn:5,7,t=2", "q4.12")]
)
def test_without_biases(workload: str, formats: str) -> None:
    """A GRU's candidate has W_hn h apart from W_in x, and nothing that it begins with."""
    arch = load_arch("tpu_v1", [parse_override(text) for text in (*SMALL, f"formats={formats}")])
    assert simulate(arch, load_workload(workload, [parse_override("bias=false")])).validation.passed
