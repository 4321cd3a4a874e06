"""Parts of exports by hand: places of buffers, slot pointers, JSON piece by piece, chains and changes."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from archsim.api.change import Change, Measured, Setting
from archsim.api.outcome import Outcome
from archsim.critical import Cause, Link
from archsim.errors import SimulatorBug
from archsim.export.buffer_data import Place, _last, _place, _scale, buffer_data
from archsim.export.explanation_json import write_explanation
from archsim.export.format_data import FormatData
from archsim.export.machine_data import CopiesData, MemoryData, PortData, _memories, _used_ports
from archsim.export.op_data import Functions, SlotPointer, _argument
from archsim.export.plain import Arguments, ObjectWriter, plain
from archsim.export.whatif_json import write_what_if
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.formats import Encoding, parse_format
from archsim.hardware.storage import OffChip, Registers, Sram
from archsim.program.ir import Buffer, DataKind, Region
from archsim.workload.activity import LayerActivity, StepColumns
from tests.export.exports import exported_program
from tests.report.parts import thing

UNITS = build_units(load_arch("tiny_2x2").config)
BURST_BITS = 8 * UNITS["dram"].burst  # type: ignore[attr-defined]


def buffer(memory: str, entries: int, slots: int | None, length: int | None = None, name: str = "b") -> Buffer:
    """Of int5: an entry of three numbers has 15 bits."""
    return Buffer(name, memory, DataKind.H, entries, 3, parse_format("int5"), slots, length)


@pytest.mark.parametrize(
    ("found", "end", "place", "behind"),
    [
        # 2 x 15 bits a slot, bit by bit; the buffer begins on a byte.
        (buffer("sram", 2, 3), 0, Place(0, 30), 90),
        (buffer("sram", 2, 3), 8, Place(8, 30), 98),
        (buffer("sram", 2, 3), 9, Place(16, 30), 106),
        # In DRAM a slot is whole bytes, 32 bits, and the buffer begins on a burst.
        (buffer("dram", 2, 3), 0, Place(0, 32), 96),
        (buffer("dram", 2, 3), 1, Place(BURST_BITS, 32), BURST_BITS + 96),
        (buffer("dram", 2, 3), BURST_BITS, Place(BURST_BITS, 32), BURST_BITS + 96),
        # With a time axis there is a slot a step, as many as are known.
        (buffer("dram", 2, None, 5), 0, Place(0, 32), 160),
        (buffer("dram", 2, None), 0, Place(0, 32), None),
        (buffer("sram", 2, 3), None, Place(None, 30), None),
    ],
)
def test_where_a_buffer_lies_and_ends(found: Buffer, end: int | None, place: Place, behind: int | None) -> None:
    assert _place(found, UNITS, end) == (place, behind)


def test_the_last_of_ends_is_unknown_if_one_is() -> None:
    assert (_last([3, 9, 4]), _last([3, None]), _last([0])) == (9, None, 0)


def test_a_scale_is_one_number_or_one_for_each_entry() -> None:
    import numpy as np

    q = parse_format("int8")
    assert _scale(Encoding(q, 0.25)) == 0.25
    assert _scale(Encoding(q, np.array([[0.5], [0.25], [0.5]]))) == (0.5, 0.25, 0.5)
    assert _scale(Encoding(q, np.array([[0.5], [0.5]]))) == 0.5


def test_a_buffer_as_data() -> None:
    """Blocks of numbers share an exponent, so that an entry alone has no bits of its own."""
    h = dataclasses.replace(buffer("sram", 2, 3, name="h"), bank="own", tensor="h_0", is_input=True)
    found = buffer_data(h, Place(8, 30), Encoding(h.number_format, 0.25, 3), banked=True)
    assert (found.bank, found.scale, found.zero, found.filled_from, found.entry_bits) == ("own", 0.25, 3, "h_0", 15)
    assert (found.entries, found.width, found.slots, found.base_bit, found.slot_bits) == (2, 3, 3, 8, 30)
    other = buffer_data(dataclasses.replace(h, tensor=""), Place(8, 30), None, banked=False)
    assert (other.bank, other.scale, other.zero, other.filled_from) == (None, None, 0, "h")
    assert buffer_data(dataclasses.replace(h, is_input=False), Place(8, 30), None, banked=False).filled_from is None
    real = dataclasses.replace(h, number_format=parse_format("bfloat16"))
    assert buffer_data(real, Place(8, 30), Encoding(real.number_format), banked=False).scale is None
    blocks = dataclasses.replace(h, number_format=parse_format("bfp8"))
    assert buffer_data(blocks, Place(8, 30), None, banked=False).entry_bits is None


@pytest.mark.parametrize(
    ("slots", "offset", "stride", "pointer"),
    [
        (3, 4, 5, SlotPointer(1, 2, 3)),
        (3, -1, 3, SlotPointer(2, 0, 3)),
        (None, 4, 5, SlotPointer(4, 5, None)),
    ],
)
def test_slot_pointers_are_below_their_modulus(
    slots: int | None, offset: int, stride: int, pointer: SlotPointer
) -> None:
    assert SlotPointer.from_region(Region(buffer("sram", 2, slots), 0, 2, offset, stride)) == pointer


def test_functions_are_numbered_as_they_come() -> None:
    found = Functions()
    names: list[Any] = ["one", "two", "one"]
    assert [found.number(name) for name in names] == [0, 1, 0]
    assert list(map(str, found)) == ["one", "two"]


def test_arguments_of_an_op_name_their_operands_by_number() -> None:
    region, other = Region(buffer("sram", 2, 3), 0, 2), Region(buffer("sram", 2, 3), 0, 1)
    operands = {region: 0}
    assert _argument((region, other, 3, None, True, "x"), operands) == [
        {"operand": 0}, {"operand": 1}, 3, None, True, "x",
    ]  # fmt: skip
    assert operands == {region: 0, other: 1}
    assert _argument(buffer("sram", 2, 3, name="mine"), operands) == "mine"
    assert _argument(SlotPointer(1, 2, None), operands) == {
        "type": "SlotPointer", "start": 1, "increment": 2, "modulus": None,
    }  # fmt: skip
    columns = LayerActivity((StepColumns((0, 2), (1,)), StepColumns((), (3,))))
    assert _argument(columns, operands) == [[[0, 2], [1]], [[], [3]]]
    with pytest.raises(SimulatorBug, match="an argument of type set has no form in JSON"):
        _argument({1}, operands)


def test_json_is_written_field_by_field_and_item_by_item() -> None:
    pieces: list[str] = []
    out = ObjectWriter(pieces.append)
    out.field("a", 1)
    out.array("none", ())
    out.array("two", (Arguments({"x": 1}), (2, None)))
    out.field("b", "c")
    out.end()
    text = "".join(pieces)
    assert text == '{\n"a": 1,\n"none": [],\n"two": [\n{"x": 1},\n[2, null]\n],\n"b": "c"\n}\n'
    assert json.loads(text) == {"a": 1, "none": [], "two": [{"x": 1}, [2, None]], "b": "c"}
    with pytest.raises(SimulatorBug, match="a set has no form in JSON"):
        plain({1})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("q4.12", FormatData("q4.12", "integer", 16, 12, -(1 << 15), (1 << 15) - 1, "even", False, None)),
        ("q1.7/wrap", FormatData("q1.7/wrap", "integer", 8, 7, -128, 127, "even", True, None)),
        ("int8", FormatData("int8", "integer", 8, None, -128, 127, "even", False, None)),
        ("bfloat16", FormatData("bfloat16", "float", 16, None, None, None, None, None, None)),
        ("bfp8/block4", FormatData("bfp8/block4", "block_float", 8, None, None, None, None, None, 4)),
    ],
)
def test_formats_as_data(name: str, data: FormatData) -> None:
    found = FormatData.from_format(parse_format(name))
    rounding = found.rounding if data.rounding is None else parse_format(name).rounding.value  # type: ignore[attr-defined]
    assert found == dataclasses.replace(data, rounding=rounding)


def test_memories_as_data() -> None:
    """First those that are built, then those of buffers and of ports alone; bytes are eight bits."""
    built = {
        "sram": thing_sram(capacity_bytes=1024, banks=4, port_bits=64, copies=(("h", 3),)),
        "registers": Registers(96),
        "none": Registers(0),
        "dram": OffChip("ddr4"),
    }
    config = thing(costing=thing(memories=built), single_ported=("sram",))
    units = {"u": thing(ports={"port": 8, "sram": 16})}
    ports = (PortData("u", "read", 16),)
    found = list(_memories(config, units, {"extra": 7, "sram": 800, "dram": None}, {"sram": ports}))
    assert found == [
        MemoryData("sram", "sram", 8192, 800, 4, 64, (CopiesData("h", 3),), True, ports),
        MemoryData("registers", "registers", 96, 0, None, None, (), False, ()),
        MemoryData("none", None, None, 0, None, None, (), False, ()),
        MemoryData("dram", "off_chip", None, None, None, None, (), False, ()),
        MemoryData("extra", None, None, 7, None, None, (), False, ()),
        MemoryData("port", None, None, 0, None, None, (), False, ()),
    ]


def thing_sram(**fields: Any) -> Sram:
    """An SRAM with those fields, and whatever else it needs."""
    usual = load_arch("tiny_2x2").config.costing
    assert usual is not None
    own = next(memory for memory in usual.memories.values() if isinstance(memory, Sram))
    return dataclasses.replace(own, **fields)


def test_ports_that_a_program_uses_stand_in_the_order_of_units_read_before_write() -> None:
    x, y, z = (Region(buffer(memory, 2, 1), 0, 2) for memory in ("a", "b", "a"))
    units = {
        "one": thing(ports={"a": 8, "b": 16}, read_ports=lambda op: op.reads),
        "two": thing(ports={"a": 32}, read_ports=lambda op: ()),
    }
    ops = [thing(unit="two", reads=(x,), writes=(z,)), thing(unit="one", reads=(x,), writes=(x, y))]
    found = _used_ports(thing(phases=[thing(ops=ops)]), units)
    assert found == {
        "a": (PortData("one", "read", 8), PortData("one", "write", 8), PortData("two", "write", 32)),
        "b": (PortData("one", "write", 16),),
    }


def test_of_timing_alone_nothing_is_known_of_numbers() -> None:
    """The machine's formats are int8; a run with numbers has scales, and constants of each op."""
    timed, whole = (exported_program("edge_16x16", "lstm:3,2,t=1", None, timing_only=only) for only in (True, False))
    assert {op["arithmetic"] is None for op in timed["ops"]} == {True}
    assert {buffer["scale"] for buffer in timed["buffers"]} == {None}
    assert {op["arithmetic"] is None for op in whole["ops"]} == {False}
    assert any(buffer["scale"] is not None for buffer in whole["buffers"])
    assert "contents" not in whole


