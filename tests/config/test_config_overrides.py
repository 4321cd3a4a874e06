"""`--set`: parsing, setting, precedence, and where its faults are located."""

from __future__ import annotations

from typing import Any

import pytest

from archsim.config import Override, as_overrides, parse_document, parse_override, validate
from archsim.errors import ArchError, FaultsError
from archsim.families.load import load_arch
from archsim.workload import load_workload
from tests.config.conftest import Dram, Fault, Faults, MacArray, Machine, Read

TOP = (
    "banks, bits, buffer, clock, even, lanes, latency, levels, mac_array, memory, name, op, order, "
    "pipelined, shape, units"
)
ROWS = "expected an integer from 1 to 1,048,576 (rows of multipliers)"


def test_programs_give_texts_too() -> None:
    """The way in which everybody tries first: load_arch("edge_64x64", ["mac_array.rows=32"])."""
    parsed = Override("a", "1")
    assert as_overrides(["a=1", parsed], ArchError) == as_overrides((parsed, "a=1"), ArchError) == (parsed, parsed)
    assert as_overrides("a=1", ArchError) == (parsed,)
    assert (
        load_arch("tiny_2x2", ["mac_array.rows=4"]).config
        == load_arch("tiny_2x2", [Override("mac_array.rows", "4")]).config
    )
    assert load_workload("lstm_3_2_t4", ["steps=7"]).spec.steps == 7


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (["a=b"], ArchError, "--set a=b: a: unknown key"),
        (["rows"], ArchError, "--set rows: expected PATH=VALUE, as mac_array.rows=32"),
        ("rows", ArchError, "--set rows: expected PATH=VALUE, as mac_array.rows=32"),
        ([3], TypeError, "overrides are texts as 'mac_array.rows=32', not int"),
    ],
)
def test_what_is_no_override_is_one_line(given: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        load_arch("tiny_2x2", given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "override"),
    [
        ("mac_array.rows=32", Override("mac_array.rows", "32")),
        ("a=", Override("a", "")),
        ("a=b=c", Override("a", "b=c")),
        (" a =1", Override("a", "1")),
    ],
)
def test_parse(text: str, override: Override) -> None:
    assert parse_override(text) == override


@pytest.mark.parametrize("text", ["a", "", "=3", " =3", "a..b=3", ".a=3", "a.=3", "a\nb"])
def test_parse_faults(text: str) -> None:
    with pytest.raises(ArchError) as caught:
        parse_override(text, ArchError)
    shown = text.replace("\n", "\\n")
    assert str(caught.value) == f"--set {shown}".rstrip() + ": expected PATH=VALUE, as mac_array.rows=32"
    with pytest.raises(FaultsError):
        parse_override(text)


def test_values_follow_the_rules_of_the_file(read: Read) -> None:
    machine = read(
        "",
        "mac_array.rows=32",
        "buffer=512KiB",
        "mac_array.dtype=float32",
        "memory={kind: hbm, rate: 1e3}",
        "bits=[1, 8]",
        "latency='auto'",
        "pipelined=false",
    )
    assert (machine.mac_array.rows, machine.mac_array.columns, machine.mac_array.dtype) == (32, 4, "float32")
    assert (machine.buffer, machine.memory, machine.bits) == (512 * 1024, Dram(kind="hbm", rate=1000.0), [1, 8])
    assert (machine.latency, machine.pipelined) == ("auto", False)


def test_later_ones_win(read: Read, fault: Fault) -> None:
    assert read("", "clock=2", "clock=3").clock == 3.0
    assert read("", "clock=bad", "clock=3").clock == 3.0
    assert fault("", "clock=3", "clock=-1").startswith("--set clock=-1: clock: ")


def test_a_file_with_faults_can_be_mended(read: Read) -> None:
    assert read("clock: bad\n", "clock=2").clock == 2.0


def test_absent_mappings_are_made(read: Read) -> None:
    assert read("", "memory.kind=hbm", "memory.rate=2").memory == Dram(kind="hbm", rate=2.0)
    assert read("memory:\n", "memory.kind=hbm", "memory.rate=2").memory == Dram(kind="hbm", rate=2.0)


def test_mappings_and_scalars_replace_each_other(read: Read) -> None:
    units = read("units: [1]\n", "units={rows: 1, columns: 1}").units
    assert isinstance(units, MacArray)
    assert units.rows == 1
    assert read("memory: {kind: hbm, rate: 1}\n", "memory=").memory is None


