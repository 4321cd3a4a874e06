"""How long ports hold an op whose steps wait for their words, derived by hand (docs/microarchitecture/units.md).

A word comes each cycle from the op's start on, in the order in which steps need them. A step goes in the cycle in which
its last word comes, or one after the step before it. The machine is by_hand.HAND_2X2, as in test_services_by_hand;
numbers have 32 bits, so that a port of 32 bits passes a value a cycle.
"""

from __future__ import annotations

import pytest

from archsim.families.cells.activation import Activate, GateRows
from archsim.families.cells.banks import C_BANK, GATE_BANKS, H_BANK, SUMS_BANK
from archsim.families.cells.lstm_ops import Peephole
from archsim.families.gemv.array.mac_tiles import BlockTile, MacTile
from archsim.hardware.unit import Service
from archsim.program.ir import DataKind
from archsim.workload import FunctionSpec
from tests.engines.events.test_services_by_hand import cell, hidden, load, mac_tile, region, service

FOUR_COLUMNS = ("mac_array.columns=4", "weight_sram.port_bits=1048576")
NARROW_X, NARROW_H = "input_buffer.port_bits=32", "state_buffer.port_bits=32"


class TestOperandsOnOnePort:
    @pytest.mark.parametrize(("units", "cycles"), [(1, 4), (2, 5), (4, 7), (8, 11), (12, 15)])
    def test_the_first_step_of_a_cell_update_waits_for_a_word_of_each(self, units: int, cycles: int) -> None:
        """1 lane. Words of i, f, g and c in cycles 0 to 3: unit 0 goes in cycle 3, then one each cycle: units + 3.

        A word has 4 values. The second ones, which unit 4 needs, come in cycles 4 to 7, and it goes in 3 + 4 = 7.
        """
        assert service(cell(units), "state_buffer.banks=one").port_cycles == cycles
        assert service(cell(units)).occupancy_cycles == units

    @pytest.mark.parametrize(("units", "cycles"), [(1, 2), (3, 4), (4, 5), (8, 9)])
    def test_that_of_a_hidden_update_for_two(self, units: int, cycles: int) -> None:
        assert service(hidden(units), "state_buffer.banks=one").port_cycles == cycles
        assert service(hidden(units)).occupancy_cycles == units

    def test_where_the_port_has_time_to_spare_later(self) -> None:
        """8 units on 4 lanes: 2 steps of a word of four operands. Step 0 in cycle 3, step 1 in cycle 7: 8 cycles.

        On 2 lanes, 4 steps: step 0 in cycle 3, 1 in 4, 2 when words 4 to 7 are there, in 7, 3 in 8: 9 cycles.
        """
        one = "state_buffer.banks=one"
        assert service(cell(8), one, "elementwise.lanes=4").port_cycles == 8
        assert service(cell(8), one, "elementwise.lanes=2").port_cycles == 9

    @pytest.mark.parametrize(("lanes", "cycles"), [(2, 4), (4, 4), (8, 4), (3, 4), (5, 4)])
    def test_the_cell_of_a_peephole_over_two_gates(self, lanes: int, cycles: int) -> None:
        """4 units, a value of c a cycle. Both gates of a unit lie side by side, so that c comes once, for both.

        2 lanes: a unit a step, with its c: 4. (Gate by gate c would be needed in the first two steps, and the last of
        four would go in cycle 5.) 4 lanes: 2 units a step, which go in cycles 1 and 3; 8 lanes: all in cycle 3. 3
        lanes: elements 0 to 2 have c of units 0 and 1, 3 to 5 of 1 and 2, 6 and 7 of 3: steps in cycles 1, 2 and 3. 5
        lanes: elements 0 to 4 have c of units 0, 1 and 2, the others of 2 and 3: steps in cycles 2 and 3.
        """
        peephole = Peephole(
            unit="elementwise",
            label="p",
            weights=region("bias_buffer", 8),
            cell=region("state_buffer", 4, bank=C_BANK),
            target=region("accumulators", 8),
        )
        sets = (f"elementwise.lanes={lanes}", NARROW_H, "bias_buffer={capacity_bytes: 1KiB}")
        assert service(peephole, *sets).occupancy_cycles == cycles


