"""Validation: exact messages, each fault once, all of them at once."""

from __future__ import annotations

import pytest

from archsim.config import parse_document, validate
from archsim.config.problems import _inside
from archsim.errors import WorkloadError
from tests.config.conftest import Dram, Fault, Faults, Machine, Read, Sram

TOP = (
    "allowed here: banks, bits, buffer, clock, even, lanes, latency, levels, mac_array, memory, name, op, "
    "order, pipelined, shape, units"
)
ROWS = "mac_array.rows: expected an integer from 1 to 1,048,576 (rows of multipliers), got"
NAME = "expected a string of 1 to 8 characters matching '^[a-z]+$' (name in reports)"


def test_a_valid_file(read: Read) -> None:
    machine = read(
        "order: columns_first\n"
        "memory: {kind: hbm, rate: 3}\n"
        "levels: [{kind: sram, size: 2KiB}, {kind: dram, rate: 0.5}]\n"
        "latency: 3\n"
        "shape: [2, 3]\n"
        "units: [1, 2]\n"
        "bits: [1, 16]\n"
        "banks: {a: 2}\n"
        "op: 7\n"
    )
    assert machine.mac_array.rows == 3
    assert machine.order.value == "columns_first"
    assert machine.memory == Dram(kind="hbm", rate=3.0)
    assert [level.kind for level in machine.levels] == ["sram", "dram"]
    assert machine.levels[0] == Sram(kind="sram", size=2048)
    assert isinstance(machine.levels, tuple)
    assert (machine.latency, machine.shape, machine.units, machine.bits) == (3, (2, 3), [1, 2], [1, 16])
    assert (machine.banks, machine.opcode) == ({"a": 2}, 7)


