"""What number formats cost in bytes and cycles, each number derived by hand in the test's text.

Unless a test says otherwise the machine has 4 rows of 2 multipliers, a weight port of 2 banks * 64 = 128 bits, ports of
64 bits to x and to the state, and DRAM with 4 bytes a cycle, 5 cycles of latency and bursts of 8 bytes; the network is
an LSTM with I = 3 and H = 4, for one step of one sequence.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from archsim.errors import CapacityError
from archsim.hardware.unit import Service
from archsim.program.ir import Op
from archsim.workload import CellKind
from tests.checking.exact_runs import TFLITE, small_case
from tests.checking.format_draws import exact_cases, float_formats, in_formats
from tests.rings import examples
from tests.strategies import Case, cases, seeds

LSTM, GRU, RNN = ({"kind": kind} for kind in (CellKind.LSTM, CellKind.GRU, CellKind.RNN))
FLOAT32 = {"all": "float32"}
SMALL = {
    "dram.bandwidth_bytes_per_cycle": 4.0,
    "dram.latency_cycles": 5,
    "dram.burst_bytes": 8,
    "weight_sram.banks": 2,
    "weight_sram.port_bits": 64,
    "input_buffer.port_bits": 64,
    "state_buffer.port_bits": 64,
    "mac_array.rows": 4,
    "activation.lanes": 1,
    "activation.latency_cycles": 2,
    "elementwise.lanes": 1,
    "elementwise.cell_latency_cycles": 2,
    "elementwise.hidden_latency_cycles": 1,
    "sequencer.issue_cycles": 0,
    "sequencer.queue_depth": 64,
}


def case_of(
    formats: dict[str, str], fields: dict[str, Any] | None = None, schedule: str = "fused_interleaved", **network: Any
) -> Case:
    return small_case(schedule, formats, SMALL | (fields or {}), **{"steps": 1, "batch": 1} | LSTM | network)


def sizes(case: Case) -> dict[str, int]:
    """Bytes of each buffer on the chip, all its slots."""
    on_chip = ("weight_sram", "input_buffer", "state_buffer")
    return {buffer.name: buffer.size_bytes for buffer in case.program.buffers if buffer.memory in on_chip}


def ops(case: Case, start: str) -> list[Op]:
    return [op for phase in case.program.phases for op in phase.ops if op.label.startswith(start)]


def first(case: Case, start: str) -> Service:
    """The service of the first op whose label begins so."""
    op = ops(case, start)[0]
    return case.units[op.unit].cycles(op)


# Bytes.


def test_bytes_on_the_chip() -> None:
    """With a projection to 2, peepholes and a batch of 2; x and h have 2 slots.

    W_ih 16 x 3, W_hh 16 x 2, W_hr 2 x 4 weights; 16 biases as wide as the accumulators; 12 peepholes as wide as the
    cell. x 3 x 2, h 2 x 2 and the vector before the projection 4 x 2 are input and hidden. With 4 rows a group is one
    hidden unit; its 4 x 2 gates and 1 x 2 of tanh(c) are in one of 4 slots, as they live for two groups more.
    """
    network = {"proj_size": 2, "peepholes": True, "batch": 2}
    elements = {"W_ih": 48, "W_hh": 32, "W_hr": 8, "bias": 16, "peephole": 12}
    elements |= {"x": 12, "h": 8, "vector": 8, "c": 8, "gates": 32, "tanh_c": 8}
    assert sizes(case_of(FLOAT32, **network)) == {name: 4 * count for name, count in elements.items()}  # type: ignore[arg-type]
    bits = {"W_ih": 8, "W_hh": 8, "W_hr": 8, "bias": 32, "peephole": 16}
    bits |= {"x": 8, "h": 8, "vector": 8, "c": 16, "gates": 16, "tanh_c": 16}
    assert sizes(case_of(TFLITE, **network)) == {name: bits[name] * count // 8 for name, count in elements.items()}  # type: ignore[arg-type]


def test_odd_widths_are_packed() -> None:
    """int3 weights: 16 x 3 of them are 144 bits, 18 bytes; 16 biases of 21 bits are 336 bits, 42 bytes.

    x of 5 bits: 2 slots of 3 are 30 bits, 4 bytes. h of 7 bits: 2 slots of 4 are 56, 7. c of 9 bits: 36, 5.
    """
    formats = TFLITE | {"weight": "int3", "accumulator": "int21", "input": "int5", "hidden": "int7", "cell": "int9"}
    found = sizes(case_of(formats))
    assert {name: found[name] for name in ("W_ih", "W_hh", "bias", "x", "h", "c")} == {
        "W_ih": 18,
        "W_hh": 24,
        "bias": 42,
        "x": 4,
        "h": 7,
        "c": 5,
    }


def test_shared_exponents_are_stored() -> None:
    """bfp6/block2: a row of W_ih, 3 weights, is two blocks: 3 * 6 + 2 * 8 = 34 bits; 16 rows are 544, 68 bytes.

    W_hh: 4 * 6 + 2 * 8 = 40 bits a row, 80 bytes. x (block 16): 3 * 5 + 8 = 23 bits for each of 2 lanes in each of 2
    slots: 92, 12 bytes. h with 4 numbers: 4 * 5 + 8 = 28 bits, 2 lanes, 2 slots: 112, 14 bytes.
    """
    formats = FLOAT32 | {"weight": "bfp6/block2", "input": "bfp5", "hidden": "bfp5"}
    found = sizes(case_of(formats, batch=2))
    assert {name: found[name] for name in ("W_ih", "W_hh", "x", "h")} == {"W_ih": 68, "W_hh": 80, "x": 12, "h": 14}


@pytest.mark.parametrize(("formats", "bytes_needed"), [(FLOAT32, 4 * (48 + 64 + 16)), (TFLITE, 48 + 64 + 4 * 16)])
def test_what_fits(formats: dict[str, str], bytes_needed: int) -> None:
    """W_ih 16 x 3, W_hh 16 x 4, 16 biases: 512 bytes of float32, 176 of int8 and int32. One less is too few."""
    assert case_of(formats, {"weight_sram.capacity_bytes": bytes_needed}).program
    with pytest.raises(CapacityError) as caught:
        _ = case_of(formats, {"weight_sram.capacity_bytes": bytes_needed - 1}).program
    assert (caught.value.memory, caught.value.need) == ("weight_sram", bytes_needed)


def test_dram_traffic() -> None:
    """5 steps of 2 sequences. Read: weights 48 and 64, bias 16, x 5 * 3 * 2 = 30, h_0 and c_0 4 * 2 = 8 each.

    Written: h, 5 * 8 = 40, then h_n and c_n, 8 each. In float32 all times 4; int8 but for 4 bytes of a bias, 2 of c.
    """
    counts = {"W_ih": 48, "W_hh": 64, "bias": 16, "x": 30, "h": 8, "c": 8}
    for formats, wide in (
        (FLOAT32, dict.fromkeys(counts, 4)),
        (TFLITE, dict.fromkeys(counts, 1) | {"bias": 4, "c": 2}),
    ):
        traffic = case_of(formats, steps=5, batch=2).simulate(timing_only=True).stats.traffic_bytes["dram"]
        assert traffic["read"] == {name: wide[name] * count for name, count in counts.items()}
        assert traffic["write"] == {"output": wide["h"] * 40, "h": wide["h"] * 8, "c": wide["c"] * 8}


def test_dram_traffic_of_shared_exponents() -> None:
    """bfp8 for x and h, blocks of 16: x, 3 numbers, 32 bits a lane and step; h, 4 numbers, 40 bits."""
    formats = FLOAT32 | {"input": "bfp8", "hidden": "bfp8"}
    traffic = case_of(formats, steps=5, batch=2).simulate(timing_only=True).stats.traffic_bytes["dram"]
    assert (traffic["read"]["x"], traffic["write"]["output"], traffic["write"]["h"]) == (5 * 2 * 4, 5 * 2 * 5, 2 * 5)


def test_bursts() -> None:
    """x of 3 numbers: float32, 12 bytes, 2 bursts, 4 cycles; int8, 3 bytes, 1 burst, 2 cycles."""
    assert first(case_of(FLOAT32), "load x_0").compute_cycles == 4
    assert first(case_of(TFLITE), "load x_0").compute_cycles == 2
    assert first(case_of(TFLITE | {"input": "int32"}), "load x_0").compute_cycles == 4


# Ports.


@pytest.mark.parametrize(
    ("weight", "cycles"),
    [
        ("float32", 7),  # 4 rows of 7 weights: 4 * 7 * 32 = 896 bits / 128 = 7
        ("bfloat16", 4),  # 448 / 128 = 3.5
        ("int8", 2),  # 224 / 128 = 1.75
        ("int4", 1),  # 112 / 128
        ("bfp8", 3),  # W_ih: 4 rows of 3 * 8 + 8 = 32 bits, W_hh: 4 of 4 * 8 + 8 = 40: 288 / 128 = 2.25
    ],
)
def test_port_of_the_weights(weight: str, cycles: int) -> None:
    """Also: the bias, which is 48 bits here, has a port of its own."""
    formats = FLOAT32 | {"weight": weight, "input": "int2", "hidden": "int2"}
    assert first(case_of(formats), "mac[").port_cycles == cycles


def test_ports_of_x_and_h() -> None:
    """With weights of 2 bits, 56 bits. x: 3 * 32 = 96 bits / 64 = 1.5: 2. h of 4 * 32 = 128 bits, 2; with 3 lanes 6."""
    formats = {"all": "float32", "weight": "int2"}
    assert first(case_of(formats | {"hidden": "int8"}), "mac[").port_cycles == 2
    assert first(case_of(formats | {"input": "int8"}), "mac[").port_cycles == 2
    assert first(case_of(formats | {"input": "int8"}, batch=3), "mac[").port_cycles == 6
    assert first(case_of(formats | {"input": "int8", "hidden": "int8"}), "mac[").port_cycles == 1


@pytest.mark.parametrize(
    ("activation", "cell", "one", "by_kind"),
    [("float32", "float32", (5, 8), (2, 2)), ("q2.14", "float32", (3, 6), (1, 2)), ("int8", "q4.12", (2, 6), (1, 1))],
)
def test_ports_of_the_other_units(activation: str, cell: str, one: tuple[int, int], by_kind: tuple[int, int]) -> None:
    """One hidden unit of 3 sequences, in words of 64 bits: cycles of the activation of i, f, o and of the cell update.

    Behind one port the activation writes 3 * 3 numbers (the sums have no port): in float32 288 bits / 64 = 4.5, of 16
    bits 144 / 64 = 2.25, of 8 bits 72 / 64. The cell update reads 3 numbers of i, f, g and c: in float32 2 words each,
    8. With gates of 16 bits these are a word each, and c is 2: its first step, of 3, goes when the fourth word is there,
    in cycle 3: 6. So it is with c of 16 bits.
    With a bank for each kind the three gates, and the four operands, pass side by side: 3 numbers of 32 bits are 2
    words, of 16 or 8 bits one.
    """
    formats = FLOAT32 | {"activation": activation, "cell": cell}
    for banks, cycles in (("one", one), ("by_kind", by_kind)):
        case = case_of(formats, {"state_buffer.banks": banks}, batch=3)
        assert (first(case, "sigmoid_ifo").port_cycles, first(case, "cell[").port_cycles) == cycles


# Accumulations, and the converter.


@pytest.mark.parametrize(
    ("columns", "one", "two"), [(1, 7, 7), (2, 4, 4), (3, 3, 3), (4, 2, 2), (5, 2, 2), (6, 2, 2), (7, 1, 2), (9, 1, 2)]
)
def test_chunks(columns: int, one: int, two: int) -> None:
    """I = 3 and H = 4. One accumulation: ceil(7 / C). Two: ceil(3 / C) + ceil(4 / C)."""
    fields = {"mac_array.columns": columns}
    together = [FLOAT32, {"all": "q4.4"}, {"all": "q4.4", "accumulator": "int32"}, TFLITE | {"accumulator": "bfloat16"}]
    for formats in together:
        assert first(case_of(formats, fields), "mac[").compute_cycles == one == -(-7 // columns)
    apart = [TFLITE, {"all": "q4.4", "input": "q3.5"}, {"all": "int8"}, {"all": "q4.4/wrap", "hidden": "q4.4"}]
    for formats in apart:
        assert first(case_of(formats, fields), "mac[").compute_cycles == two == -(-3 // columns) - (-4 // columns)
    for formats in together + apart:
        for schedule in ("split_interleaved", "split_gate_major"):
            split = case_of(formats, fields, schedule)
            assert first(split, "mac_x[").compute_cycles == -(-3 // columns)
            assert first(split, "mac_h[").compute_cycles == -(-4 // columns)


def test_chunks_of_a_batch() -> None:
    """Each chunk of weights stays for as many cycles as there are sequences: 3 * (1 + 1) with C = 4, I = 3, H = 4."""
    assert first(case_of(TFLITE, {"mac_array.columns": 4}, batch=3), "mac[").compute_cycles == 6
    assert first(case_of({"all": "q4.4"}, {"mac_array.columns": 4}, batch=3), "mac[").compute_cycles == 6
    assert first(case_of({"all": "q4.4"}, {"mac_array.columns": 7}, batch=3), "mac[").compute_cycles == 3


def test_the_converter_counts_where_formats_differ() -> None:
    """Weight read 1, multiplier 1, ceil(log2 2) = 1 level of adders, accumulator 1: 4. With a converter of 6: 10."""
    fields = {"mac_array.converter_latency_cycles": 6}
    for formats, depth in (
        (FLOAT32, 4),
        ({"all": "q4.4"}, 4),
        ({"all": "q4.4", "weight": "q1.7", "cell": "q8.8"}, 4),
        (TFLITE, 10),
        ({"all": "int8"}, 4),
        (FLOAT32 | {"gate": "bfloat16"}, 10),
        ({"all": "q4.4", "accumulator": "q4.5"}, 10),
        ({"all": "q4.4", "gate": "q4.4/wrap"}, 10),
    ):
        assert first(case_of(formats, fields), "mac[").depth_cycles == depth, formats
        assert first(case_of(formats, proj_size=2), "mac_r[").depth_cycles == 4, "of no latency"


@pytest.mark.parametrize(
    ("method", "table", "depth"),
    [
        ("exact", None, 6),
        ("hard", None, 1),
        ("table", "nearest", 2),
        ("table", "linear", 4),
        ("piecewise_linear", None, 4),
    ],
)
def test_depth_of_a_method(method: str, table: str | None, depth: int) -> None:
    """The method's own, whatever the formats, unless the machine says another."""
    fields: dict[str, Any] = {"activation.method": method, "activation.address_format": "q4.4"}
    fields |= {"activation.table": {"interpolation": table}} if table else {}
    for formats in (FLOAT32, TFLITE):
        assert first(case_of(formats, fields | {"activation.latency_cycles": None}), "sigmoid").depth_cycles == depth
        assert first(case_of(formats, fields | {"activation.latency_cycles": 9}), "sigmoid").depth_cycles == 9
        assert first(case_of(formats, fields | {"activation.latency_cycles": 0}), "sigmoid").depth_cycles == 0


