"""The constants of the generated package, counted by hand: sizes, widths, latencies of machines that differ in each."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.rtl.constants import bits_below
from archsim.families.gemv.rtl.formats import TableShape, address_of, format_constants, table_shape
from archsim.families.load import load_arch
from tests.families.gemv.rtl.cases import expected_of
from tests.families.gemv.rtl.generated import Package, read_package
from tests.families.gemv.rtl.planted import SmallCase
from tests.families.gemv.rtl.test_words import TINY


def package_of(case: SmallCase) -> Package:
    return read_package(expected_of(case).design.files["archsim_pkg.sv"])


def tiny(*sets: str) -> GemvConfig:
    config = load_arch("tiny_2x2", [parse_override(text) for text in sets]).config
    assert isinstance(config, GemvConfig)
    return config


SIZES = {
    "R": 2, "C": 2, "B": 1, "SR": 2, "LA": 1, "LE": 1, "EL": 1,
    "FL": 3,  # elements of vectors a beat: x, 3 of a byte, comes in one
    "HL": 3,  # what is written side by side into h: those, or a lane's
    # DRAM holds x 3 x 4, the output 2 x 4 and four states of 2: 28. Twice that, a chunk of 2 and a lane: 59, of
    # 6 bits, and a sign.
    "DRAM_ELEMENTS": 28, "AW": 7,
    "CW": 7,  # no count is above 16, which takes 5 bits, and 2 more
    "WL": 1, "BL": 1, "WL_OF_BIAS": 1 * 2 * 32,
    "DRAM_WEIGHT_LINES": 12, "DRAM_BIAS_LINES": 4,  # 4 tiles: of x 2 chunks and of h 1; and the biases of each
    "WEIGHT_LINES": 12, "BIAS_LINES": 4,
    "SCALE_LINES": 4, "SCALE_IW": 2,  # tiles of i and f, of g and o: a line for x and one for h
    "X_DEPTH": 2 * 3, "H_DEPTH": 2 * 2, "C_DEPTH": 2,
    "SUMS_DEPTH": 2 * 4, "GATES_DEPTH": 4 * 4, "SCRATCH_DEPTH": 4 * 1,
    "VECTOR_DEPTH": 2, "HAS_VECTOR": 0,  # a memory that nothing lies in has 2 places
    "SCRATCH_FROM_ACTIVATION": 1, "EW_READS_SUMS": 0,
}  # fmt: skip

LATENCIES = {
    "DRAM_LATENCY": 4, "DMA_RING": 6,  # as many ops may be under way, the one that is free and the one that is done
    "WEIGHT_LATENCY": 1, "MULTIPLIER_LATENCY": 1, "ADDER_LATENCY": 1, "CONVERTER_STAGES": 0,
    "MAC_DEPTH": 1 + 1 + 1 + 1, "MAC_RING": 6,  # weights, multipliers, a level of the tree, accumulators
    "ACT_DEPTH": 2, "ACT_RING": 4,
    "CELL_DEPTH": 2, "HIDDEN_DEPTH": 1, "EW_COMMON": 1, "EW_RING": 4,
    "QUEUE": 8, "ISSUE": 1, "TOKEN_LATENCY": 1, "CREDIT_BITS": 12,
}  # fmt: skip

PROGRAMS = {
    # Segments: 9 loads; 16 ops three times; the same without the load of x; 2 stores.
    "SEQ_ENTRIES": 9 + 16 + 16 + 2, "SEQ_EW": 6, "SEQ_SEGMENTS": 4, "SEQ_SW": 2, "SEQ_RW": 2,
    "DMA_OPS": 9 + 2 + 2, "MAC_OPS": 4, "ACT_OPS": 6, "EW_OPS": 4, "OPS": 27,
    "MAC_FIRST": 13, "ACT_FIRST": 17, "EW_FIRST": 23,
    "DMA_IW": 4, "MAC_IW": 2, "ACT_IW": 3, "EW_IW": 2, "IW": 4,
    # A pointer is 4 addresses of 7 bits, 28; a ratio 40; a function 1 + 1 + 16 + 16 + 2 x 40 + 8 + 16 + 2 = 140 bits; a
    # lane 3 + 16 + 2 x 17 + 16 + 2 + 2 x 40 = 151.
    "DMA_BITS": 3 * 7 + 2 + 2 + 2 * 28,
    "MAC_BITS": 8 * 7 + 3 + 2 * 17 + 5 * 7 + 3 * 28,
    "ACT_BITS": 4 * 7 + 2 + 2 + 140 + 2 * 28,
    "EW_BITS": 4 * 7 + 1 + 2 + 3 + 2 + 151 + 5 * 28,
    "DMA_TAG_BITS": 1 + 4 + 2 + 2 + 7 + 7,
    "MAC_TAG_BITS": 1 + 2 + 7 + 5 + 2 * 7 + 2 * 7 + 2 * 7 + 2 * 17,
    "ACT_TAG_BITS": 1 + 3 + 2 + 7 + 7 + 140,
    "EW_TAG_BITS": 1 + 2 + 1 + 2 + 7 + 7 + 151,
}  # fmt: skip

FUNCTIONS = {
    "METHOD": 0, "TABLE_LINEAR": 0, "TABLE_ENTRIES": 64,
    "TABLE_WORDS": 2 * 65 + 2, "TABLE_IW": 8, "LINE_WORDS": 132, "LINE_IW": 8,  # both functions' places, and 2 more
    "SLOPE_BITS": 16, "SEGMENTS_OF_LINES": 16, "LINES_HIGHEST": 8 * 4096 - 1, "LINES_LOWEST": -8 * 4096,
}  # fmt: skip


def test_every_constant_of_a_small_lstm() -> None:
    """tiny_2x2, lstm 3 -> 2, 4 steps: all but the widths of formats and the shape of a table, which follow."""
    found = package_of(TINY).constants
    wanted = SIZES | LATENCIES | PROGRAMS | FUNCTIONS
    assert {name: found[name] for name in wanted} == wanted
    table = {"TABLE_FINER", "TABLE_REST_BITS", "TABLE_SPAN", "TABLE_BEYOND", "OFW"}
    formats = format_constants(tiny("formats=tflite_int8", "activation.method=table"), scratch_is_gate=False)
    assert set(found) == set(wanted) | table | set(formats) | {"EDGES"}
    edges = sum(len(deps) for phase in expected_of(TINY).program.phases for deps in phase.deps)
    assert found["EDGES"] == edges


UNEQUAL = SmallCase(
    "gru:3,4,t=3,b=2",
    "split_interleaved",
    (
        "formats=tflite_int8",
        "mac_array.rows=6",
        "mac_array.columns=3",
        "mac_array.multiplier_latency_cycles=2",
        "mac_array.adder_latency_cycles=3",
        "mac_array.converter_latency_cycles=5",
        "weight_sram.read_latency_cycles=4",
        "accumulators.entries=64",
        "activation.method=piecewise_linear",
        "activation.piecewise_linear.segments=6",
        "activation.piecewise_linear.span=2.0",
        "activation.piecewise_linear.coefficient_bits=11",
        "activation.lanes=3",
        "activation.latency_cycles=4",
        "elementwise.lanes=5",
        "elementwise.cell_latency_cycles=3",
        "elementwise.hidden_latency_cycles=7",
        "dram.latency_cycles=9",
        "dram.bandwidth_bytes_per_cycle=40",
        "sequencer.queue_depth=3",
        "sequencer.issue_cycles=2",
        "sequencer.token_latency_cycles=0",
    ),
)
"""No two of these numbers are equal, so that none can stand in for another."""

OF_UNEQUAL = {
    "R": 6, "C": 3, "B": 2, "LA": 3, "LE": 5, "EL": 5,
    "FL": 8, "HL": 8,  # h_0 has 4 x 2 bytes, which come in one beat of 32
    "DRAM_LATENCY": 9, "DMA_RING": 11,
    "WEIGHT_LATENCY": 4, "MULTIPLIER_LATENCY": 2, "ADDER_LATENCY": 3, "CONVERTER_STAGES": 5,
    "MAC_DEPTH": 4 + 2 + 2 * 3 + 1 + 5, "MAC_RING": 20,  # 3 columns are 2 levels
    "ACT_DEPTH": 4, "ACT_RING": 6,
    "CELL_DEPTH": 3, "HIDDEN_DEPTH": 7, "EW_COMMON": 2, "EW_RING": 9,
    "QUEUE": 3, "ISSUE": 2, "TOKEN_LATENCY": 0,
    "METHOD": 1, "SLOPE_BITS": 11, "SEGMENTS_OF_LINES": 6,
    "LINES_HIGHEST": 2 * 4096 - 1, "LINES_LOWEST": -2 * 4096,
    "LINE_WORDS": 2 * 6 + 2, "LINE_IW": 4, "TABLE_WORDS": 14, "TABLE_IW": 4,
    "X_DEPTH": 2 * 3 * 2, "H_DEPTH": 2 * 4 * 2,
    "EW_READS_SUMS": 1, "SCRATCH_FROM_ACTIVATION": 0, "HAS_VECTOR": 0, "C_DEPTH": 2,
}  # fmt: skip


def test_no_latency_and_no_size_stands_in_for_another() -> None:
    found = package_of(UNEQUAL).constants
    assert {name: found[name] for name in OF_UNEQUAL} == OF_UNEQUAL


SMALLEST = SmallCase("rnn:1,1,t=2", "fused_interleaved", ("formats=q4.4", "activation.method=table", "bias=false"))


def test_a_memory_has_two_places_at_least() -> None:
    """One weight of x and one of h in a line; no biases, no cell state, no gates: places that nothing ever lies in."""
    found = package_of(SMALLEST).constants
    once = ("DRAM_WEIGHT_LINES", "WEIGHT_LINES", "SCALE_LINES")
    never = ("DRAM_BIAS_LINES", "BIAS_LINES", "C_DEPTH", "GATES_DEPTH", "SCRATCH_DEPTH", "VECTOR_DEPTH")
    assert {name: found[name] for name in (*once, *never)} == dict.fromkeys((*once, *never), 2)
    assert (found["X_DEPTH"], found["H_DEPTH"], found["SCALE_IW"], found["EW_OPS"]) == (2, 2, 1, 1)


WIDEST = {
    "weight": "WB",
    "input": "XB DVB",
    "hidden": "HB XB TVB EVB EWB DVB",  # x of a further layer is the h of the one before
    "accumulator": "ACB",
    "gate": "GB SVB EVB EWB",
    "activation": "FB TVB EVB",
    "cell": "CB SVB EVB EWB DVB",
}
"""Where a kind of data is wider than all others, what is as wide."""


@pytest.mark.parametrize("kind", WIDEST)
def test_what_is_as_wide_as_a_kind_of_data(kind: str) -> None:
    """All numbers have 8 bits, those of one kind 20. Of a GRU the scratch holds gates' sums, else activations."""
    config = tiny("formats=q4.4", f"formats.{kind}=q12.8", "activation.method=table")
    for scratch_is_gate, scratch in ((True, "gate"), (False, "activation")):
        found = format_constants(config, scratch_is_gate=scratch_is_gate)
        wide = set(WIDEST[kind].split()) | ({"KB", "SVB", "EVB"} if kind == scratch else set())
        widths = {name for name in found if name.endswith("B") and name != "AB"}
        assert {name for name in widths if found[name] == 20} == wide
        assert {found[name] for name in widths - wide} == {8}


