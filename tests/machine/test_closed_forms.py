"""Cycles of a time step as a closed form, where the MAC array is the limit, and what docs/microarchitecture.md quotes.

fused_interleaved. In the steady state all tiles of a step follow each other on the array without a gap, and the first
tile of the next step starts when the last group's h is done. So

    cycles_per_step = n_tiles * m + tail,    m = occupancy of a tile = max(ceil(K / C) * B, port cycles)

and tail is the chain from the end of the last tile to the last h. With u = hidden units of the last group * B, La and
Le the lanes of the activation and the element-wise unit and their depths a, c (cell) and h (hidden):

    tail = D                          the last tile drains: D = SRAM read + multiplier + ceil(log2 C) * adder + 1
         + ceil(3u / La)              sigmoid of i, f, o holds the unit before
         + ceil(u / La) + a           tanh of g, whose result the cell update needs last
         + ceil(u / Le) + c           cell update
         + ceil(u / La) + a           tanh of c
         + ceil(u / Le) + h           hidden update

It holds if nothing else is in the chain's way: the activation unit has done a group's ops (3U/La + U/La + U/La for
groups of U) within m; the tanh(c) of the two groups before, which the activation unit takes between tanh(g) and tanh(c)
of the last one, fit into the a + ceil(u / Le) + c cycles in which it stands still; the accumulators have slots s with
(s - 1) m >= D + the activation of a group; x, issue and queues are no limit.

On edge_64x64 with LSTM(200, 1000): 63 tiles, m = ceil(1200 / 64) = 19, the last group has 1000 - 62 * 16 = 8 units:

    tail = (2 + 2 + 6 + 1) + ceil(24 / 16) + (1 + 6) + (1 + 4) + (1 + 6) + (1 + 2) = 11 + 2 + 7 + 5 + 7 + 3 = 35

fused_gate_major. The last group are u rows of o; c and tanh(c) were there long before:

    tail = D + ceil(u / La) + a + ceil(u / Le) + h

On edge_64x64 the last group has 1000 - 15 * 64 = 40 rows: tail = 11 + 3 + 6 + 3 + 2 = 25.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archsim.api import simulate
from archsim.arch import load_arch
from archsim.config import parse_override
from archsim.workload import load_workload


def stats(workload, schedule, *overrides):
    """The figures of a timing-only run on edge_64x64."""
    arch = load_arch("edge_64x64", [parse_override(text) for text in overrides])
    return simulate(arch, load_workload(workload), schedule, timing_only=True).stats


DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "microarchitecture.md").read_text(encoding="utf-8")
REFERENCE = "lstm_200_1000_t70"
SHORT = "lstm:200,1000,t=6"
BATCH_2 = "lstm:200,1000,t=6,b=2"
SMALL = "lstm:40,500,t=6"


class TestFusedInterleaved:
    @pytest.mark.parametrize(
        ("workload", "override", "cycles_per_step"),
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
        ],
    )
    def test_tiles_and_tail(self, workload, override, cycles_per_step):
        assert stats(workload, "fused_interleaved", override).cycles_per_step == cycles_per_step

    def test_where_the_queues_become_the_limit(self):
        """A cycle of SRAM latency costs a cycle a step, up to the point where 8 places in front of a unit are too few.

        D = 16 with m = 9: by then more ops wait for sums in front of the activation unit than there are places, and
        the array's next tile is issued too late (9 cycles a step are lost). Longer queues bring the closed form back.
        """
        deep = 32 * 9 + (16 + 1 + 7 + 5 + 7 + 3)
        read_latency = "weight_sram.read_latency_cycles=7"
        assert stats(SMALL, "fused_interleaved", read_latency, "sequencer.queue_depth=16").cycles_per_step == deep
        assert stats(SMALL, "fused_interleaved", read_latency).cycles_per_step > deep

    def test_a_step_of_the_reference_takes_1232_cycles(self):
        assert stats(REFERENCE, "fused_interleaved").cycles_per_step == 1232

    @pytest.mark.parametrize("banks", [64, 65])
    def test_the_bias_costs_no_cycle_where_k_is_a_multiple_of_the_columns(self, banks):
        """K = 1024 = 16 chunks, and 64 banks are exactly as wide as the array: 64 * 2048 = 64 * 64 * 32 bits.

        A full tile reads its 64 * 1024 * 32 bits in 16 cycles; were the 64 biases in their way, it would take 17, and a
        step 62 * 17 + 16 + 35 (the last tile has 32 rows). One bank more changes nothing.
        """
        found = stats("lstm:24,1000,t=6", "fused_interleaved", f"weight_sram.banks={banks}")
        assert found.cycles_per_step == 63 * 16 + (11 + 2 + 7 + 5 + 7 + 3)
        assert found.cycle_stack["wait_port"] == 0

    def test_the_bound_of_the_weight_sram_leaves_the_bias_out(self):
        """4000 * 1024 weights of 32 bits through 64 * 2048 bits: exactly 1000 cycles; the 4000 biases are not there."""
        assert stats("lstm:24,1000,t=6", "fused_interleaved").bounds["weight_sram"] == 1000


class TestFusedGateMajor:
    @pytest.mark.parametrize(
        ("workload", "override", "cycles_per_step"),
        [
            (REFERENCE, "clock_mhz=800", 64 * 19 + (11 + 3 + 6 + 3 + 2)),
            # 4 * 32 groups, the last of 1000 - 31 * 32 = 8 rows
            (SHORT, "mac_array.rows=32", 128 * 19 + (11 + 1 + 6 + 1 + 2)),
            (SHORT, "mac_array.columns=32", 64 * 38 + (10 + 3 + 6 + 3 + 2)),
            # B = 2: u = 80
            (BATCH_2, "clock_mhz=800", 64 * 38 + (11 + 5 + 6 + 5 + 2)),
            # 4 * 8 groups, the last of 500 - 7 * 64 = 52 rows
            (SMALL, "clock_mhz=800", 32 * 9 + (11 + 4 + 6 + 4 + 2)),
        ],
    )
    def test_tiles_and_tail(self, workload, override, cycles_per_step):
        assert stats(workload, "fused_gate_major", override).cycles_per_step == cycles_per_step

    def test_a_step_of_the_reference_takes_1241_cycles(self):
        assert stats(REFERENCE, "fused_gate_major").cycles_per_step == 1241


class TestSplitInterleaved:
    def test_a_step_of_the_reference_takes_1267_cycles(self):
        """8 slots: 7 x parts of ceil(200 / 64) = 4 cycles fill the drain of the step before, 28 of its 35 cycles.

        From h on: 63 h parts of ceil(1000 / 64) = 16, among them the other 56 x parts; then the tail as when fused.
        """
        assert stats(REFERENCE, "split_interleaved").cycles_per_step == 63 * 16 + (63 - 7) * 4 + 35


@pytest.mark.parametrize(("deferred", "cycles_per_step"), [(0, 152), (1, 95), (2, 81), (3, 77)])
def test_what_deferral_is_worth(monkeypatch, deferred, cycles_per_step):
    """The figures that archsim/schedules/cell.py quotes for its choice of DEFERRED_GROUPS: measured, not derived."""
    monkeypatch.setattr("archsim.schedules.cell.DEFERRED_GROUPS", deferred)
    assert stats("silero_vad", "fused_interleaved").cycles_per_step == cycles_per_step


class TestDocumentedExceptions:
    """More of these does not always mean fewer cycles (docs/microarchitecture.md, "Monotonicity").

    The numbers are measured, not derived: they are here so that the document cannot go stale.
    """

    @pytest.mark.parametrize(
        ("workload", "schedule", "parameter", "fewer", "more"),
        [
            ("silero_vad", "fused_interleaved", "mac_array.rows", (64, 58_474), (68, 61_996)),
            ("silero_vad", "fused_gate_major", "mac_array.rows", (48, 58_474), (56, 60_040)),
            ("silero_vad", "split_interleaved", "accumulators.entries", (512, 57_764), (576, 57_972)),
            (REFERENCE, "fused_interleaved", "mac_array.columns", (64, 1_288_856), (65, 1_288_926)),
            ("lstm_3_2_t4", "fused_interleaved", "input_buffer.prefetch_steps", (3, 464), (4, 467)),
            ("lstm_3_2_t4", "fused_interleaved", "dram.burst_bytes", (8, 415), (12, 418)),
        ],
    )
    def test_more_can_be_slower(self, workload, schedule, parameter, fewer, more):
        assert more[0] > fewer[0]
        assert more[1] > fewer[1]
        names = rf"{parameter}|{parameter.partition('.')[2]}"
        (row,) = re.findall(rf"^\| `(?:{names})`.*`edge_64x64`.*$", DOCUMENT, flags=re.MULTILINE)
        assert f"`{workload}`" in row
        assert schedule in row
        for value, cycles in (fewer, more):
            assert stats(workload, schedule, f"{parameter}={value}").latency_cycles == cycles
            assert re.search(rf"\b{value} [a-z]+ (\(\d+ slots\) )?{cycles:,}\b", row)
