"""The instructions of chains as ops, one by one: units left out, padding, parts, loads and what the host gets."""

from __future__ import annotations

from archsim.families.npu.chain_words import Idle, StreamOp
from archsim.families.npu.mvu import MatVec
from archsim.program.ir import Observed, Op, PhaseKind, Region
from archsim.workload import CellKind
from tests.families.npu.unequal import LOAD, build
from tests.strategies import network

BEFORE_LOADER = ("mvu", "evrf", "mfu0", "mfu1")

TWO_PARTS = network(kind=CellKind.LSTM, input_size=50, hidden_size=116, steps=4, batch=3)
"""Rows 0 to 59, 15 words for each of a core's 2 sequences, and 60 to 115, 14 words: one less than a chunk has."""


def shown(op: Op) -> tuple[str, str, int, int]:
    """(unit, label, cycles without a number, last steps that it is left out of)."""
    empty = op.cycles if isinstance(op, Idle) else op.padding if isinstance(op, StreamOp) else 0
    return op.unit, op.label, empty, op.skip_last


def instruction(ops: tuple[Op, ...], name: str) -> list[Op]:
    """The ops of a chain, of its parts and the units that it leaves out."""
    of_chain = {f"{begin}{name}{part}{end}" for begin, end in (("", ""), ("idle[", "]")) for part in ("", ".0", ".1")}
    return [op for op in ops if op.label in of_chain]


def test_a_chain_that_writes_the_tiles() -> None:
    """h: an instruction without a word for the loader; two parts of words, the second with a word of padding for each
    of 2 sequences, for which the tiles have no place; then a cycle for the multiplier, and 4 for all: one a tile, and
    one that drops the rest. The last step's h, which no step needs, is not written, nor is its padding there."""
    found = instruction(build(TWO_PARTS).phases[1].ops, "h")
    units = ("evrf", "mfu0", "mfu1")
    second = [part for unit in units for part in ((unit, "h.1", 0, 0), (unit, "idle[h.1]", 2, 1))]
    assert [shown(op) for op in found] == [
        ("ld", "idle[h]", 1, 0),
        *((unit, "h.0", 0, 0) for unit in units),
        ("ld", "h.0", 0, 0),
        ("wb", "h.0", 0, 1),
        *second,
        ("ld", "h.1", 0, 0),
        ("wb", "h.1", 0, 1),
        ("ld", "idle[h.1]", 2, 1),
        ("mvu", "idle[h]", 1, 0),
        *((unit, "idle[h]", 4, 0) for unit in BEFORE_LOADER),
    ]
    assert [op.joined for op in found] == [False] + [True] * (len(found) - 1), "one instruction"


def test_a_chain_that_multiplies() -> None:
    """x_f: its second part has 12 row blocks, no padding of the multiplier; its words' padding is written."""
    found = instruction(build(TWO_PARTS).phases[1].ops, "x_f")
    units = ("evrf", "mfu0", "mfu1")
    second = [part for unit in units for part in ((unit, "x_f.1", 0, 0), (unit, "idle[x_f.1]", 2, 0))]
    assert [shown(op) for op in found] == [
        ("mvu", "x_f.0", 0, 0),
        *((unit, "x_f.0", 0, 0) for unit in units),
        ("ld", "x_f.0", 0, 0),
        ("wb", "x_f.0", 0, 0),
        ("mvu", "x_f.1", 0, 0),
        *second,
        ("ld", "x_f.1", 2, 0),
        ("wb", "x_f.1", 2, 0),
    ]


def test_rows_of_the_parts_of_a_product() -> None:
    """Gate g is the third: rows 232 on of W_ih and of the biases, 60 of them and 56. Only products of x begin sums."""
    ops = {op.label: op for op in build(TWO_PARTS).phases[1].ops if isinstance(op, MatVec)}
    for name, start, rows in (("0", 0, 60), ("1", 60, 56)):
        of_x, of_h = ops[f"x_g.{name}"], ops[f"ig.{name}"]
        first = 2 * 116 + start
        assert of_x.bias is not None
        assert [(r.start, r.stop) for r in (of_x.weights, of_x.bias)] == [(first, first + rows)] * 2
        assert (of_h.weights.start, of_h.weights.stop, of_h.bias) == (first, first + rows, None)
        assert [(op.sums.start, op.sums.stop, op.start) for op in (of_x, of_h)] == [
            (start, start + rows, True),
            (start, start + rows, False),
        ]
        assert [(op.vector.buffer.name, op.vector.stride) for op in (of_x, of_h)] == [("x", 1), ("h", 0)]


