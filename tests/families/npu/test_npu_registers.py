"""What lies in the register files and FIFOs of the family npu, on a machine on which no two parameters are equal."""

from __future__ import annotations

import pytest

from archsim.errors import CapacityError, ScheduleError
from archsim.families.npu.chain_ops import uses_of
from archsim.families.npu.config import MFU0_ADD, MFU0_MULTIPLY, MFU1_ADD, MFU1_MULTIPLY
from archsim.hardware.storage import Registers, Sram
from archsim.program.ir import DataKind
from archsim.workload import CellKind
from archsim.workload.network import MergeMode
from tests.families.npu.unequal import LOAD, build, config
from tests.strategies import network


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


@pytest.mark.parametrize(("depth", "slots"), [(30, 1), (59, 1), (60, 2), (100 * 30, 20)])
def test_slots_of_the_fifos(depth: int, slots: int) -> None:
    """A part is 15 words for each of 2 sequences: 30. Ten chains a step, and parts of two steps at most."""
    found = {b.slots for b in build(LOAD, f"fifos.depth_words={depth}").buffers if b.name.startswith("fifo.")}
    assert found == {slots}


def test_a_fifo_that_cannot_hold_a_part() -> None:
    with pytest.raises(CapacityError, match=r"30 words.*29|29.*30 words") as caught:
        build(LOAD, "fifos.depth_words=29")
    assert (caught.value.need, caught.value.have, caught.value.knobs) == (30, 29, ("more fifos.depth_words",))


def test_the_words_on_their_way_to_the_registers_never_wait() -> None:
    """From the loader to the write-back two slots, of the longest part and of x; FIFOs and these lie in one memory."""
    found = {b.name: b for b in build(LOAD).buffers if b.name.startswith(("fifo.", "wire."))}
    units = ["fifo.mvu", "fifo.evrf", "fifo.mfu0", "fifo.mfu1"]
    assert list(found) == [*units, "wire.chain", "wire.x"]
    assert {(b.memory, b.kind, b.stream) for b in found.values()} == {("fifo", DataKind.STREAM, True)}
    assert [(found[name].entries, found[name].slots) for name in ("wire.chain", "wire.x")] == [(13, 2), (50, 2)]
    assert {found[name].entries for name in units} == {13}


def test_long_vectors_in_a_register_file() -> None:
    """c of 116 numbers: 29 words for each of 2 sequences, more than the 15 of a chunk. Matrices: 4 gates of 24 row
    blocks, with 3 column blocks of x and 6 of h."""
    load = network(kind=CellKind.LSTM, input_size=50, hidden_size=116, steps=2, batch=3)
    build(load, "evrf.depth_words=58")
    with pytest.raises(CapacityError) as caught:
        build(load, "evrf.depth_words=57")
    assert (caught.value.need, caught.value.needed_for) == (58, "c 58")
    build(load, f"mvu.matrix_depth_words={4 * 24 * (3 + 6)}")
    with pytest.raises(CapacityError) as caught:
        build(load, "mvu.matrix_depth_words=863")
    assert (caught.value.need, caught.value.needed_for) == (864, "W_ih 288 + W_hh 576")


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


def test_storages_are_rounded_down_to_bytes() -> None:
    """A core with words of 3 numbers of 25 bits: 11 words are 825 bits, 103 bytes and one, 13 are 975."""
    sets = ("mvu.cores=1", "mfu.lanes=3", "formats.accumulator=int25", "mfu.depth_words=11", "evrf.depth_words=13")
    found = config(*sets).storages()
    assert (found[MFU0_ADD], found["evrf"]) == (Sram(1, 103, 75, True), Sram(1, 121, 75, True))


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"layer_norm": True}, "layer normalization"),
        ({"bidirectional": True, "merge_mode": MergeMode.SUM}, r"merged directions \(merge_mode\)"),
        ({"peepholes": True, "proj_size": 3}, "a projection, peepholes"),
    ],
)
def test_what_no_chain_computes(fields: dict[str, object], what: str) -> None:
    """All of it is named in one line."""
    load = network(**{"kind": CellKind.LSTM, "input_size": 50, "hidden_size": 13, "steps": 2, "batch": 3, **fields})
    with pytest.raises(
        ScheduleError, match=f"^--schedule chains: machines of the family npu have no chains for {what}$"
    ):
        build(load)


@pytest.mark.parametrize(
    ("kind", "options", "hidden", "wanted"),
    [
        (
            CellKind.LSTM,
            {},
            13,
            "W_ih mvu_mrf 52 1, W_hh mvu_mrf 52 1, bias mvu_bias 52 1, x mvu_vrf 50 2, h mvu_vrf 13 1, "
            "x_f mfu0_add 13 1, x_g mfu0_add 13 1, x_i mfu0_add 13 1, x_o mfu0_add 13 1, f mfu0_mul 13 1, "
            "i mfu1_mul 13 1, o mfu0_mul 13 1, ig mfu1_add 13 1, c evrf 13 1, dram.c_n host 13 1",
        ),
        (
            CellKind.GRU,
            {"linear_before_reset": False},
            13,
            "W_ih mvu_mrf 39 1, W_hh mvu_mrf 39 1, bias mvu_bias 39 1, x mvu_vrf 50 2, h mvu_vrf 13 1, "
            "x_z mfu0_add 13 1, x_r mfu0_add 13 1, x_n mfu0_add 13 1, 1-z mfu0_mul 13 1, 1-z.add mfu0_add 13 1, "
            "zh mfu1_add 13 1, h.mul mfu1_mul 13 1, vector mvu_vrf 13 1, n evrf 13 1",
        ),
        (  # b_hn behind the other biases; x_n waits in the second unit
            CellKind.GRU,
            {"linear_before_reset": True},
            13,
            "W_ih mvu_mrf 39 1, W_hh mvu_mrf 39 1, bias mvu_bias 52 1, x mvu_vrf 50 2, h mvu_vrf 13 1, "
            "x_z mfu0_add 13 1, x_r mfu0_add 13 1, x_n mfu1_add 13 1, 1-z mfu0_mul 13 1, 1-z.add mfu0_add 13 1, "
            "zh mfu1_add 13 1, h.mul mfu1_mul 13 1, r mfu0_mul 13 1, candidate evrf 13 1",
        ),
        (
            CellKind.RNN,
            {"bias": False},
            13,
            "W_ih mvu_mrf 13 1, W_hh mvu_mrf 13 1, x mvu_vrf 50 2, h mvu_vrf 13 1, x_h mfu0_add 13 1",
        ),
        (  # two parts, of which the later one needs the old h
            CellKind.RNN,
            {"bias": False},
            116,
            "W_ih mvu_mrf 116 1, W_hh mvu_mrf 116 1, x mvu_vrf 50 2, h mvu_vrf 116 2, x_h mfu0_add 116 1",
        ),
    ],
)
def test_the_registers_of_a_cell(kind: CellKind, options: dict[str, object], hidden: int, wanted: str) -> None:
    """Name, register file, numbers and slots of each, in order: each vector lies where what reads it is."""
    load = network(kind=kind, input_size=50, hidden_size=hidden, steps=2, batch=3, **options)
    outside = ("dram.x", "dram.output", "fifo.", "wire.")
    held = [buffer for buffer in build(load).buffers if not buffer.name.startswith(outside)]
    assert ", ".join(f"{b.name} {b.memory} {b.entries} {b.slots}" for b in held) == wanted
