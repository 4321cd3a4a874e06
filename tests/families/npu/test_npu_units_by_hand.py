"""What units of the family npu take, switch and are built of, on a machine on which no two parameters are equal."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archsim.errors import CapacityError
from archsim.families.npu.chain_ops import uses_of
from archsim.families.npu.config import MFU0_ADD, MFU0_MULTIPLY, MFU1_ADD, MFU1_MULTIPLY, NpuConfig
from archsim.families.npu.mfu import Mfu0
from archsim.families.npu.mvu import MvuConfig
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.hardware.operators import REGISTER_BIT, Width, integer_adder, multiplier, times
from archsim.hardware.storage import Registers, Sram
from archsim.hardware.unit import Work
from archsim.program.ir import Op, Program
from archsim.workload import CellKind, Workload
from tests.families.npu.machines import machine
from tests.strategies import network

UNEQUAL = (
    "formats=int16",
    "formats.weight=int6",
    "formats.hidden=int9",
    "formats.accumulator=int24",
    "formats.activation=int10",
    "mvu.cores=2",
    "mvu.tiles=3",
    "mvu.dpes=5",
    "mvu.lanes=7",
    "mvu.dot_units=4",
    "mvu.block_lanes=3",
    "mfu.lanes=4",
    "mfu.latency_cycles=1",
    "mfu.add_latency_cycles=20",
    "mfu.multiply_latency_cycles=300",
    "mfu.read_latency_cycles=6",
    "evrf.read_latency_cycles=9",
    "loader.write_back_latency_cycles=8",
    "loader.tag_latency_cycles=40",
)
"""3 blocks of lanes, 4 x 3 words of operands, so 12 row blocks of 5 rows a chunk; 3 x 7 = 21 columns; words of 4."""

WEIGHT, HIDDEN, SUMS, GATE = (Width(bits, floating=False) for bits in (6, 9, 24, 10))


def config(*sets: str) -> NpuConfig:
    found = machine(*UNEQUAL, *sets).config
    assert isinstance(found, NpuConfig)
    return found


LOAD = network(kind=CellKind.LSTM, input_size=50, hidden_size=13, steps=2, batch=3)
"""W_ih has 3 column blocks, W_hh one; gates have 3 row blocks; a core has 2 of the 3 sequences."""


def build(load: Workload = LOAD, *sets: str) -> Program:
    return find_schedule(None, "npu").build(load.spec, config(*sets))


def op_of(label: str, unit: str, load: Workload = LOAD, *sets: str) -> Op:
    """The only op of a label and a unit."""
    program = build(load, *sets)
    (found,) = [op for phase in program.phases for op in phase.ops if (op.label, op.unit) == (label, unit)]
    return found


def test_sizes_of_the_matrix_vector_unit() -> None:
    mvu = config().mvu
    assert (mvu.blocks, mvu.operand_words, mvu.chunk_rows, mvu.columns) == (3, 12, 12, 21)
    assert mvu.batch == 2 * 4
    assert mvu.macs_per_cycle == 2 * 4 * 21 * 5


def test_the_depth_of_the_matrix_vector_unit() -> None:
    """Operands: 12 words, and one more for each of 4 dot units; 3 blocks are added on 2 levels, 3 tiles too."""
    latencies = {
        "read_latency_cycles": 1,
        "distribution_latency_cycles": 100,
        "multiplier_latency_cycles": 2_000,
        "adder_latency_cycles": 10_000,
        "accumulate_latency_cycles": 300_000,
        "reduction_latency_cycles": 4_000_000,
    }
    mvu = config(*(f"mvu.{name}={value}" for name, value in latencies.items())).mvu
    assert mvu.tile_latency_cycles == 1 + 100 + (12 + 4) + 2_000 + 2 * 10_000 + 300_000
    assert mvu.depth_cycles == mvu.tile_latency_cycles + 4_000_000 + 2
    alone = config("mvu.tiles=1", "mvu.block_lanes=7", "mvu.reduction_latency_cycles=0").mvu
    assert alone.depth_cycles == alone.tile_latency_cycles, "a tile has nothing to be reduced with"
    assert alone.tile_latency_cycles == 1 + 8 + (4 + 4) + 2 + 0 + 4, "nor a block"
    even = config("mvu.tiles=4", "mvu.lanes=8", "mvu.block_lanes=2").mvu
    assert even.tile_latency_cycles == 1 + 8 + (16 + 4) + 2 + 2 + 4, "4 blocks are added on 2 levels, too"
    assert even.depth_cycles == even.tile_latency_cycles + 5 + 2


@pytest.mark.parametrize(
    ("rows", "chunks"),
    [
        (1, [(0, 1)]),
        (115, [(0, 115)]),  # 23 row blocks: one fewer than two chunks
        (116, [(0, 60), (60, 116)]),  # 24
        (175, [(0, 60), (60, 175)]),  # 35
        (176, [(0, 60), (60, 120), (120, 176)]),  # 36
    ],
)
def test_chunks_of_rows(rows: int, chunks: list[tuple[int, int]]) -> None:
    assert config().mvu.row_chunks(rows) == chunks


def test_cycles_of_a_product() -> None:
    """x_f: 3 row blocks, but 12 cycles while the operands of the next of 3 column blocks load: 12 + 12 + 3. h_f: 3.

    The first word has 4 rows, of the first row block: 12 + 12 + 1; later ones come two by two, and fall never behind.
    """
    unit = build_units(config())["mvu"]
    of_x, of_h = op_of("x_f", "mvu"), op_of("h_f", "mvu")
    assert (unit.compute_cycles(of_x), unit.cycles(of_x).first_cycles) == (12 + 12 + 3, 12 + 12 + 1)
    assert (unit.compute_cycles(of_h), unit.cycles(of_h).first_cycles) == (3, 1)


@pytest.mark.parametrize(("batch", "lead"), [(1, 8), (3, 4), (5, 3)])
def test_words_of_more_rows_than_a_row_block(batch: int, lead: int) -> None:
    """60 rows are 5 words of 12: complete after 3, 5, 8, 10 and 12 row blocks, and due one a cycle and sequence.

    With a sequence a core the last word would fall behind: 12 - 4 = 8. With two it is the third, 8 - 2 x 2 = 4, with
    three the first. All behind 2 of 3 column blocks, of 12 row blocks each.
    """
    load = network(kind=CellKind.LSTM, input_size=50, hidden_size=60, steps=1, batch=batch)
    op = op_of("h_f", "mvu", load, "mfu.lanes=12")
    assert build_units(config("mfu.lanes=12"))["mvu"].cycles(op).first_cycles == 2 * 12 + lead


def test_what_a_product_switches() -> None:
    """Each of 13 x 50 MACs for 3 sequences: a multiplier, an adder, registers of product, weight and vector."""
    unit, op = build_units(config())["mvu"], op_of("x_f", "mvu")
    assert op.macs == 13 * 50 * 3
    lane = {multiplier(WEIGHT, HIDDEN): 1, integer_adder(24): 1, REGISTER_BIT: 2 * 6 + 9}
    assert unit.tally(op) == {operator: count * 13 * 50 * 3 for operator, count in lane.items()}
    assert unit.inventory() == {operator: count * 840 for operator, count in lane.items()}
    assert unit.work(op) == Work(13 * 50 * 3, Fraction(840))


def test_words_of_a_stream() -> None:
    """13 numbers are 4 words, for each of 2 sequences: 8 cycles. 2 x 4 numbers a cycle, in registers of 24 bits."""
    unit, op = build_units(config())["evrf"], op_of("x_f", "evrf")
    assert unit.compute_cycles(op) == 4 * 2
    assert unit.tally(op) == {REGISTER_BIT: 13 * 3 * 24}
    assert unit.inventory() == {REGISTER_BIT: 4 * 2 * 24}
    assert unit.work(op) == Work(13 * 3, Fraction(8))


def test_padding_of_a_stream() -> None:
    """A chunk has 60 rows or more, 15 words: 11 more than there are, for 2 sequences. The tiles' registers have a word
    in each of 3 tiles: of those 4 words 3 have a place, and 1 - the words there are - none is written for padding."""
    idle = [op for phase in build().phases for op in phase.ops if op.label == "idle[x_f]" and op.unit == "evrf"]
    units = build_units(config())
    assert [units["evrf"].compute_cycles(op) for op in idle] == [11 * 2]
    assert units["wb"].compute_cycles(op_of("x_f", "wb")) == (4 + 11) * 2
    assert units["wb"].compute_cycles(op_of("h", "wb")) == 4 * 2


def test_x_comes_in_words_of_the_tiles() -> None:
    """50 numbers: 13 words of a chain, but 3 of each of 3 tiles: 9 words, 18 cycles, each useful: 18 x 8 < 50 x 3."""
    unit, op = build_units(config())["ld"], op_of("load x_0", "ld")
    assert unit.compute_cycles(op) == 9 * 2
    assert unit.work(op) == Work(18 * 8, Fraction(8))


def test_depths_of_the_units_of_a_chain() -> None:
    """Write-back: 8 cycles, of which the first is the word's own, and 40 to the tag; 6 more into a register that a
    multi-function unit reads ahead of its words, and none into others."""
    units = build_units(config())
    depths = {unit: units[unit].depth_cycles(op_of("x_f", unit)) for unit in ("evrf", "mfu0", "mfu1", "ld", "wb")}
    assert depths == {"evrf": 9, "mfu0": 321, "mfu1": 321, "ld": 0, "wb": 7 + 40 + 6}
    assert units["wb"].depth_cycles(op_of("c", "wb")) == 7 + 40
    gru = network(kind=CellKind.GRU, input_size=5, hidden_size=13, steps=2, batch=3)
    assert units["wb"].depth_cycles(op_of("h", "wb", gru)) == 7 + 40 + 6, "into the tiles and into such a register"


def test_what_a_multi_function_unit_switches() -> None:
    """ig adds x_g in the first unit; the second evaluates tanh and multiplies by i: 13 x 3 numbers."""
    units = build_units(config())
    unit = units["mfu1"]
    assert isinstance(units["mfu0"], Mfu0)
    resources = units["mfu0"].method.resources(config().formats.format("activation"))
    registers, product = {REGISTER_BIT: 39 * 24}, multiplier(GATE, SUMS)
    assert units["mfu0"].tally(op_of("ig", "mfu0")) == {**registers, integer_adder(24): 39}
    switched = times(resources.evaluation, 39)
    switched.update({product: 39, **registers})
    assert unit.tally(op_of("ig", "mfu1")) == switched
    built = times(resources.inventory, 8)
    built.update({product: 8, integer_adder(24): 8, REGISTER_BIT: 8 * 24})
    assert unit.inventory() == built


def test_storages() -> None:
    """Weights 6 bits x 7 lanes, h 9 x 7, words of the vector units 24 x 4; cores share the weights' registers."""
    depths = ("mfu.depth_words=11", "evrf.depth_words=13", "mvu.matrix_depth_words=17", "mvu.vector_depth_words=19")
    found = config(*depths, "fifos.depth_words=23").storages()
    of_mfu = Sram(2, 2 * 11 * 96 // 8, 96, True)
    assert found == {
        "host": Registers(0),
        "fifo": Registers(6 * 23 * 96 * 2),
        "mvu_mrf": Sram(15, 15 * 17 * 42 // 8, 42, True),
        "mvu_bias": of_mfu,
        "mvu_vrf": Sram(6, 6 * 19 * 63 // 8, 63, True),
        **dict.fromkeys((MFU0_ADD, MFU0_MULTIPLY, MFU1_ADD, MFU1_MULTIPLY), of_mfu),
        "evrf": Sram(2, 2 * 13 * 96 // 8, 96, True),
    }


def test_the_words_of_a_short_vector() -> None:
    """12 row blocks of 5 are 15 words of 4. The tiles have 3 words for each 21 numbers: 12 up to 84, 15 from 85 on."""
    found = config()
    assert found.least_words == 15
    assert [found.dropped_words(size) for size in (1, 21, 22, 84, 85, 200)] == [12, 12, 9, 3, 0, 0]


def test_least_micro_ops_of_a_step() -> None:
    """Layer 0: 4 gates x 3 row blocks x (3 + 1) column blocks; layer 1, x of both directions, 26 numbers: x (2 + 1)."""
    load = network(kind=CellKind.LSTM, input_size=50, hidden_size=13, num_layers=2, bidirectional=True)
    assert config().compute_cycles_per_step(load.spec) == 2 * (4 * 3 * (3 + 1)) + 2 * (4 * 3 * (2 + 1))


def test_the_multipliers_by_name() -> None:
    found = config().multipliers
    assert (found.unit, found.macs_per_cycle) == ("mvu", 840)
    assert found.size == "2 cores x 3 tiles x 5 engines x 4 dot units x 7 lanes"
    assert config().inputs_per_chunk == 21


@pytest.mark.parametrize(("depth", "slots"), [(30, 1), (59, 1), (60, 2), (100 * 30, 20)])
def test_slots_of_the_fifos(depth: int, slots: int) -> None:
    """A part is 15 words for each of 2 sequences: 30. Ten chains a step, and parts of two steps at most."""
    found = {b.slots for b in build(LOAD, f"fifos.depth_words={depth}").buffers if b.name.startswith("fifo.")}
    assert found == {slots}


def test_a_fifo_that_cannot_hold_a_part() -> None:
    with pytest.raises(CapacityError, match=r"30 words.*29|29.*30 words") as caught:
        build(LOAD, "fifos.depth_words=29")
    assert (caught.value.need, caught.value.have, caught.value.knobs) == (30, 29, ("more fifos.depth_words",))


def test_uses_of_the_fifos() -> None:
    """Of 116 rows, two chunks: 4 chains of x and 4 of h multiply, 2 read a register: 16 and 20 parts. One x."""
    load = network(kind=CellKind.LSTM, input_size=50, hidden_size=116, steps=2, batch=3)
    program = build(load)
    body = program.phases[1]
    parts = {
        unit: sum(op.unit == unit and not op.label.startswith("idle") for op in body.ops) for unit in ("mvu", "evrf")
    }
    assert parts == {"mvu": 16, "evrf": 20}
    assert {b.slots for b in program.buffers if b.name.startswith("fifo.")} == {min(512 // (2 * 15), 2 * 20)}
    assert uses_of([], config()) == dict.fromkeys(("mvu", "evrf", "mfu0", "mfu1", "ld", "x"), 0)


def test_a_register_file_that_is_too_small_says_what_lies_in_it() -> None:
    """Matrices: 4 gates of 12 row blocks (3, padded), W_ih of 3 column blocks and W_hh of one. Vectors: x of 3 words a
    tile, in two slots, and h of one, for 2 sequences. Behind the first unit's adder: 4 vectors of 15 words."""
    wanted = {
        "mvu.matrix_depth_words=191": (192, "W_ih 144 + W_hh 48"),
        "mvu.vector_depth_words=13": (14, "x 12 + h 2"),
        "evrf.depth_words=29": (30, "c 30"),
        "mfu.depth_words=119": (120, "x_f 30 + x_g 30 + x_i 30 + x_o 30"),
    }
    for sets, (need, parts) in wanted.items():
        with pytest.raises(CapacityError) as caught:
            build(LOAD, sets)
        assert (caught.value.need, caught.value.have) == (need, need - 1)
        assert parts in str(caught.value)
        name, _, value = sets.partition("=")
        build(LOAD, f"{name}={int(value) + 1}")


def test_a_batch_of_all_sequences_and_one_more() -> None:
    """2 cores x 4 dot units."""
    load = network(kind=CellKind.RNN, input_size=3, hidden_size=3, batch=8)
    build(load)
    more = network(kind=CellKind.RNN, input_size=3, hidden_size=3, batch=9)
    with pytest.raises(CapacityError, match="2 cores x 4 dot units work at a time") as caught:
        build(more)
    assert (caught.value.need, caught.value.have) == (9, 8)


def test_a_write_back_takes_a_cycle_at_least() -> None:
    config("loader.write_back_latency_cycles=1")
    with pytest.raises(Exception, match="loader.write_back_latency_cycles"):
        config("loader.write_back_latency_cycles=0")
    assert MvuConfig.model_fields["tiles"].description