def test_all_faults_of_a_file_at_once_in_order_of_lines(faults: Faults) -> None:
    assert faults(
        "clock: 0\n"
        "mac_array:\n"
        "  rows: 0\n"
        "  colums: 4\n"
        "  dtype: int4\n"
        "levels:\n"
        "- {kind: sram, size: true}\n"
        "- kind: tape\n"
        "nmae: x\n"
    ) == [
        "edge.yaml:1: clock: expected a number from 1e-18 to 1e+18 (clock in GHz), got 0",
        "edge.yaml:2: mac_array: missing key 'columns' (an integer from 1 to 1,048,576: columns of multipliers)",
        f"edge.yaml:3: {ROWS} 0",
        "edge.yaml:4: mac_array.colums: unknown key; did you mean 'columns'? allowed here: columns, dtype, rows",
        "edge.yaml:5: mac_array.dtype: expected one of 'int8', 'float32' (number format), got 'int4'",
        "edge.yaml:7: levels[0].size: expected a size from 1 to 1,125,899,906,842,624 bytes, "
        "as 4096, 512KiB or 8MiB (capacity), got the boolean true",
        "edge.yaml:8: levels[1].kind: expected one of 'sram', 'dram', 'hbm' (kind of memory), got 'tape'",
        f"edge.yaml:9: nmae: unknown key; did you mean 'name'? {TOP}",
    ]


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("1048577", "1048577"),
        ("true", "the boolean true"),
        ("3.0", "the decimal number 3.0"),
        ("'3'", "the string '3'"),
        ("", "null (no value)"),
        ("[1, a]", 'the list [1, "a"]'),
        ("{a: true}", 'the mapping {"a": true}'),
        ("x" * 100, f"the string '{'x' * 55}...'"),
        ("'" + "x" * 58 + "'", f"the string '{'x' * 58}'"),
        ('"a\\nb\\t"', "the string 'a\\nb\\t'"),
        (f"[{'1, ' * 100}]", f"the list [{'1, ' * 18}1,..."),
    ],
)
def test_a_wrong_integer(faults: Faults, text: str, got: str) -> None:
    (message,) = faults(f"mac_array:\n  columns: 1\n  rows: {text}\n")
    assert message == f"edge.yaml:3: {ROWS} {got}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: 3", f"name: {NAME}, got the integer 3"),
        ("name: ''", f"name: {NAME}, got ''"),
        ("name: A", f"name: {NAME}, got 'A'"),
        ("order: x", "order: expected one of 'rows_first', 'columns_first' (loop order), got 'x'"),
        ("order: 1", "order: expected one of 'rows_first', 'columns_first' (loop order), got the integer 1"),
        ("lanes: 12", "lanes: expected an integer above 0 that is a multiple of 8 (lanes), got 12"),
        ("pipelined: yes", "pipelined: expected true or false (whether ops overlap), got the string 'yes'"),
        ("op: a", "op: expected an integer (operation code), got the string 'a'"),
        ("even: 3", "even: expected an integer (an even number), got 3: it is odd"),
        ("clock: 1e19", "clock: expected a number from 1e-18 to 1e+18 (clock in GHz), got 1e+19"),
        ("banks: {A: 1}", "banks.A: expected a string matching '^[a-z]+$' as key, got 'A'"),
        ("bits: [1.5]", "bits[0]: expected one of 1, 8, 16 (weight widths), got the decimal number 1.5"),
        ("banks: {a: 0}", "banks.a: expected an integer from 1 to 1,048,576 (ports by bank), got 0"),
        (
            "banks: 3",
            "banks: expected a mapping, each value an integer from 1 to 1,048,576 (ports by bank), got the integer 3",
        ),
        ("shape: [1]", "shape: expected a list of 2 elements (grid), got the list [1]"),
        ("shape: [1, 0]", "shape[1]: expected an integer from 1 to 1,048,576 (grid), got 0"),
        ("shape: [1, 2, 3]", "shape: expected a list of 2 elements (grid), got the list [1, 2, 3]"),
        ("bits: [true]", "bits[0]: expected one of 1, 8, 16 (weight widths), got the boolean true"),
        ("bits: [8, 8.0]", "bits[1]: expected one of 1, 8, 16 (weight widths), got the decimal number 8.0"),
        ("bits: [4]", "bits[0]: expected one of 1, 8, 16 (weight widths), got the integer 4"),
        ("bits: 8", "bits: expected a list, each element one of 1, 8, 16 (weight widths), got the integer 8"),
        (
            "'a.b': 1",
            f"'a.b': unknown key; {TOP}",
        ),
    ],
)
def test_messages(fault: Fault, text: str, message: str) -> None:
    assert fault(text) == f"edge.yaml:2: {message}"


def test_a_scalar_in_place_of_a_model(faults: Faults) -> None:
    assert faults("mac_array: 3\n") == [
        "edge.yaml:1: mac_array: expected a mapping with keys among columns, dtype, rows (the multipliers), "
        "got the integer 3"
    ]


def test_a_missing_key_of_the_top_level(faults: Faults) -> None:
    assert faults("# comment\nclock: 1\n") == [
        "edge.yaml:2: missing key 'mac_array' (a mapping with keys among columns, dtype, rows: the multipliers)"
    ]


def test_a_model_validator_speaks_for_its_model(faults: Faults) -> None:
    assert faults("clock: 1\nmac_array:\n  rows: 100\n  columns: 100\n") == [
        "edge.yaml:2: mac_array: rows x columns must be at most 1,000"
    ]


KIND = "expected one of 'sram', 'dram', 'hbm' (kind of memory)"
MEMORY = "expected a mapping with the key 'kind' ('sram', 'dram', 'hbm')"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("{}", ["memory: missing key 'kind' (one of 'sram', 'dram', 'hbm': kind of memory)"]),
        ("{kind: x}", [f"memory.kind: {KIND}, got 'x'"]),
        (
            "{kind: 3}",
            [f"memory.kind: {KIND}, got the integer 3"],
        ),
        (
            "{kind: }",
            [f"memory.kind: {KIND}, got null (no value)"],
        ),
        ("3", [f"memory: {MEMORY}, or null (the main memory), got the integer 3"]),
        ("[3]", [f"memory: {MEMORY}, or null (the main memory), got the list [3]"]),
        (
            "{kind: hbm, size: 3}",
            [
                "memory: missing key 'rate' (a number from 1e-18 to 1e+18: bytes per cycle)",
                "memory.size: only with memory.kind 'sram', and it is 'hbm'; allowed here: kind, rate",
            ],
        ),
    ],
)
def test_discriminated_unions(faults: Faults, text: str, messages: list[str]) -> None:
    found = faults(f"mac_array: {{rows: 1, columns: 1}}\nmemory: {text}\n")
    assert found == [f"edge.yaml:2: {message}" for message in messages]