# Whole runs.


@pytest.mark.parametrize(
    ("formats", "cycles"),
    [
        # W_ih 36 bytes = 5 bursts = 10 cycles, W_hh the same, bias, h_0, x_0 12 bytes = 4 each: 32, and 5 until x_0 is
        # there: 37. mac: ceil(6 / 2) = 3, but 3 * 6 * 32 = 576 bits / 128 = 4.5: 5, done 4 later: 46. tanh: 3 values,
        # done 2 later: 51. store h: 4 + 5: 60. store h_n: 9: 69.
        (FLOAT32, 69),
        # 9 bytes = 2 bursts = 4 cycles for each matrix; bias 12 bytes, 4; h_0 and x_0 2 each: 16 + 5 = 21. mac: twice
        # ceil(3 / 2), 4, done 4 + 3 later: 32. tanh 5: 37. store h: 2 + 5: 44. store h_n: 51.
        (TFLITE, 51),
        # All of 8 bits: the bias has 3 bytes, 2 cycles: 4 + 4 + 2 + 2 + 2 = 14, and 5: 19. mac: 3, done 4 later, as
        # there is nothing to convert: 26. tanh 31, store h 38, store h_n 45.
        ({"all": "q4.4"}, 45),
        # The same with accumulators of 32 bits: bias 12 bytes, 4 cycles: 21. mac with the converter: 31; 36, 43, 50.
        ({"all": "q4.4", "accumulator": "q12.20"}, 50),
    ],
)
def test_a_whole_run(formats: dict[str, str], cycles: int) -> None:
    """RNN(3, 3) with a converter of 3 cycles."""
    fields = {"mac_array.converter_latency_cycles": 3}
    case = case_of(formats, fields, **RNN, hidden_size=3)
    assert case.simulate(timing_only=True).stats.latency_cycles == cycles
    assert case.simulate().stats.latency_cycles == cycles


@settings(max_examples=examples(12))
@given(exact_cases())
def test_timing_only_runs_have_the_same_cycles(case: Case) -> None:
    assert case.simulate(timing_only=True).stats == case.simulate().stats


@settings(max_examples=examples(12))
@given(cases(), float_formats(), seeds)
def test_also_in_floating_point(case: Case, formats: dict[str, str], seed: int) -> None:
    case = in_formats(case, formats)
    assert case.simulate(timing_only=True).stats == case.simulate().stats


def test_rounding_and_range_take_no_time() -> None:
    """Only widths count, and what is one accumulation and what has a converter: in both cases the same here."""
    plain = {"all": "int12", "gate": "q4.8", "accumulator": "int32"}
    others = {kind: f"{plain.get(kind, 'int12')}/truncate/wrap" for kind in TFLITE} | {"weight": "int12/row/half_up"}
    for schedule in ("fused_interleaved", "split_gate_major"):
        for network in (LSTM | {"proj_size": 2}, GRU, RNN):
            runs = [
                case_of(formats, None, schedule, **network, steps=4).simulate(timing_only=True).stats
                for formats in (plain, others)
            ]
            assert runs[0] == runs[1]
