"""What units of the family npu take, switch and are built of, on a machine on which no two parameters are equal."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archsim.families.npu.chain_words import Idle
from archsim.families.npu.mfu import Mfu0
from archsim.families.npu.mvu import MvuConfig
from archsim.families.registry import build_units
from archsim.hardware.constants import FLOATING, FunctionStep, MoveConstants, StepsConstants, TimesStep
from archsim.hardware.numerics import Numerics
from archsim.hardware.operators import REGISTER_BIT, Width, integer_adder, multiplier, times
from archsim.hardware.unit import Service, Work
from archsim.workload import CellKind
from tests.families.npu.unequal import LOAD, build, config, op_of
from tests.strategies import network

WEIGHT, HIDDEN, SUMS, GATE = (Width(bits, floating=False) for bits in (6, 9, 24, 10))


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


def test_a_write_back_takes_a_cycle_at_least() -> None:
    config("loader.write_back_latency_cycles=1")
    with pytest.raises(Exception, match="loader.write_back_latency_cycles"):
        config("loader.write_back_latency_cycles=0")
    assert MvuConfig.model_fields["tiles"].description


def test_all_times_of_an_op() -> None:
    """No port makes an op longer and no result waits for another's to be written: both 0, and so they are reported.

    A word can be followed from its first cycle on, of a product from the cycle above. What no number passes in is not
    followed by anyone.
    """
    units = build_units(config())
    assert units["mvu"].cycles(op_of("x_f", "mvu")) == Service(27, 0, units["mvu"].config.depth_cycles, 25, 0)
    depths = {"evrf": 9, "mfu0": 321, "mfu1": 321, "ld": 0}
    for unit, depth in depths.items():
        cycles = 8 + 22 * (unit == "ld")  # the loader takes the padding, too
        assert units[unit].cycles(op_of("x_f", unit)) == Service(cycles, 0, depth, 1, 0)
    idle = [op for phase in build().phases for op in phase.ops if isinstance(op, Idle)]
    assert {op.unit for op in idle} == {"mvu", *depths}
    for op in idle:
        assert units[op.unit].cycles(op) == Service(op.cycles, 0, 0, 1, 0)
        assert (units[op.unit].work(op).items, units[op.unit].tally(op)) == (0, {})


def test_integers_of_the_ops() -> None:
    """Words that pass move as they are; a unit at work has the integers of each step, in floating point none."""
    units, numerics = build_units(config()), Numerics()
    passed = op_of("x_f", "mfu0")
    assert all(units[unit].constants(op_of("x_f", unit), numerics) == MoveConstants() for unit in ("evrf", "ld", "wb"))
    assert units["mfu0"].constants(passed, numerics) == MoveConstants()
    found = units["mfu1"].constants(op_of("ig", "mfu1"), numerics)
    assert isinstance(found, StepsConstants)
    assert [type(step) for step in found.steps] == [FunctionStep, TimesStep]
    floats = build_units(config("formats=float32", *(f"formats.{kind}=float32" for kind in FIVE)))
    wide = op_of("ig", "mfu1", LOAD, "formats=float32", *(f"formats.{kind}=float32" for kind in FIVE))
    assert floats["mfu1"].constants(wide, numerics) == FLOATING
    idle = next(op for phase in build().phases for op in phase.ops if isinstance(op, Idle) and op.unit == "mvu")
    assert units["mvu"].constants(idle, numerics) == MoveConstants()


FIVE = ("weight", "hidden", "accumulator", "activation", "input")