def test_lists_of_unions(fault: Fault) -> None:
    assert fault("levels: [3]") == (f"edge.yaml:2: levels[0]: {MEMORY} (memory levels), got the integer 3")
    assert fault("levels: [" + "{kind: hbm, rate: 1}," * 4 + "]").startswith(
        "edge.yaml:2: levels: expected a list of 0 to 3 elements, each element a mapping with the key 'kind' "
        "('sram', 'dram', 'hbm') (memory levels), got the list [{"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "latency: -1",
            "latency: expected an integer from 0 to 1,000,000,000 or 'auto' (pipeline latency in cycles), "
            "got the integer -1",
        ),
        (
            "latency: true",
            "latency: expected an integer from 0 to 1,000,000,000 or 'auto' (pipeline latency in cycles), "
            "got the boolean true",
        ),
        (
            "latency: {a: 1}",
            "latency: expected an integer from 0 to 1,000,000,000 or 'auto' (pipeline latency in cycles), "
            'got the mapping {"a": 1}',
        ),
        ("units: [1, 0]", "units[1]: expected an integer from 1 to 1,048,576 (units), got 0"),
        (
            "units: {rows: 0, columns: 1}",
            "units.rows: expected an integer from 1 to 1,048,576 (rows of multipliers), got 0",
        ),
        ("units: {rows: 99, columns: 99}", "units: rows x columns must be at most 1,000"),
        (
            "units: 3",
            "units: expected a mapping with keys among columns, dtype, rows or a list, each element "
            "an integer from 1 to 1,048,576, or null (units), got the integer 3",
        ),
    ],
)
def test_plain_unions_make_one_fault(fault: Fault, text: str, message: str) -> None:
    assert fault(text) == f"edge.yaml:2: {message}"


def test_no_jargon_of_the_validation_library(faults: Faults) -> None:
    text = "mac_array: []\nmemory: {kind: [1]}\nlevels: {}\nlatency: []\nunits: {x: 1}\nbits: [[]]\nshape: x\n"
    found = "\n".join(faults(text))
    assert len(found.splitlines()) == 9
    for jargon in ("pydantic", "Input", "union", "tag", "_type", "Extra", "Field required", "ctx", "Error"):
        assert jargon not in found


def test_the_error_class_is_the_callers(machine_type: type[Machine]) -> None:
    document = parse_document("x: 1", "w.yaml", WorkloadError)
    with pytest.raises(WorkloadError) as caught:
        validate(machine_type, document, (), WorkloadError)
    assert [fault.path for fault in caught.value.faults] == ["", "x"]


def test_many_faults_in_a_union_are_found_in_one_pass(faults: Faults) -> None:
    text = f"mac_array: {{rows: 1, columns: 1}}\nunits: [{'0, ' * 3000}]\n"
    assert len(faults(text)) == 3000


@pytest.mark.parametrize(
    ("value", "part", "found"),
    [({"a": 3}, "a", 3), ({"a": 3}, "b", 7), ([5, 6], 1, 6), ([5, 6], 2, 7), ([5, 6], "a", 7), (None, "a", 7)],
)
def test_a_fault_of_a_default_is_at_what_pydantic_saw(value: object, part: str | int, found: int) -> None:
    """What the user gave, a step further in; where he gave nothing, the value that was tried, here 7."""
    assert _inside(value, part, {"type": "x", "loc": (), "msg": "", "input": 7}) == found