def test_the_document_is_left_as_it_is(machine_type: type[Machine]) -> None:
    document = parse_document("mac_array: {rows: 1, columns: 1}", "a.yaml", ArchError)
    assert validate(machine_type, document, [Override("mac_array.rows", "2")], ArchError).mac_array.rows == 2
    assert document.data == {"mac_array": {"rows": 1, "columns": 1}}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("mac_array.rows=0", f"mac_array.rows: {ROWS}, got 0"),
        ("mac_array.rows=", f"mac_array.rows: {ROWS}, got null (no value)"),
        ("mac_array.rows='3'", f"mac_array.rows: {ROWS}, got the string '3'"),
        (
            "mac_array.rowz=3",
            "mac_array.rowz: unknown key; did you mean 'rows'? allowed here: columns, dtype, rows",
        ),
        ("mac_arry.rows=3", f"mac_arry: unknown key; did you mean 'mac_array'? allowed here: {TOP}"),
        (
            "mac_array={rows: 3}",
            "mac_array: missing key 'columns' (an integer from 1 to 1,048,576: columns of multipliers)",
        ),
        ("memory.rate=3", "memory: missing key 'kind' (one of 'sram', 'dram', 'hbm': kind of memory)"),
        ("bits=[8, 3]", "bits[1]: expected one of 1, 8, 16 (weight widths), got the integer 3"),
        ("clock.ghz=3", "clock.ghz: clock is the decimal number 1.5, so there is no key to set inside it"),
        (
            "levels.0.kind=sram",
            "levels.0.kind: levels is a list, whose elements cannot be set one by one; "
            "set the whole list, as levels=[1, 2]",
        ),
        (
            "clock=[1",
            "clock: not valid YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'",
        ),
        ("memory={kind: &a x}", "memory.kind: anchors and aliases are not allowed, found '&a'"),
        ("memory={x: 1, x: 2}", "memory.x: duplicate key, first given on line 1"),
        ("clock=.inf", "clock: numbers must be finite, got .inf"),
        ("clock=" + "[" * 20, "clock: nested deeper than 20 levels"),
        (".".join("a" * 21) + "=1", "nested deeper than 20 levels"),
        ("mac_array={rows: 1000, columns: 4}", "mac_array: rows x columns must be at most 1,000"),
        pytest.param("clock=" + "x" * (1 << 21), "longer than 262,144 characters", id="2 MiB"),
        (
            "mac_array.rows=1000",
            "mac_array: rows x columns must be at most 1,000 (with --set mac_array.rows=1000)",
        ),
    ],
)
def test_faults(fault: Fault, override: str, message: str) -> None:
    where = "edge.yaml:1" if "(with --set" in message else str(parse_override(override))
    assert fault("clock: 1.5\nlevels: []\n", override) == f"{where}: {message}"


def test_long_values_are_cut(fault: Fault) -> None:
    assert fault("", "clock=" + "x" * 100) == (
        f"--set clock={'x' * 57}...: clock: expected a number from 1e-18 to 1e+18 (clock in GHz), "
        f"got the string '{'x' * 55}...'"
    )


def test_a_replaced_mapping_forgets_what_was_set_inside(fault: Fault) -> None:
    message = fault("", "mac_array.rows=0", "mac_array={columns: 1, rows: 0}")
    assert message == f"--set mac_array={{columns: 1, rows: 0}}: mac_array.rows: {ROWS}, got 0"


def test_faults_of_the_file_and_of_all_overrides_at_once(faults: Faults) -> None:
    assert faults("mac_array:\n  rows: 0\n  columns: 1\n", "clock=0", "even=[", "name.x=1", "bits=1") == [
        f"edge.yaml:2: mac_array.rows: {ROWS}, got 0",
        "--set clock=0: clock: expected a number from 1e-18 to 1e+18 (clock in GHz), got 0",
        "--set name.x=1: name: expected a string of 1 to 8 characters matching '^[a-z]+$' (name in reports), "
        'got the mapping {"x": 1}',
        "--set bits=1: bits: expected a list, each element one of 1, 8, 16 (weight widths), got the integer 1",
        "--set even=[: even: not valid YAML: while parsing a flow node, expected the node content, "
        "but found '<stream end>'",
    ]


def test_an_override_given_twice_has_its_fault_once(fault: Fault) -> None:
    assert fault("", "even=[1", "even=[1").startswith("--set even=[1: even: not valid YAML: ")