def test_slots_of_a_fifo_are_taken_in_turn() -> None:
    """Behind the multiplier 8 products of two parts a step, behind the others 10 chains; x has one slot a step."""
    ops = [op for op in build(TWO_PARTS).phases[1].ops if not isinstance(op, Idle)]
    for unit, parts in (("mvu", 16), ("evrf", 20), ("mfu0", 20), ("mfu1", 20)):
        places = [op.writes[0] for op in ops if op.unit == unit]
        assert [(region.offset, region.stride) for region in places] == [(place, parts) for place in range(parts)]
        assert {region.buffer.entries for region in places} == {60}, "as long as the longer part"
    wires = [op.reads[0] for op in ops if op.unit == "wb"]
    assert [(r.offset, r.stride) for r in wires if r.buffer.name == "wire.x"] == [(0, 1)]
    assert [(r.offset, r.stride) for r in wires if r.buffer.name == "wire.chain"] == [(n, 20) for n in range(20)]


def test_a_short_vector() -> None:
    """13 numbers: 3 row blocks of 12, so 9 cycles of the multiplier; 4 of 15 words, 22 cycles of padding elsewhere."""
    ops = build(LOAD).phases[1].ops
    idle = {op.unit: op.cycles for op in instruction(ops, "x_f") if isinstance(op, Idle)}
    assert idle == {"mvu": 9, "evrf": 22, "mfu0": 22, "mfu1": 22}
    # The tiles have a word each, 3, fewer than the 4 of h: no place for padding. 15 words are 4 instructions.
    of_h = [shown(op) for op in instruction(ops, "h")]
    assert ("ld", "h", 0, 0) in of_h
    assert ("ld", "idle[h]", 22, 1) in of_h
    assert of_h[-4:] == [(unit, "idle[h]", 4, 0) for unit in BEFORE_LOADER]


def regions(op: Op) -> tuple[Region, ...]:
    return (*op.reads, *op.writes)


def test_loads_of_x() -> None:
    """9 words of the tiles, 4 fewer than the 13 of a chain, for 2 sequences. An instruction a tile. The first load has
    the first step's x, those of a step the next one's, so that the last step has none; in reverse from the end on."""
    load = network(kind=CellKind.LSTM, input_size=50, hidden_size=13, steps=5, batch=3, bidirectional=True)
    program = build(load)
    first, body = program.phases[0].ops, program.phases[1].ops
    assert [shown(op) for op in first] == [
        found
        for way in ("l0.", "l0r.")
        for found in (
            ("ld", f"{way}load x_0", -8, 0),
            ("wb", f"{way}load x_0", -8, 0),
            *((unit, f"idle[{way}load x_0]", 3, 0) for unit in BEFORE_LOADER),
        )
    ]
    labels = {"l0.load x[t+1]": (1, 1), "l0r.load x[t-1]": (5 - 1 - 1, -1)}
    for label, (offset, stride) in labels.items():
        loader, write = [op for op in body if op.label == label]
        assert [shown(op) for op in (loader, write)] == [("ld", label, -8, 1), ("wb", label, -8, 1)]
        assert [(r.buffer.name, r.offset, r.stride) for r in loader.reads] == [("dram.x", offset, stride)]
        assert [(r.offset, r.stride) for r in write.writes] == [(1, 1)]
    sources = [op.reads[0] for op in first if op.unit == "ld" and op.reads]
    assert [(region.offset, region.stride) for region in sources] == [(0, 0), (4, 0)]


