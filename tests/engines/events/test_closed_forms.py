"""Cycles of a time step as a closed form, where the MAC array is the limit, and what docs/microarchitecture/ quotes.

fused_interleaved. In the steady state all tiles of a step follow each other on the array without a gap, and the first
tile of the next step starts when the last group's h is done. So

    cycles_per_step = n_tiles * m + tail,    m = occupancy of a tile = max(chunks * B, port cycles)

    chunks = ceil((I + H) / C)            if products of x and h have one scale: one accumulation
           = ceil(I / C) + ceil(H / C)    if not: two, one after the other

and tail is the chain from the end of the last tile to the last h. With u = hidden units of the last group * B, La and
Le the lanes of the activation and the element-wise unit and their depths a, c (cell) and h (hidden), t the latency of a
token, which each op of the chain waits for, the next step's first tile too:

    tail = D                          the last tile drains: D = SRAM read + multiplier + ceil(log2 C) * adder + 1,
                                      and + converter if the accumulators' format is not the sums'
         + t + ceil(3u / La)          sigmoid of i, f, o holds the unit before
         + ceil(u / La) + a           tanh of g, whose result the cell update needs last
         + t + ceil(u / Le) + c       cell update
         + t + ceil(u / La) + a       tanh of c
         + t + ceil(u / Le) + h       hidden update
         + t                          the first tile of the next step

It holds if nothing else is in the chain's way: the activation unit has done a group's ops (3U/La + U/La + U/La for
groups of U) within m; the tanh(c) of the two groups before, which the activation unit takes between tanh(g) and tanh(c)
of the last one, fit into the a + t + ceil(u / Le) + c + t cycles in which it stands still, and the hidden updates of
these groups into the c + t + ceil(u / La) + a + t of the element-wise unit; the accumulators have slots s with
(s - 1) m >= D + the activation of a group + 2 t; every operand's words are there when they are needed
(TestWhereAPortIsTheLimit has machines in which they are not); x, issue and queues are no limit.

With LSTM(200, 1000) on 64 x 64 MACs there are 63 tiles, and the last group has 1000 - 62 * 16 = 8 units, so that
ceil(24 / 16) = 2, ceil(8 / 16) = 1. Three such machines differ in their formats, functions and tokens:

    tests/machines/edge_64x64, float32   m = ceil(1200 / 64) = 19           D = 2 + 2 + 6 + 1     = 11, a = 6, t = 0
    edge_64x64 (int8)                    m = ceil(200/64) + ceil(1000/64)   D = 2 + 2 + 6 + 1 + 2 = 13, a = 4, t = 1
                                           = 4 + 16 = 20
    edge_64x64_q4_12                     m = ceil(1200 / 64) = 19           D = 2 + 2 + 6 + 1     = 11, a = 2, t = 1

int8: x and h have scales of their own (asymmetric, from calibration), so that W_ih x and W_hh h are two accumulations;
int32 accumulators become q4.12 sums in a converter of 2 stages; the activation unit has the four stages of a table with
lines between its entries: address, read, multiply, add. q4.12: all kinds have one format, so there is one accumulation
and no converter, and the activation unit has the two stages of a table alone, address and read.

    tail = D + 2 + (1 + a) + (1 + 4) + (1 + a) + (1 + 2) + 5 t
         = 11 + 2 + 7 + 5 + 7 + 3     = 35 in float32
         = 13 + 2 + 5 + 5 + 5 + 3 + 5 = 38 in int8
         = 11 + 2 + 3 + 5 + 3 + 3 + 5 = 32 in q4.12

    step = 63 * 19 + 35 = 1232 in float32,   63 * 20 + 38 = 1298 in int8,   63 * 19 + 32 = 1229 in q4.12

Words: edge_64x64 reads x and h through 512 bits, a chunk of 64 a cycle. Its gates of 16 bits lie 32 to a word: those of
a full group of 16 units in one, so that the chain is the lanes' at B = 1, and at B = 2 too (32 values).

fused_gate_major. The last group are u rows of o; c and tanh(c) were there long before:

    tail = D + t + ceil(u / La) + a + t + ceil(u / Le) + h + t

There the last group has 1000 - 15 * 64 = 40 rows: tail = 11 + (3 + 6) + (3 + 2) = 25, 13 + (3 + 4) + (3 + 2) + 3 = 28
and 11 + (3 + 2) + (3 + 2) + 3 = 24.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archsim.api.evaluate import Evaluator
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.metrics import Stats
from archsim.workload import load_workload
from tests.float_machines import FLOAT_64X64
from tests.rings import exhaustive, few

EVALUATOR = Evaluator()


def stats(machine: str, workload: str, schedule: str, *overrides: str, evaluator: Evaluator | None = None) -> Stats:
    """The figures of a timing-only run on the discrete-event machine; programs that are the same are built once."""
    arch = load_arch(machine, [parse_override(text) for text in overrides])
    return (evaluator or EVALUATOR).evaluate(arch, load_workload(workload), schedule, "machine").stats


INT8 = "edge_64x64"
Q4_12 = "edge_64x64_q4_12"
DOCUMENT = (Path(__file__).resolve().parents[3] / "docs/microarchitecture/rules.md").read_text(encoding="utf-8")
REFERENCE = "lstm_200_1000_t70"
SHORT = "lstm:200,1000,t=6"
BATCH_2 = "lstm:200,1000,t=6,b=2"
SMALL = "lstm:40,500,t=6"


class TestFusedInterleaved:
    @pytest.mark.parametrize(
        ("workload", "override", "cycles_per_step"),
        few(
            [
                (REFERENCE, "clock_mhz=800", 63 * 19 + (11 + 2 + 7 + 5 + 7 + 3)),
                # 125 groups of 8 units, the last one as full as the others
                (SHORT, "mac_array.rows=32", 125 * 19 + (11 + 2 + 7 + 5 + 7 + 3)),
                # ceil(1200 / 32) = 38 chunks; a tree of 5 levels
                (SHORT, "mac_array.columns=32", 63 * 38 + (10 + 2 + 7 + 5 + 7 + 3)),
                # B = 2: u = 16, tiles of 38; x and h pass the ports within that
                (BATCH_2, "clock_mhz=800", 63 * 38 + (11 + 3 + 7 + 5 + 7 + 3)),
                # B = 2 on 8 lanes of each: ceil(48 / 8) = 6, ceil(16 / 8) = 2
                (BATCH_2, "activation.lanes=8", 63 * 38 + (11 + 6 + (2 + 6) + 5 + (2 + 6) + 3)),
                (BATCH_2, "elementwise.lanes=8", 63 * 38 + (11 + 3 + 7 + (2 + 4) + 7 + (2 + 2))),
                # K = 540: 9 chunks, 31 groups of 16 units and one of 4
                (SMALL, "clock_mhz=800", 32 * 9 + (11 + 1 + 7 + 5 + 7 + 3)),
                (SMALL, "weight_sram.read_latency_cycles=6", 32 * 9 + (15 + 1 + 7 + 5 + 7 + 3)),
                (SMALL, "elementwise.hidden_latency_cycles=9", 32 * 9 + (11 + 1 + 7 + 5 + 7 + 10)),
                # one format everywhere: a converter would have nothing to do
                (SMALL, "mac_array.converter_latency_cycles=9", 32 * 9 + (11 + 1 + 7 + 5 + 7 + 3)),
            ],
            3,
        ),
    )
    def test_tiles_and_tail_in_float32(self, workload: str, override: str, cycles_per_step: int) -> None:
        assert stats(FLOAT_64X64, workload, "fused_interleaved", override).cycles_per_step == cycles_per_step

    @pytest.mark.parametrize(
        ("workload", "override", "cycles_per_step"),
        few(
            [
                (REFERENCE, "clock_mhz=800", 63 * (4 + 16) + (13 + 2 + 5 + 5 + 5 + 3) + 5),
                (SHORT, "mac_array.rows=32", 125 * (4 + 16) + (13 + 2 + 5 + 5 + 5 + 3) + 5),
                # ceil(200 / 32) = 7, ceil(1000 / 32) = 32; a tree of 5 levels
                (SHORT, "mac_array.columns=32", 63 * (7 + 32) + (12 + 2 + 5 + 5 + 5 + 3) + 5),
                # B = 2: each of the two accumulations takes 2 cycles a chunk
                (BATCH_2, "clock_mhz=800", 63 * 2 * (4 + 16) + (13 + 3 + 5 + 5 + 5 + 3) + 5),
                (BATCH_2, "activation.lanes=8", 63 * 2 * (4 + 16) + (13 + 6 + (2 + 4) + 5 + (2 + 4) + 3) + 5),
                (BATCH_2, "elementwise.lanes=8", 63 * 2 * (4 + 16) + (13 + 3 + 5 + (2 + 4) + 5 + (2 + 2)) + 5),
                # 40 inputs take a chunk, 500 take 8
                (SMALL, "clock_mhz=800", 32 * (1 + 8) + (13 + 1 + 5 + 5 + 5 + 3) + 5),
                (SMALL, "weight_sram.read_latency_cycles=3", 32 * (1 + 8) + (14 + 1 + 5 + 5 + 5 + 3) + 5),
                (SMALL, "mac_array.converter_latency_cycles=3", 32 * (1 + 8) + (14 + 1 + 5 + 5 + 5 + 3) + 5),
                (SMALL, "mac_array.converter_latency_cycles=0", 32 * (1 + 8) + (11 + 1 + 5 + 5 + 5 + 3) + 5),
                # a token's latency five times
                (SMALL, "sequencer.token_latency_cycles=0", 32 * (1 + 8) + (13 + 1 + 5 + 5 + 5 + 3)),
                # symmetric x and h still have scales of their own
                (SMALL, "formats={all: tflite_int8, input: int8, hidden: int8}", 32 * (1 + 8) + 32 + 5),
                # q4.12 has no scales that could differ: one accumulation, and nothing to convert
                (SHORT, "formats=q4.12", 63 * 19 + (11 + 2 + 5 + 5 + 5 + 3) + 5),
                # accumulators that are wider, or floating point, are converted
                (SHORT, "formats={all: q4.12, accumulator: q8.24}", 63 * 19 + (13 + 2 + 5 + 5 + 5 + 3) + 5),
                (SHORT, "formats={all: q4.12, accumulator: float32}", 63 * 19 + (13 + 2 + 5 + 5 + 5 + 3) + 5),
                # products with 26 and with 24 fraction bits
                (SHORT, "formats={all: q4.12, input: q2.14}", 63 * (4 + 16) + (11 + 2 + 5 + 5 + 5 + 3) + 5),
            ],
            4,
        ),
    )
    def test_tiles_and_tail_in_int8(self, workload: str, override: str, cycles_per_step: int) -> None:
        """(16 bits a value go through ports twice as wide.)"""
        ample = (
            "weight_sram={capacity_bytes: 24MiB, banks: 64, port_bits: 1024, read_latency_cycles: 2}",
            "input_buffer.port_bits=1024",
            "state_buffer.port_bits=1024",
        )
        overrides = (*ample, override) if "q4.12" in override else (override,)
        assert stats(INT8, workload, "fused_interleaved", *overrides).cycles_per_step == cycles_per_step

    @pytest.mark.parametrize(
        ("workload", "override", "cycles_per_step"),
        few(
            [
                (REFERENCE, "clock_mhz=800", 63 * 19 + (11 + 2 + 3 + 5 + 3 + 3) + 5),
                (SHORT, "mac_array.rows=32", 125 * 19 + (11 + 2 + 3 + 5 + 3 + 3) + 5),
                (SHORT, "mac_array.columns=32", 63 * 38 + (10 + 2 + 3 + 5 + 3 + 3) + 5),
                (BATCH_2, "clock_mhz=800", 63 * 38 + (11 + 3 + 3 + 5 + 3 + 3) + 5),
                (SMALL, "clock_mhz=800", 32 * 9 + (11 + 1 + 3 + 5 + 3 + 3) + 5),
                (SMALL, "elementwise.hidden_latency_cycles=9", 32 * 9 + (11 + 1 + 3 + 5 + 3 + 10) + 5),
                (SMALL, "sequencer.token_latency_cycles=2", 32 * 9 + (11 + 1 + 3 + 5 + 3 + 3) + 10),
                # the methods' own depths; that of the file, where it gives one, comes first
                (SMALL, "activation.method=exact", 32 * 9 + (11 + 1 + (1 + 6) + 5 + (1 + 6) + 3) + 5),
                (SMALL, "activation.method=hard", 32 * 9 + (11 + 1 + (1 + 1) + 5 + (1 + 1) + 3) + 5),
                (SMALL, "activation.table.interpolation=linear", 32 * 9 + (11 + 1 + (1 + 4) + 5 + (1 + 4) + 3) + 5),
                (SMALL, "activation.method=piecewise_linear", 32 * 9 + (11 + 1 + (1 + 4) + 5 + (1 + 4) + 3) + 5),
                (SMALL, "activation.latency_cycles=5", 32 * 9 + (11 + 1 + (1 + 5) + 5 + (1 + 5) + 3) + 5),
            ],
            3,
        ),
    )
    def test_tiles_and_tail_in_q4_12(self, workload: str, override: str, cycles_per_step: int) -> None:
        assert stats(Q4_12, workload, "fused_interleaved", override).cycles_per_step == cycles_per_step

    @pytest.mark.parametrize(("token", "late"), [(0, 1), (1, 0)])
    @pytest.mark.parametrize("lanes", ["activation.lanes=8", "elementwise.lanes=8"])
    def test_where_the_groups_before_are_in_the_way(self, lanes: str, token: int, late: int) -> None:
        """With B = 2 the two groups before the last have 32 values each: on 8 lanes 4 cycles, 8 together.

        Between tanh(g) and tanh(c) of the last group the activation unit of edge_64x64_q4_12 stands still for
        a + t + ceil(u / Le) + c + t = 2 + 1 + 4 + 2 t cycles; between its cell update and its hidden update the
        element-wise unit does for c + t + ceil(u / La) + a + t = 4 + 1 + 2 + 2 t. Without a token's latency that is a
        cycle less than the tanh(c), or the hidden updates, of these groups take, and each costs that cycle; with t = 1
        it is a cycle more.
        """
        on_8_lanes = {
            "activation.lanes=8": 11 + 6 + (2 + 2) + 5 + (2 + 2) + 3,
            "elementwise.lanes=8": 11 + 3 + 3 + (2 + 4) + 3 + (2 + 2),
        }
        found = stats(Q4_12, BATCH_2, "fused_interleaved", lanes, f"sequencer.token_latency_cycles={token}")
        assert found.cycles_per_step == 63 * 38 + on_8_lanes[lanes] + 5 * token + late

    @pytest.mark.parametrize(
        ("machine", "read_latency", "deep"),
        [
            (FLOAT_64X64, 7, 32 * 9 + (16 + 1 + 7 + 5 + 7 + 3)),
            (INT8, 4, 32 * 9 + (15 + 1 + 5 + 5 + 5 + 3) + 5),
        ],
    )
    def test_where_the_queues_become_the_limit(self, machine: str, read_latency: int, deep: int) -> None:
        """A cycle of SRAM latency costs a cycle a step, up to the point where 8 places in front of a unit are too few.

        With three activation ops a group (sigmoid, tanh(g), tanh(c) of the group two before, in this order), tanh(c) of
        group g - 2 takes the place of the sigmoid of group g - 2, eight ops before it, which starts D + t behind the
        end of that group's tile. Then it, a hidden update and tile g + 1 are issued, a cycle each. That is in time if
        D + t + 3 <= 2 m = 18, the length of two tiles. With D + t = 16 (16 + 0 in float32, 15 + 1 in int8) the tile
        comes a cycle late, and so does all behind it, which gives the next two tiles that cycle: one in three is late.
        The first is the tile of group 5: until then ops of the step before have left the queue. So 5, 8 .. 29 of the
        32 are late: 9 cycles a step. Longer queues bring the closed form back.
        """
        latency = f"weight_sram.read_latency_cycles={read_latency}"
        long_queues = stats(machine, SMALL, "fused_interleaved", latency, "sequencer.queue_depth=16")
        assert long_queues.cycles_per_step == deep
        late = len(range(5, 32, 3))
        assert stats(machine, SMALL, "fused_interleaved", latency).cycles_per_step == deep + late

    @pytest.mark.parametrize(("machine", "cycles_per_step"), few([(INT8, 1298), (FLOAT_64X64, 1232), (Q4_12, 1229)], 1))
    def test_a_step_of_the_reference(self, machine: str, cycles_per_step: int) -> None:
        assert stats(machine, REFERENCE, "fused_interleaved").cycles_per_step == cycles_per_step

    @pytest.mark.parametrize("banks", [64, 65])
    def test_the_bias_costs_no_cycle_where_k_is_a_multiple_of_the_columns(self, banks: int) -> None:
        """K = 1024 = 16 chunks, and 64 banks are exactly as wide as the array: 64 * 2048 = 64 * 64 * 32 bits.

        A full tile reads its 64 * 1024 * 32 bits in 16 cycles; were the 64 biases in their way, it would take 17, and a
        step 62 * 17 + 16 + 35 (the last tile has 32 rows). One bank more changes nothing. (This machine's biases lie in
        the weight SRAM, behind a port of their own.)
        """
        found = stats(FLOAT_64X64, "lstm:24,1000,t=6", "fused_interleaved", f"weight_sram.banks={banks}")
        assert found.cycles_per_step == 63 * 16 + (11 + 2 + 7 + 5 + 7 + 3)
        assert found.cycle_stack["wait_port"] == 0

    @pytest.mark.parametrize("banks", [64, 65])
    def test_the_bias_costs_no_cycle_in_int8(self, banks: int) -> None:
        """It lies in a bias buffer. 1 + 15 chunks, and 64 banks are as wide as the array: 64 * 512 = 64 * 64 * 8 bits.

        960 units are 60 full groups: a tile reads its 64 * 1024 * 8 bits in 16 cycles; were the 64 biases of 32 bits in
        their way, it would take 17. u = 16.
        """
        found = stats(INT8, "lstm:64,960,t=6", "fused_interleaved", f"weight_sram.banks={banks}")
        assert found.cycles_per_step == 60 * (1 + 15) + (13 + 3 + 5 + 5 + 5 + 3) + 5
        assert found.cycle_stack["wait_port"] == 0

    def test_the_bound_of_the_weight_sram_leaves_the_bias_out(self) -> None:
        """4000 * 1024 weights of 32 bits through 64 * 2048 bits: exactly 1000 cycles; the 4000 biases are not there.

        The same in int8: 4000 * 1024 * 8 / (64 * 512) = 1000.
        """
        for machine in (FLOAT_64X64, INT8):
            assert stats(machine, "lstm:24,1000,t=6", "fused_interleaved").bounds["weight_sram"] == 1000

    def test_the_compute_bound_counts_the_chunks_of_each_accumulation(self) -> None:
        assert stats(FLOAT_64X64, SHORT, "fused_interleaved").bounds["compute"] == 63 * 19
        assert stats(INT8, SHORT, "fused_interleaved").bounds["compute"] == 63 * (4 + 16)
        assert stats(Q4_12, SHORT, "fused_interleaved").bounds["compute"] == 63 * 19


class TestFusedGateMajor:
    @pytest.mark.parametrize(
        ("machine", "workload", "override", "cycles_per_step"),
        few(
            [
                (FLOAT_64X64, REFERENCE, "clock_mhz=800", 64 * 19 + (11 + 3 + 6 + 3 + 2)),
                # 4 * 32 groups, the last of 1000 - 31 * 32 = 8 rows
                (FLOAT_64X64, SHORT, "mac_array.rows=32", 128 * 19 + (11 + 1 + 6 + 1 + 2)),
                (FLOAT_64X64, SHORT, "mac_array.columns=32", 64 * 38 + (10 + 3 + 6 + 3 + 2)),
                # B = 2: u = 80
                (FLOAT_64X64, BATCH_2, "clock_mhz=800", 64 * 38 + (11 + 5 + 6 + 5 + 2)),
                # 4 * 8 groups, the last of 500 - 7 * 64 = 52 rows
                (FLOAT_64X64, SMALL, "clock_mhz=800", 32 * 9 + (11 + 4 + 6 + 4 + 2)),
                (INT8, REFERENCE, "clock_mhz=800", 64 * (4 + 16) + (13 + 3 + 4 + 3 + 2) + 3),
                (INT8, SHORT, "mac_array.rows=32", 128 * (4 + 16) + (13 + 1 + 4 + 1 + 2) + 3),
                (INT8, SHORT, "mac_array.columns=32", 64 * (7 + 32) + (12 + 3 + 4 + 3 + 2) + 3),
                (INT8, BATCH_2, "clock_mhz=800", 64 * 2 * (4 + 16) + (13 + 5 + 4 + 5 + 2) + 3),
                (INT8, SMALL, "clock_mhz=800", 32 * (1 + 8) + (13 + 4 + 4 + 4 + 2) + 3),
                (INT8, SMALL, "mac_array.converter_latency_cycles=5", 32 * (1 + 8) + (16 + 4 + 4 + 4 + 2) + 3),
                (Q4_12, REFERENCE, "clock_mhz=800", 64 * 19 + (11 + 3 + 2 + 3 + 2) + 3),
                (Q4_12, SHORT, "mac_array.rows=32", 128 * 19 + (11 + 1 + 2 + 1 + 2) + 3),
                (Q4_12, SMALL, "clock_mhz=800", 32 * 9 + (11 + 4 + 2 + 4 + 2) + 3),
            ],
            4,
        ),
    )
    def test_tiles_and_tail(self, machine: str, workload: str, override: str, cycles_per_step: int) -> None:
        assert stats(machine, workload, "fused_gate_major", override).cycles_per_step == cycles_per_step

    @pytest.mark.parametrize(("machine", "cycles_per_step"), few([(Q4_12, 1240), (FLOAT_64X64, 1241), (INT8, 1308)], 1))
    def test_a_step_of_the_reference(self, machine: str, cycles_per_step: int) -> None:
        assert stats(machine, REFERENCE, "fused_gate_major").cycles_per_step == cycles_per_step


WORDS_OF_16_BITS = (
    "formats=q4.12",
    "weight_sram={capacity_bytes: 24MiB, banks: 64, port_bits: 1024, read_latency_cycles: 2}",
)
"""The formats of edge_64x64_q4_12 behind the input and state ports of edge_64x64, which are half as wide."""


class TestWhereAPortIsTheLimit:
    """A tile of int8 has 4 chunks of x and then 16 of h, N = 20; a word that step s needs, the k-th of its port, holds
    the tile for k + N - s cycles. The tail is that of edge_64x64: 38."""

    @pytest.mark.parametrize(
        ("overrides", "cycles_per_step"),
        few(
            [
                # h: 32 words of 32 values, of which steps 4 + k // 2 need word k: 31 + 20 - 19
                (("state_buffer.port_bits=256",), 63 * 32 + 38),
                # x: 25 words of 8 values, word k in step k // 8: the last chunk of x waits for word 24, 24 + 20 - 3,
                # though x has but 25 words and the tile 20 steps
                (("input_buffer.port_bits=64",), 63 * 41 + 38),
                # weights: 7 words of 32 columns for x, then 32 for h: step 19 waits for word 38
                # the last tile has 32 rows: 64 columns a word, a word a step
                (("weight_sram.port_bits=256",), 62 * 39 + 20 + 38),
                # one accumulation, N = 19: h has 32 words, of which word 31 begins with value 200 + 992, in step 18
                # (x: 7 words, 6 + 19 - 3 = 22)
                (WORDS_OF_16_BITS, 63 * 32 + (11 + 2 + 5 + 5 + 5 + 3) + 5),
                # one bank: i, f, g and c are 4 words, o and tanh(c) 2, for one step each
                (("state_buffer.banks=one",), 63 * 20 + (13 + 2 + 5 + (4 + 4) + 5 + (2 + 2)) + 5),
            ],
            3,
        ),
    )
    def test_fused_interleaved(self, overrides: tuple[str, ...], cycles_per_step: int) -> None:
        assert stats(INT8, SHORT, "fused_interleaved", *overrides).cycles_per_step == cycles_per_step

    @pytest.mark.parametrize(
        ("override", "x_part", "h_part"),
        [("input_buffer.port_bits=64", 25, 16), ("state_buffer.port_bits=256", 4, 32), ("clock_mhz=800", 4, 16)],
    )
    def test_split_interleaved(self, override: str, x_part: int, h_part: int) -> None:
        """Of a narrow port for x: the x parts take 25 cycles, 24 + 4 - 3, and two of them fill the whole drain.

        So then the array never stands still.
        """
        drain = max(0, 38 - 7 * x_part)
        found = stats(INT8, SHORT, "split_interleaved", override)
        assert found.cycles_per_step == 63 * (x_part + h_part) + drain


class TestSplitInterleaved:
    @pytest.mark.parametrize(
        ("machine", "tail", "cycles_per_step"),
        few([(FLOAT_64X64, 35, 1267), (INT8, 38, 1270), (Q4_12, 32, 1264)], 1),
    )
    def test_a_step_of_the_reference(self, machine: str, tail: int, cycles_per_step: int) -> None:
        """8 slots: 7 x parts of ceil(200 / 64) = 4 cycles fill 28 cycles of the drain of the step before.

        From h on: 63 h parts of ceil(1000 / 64) = 16, among them the other 56 x parts; then the tail as when fused. In
        int8 a fused tile is two accumulations anyway, so that nothing is lost by two tiles, and the filled drain won.
        """
        assert 63 * 16 + (63 - 7) * 4 + tail == cycles_per_step
        assert stats(machine, REFERENCE, "split_interleaved").cycles_per_step == cycles_per_step

    def test_where_the_x_parts_fill_the_whole_drain(self) -> None:
        """In q4.12 without a token's latency the drain is 32 - 5 = 27, less than the 28 cycles of 7 x parts.

        So the array never stands still.
        """
        found = stats(Q4_12, REFERENCE, "split_interleaved", "sequencer.token_latency_cycles=0")
        assert found.cycles_per_step == 63 * (4 + 16)


@pytest.mark.parametrize(("deferred", "cycles_per_step"), [(0, 155), (1, 98), (2, 88), (3, 85)])
def test_what_deferral_is_worth(monkeypatch: pytest.MonkeyPatch, deferred: int, cycles_per_step: int) -> None:
    """The figures that families/cells/plan.py quotes for its choice of DEFERRED_GROUPS: measured, not derived."""
    monkeypatch.setattr("archsim.families.cells.plan.DEFERRED_GROUPS", deferred)
    found = stats(INT8, "silero_vad", "fused_interleaved", evaluator=Evaluator())  # other programs than those kept
    assert found.cycles_per_step == cycles_per_step


class TestDocumentedExceptions:
    """More of these does not always mean fewer cycles (docs/microarchitecture/rules.md, "Monotonicity").

    The numbers are measured, not derived: they are here so that the document cannot go stale.
    """

    @pytest.mark.parametrize(
        ("workload", "schedule", "parameter", "fewer", "more"),
        few(
            [
                ("silero_vad", "fused_interleaved", "mac_array.rows", (64, 36_472), (68, 39_071)),
                ("silero_vad", "fused_gate_major", "mac_array.rows", (48, 35_236), (56, 36_810)),
                ("silero_vad", "split_interleaved", "accumulators.entries", (512, 34_936), (576, 34_938)),
                (REFERENCE, "fused_interleaved", "mac_array.columns", (64, 412_008), (65, 416_488)),
                ("silero_vad", "fused_gate_major", "activation.lanes", (32, 30_272), (33, 30_892)),
                ("silero_vad", "fused_gate_major", "elementwise.lanes", (32, 31_512), (33, 32_132)),
                ("silero_vad", "fused_gate_major", "state_buffer.port_bits", (256, 32_752), (257, 35_542)),
                ("lstm_3_2_t4", "fused_interleaved", "input_buffer.prefetch_steps", (3, 497), (4, 502)),
                ("silero_vad", "fused_interleaved", "dram.burst_bytes", (64, 36_472), (96, 36_832)),
            ],
            3,
        ),
    )
    def test_more_can_be_slower(
        self, workload: str, schedule: str, parameter: str, fewer: tuple[int, int], more: tuple[int, int]
    ) -> None:
        assert more[0] > fewer[0]
        assert more[1] > fewer[1]
        names = rf"{parameter}|{parameter.partition('.')[2]}"
        (row,) = re.findall(rf"^\| `(?:{names})`.*`edge_64x64`.*$", DOCUMENT, flags=re.MULTILINE)
        assert f"`{workload}`" in row
        assert schedule in row
        for value, cycles in (fewer, more):
            assert stats(INT8, workload, schedule, f"{parameter}={value}").latency_cycles == cycles
            assert re.search(rf"\b{value} [a-z]+ (\(\d+ slots\) )?{cycles:,}\b", row)

    def test_less_can_be_slower(self) -> None:
        """Of bursts of 48 bytes a piece of 128 takes three, 144 bytes; of 64 bytes two, 128."""
        assert stats(INT8, "silero_vad", "fused_interleaved", "dram.burst_bytes=48").latency_cycles == 36_609 > 36_472
        assert "48 bytes 36,609, 64 bytes 36,472" in DOCUMENT

    @exhaustive
    def test_a_longer_block_can_be_slower(self) -> None:
        """Its first GEMM is a phase of its own: of 70 steps 1 (k = 3), or 6 (k = 8)."""
        for kibibytes, block, cycles in ((64, 3, 410_115), (256, 8, 410_289)):
            overrides = f"state_buffer.capacity_bytes={kibibytes}KiB", f"state_buffer.hoist_steps={block}"
            for asked in (overrides[:1], overrides):  # what is left out is what is chosen
                assert stats(INT8, REFERENCE, "hoisted_interleaved", *asked).latency_cycles == cycles
            assert f"{kibibytes} KiB (k = {block}) {cycles:,}" in DOCUMENT

    def test_more_columns_than_a_word_has_values(self) -> None:
        """65 columns take the first two words of x at once, of 64 values each: the second comes in cycle 1.

        (So do the weights: their words are 64 columns wide.) Each of the 63 tiles takes a cycle more than its 4 + 16
        chunks, and the tree has a level more: 64 cycles more in each of 70 steps.
        """
        assert 416_488 - 412_008 == 70 * (63 + 1)
        assert stats(INT8, REFERENCE, "fused_interleaved", "mac_array.columns=65").cycles_per_step == 1298 + 64