def test_a_chain_of_an_explanation_is_counted_from_its_beginning_and_issuing_is_the_sequencer_s() -> None:
    ops = [thing(unit="mac_array", label="m"), thing(unit="activation", label="a")]
    step = thing(
        phase=1, cycles_per_step=12.5, recurrence=None, steps=2, stack={"mac_array": {"useful": 5}},
        links=(Link(0, Cause.COMPUTE, 5), Link(1, Cause.ISSUE, 2), Link(1, Cause.COMPUTE, 3)),
    )  # fmt: skip
    segment = thing(instance=thing(phase=1, repetition=4, op=0), start=100, end=105, cause=Cause.ISSUE)
    found = thing(
        arch=thing(name="a"), workload=thing(name="w"), latency_cycles=1000, max_cycle_ratio=None, path=[segment],
        program=thing(schedule="s", phases=[thing(), thing(name="body", ops=ops)]),
        stack={"dram": {"useful": 7}}, steps=[step, thing(**{**vars(step), "recurrence": 6.5})],
    )  # fmt: skip
    pieces: list[str] = []
    write_explanation(found, pieces.append)
    written = json.loads("".join(pieces))
    compute = Cause.COMPUTE.value
    assert written["chain"] == [
        {
            "phase": "body",
            "repetition": 4,
            "unit": "sequencer",
            "label": "m",
            "start": 100,
            "end": 105,
            "cause": "issue",
        }
    ]
    one, other = written["steps"]
    assert one["chain"] == [
        {"unit": "mac_array", "label": "m", "start": 0, "end": 5, "cause": compute},
        {"unit": "sequencer", "label": "a", "start": 5, "end": 7, "cause": "issue"},
        {"unit": "activation", "label": "a", "start": 7, "end": 10, "cause": compute},
    ]
    assert (one["cycles_per_step"], one["recurrence_cycles_per_step"], one["steps"]) == (12.5, None, 2)
    assert other["recurrence_cycles_per_step"] == 6.5
    assert (written["max_cycle_ratio"], written["latency_stack"]) == (None, {"dram": {"useful": 7}})


def test_changes_are_an_array_with_the_cycles_of_before() -> None:
    changes = (Measured(Change((Setting("mac_array", "rows", 8),)), Outcome(900, 112.5, None, 4.0)),)
    for before, cycles in ((Outcome(1000, 100.0, 5.0, 4.0), 1000), (None, None)):
        pieces: list[str] = []
        write_what_if(thing(before=before, changes=changes), pieces.append)
        assert json.loads("".join(pieces)) == [
            {
                "change": "--set mac_array.rows=8", "before_cycles": cycles, "after_cycles": 900,
                "after_cycles_per_step": 112.5, "energy_uj": None, "area_mm2": 4.0,
            }
        ]  # fmt: skip
