"""How long single ops take: compute, port and depth cycles of every unit, as numbers worked out by hand.

The machine is by_hand.HAND_2X2: ports of 128 bits everywhere, of the state buffer in a bank for each kind of data;
32-bit numbers, so 4 elements a cycle through a port. What early steps wait for is in test_ports_by_hand.
"""

from __future__ import annotations

import pytest

from archsim.families.cells.activation import Activate
from archsim.families.cells.banks import C_BANK, GATE_BANKS, H_BANK, SCRATCH_BANK
from archsim.families.cells.lstm_ops import CellUpdate, HiddenUpdate
from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.registry import build_units
from archsim.formats import Float32
from archsim.hardware.dram.transfers import Transfer
from archsim.hardware.unit import Service
from archsim.program.ir import Buffer, DataKind, Op, Region
from archsim.workload import FunctionSpec
from tests.engines.events.by_hand import hand_machine

WIDE = ("weight_sram.port_bits=1048576", "input_buffer.port_bits=1048576", "state_buffer.port_bits=1048576")
"""Ports that are never the limit."""


def region(memory: str, entries: int, width: int = 1, kind: DataKind = DataKind.GATE, bank: str = "") -> Region:
    """All entries of a buffer of that memory, in a bank of it."""
    return Region(Buffer("any", memory, kind, entries, width, Float32(), bank=bank), 0, entries)


def service(op: Op, *overrides: str) -> Service:
    return build_units(hand_machine(*overrides).config)[op.unit].cycles(op)


def mac_tile(rows: int, inputs: int, batch: int = 1, *, bias: bool = False, hidden: int = 0) -> MacTile:
    """W x (x in the input buffer) and, if `hidden`, W h (h in the state buffer) onto the same sums."""
    weights = [region("weight_sram", rows, inputs, DataKind.W_IH)]
    vectors = [region("input_buffer", inputs, batch)]
    if hidden:
        weights.append(region("weight_sram", rows, hidden, DataKind.W_HH))
        vectors.append(region("state_buffer", hidden, batch))
    return MacTile(
        unit="mac_array",
        label="tile",
        weights=tuple(weights),
        vectors=tuple(vectors),
        sums=region("accumulators", rows, batch),
        start=bias,
        bias=region("weight_sram", rows) if bias else None,
    )