def test_roundings_and_ranges_are_those_of_each_kind() -> None:
    """Modes: 0 to even, 1 half up, 2 truncated, 3 gemmlowp; products have 6 + 5 fraction bits, accumulators 7."""
    sets = (
        "formats=q3.5",
        "formats.weight=q2.6",
        "formats.accumulator=q8.7/truncate",
        "formats.gate=q4.12/half_up",
        "activation.address_format=q5.9/gemmlowp",
    )
    found = format_constants(tiny(*sets, "activation.method=table"), scratch_is_gate=False)
    assert (found["ACC_ROUNDING"], found["GATE_ROUNDING"], found["ADDRESS_ROUNDING"]) == (2, 1, 3)
    assert (found["ACC_SHIFT"], found["AB"]) == (6 + 5 - 7, 14)
    wraps = {"accumulator": "ACC", "gate": "GATE", "activation": "ACTIVATION", "hidden": "HIDDEN", "cell": "CELL"}
    for kind, name in wraps.items():
        saturates = ("formats=q3.5", "activation.method=table", "activation.address_format=q5.9")
        config = tiny(*saturates, f"formats.{kind}=q3.5/wrap")
        found = format_constants(config, scratch_is_gate=False)
        assert {key for key, value in found.items() if key.endswith("_WRAP") and value} == {f"{name}_WRAP"}
    config = tiny("formats=q3.5", "activation.method=table", "activation.address_format=q5.9/wrap")
    assert format_constants(config, scratch_is_gate=False)["ADDRESS_WRAP"]