class TestVectors:
    def test_x_behind_a_narrow_port_and_then_h(self) -> None:
        """x of 8 and h of 8 on 4 columns: 4 chunks. x comes a value a cycle: chunk 0 goes in cycle 3, chunk 1 in 7.

        Those of h follow, in 8 and 9: 10 cycles, though there are 8 words.
        """
        assert service(mac_tile(2, 8, hidden=8), *FOUR_COLUMNS, NARROW_X).port_cycles == 10

    def test_x_and_then_h_behind_a_narrow_port(self) -> None:
        """h's values come while the chunks of x go: chunk 2 in cycle 3, chunk 3 in 7: 8 cycles, the words alone."""
        assert service(mac_tile(2, 8, hidden=8), *FOUR_COLUMNS, NARROW_H).port_cycles == 8

    def test_a_chunk_of_both(self) -> None:
        """x of 6 and h of 6 on 4 columns: x 0-3, x 4-5 and h 0-1, h 2-5. Each comes a value a cycle.

        The chunks go in cycles 3 (x 3), 5 (x 5) and 6, as h 5 has come in 5: 7 cycles.
        """
        assert service(mac_tile(2, 6, hidden=6), *FOUR_COLUMNS, NARROW_X, NARROW_H).port_cycles == 7

    def test_two_accumulations_do_not_share_a_chunk(self) -> None:
        """In int8 x 0-3, x 4-5, h 0-3, h 4-5: cycles 3, 5, 6 and 7."""
        formats = "formats=tflite_int8"
        assert service(mac_tile(2, 6, hidden=6), *FOUR_COLUMNS, NARROW_X, NARROW_H, formats).port_cycles == 8

    @pytest.mark.parametrize(("values_a_word", "words"), [(2, 4), (3, 3), (4, 2), (5, 2), (8, 1)])
    def test_a_word_that_serves_several_steps(self, values_a_word: int, words: int) -> None:
        """x of 8 on 2 columns, 4 chunks. A word of 2 values or more is always there in time: the words alone."""
        width = f"input_buffer.port_bits={32 * values_a_word}"
        assert service(mac_tile(2, 8), "weight_sram.port_bits=1024", width) == Service(4, words, 4, write_cycles=1)

    def test_words_that_are_cut_otherwise_than_chunks(self) -> None:
        """x of 8 on 4 columns, 2 chunks, in words of 3 values: chunk 0 needs words 0 and 1, chunk 1 words 1 and 2.

        They go in cycles 1 and 2. In words of 2 values: 0 and 1, 2 and 3: cycles 1 and 3.
        """
        assert service(mac_tile(2, 8), *FOUR_COLUMNS, "input_buffer.port_bits=96").port_cycles == 3
        assert service(mac_tile(2, 8), *FOUR_COLUMNS, "input_buffer.port_bits=64").port_cycles == 4

    def test_the_vectors_of_a_batch_take_turns(self) -> None:
        """x of 4 and 2 vectors on 4 columns: one chunk, 2 steps. The values of vector 0 come first, then those of 1.

        A value a cycle: steps in 3 and 7. Two a cycle: in 1 and 3.
        """
        assert service(mac_tile(2, 4, 2), *FOUR_COLUMNS, NARROW_X).port_cycles == 8
        assert service(mac_tile(2, 4, 2), *FOUR_COLUMNS, "input_buffer.port_bits=64").port_cycles == 4


class TestWeightsOfABatch:
    @pytest.mark.parametrize(("batch", "cycles"), [(1, 8), (2, 9), (3, 10), (4, 11), (5, 13), (8, 19)])
    def test_a_chunk_waits_for_all_its_weights_and_they_stay(self, batch: int, cycles: int) -> None:
        """2 rows of 8 weights on 4 columns: a chunk is 8 weights, 4 words of 2. Chunk 0 goes in cycles 3 .. 3 + B - 1.

        Chunk 1 has its words in cycles 4 to 7: it begins in cycle 7, or when chunk 0 is over, in 3 + B, and takes B
        cycles. B = 1: 7 + 1; B = 4: 7 + 4; B = 5: 8 + 5; B = 8: 11 + 8.
        """
        narrow = ("mac_array.columns=4", "weight_sram.banks=1")
        assert service(mac_tile(2, 8, batch), *narrow).port_cycles == cycles

    def test_in_time_they_cost_nothing(self) -> None:
        """A chunk of 8 weights a word, and all of x in one: 2 words, the second 4 steps before it is needed."""
        wide = ("mac_array.columns=4", "weight_sram.port_bits=128", "input_buffer.port_bits=1024")
        assert service(mac_tile(2, 8, 4), *wide) == Service(8, 2, 5, write_cycles=4)