class TestMacArray:
    @pytest.mark.parametrize(
        ("columns", "cycles_of_1_to_9_inputs"),
        [
            (1, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
            (2, [1, 1, 2, 2, 3, 3, 4, 4, 5]),
            (3, [1, 1, 1, 2, 2, 2, 3, 3, 3]),
            (4, [1, 1, 1, 1, 2, 2, 2, 2, 3]),
            (9, [1, 1, 1, 1, 1, 1, 1, 1, 1]),
        ],
    )
    def test_a_chunk_of_c_inputs_a_cycle(self, columns: int, cycles_of_1_to_9_inputs: list[int]) -> None:
        """A tile of K inputs takes exactly ceil(K / C) cycles, however few of its rows are used."""
        for rows in (1, 2):
            tiles = [mac_tile(rows, inputs) for inputs in range(1, 10)]
            found = [service(tile, f"mac_array.columns={columns}", *WIDE).compute_cycles for tile in tiles]
            assert found == cycles_of_1_to_9_inputs

    @pytest.mark.parametrize(("batch", "cycles"), [(1, 3), (2, 6), (5, 15)])
    def test_each_chunk_takes_a_cycle_for_each_vector_of_the_batch(self, batch: int, cycles: int) -> None:
        """K = 5 on 2 columns: 3 chunks."""
        assert service(mac_tile(2, 5, batch), *WIDE).occupancy_cycles == cycles

    def test_the_chunks_run_over_the_concatenated_inputs(self) -> None:
        """x of 3 and h of 2 are one vector of 5: 3 chunks, not 2 + 1 of each; x of 3 and h of 3: 3, not 2 + 2."""
        assert service(mac_tile(2, 3, hidden=2), *WIDE).compute_cycles == 3
        assert service(mac_tile(2, 3, hidden=3), *WIDE).compute_cycles == 3

    @pytest.mark.parametrize(
        ("columns", "depth"), [(1, 5 + 3 + 0 + 1), (2, 5 + 3 + 2 + 1), (3, 5 + 3 + 4 + 1), (4, 5 + 3 + 4 + 1)]
    )
    def test_depth(self, columns: int, depth: int) -> None:
        """SRAM read 5, multiplier 3, ceil(log2 C) tree levels of 2 cycles each, accumulator of integers 1."""
        latencies = ("weight_sram.read_latency_cycles=5", "mac_array.multiplier_latency_cycles=3")
        overrides = (f"mac_array.columns={columns}", "mac_array.adder_latency_cycles=2", "formats=q4.12")
        assert service(mac_tile(2, 4), *latencies, *overrides).depth_cycles == depth

    @pytest.mark.parametrize(("columns", "levels"), [(5, 3), (8, 3), (9, 4), (64, 6), (65, 7)])
    def test_levels_of_the_adder_tree(self, columns: int, levels: int) -> None:
        """The depth of HAND_2X2 is 1 + 1 + levels + 1."""
        assert service(mac_tile(2, 4), f"mac_array.columns={columns}").depth_cycles == 3 + levels

    @pytest.mark.parametrize("bias", [False, True])
    @pytest.mark.parametrize(("inputs", "cycles"), [(2, 1), (3, 2), (4, 2), (5, 3), (6, 3), (64, 32)])
    def test_the_bias_does_not_use_the_weight_port(self, inputs: int, cycles: int, bias: bool) -> None:
        """The port is exactly R * C = 4 weights wide: 2 banks of 64 bits. Two rows of K weights are 64 K bits: K / 2.

        The two biases are 64 bits; wherever K is a multiple of C = 2 they would need a cycle more.
        """
        assert service(mac_tile(2, inputs, bias=bias)) == Service(cycles, cycles, 4, write_cycles=1)

    @pytest.mark.parametrize("bias", [False, True])
    def test_a_narrow_weight_port(self, bias: bool) -> None:
        """K = 6 on 2 columns: 3 chunks. 2 * 6 * 32 = 384 bits through 2 * 48 = 96 bits: 4 cycles, with biases 5."""
        assert service(mac_tile(2, 6, bias=bias), "weight_sram.port_bits=48") == Service(3, 4, 4, write_cycles=1)

    def test_banks_add_up(self) -> None:
        """2 * 5 * 32 = 320 bits of a tile with K = 5: 5 cycles through 1 * 64, 3 through 2 * 64, 2 through 3 * 64."""
        tile = mac_tile(2, 5, bias=True)
        found = [service(tile, f"weight_sram.banks={banks}").port_cycles for banks in (1, 2, 3)]
        assert found == [5, 3, 2]

    def test_the_batch_reads_the_weights_once(self) -> None:
        """K = 5, B = 4: 12 cycles of chunks; the 320 bits of the weights pass in 3, x (5*4*32 = 640 bits) in 5.

        The sums of a vector pass into the accumulators in a cycle.
        """
        assert service(mac_tile(2, 5, 4, bias=True)) == Service(12, 5, 4, write_cycles=4)

    @pytest.mark.parametrize(
        ("inputs", "batch", "depth"),
        [(2, 1, 8), (4, 1, 11), (6, 1, 14), (8, 1, 14), (6, 2, 11), (6, 3, 8), (6, 4, 8)],
    )
    def test_an_adder_of_three_stages(self, inputs: int, batch: int, depth: int) -> None:
        """Float32 on 2 columns: read 1, multiplier 1, one level of 3 cycles, and each addition to a sum takes 3: 8.

        With B = 1 chunk n adds to the partial sum that chunk n - 3 left: three of them, as far as there are chunks
        (K / 2). One needs nothing more: 8. Two are added in 3 cycles: 11; three in two levels: 14. Two vectors take
        turns, so that one has ceil(3 / 2) = 2; three leave one.
        """
        tile = mac_tile(2, inputs, batch, bias=True)
        assert service(tile, "mac_array.adder_latency_cycles=3").depth_cycles == depth

    def test_a_tile_that_goes_on_with_sums_finds_all_its_partial_sums(self) -> None:
        """One chunk alone, but the tile before has left three partial sums: 14."""
        assert not mac_tile(2, 2).start
        assert service(mac_tile(2, 2), "mac_array.adder_latency_cycles=3").depth_cycles == 14

    def test_integers_are_added_in_a_cycle(self) -> None:
        """Read 1, multiplier 1, one level of 3 and 1: 6."""
        overrides = "mac_array.adder_latency_cycles=3", "formats=q4.12"
        assert service(mac_tile(2, 6), *overrides).depth_cycles == 6

    def test_each_memory_has_its_own_port(self) -> None:
        """x: 8 * 32 = 256 bits = 2 cycles of the input buffer; h: 12 * 32 = 384 = 3 of the state buffer; not 5.

        The weights of one row (20 * 32 = 640 bits) take 5 of the weight port, which does not add up with them either.
        """
        tile = mac_tile(1, 8, hidden=12)
        assert service(tile, "weight_sram.port_bits=1048576").port_cycles == 3
        assert service(tile).port_cycles == 5


class TestActivation:
    @pytest.mark.parametrize(
        ("lanes", "cycles_of_1_to_7_values"),
        [(1, [1, 2, 3, 4, 5, 6, 7]), (2, [1, 1, 2, 2, 3, 3, 4]), (4, [1, 1, 1, 1, 2, 2, 2])],
    )
    def test_lanes(self, lanes: int, cycles_of_1_to_7_values: list[int]) -> None:
        found = [service(activate(n), f"activation.lanes={lanes}", *WIDE).occupancy_cycles for n in range(1, 8)]
        assert found == cycles_of_1_to_7_values

    def test_the_batch_counts(self) -> None:
        """3 values of 5 vectors: 15 values, 8 cycles on 2 lanes; all of them are written in one."""
        assert service(activate(3, batch=5), "activation.lanes=2", *WIDE) == Service(8, 1, 2, write_cycles=1)

    def test_depth_is_the_units_latency(self) -> None:
        assert service(activate(1), "activation.latency_cycles=7").depth_cycles == 7

    def test_the_port_of_the_state_buffer(self) -> None:
        """8 lanes, 8 values: 1 cycle of the lanes, but writing 256 bits through 128 takes 2; the sums have no limit."""
        assert service(activate(8), "activation.lanes=8") == Service(1, 2, 2, write_cycles=2)


class TestElementwise:
    @pytest.mark.parametrize(("lanes", "cycles_of_1_to_5_units"), [(1, [1, 2, 3, 4, 5]), (2, [1, 1, 2, 2, 3])])
    def test_lanes(self, lanes: int, cycles_of_1_to_5_units: list[int]) -> None:
        for make in (cell, hidden):
            found = [service(make(n), f"elementwise.lanes={lanes}", *WIDE) for n in range(1, 6)]
            assert [s.occupancy_cycles for s in found] == cycles_of_1_to_5_units

    def test_depths_differ_by_kind(self) -> None:
        latencies = ("elementwise.cell_latency_cycles=6", "elementwise.hidden_latency_cycles=3")
        assert (service(cell(1), *latencies).depth_cycles, service(hidden(1), *latencies).depth_cycles) == (
            6,
            3,
        )

    def test_operands_in_banks_of_their_own_come_side_by_side(self) -> None:
        """4 lanes, 4 units: i, f, g and c are 4 * 32 = 128 bits each, a word of four banks; o and tanh(c) of two.

        A word of 64 bits has half of them: 2 cycles, and for the result too.
        """
        assert service(cell(4), "elementwise.lanes=4") == Service(1, 1, 2, write_cycles=1)
        assert service(hidden(4), "elementwise.lanes=4") == Service(1, 1, 1, write_cycles=1)
        narrow = ("elementwise.lanes=4", "state_buffer.port_bits=64")
        assert service(cell(4), *narrow) == Service(1, 2, 2, write_cycles=2)
        assert service(hidden(4), *narrow) == Service(1, 2, 1, write_cycles=2)

    def test_operands_in_one_bank_take_turns(self) -> None:
        """The same behind one port: a word of each of i, f, g and c, 4 cycles; writing c is one.

        A hidden update reads o and tanh(c): 2 cycles.
        """
        one = ("elementwise.lanes=4", "state_buffer.banks=one")
        assert service(cell(4), *one) == Service(1, 4, 2, write_cycles=1)
        assert service(hidden(4), *one) == Service(1, 2, 1, write_cycles=1)

    def test_words_are_not_shared_by_operands(self) -> None:
        """1 unit: the 32 bits of each of four operands would fit into one word of 128, but lie in different ones."""
        assert service(cell(1), "state_buffer.banks=one") == Service(1, 4, 2, write_cycles=1)
        assert service(hidden(1), "state_buffer.banks=one") == Service(1, 2, 1, write_cycles=1)

    def test_reading_and_writing_do_not_add_up(self) -> None:
        """8 units on 8 lanes: reading o and tanh(c), 2 words each, takes 4 cycles, writing 2 beside it: 4."""
        found = service(hidden(8), "elementwise.lanes=8", "state_buffer.banks=one")
        assert found == Service(1, 4, 1, write_cycles=2)


class TestDram:
    # 4 bytes a cycle, bursts of 8 bytes, depth 5.
    @pytest.mark.parametrize(
        ("elements", "cycles"),
        [(1, 2), (2, 2), (3, 4), (4, 4), (5, 6)],
    )
    def test_whole_bursts(self, elements: int, cycles: int) -> None:
        """4 bytes move 8 (2 cycles), 12 bytes move 16 (4 cycles), 20 bytes 24 (6)."""
        beats = 1 if elements <= 4 else 2  # of 128 bits into the input buffer
        assert service(load(elements)) == Service(cycles, beats, 5, write_cycles=beats)

    def test_pieces_in_different_places_round_up_one_by_one(self) -> None:
        """24 bytes in a row are 3 bursts, 6 cycles; twice 12 bytes are 2 bursts each, 8 cycles."""
        assert service(load(6)).compute_cycles == 6
        assert service(load(3, 3)).compute_cycles == 8

    def test_cycles_round_up_once_an_op(self) -> None:
        """At 3 bytes a cycle: 8 bytes 3 cycles (2.67), but 2 pieces of 8 are 16 / 3 = 5.33, 6; 3 pieces exactly 8."""
        slow = "dram.bandwidth_bytes_per_cycle=3"
        assert [service(load(*[2] * n), slow).compute_cycles for n in (1, 2, 3)] == [3, 6, 8]

    @pytest.mark.parametrize(
        ("bandwidth", "elements", "cycles"),
        [("0.1", 2, 80), ("0.5", 2, 16), ("12.8", 32, 10), ("1.1", 22, 80)],
    )
    def test_the_bandwidth_is_the_decimal_number_that_was_written(
        self, bandwidth: str, elements: int, cycles: int
    ) -> None:
        """88 / 1.1 is exactly 80, though binary fractions would give a little less or more."""
        assert service(load(elements), f"dram.bandwidth_bytes_per_cycle={bandwidth}", *WIDE).occupancy_cycles == cycles

    def test_a_fast_dram_is_bound_by_the_buffers_port(self) -> None:
        """32 bytes at 64 bytes a cycle: 1 cycle; the input buffer takes 256 bits through 128: 2."""
        assert service(load(8), "dram.bandwidth_bytes_per_cycle=64") == Service(1, 2, 5, write_cycles=2)

    def test_a_store_is_a_transfer_too(self) -> None:
        """3 elements from the state buffer: 12 bytes, 2 bursts; it writes nothing through a port of the chip."""
        store = Transfer(unit="dram", label="store", sources=(region("state_buffer", 3),), target=region("dram", 3))
        assert service(store) == Service(4, 1, 5)


def activate(values: int, batch: int = 1) -> Activate:
    source, target = region("accumulators", values, batch), region("state_buffer", values, batch)
    return Activate(unit="activation", label="a", function=FunctionSpec("tanh"), source=source, target=target)


def cell(units: int) -> CellUpdate:
    gate, c = region("state_buffer", units, bank=GATE_BANKS), region("state_buffer", units, bank=C_BANK)
    return CellUpdate(unit="elementwise", label="c", input_gate=gate, forget_gate=gate, candidate=gate, target=c)


def hidden(units: int) -> HiddenUpdate:
    gate, tanh_c = region("state_buffer", units, bank=GATE_BANKS), region("state_buffer", units, bank=SCRATCH_BANK)
    h = region("state_buffer", units, bank=H_BANK)
    return HiddenUpdate(unit="elementwise", label="h", output_gate=gate, tanh_cell=tanh_c, target=h)


def load(*pieces: int) -> Transfer:
    """A load of so many elements from each of several places in DRAM into the input buffer."""
    sources = tuple(region("dram", elements) for elements in pieces)
    return Transfer(unit="dram", label="load", sources=sources, target=region("input_buffer", sum(pieces)))