@pytest.mark.parametrize(
    ("address", "entries", "span", "wanted"),
    [
        # A step is 16 / 64 = 2^-2, in places of 2^-12: 10 bits of rest; 8 is 2^15 places, 16 bits, and 2 + 2 more.
        ("q4.12", 64, 8.0, TableShape(0, 10, 1 << 15, 1 << 15, 20)),
        # A step is 4 / 1024 = 2^-8, in places of 2^-8: no rest; 2 is 2^9 places, 10 bits, + 2; an address has 14; + 2.
        ("q6.8", 1024, 2.0, TableShape(0, 0, 1 << 9, 1 << 9, 16)),
        # A step is 16 / 256 = 2^-4, a place of an address 2^-2: 2 bits finer. 8 is 128 steps, or 32 places.
        ("q6.2", 256, 8.0, TableShape(2, 0, 128, 32, 12)),
        # An address of 18 + 3 bits, finer, is wider than the span of 8 x 32 steps.
        ("q16.2", 512, 8.0, TableShape(3, 0, 256, 32, 23)),
    ],
)
def test_the_shape_of_a_table(address: str, entries: int, span: float, wanted: TableShape) -> None:
    sets = (f"activation.address_format={address}", f"activation.table.entries={entries}")
    config = tiny("formats=q4.4", "activation.method=table", f"activation.table.span={span}", *sets)
    assert table_shape(config, address_of(config)) == wanted


def test_bits_of_the_numbers_below() -> None:
    """The numbers below 1 are 0 alone, which takes a bit all the same; those below 5 end at 4, of 3 bits."""
    assert [bits_below(count) for count in (0, 1, 2, 3, 4, 5, 8, 9)] == [1, 1, 1, 2, 2, 3, 3, 4]