class TestColumnsApart:
    @pytest.mark.parametrize(
        ("inputs", "port_bits", "cycles"),
        [
            (6, 160, 2),  # a word for each chunk
            (6, 80, 4),  # two words a chunk: chunk 0 goes in cycle 1, chunk 1 in cycle 3
            (7, 160, 3),  # chunks of 3 + 2, 3 + 2 and 1 + 0 columns: the third word is a fifth full
            (9, 80, 6),  # the third chunk has 3 x 2 weights, 192 bits: with the 640 before them 832, 6 words of 160
        ],
    )
    def test_a_word_has_the_weights_of_all_columns(self, inputs: int, port_bits: int, cycles: int) -> None:
        """3 columns of x beside 2 of h, which has 4: in each of 2 rows a chunk of 3 + 2 weights of 32 bits.

        Two banks, one a row: 2 x 160 = 320 bits are what a chunk needs.
        """
        apart = ("mac_array.columns=5", "mac_array.x_columns=3", f"weight_sram.port_bits={port_bits}")
        wide = ("input_buffer.port_bits=1024", "state_buffer.port_bits=1024")
        assert service(mac_tile(2, inputs, hidden=4), *apart, *wide).port_cycles == cycles


class TestResults:
    # i, f and o of 2 hidden units.
    @pytest.mark.parametrize(
        ("port_bits", "port_cycles", "write_cycles"), [(128, 1, 1), (64, 1, 1), (32, 2, 2), (16, 8, 4), (8, 12, 8)]
    )
    def test_three_gates_to_three_banks(self, port_bits: int, port_cycles: int, write_cycles: int) -> None:
        """A value a cycle: i in 0 and 1, f in 2 and 3, o in 4 and 5. A word a value: each is written as it is made.

        A value in two words: o's are written in 4, 5, 6 and 7: 8 cycles. In four: 4 to 11. i and f have time.
        """
        found = service(gates(2), f"state_buffer.port_bits={port_bits}")
        assert found == Service(6, port_cycles, 2, write_cycles=write_cycles)

    @pytest.mark.parametrize(
        ("lanes", "banks", "port_cycles", "write_cycles"),
        [(6, "by_kind", 1, 1), (6, "one", 2, 2), (4, "by_kind", 1, 1), (4, "one", 2, 2)],
    )
    def test_that_are_made_side_by_side(self, lanes: int, banks: str, port_cycles: int, write_cycles: int) -> None:
        """6 lanes make all in cycle 0: a word in each of three banks, or 192 bits, 2 words of 128, in one.

        4 lanes make i and f in cycle 0, o in cycle 1: in one bank word 0 goes in 0, word 1 in 1.
        """
        overrides = f"activation.lanes={lanes}", f"state_buffer.banks={banks}"
        found = service(gates(2), *overrides)
        assert found == Service(-(-6 // lanes), port_cycles, 2, write_cycles=write_cycles)

    def test_what_is_made_last_is_written_last(self) -> None:
        """4 lanes, a value a word: i and f are made in cycle 0 and written in 0 and 1; o in 1, written in 1 and 2.

        In one bank: i and f in 0 to 3, o in 4 and 5.
        """
        narrow = "activation.lanes=4", "state_buffer.port_bits=32"
        assert service(gates(2), *narrow) == Service(2, 3, 2, write_cycles=2)
        assert service(gates(2), *narrow, "state_buffer.banks=one") == Service(2, 6, 2, write_cycles=6)

    def test_a_load_writes_words_as_they_are_whole(self) -> None:
        """5 values at one a cycle are 3 bursts, 6 cycles. Words of 3 are whole in cycles 2 and 4 (of 2 values).

        Words of half a value: value v is made in cycle v, and its words are written in 2 v and 2 v + 1: 10 cycles.
        """
        assert service(load(5), "input_buffer.port_bits=96") == Service(6, 2, 5, write_cycles=2)
        assert service(load(5), "input_buffer.port_bits=16") == Service(6, 10, 5, write_cycles=10)


class TestSums:
    @pytest.mark.parametrize(
        ("port_bits", "occupancy", "depth", "write_cycles"),
        [(128, 8, 4, 4), (64, 8, 4, 4), (32, 8, 8, 8), (16, 16, 16, 16)],
    )
    def test_sums_of_a_block_drain_a_vector_a_cycle(
        self, port_bits: int, occupancy: int, depth: int, write_cycles: int
    ) -> None:
        """2 rows of 4 weights, 2 steps of 2 vectors: 2 chunks of 4 vectors, 8 cycles. Each vector has 2 sums, 64 bits.

        A word or more a vector: nothing waits. 2 words a vector: 8 words, 4 more than vectors, so that the last ones
        come 4 cycles later. 4 words a vector: 16 words; the array takes no more in those 16 cycles.
        """
        wide = ("weight_sram.port_bits=1024", "input_buffer.port_bits=1024")
        found = service(block_tile(2, 4, 2, 2), *wide, f"state_buffer.port_bits={port_bits}")
        assert (found.compute_cycles, found.occupancy_cycles) == (8, occupancy)
        assert (found.depth_cycles, found.write_cycles) == (depth, write_cycles)

    @pytest.mark.parametrize(("port_bits", "port_cycles"), [(128, 4), (64, 9), (32, 17)])
    def test_the_vectors_of_a_block(self, port_bits: int, port_cycles: int) -> None:
        """The same tile: chunk 0 of both vectors of step 0 is 4 values, which come together, then that of step 1.

        In words of 4 values they come in cycles 0 to 3, for steps 0, 2, 4 and 6. In words of 2 in 0 to 7, two and two.
        The first goes in cycle 1 then, the others in cycles 3, 5 and 7, each for 2 cycles: 9. A value a word: the last
        four are there in cycle 15, and two vectors pass: 17.
        """
        wide = ("weight_sram.port_bits=1024", "state_buffer.port_bits=1024")
        found = service(block_tile(2, 4, 2, 2), *wide, f"input_buffer.port_bits={port_bits}")
        assert found.port_cycles == port_cycles

    def test_sums_that_a_tile_begins_with_are_needed_last(self) -> None:
        """h of 8 on 2 columns, 4 chunks, a value a word: 1, 3, 5 and 7. The 2 sums have a bank of their own: 8 cycles.

        Behind the same port they come after h, in cycles 8 and 9, and the last chunk with them: 10.
        """
        tile = MacTile(
            unit="mac_array",
            label="tile",
            weights=(region("weight_sram", 2, 8, DataKind.W_HH),),
            vectors=(region("state_buffer", 8, bank=H_BANK),),
            sums=region("accumulators", 2),
            start=True,
            onto=region("state_buffer", 2, bank=SUMS_BANK),
        )
        wide = ("weight_sram.port_bits=1024", NARROW_H)
        assert service(tile, *wide).port_cycles == 8
        assert service(tile, *wide, "state_buffer.banks=one").port_cycles == 10


def gates(units: int) -> Activate:
    """i, f and o of so many hidden units."""
    names = tuple(GateRows(name, 0, units) for name in "ifo")
    target = region("state_buffer", 3 * units, bank=GATE_BANKS)
    function, source = FunctionSpec("sigmoid"), region("accumulators", 3 * units)
    return Activate(unit="activation", label="a", function=function, source=source, target=target, gates=names)


def block_tile(rows: int, inputs: int, steps: int, batch: int) -> BlockTile:
    """W_ih x of a block of steps."""
    return BlockTile(
        unit="mac_array",
        label="tile",
        weights=region("weight_sram", rows, inputs, DataKind.W_IH),
        vectors=tuple(region("input_buffer", inputs, batch) for _ in range(steps)),
        sums=tuple(region("state_buffer", rows, batch, bank=SUMS_BANK) for _ in range(steps)),
    )