def test_what_the_host_gets() -> None:
    """h of each step side by side with the other direction's, in reverse from the last step on; c as it is."""
    load = network(kind=CellKind.LSTM, input_size=50, hidden_size=13, steps=5, batch=3, bidirectional=True)
    body = build(load).phases[1].ops
    for way, start, offset, stride in (("l0.", 0, 0, 1), ("l0r.", 13, 4, -1)):
        (h,) = [op for op in body if op.label == f"{way}h" and op.unit == "ld"]
        (c,) = [op for op in body if op.label == f"{way}c" and op.unit == "ld"]
        out, last = h.writes[1], c.writes[1]
        assert (out.buffer.name, out.start, out.stop) == ("dram.output", start, start + 13)
        assert (out.offset, out.stride) == (offset, stride)
        assert (last.buffer.name, last.start, last.stop, last.offset) == (f"{way}dram.c_n", 0, 13, 0)
        others = {op.label for op in body if op.unit == "ld" and len(op.writes) > 1 and op.label.startswith(way)}
        assert {f"{way}h", f"{way}c"} <= others


def test_the_cell_state_is_seen_when_it_is_written() -> None:
    """c in two parts, rows 0 to 59 and 60 to 115; of what else is written nothing is compared."""
    writes = [op for op in build(TWO_PARTS).phases[1].ops if op.unit == "wb"]
    seen = {op.label: op.observed for op in writes if op.observed}
    assert seen == {"c.0": (Observed("c", 0, 60, 0),), "c.1": (Observed("c", 0, 56, 60),)}


def test_the_constant_of_a_gru() -> None:
    """15 words, as every vector, for 2 sequences, and a cycle of the others, before the first x."""
    load = network(kind=CellKind.GRU, input_size=50, hidden_size=13, steps=5, batch=3)
    ops = build(load).phases[0].ops
    ones = [op for op in ops if op.label == "idle[load 1]"]
    assert [shown(op) for op in ones] == [
        ("ld", "idle[load 1]", 30, 0),
        *((unit, "idle[load 1]", 1, 0) for unit in BEFORE_LOADER),
    ]
    assert [op.joined for op in ones] == [False, True, True, True, True]
    assert ops[: len(ones)] == tuple(ones)


def test_an_h_of_two_parts_is_written_beside_the_old_one() -> None:
    """An RNN's later rows still need the h of the step before: a step reads one place and writes the other."""
    load = network(kind=CellKind.RNN, input_size=50, hidden_size=116, steps=4, batch=3)
    ops = build(load).phases[1].ops
    reads = [op.vector for op in ops if isinstance(op, MatVec) and op.vector.buffer.name == "h"]
    writes = [op.writes[0] for op in ops if op.unit == "wb" and op.writes and op.writes[0].buffer.name == "h"]
    assert [(r.start, r.stop, r.offset, r.stride) for r in reads] == [(0, 116, 0, 1)] * 2
    assert [(r.start, r.stop, r.offset, r.stride) for r in writes] == [(0, 60, 1, 1), (60, 116, 1, 1)]


def test_phases() -> None:
    """A first load of each layer, which is no step, and its steps; frames have one body of all layers."""
    one, two, frames = (
        [(phase.name, phase.kind, phase.repeat, phase.steps) for phase in build(load).phases]
        for load in (
            LOAD,
            network(kind=CellKind.LSTM, input_size=50, hidden_size=13, steps=5, batch=3, num_layers=2),
            network(kind=CellKind.LSTM, input_size=50, hidden_size=13, steps=5, num_layers=2, streaming=True),
        )
    )
    body, handover = PhaseKind.BODY, PhaseKind.HANDOVER
    assert one == [("body: first loads", body, 1, 0), ("body", body, 2, None)]
    assert two == [
        ("body: first loads", body, 1, 0),
        ("body of layer 0", body, 5, None),
        ("handover to layer 1", handover, 1, 0),
        ("body of layer 1", body, 5, None),
    ]
    assert frames == [("body", body, 5, None)]


def test_frames_write_every_h() -> None:
    """A frame loads its own x first, and the next one needs its h, also behind the last one that is known."""
    load = network(kind=CellKind.LSTM, input_size=50, hidden_size=13, steps=5, batch=3, streaming=True)
    (body,) = build(load).phases
    assert body.ops[0].label == "load x[t+0]"
    assert {op.skip_last for op in body.ops} == {0}
    assert (body.name, body.repeat) == ("body", 5)
