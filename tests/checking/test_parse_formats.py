"""Names of number formats: what is allowed, how it is printed, and what is said of everything else."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archsim.config import parse_override
from archsim.errors import ArchError
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import load_arch
from archsim.formats import (
    FORMAT_SETS,
    KINDS,
    Bfloat16,
    BlockFloat,
    Fixed,
    Float16,
    Float32,
    Formats,
    Granularity,
    Rounding,
    Scaled,
    parse_format,
)
from tests.rings import examples

ROUNDINGS = ("even", "half_up", "truncate", "gemmlowp")
MACHINE = """
summary: a machine in the formats of TensorFlow Lite's integer LSTM
clock_mhz: 100
formats: tflite_int8
dram: {kind: simple, efficiency: 1.0, bandwidth_bytes_per_cycle: 4, latency_cycles: 5, burst_bytes: 8}
weight_sram: {capacity_bytes: 4KiB, banks: 2, port_bits: 64, read_latency_cycles: 1}
input_buffer: {capacity_bytes: 1KiB, port_bits: 128, prefetch_steps: 1}
state_buffer: {capacity_bytes: 1KiB, port_bits: 128}
mac_array: {rows: 2, columns: 2, multiplier_latency_cycles: 1, adder_latency_cycles: 1}
accumulators: {entries: 16}
activation: {lanes: 1, latency_cycles: 2}
elementwise: {lanes: 1, cell_latency_cycles: 2, hidden_latency_cycles: 1}
sequencer: {issue_cycles: 0, queue_depth: 64}
"""


Machine = Callable[..., GemvConfig]
"""Makes the machine above."""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """The machine above with `--set` overrides, from a file; its line of formats can be another."""
    path = tmp_path / "machine.yaml"

    def load(*overrides: str, formats: str = "tflite_int8") -> GemvConfig:
        path.write_text(MACHINE.replace("formats: tflite_int8", f"formats: {formats}"))
        return load_arch(str(path), [parse_override(text) for text in overrides]).config  # type: ignore[return-value]

    return load


def names(formats: Formats) -> dict[str, str]:
    return {kind: str(formats.format(kind)) for kind in KINDS}


# Names and options.


def test_plain_names() -> None:
    assert [parse_format(name) for name in ("float32", "float16", "bfloat16")] == [Float32(), Float16(), Bfloat16()]
    assert [parse_format(name).bits for name in ("float32", "float16", "bfloat16")] == [32, 16, 16]


def test_every_width() -> None:
    """Names come back as they were; widths and scales are what they say."""
    for bits in range(2, 49):
        assert parse_format(f"int{bits}") == Scaled(bits)
        for fraction in range(bits):
            found = parse_format(f"q{bits - fraction}.{fraction}")
            assert found == Fixed(bits - fraction, fraction)
            assert (found.bits, found.scale, found.highest) == (bits, 2.0**-fraction, 2 ** (bits - 1) - 1)
            assert found.name == f"q{bits - fraction}.{fraction}"
    for bits, block in product(range(2, 25), (2, 3, 8, 16, 32, 128)):
        found = parse_format(f"bfp{bits}/block{block}")
        assert found == BlockFloat(bits, block)
        assert found.name == (f"bfp{bits}" if block == 16 else f"bfp{bits}/block{block}")
        assert parse_format(found.name) == found
        assert parse_format(f"bfp{bits}") == BlockFloat(bits, 16)


def test_every_option() -> None:
    for rounding, wraps in product(ROUNDINGS, (False, True)):
        kind = "wrap" if wraps else "saturate"
        assert parse_format(f"q4.12/{rounding}/{kind}") == Fixed(4, 12, Rounding(rounding), wraps)
        for shared, asymmetric, power in product(("tensor", "gate", "row"), (False, True), (False, True)):
            text = f"int8/{shared}/{'asymmetric' if asymmetric else 'symmetric'}/{rounding}/{kind}"
            text += "/power_of_two" if power else ""
            assert parse_format(text) == Scaled(8, Granularity(shared), asymmetric, power, Rounding(rounding), wraps)


OPTIONS = (
    ("tensor", "gate", "row"),
    ("symmetric", "asymmetric"),
    ("", "power_of_two"),
    ("even", "half_up", "truncate", "gemmlowp"),
    ("saturate", "wrap"),
)
"""The defaults come first, and are not printed."""


@given(st.tuples(*map(st.sampled_from, OPTIONS)), st.permutations(range(5)), st.booleans())
def test_options_in_any_order(chosen: tuple[str, ...], order: list[int], said: bool) -> None:
    """The name has them in one order, without those that are the default anyway."""
    given_options = [chosen[place] for place in order if chosen[place] and (said or chosen[place] != OPTIONS[place][0])]
    found = parse_format("/".join(["int8", *given_options]))
    others = [option for option, (default, *_) in zip(chosen, OPTIONS, strict=True) if option != default]
    assert found.name == str(found) == "/".join(["int8", *others])
    assert parse_format(found.name) == found


def test_what_the_document_names_is_there() -> None:
    """Every name in a code span or a YAML example of docs/numerics.md."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "numerics.md").read_text(encoding="utf-8")
    spans = re.findall(r"`([^`\n]+)`", text) + re.findall(r"[{ ](?:\w+: )([\w./]+)", text)
    pattern = re.compile(r"(float32|float16|bfloat16|bfp\d+|q\d+\.\d+|int\d+)(/\w+)*")
    found = {span for span in spans if pattern.fullmatch(span)}
    assert found >= {"float32", "bfloat16", "q4.12", "int8/row", "int8/row/half_up", "q4.12/truncate/wrap"}
    for name in found:
        parse_format(name)
    options = set(re.findall(r"`(\w+)`", text)) & {option for group in OPTIONS for option in group}
    assert options == {option for group in OPTIONS for option in group} - {""}


WRONG = {
    "int7x": "unknown number format 'int7x'; allowed: float32, float16, bfloat16, bfpN, qM.N, intN",
    "": "unknown number format ''; allowed: float32, float16, bfloat16, bfpN, qM.N, intN",
    "INT8": "unknown number format 'INT8'; ",
    "int": "unknown number format 'int'; ",
    "int-8": "unknown number format 'int-8'; ",
    "int 8": "unknown number format 'int 8'; ",
    " int8": "unknown number format ' int8'; ",
    "int8\n": "unknown number format 'int8\\n'; ",
    "int1000": "unknown number format 'int1000'; ",
    "int٨": "unknown number format ",
    "uint8": "unknown number format 'uint8'; ",
    "q4": "unknown number format 'q4'; ",
    "q4.": "unknown number format 'q4.'; ",
    "q-1.8": "unknown number format 'q-1.8'; ",
    "float64": "unknown number format 'float64'; ",
    "fp16": "unknown number format 'fp16'; ",
    "bfp": "unknown number format 'bfp'; ",
    "/int8": "unknown number format '/int8'; ",
    "int1": "'int1': 1 bits are not from 2 to 48",
    "int49": "'int49': 49 bits are not from 2 to 48",
    "q0.8": "'q0.8': 0 integer bits, the sign among them, are not from 1 to 48",
    "q1.0": "'q1.0': 1 bits are not from 2 to 48",
    "q40.9": "'q40.9': 49 bits are not from 2 to 48",
    "bfp1": "'bfp1': 1 mantissa bits are not from 2 to 24",
    "bfp25": "'bfp25': 25 mantissa bits are not from 2 to 24",
    "bfp8/block1": "'bfp8/block1': 1 numbers in a block are not from 2 to 128",
    "bfp8/block129": "'bfp8/block129': 129 numbers in a block are not from 2 to 128",
    "bfp8/block8/block4": "'bfp8/block8/block4': expected only one of block8, block4",
    "bfp8/block8/block8": "'bfp8/block8/block8': expected only one of block8, block8",
    "bfp8/even": "'bfp8/even': no option 'even' here; ",
    "int8/row/gate": "'int8/row/gate': expected only one of row, gate",
    "int8/row/row": "'int8/row/row': expected only one of row, row",
    "int8/even/half_up": "'int8/even/half_up': expected only one of even, half_up",
    "int8/wrap/saturate": "'int8/wrap/saturate': expected only one of wrap, saturate",
    "int8/symmetric/asymmetric": "'int8/symmetric/asymmetric': expected only one of symmetric, asymmetric",
    "int8/power_of_two/power_of_two": "expected only one of power_of_two, power_of_two",
    "int8/": "'int8/': no option '' here; ",
    "int8//row": "'int8//row': no option '' here; ",
    "int8/ROW": "'int8/ROW': no option 'ROW' here; ",
    "int8/column": "'int8/column': no option 'column' here; q and int formats take even, half_up, truncate, gemmlowp, "
    "saturate, wrap; int also gate, row, tensor, symmetric, asymmetric, power_of_two; bfp blockB",
    "int8/block8": "'int8/block8': no option 'block8' here; ",
    "q4.12/row": "'q4.12/row': no option 'row' here; ",
    "q4.12/power_of_two": "'q4.12/power_of_two': no option 'power_of_two' here; ",
    "q4.12/asymmetric": "'q4.12/asymmetric': no option 'asymmetric' here; ",
    "float32/even": "'float32/even': no option 'even' here; ",
    "bfloat16/wrap": "'bfloat16/wrap': no option 'wrap' here; ",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_names(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_format(text)
    assert WRONG[text] in str(caught.value)
    assert "\n" not in str(caught.value)


pieces = st.sampled_from(
    ["int", "q", "bfp", "float", "8", "16", "32", "4.12", ".", "/", "row", "gate", "wrap", "even", "block", "x", " "]
)


@settings(max_examples=examples(300))
@given(st.lists(pieces, max_size=7).map("".join) | st.text(max_size=30))
@example("int8/" * 10_000)
@example("q" + "9" * 5_000 + ".1")
def test_any_text_is_a_format_or_gives_one_line(text: str) -> None:
    try:
        found = parse_format(text)
    except ValueError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 400
    else:
        assert parse_format(found.name) == found


# The section of an architecture.


def test_one_name_for_all(machine: Machine) -> None:
    for name in ("float32", "float16", "bfloat16", "q4.12", "int8", "int16/half_up"):
        assert names(machine(formats=name).formats) == dict.fromkeys(KINDS, name)
        assert names(machine(f"formats={name}").formats) == dict.fromkeys(KINDS, name)
        assert names(machine(formats=f"{{all: {name}}}").formats) == dict.fromkeys(KINDS, name)


def test_the_set(machine: Machine) -> None:
    assert names(machine().formats) == FORMAT_SETS["tflite_int8"]
    assert names(machine("formats=tflite_int8", formats="float32").formats) == FORMAT_SETS["tflite_int8"]
    assert FORMAT_SETS["tflite_int8"] == {
        "weight": "int8/gate/gemmlowp",
        "input": "int8/asymmetric/gemmlowp",
        "hidden": "int8/asymmetric/gemmlowp",
        "accumulator": "int32/gemmlowp",
        "gate": "q4.12/gemmlowp",
        "activation": "q1.15/gemmlowp",
        "cell": "int16/power_of_two/gemmlowp",
    }


def test_all_but_one(machine: Machine) -> None:
    """In the file, by --set on a plain name or a set, and on what the file has one by one."""
    but_cell = FORMAT_SETS["tflite_int8"] | {"cell": "int32"}
    assert names(machine(formats="{all: tflite_int8, cell: int32}").formats) == but_cell
    assert names(machine(formats="{cell: int32, all: tflite_int8}").formats) == but_cell
    assert names(machine("formats.cell=int32").formats) == but_cell
    assert names(machine("formats={all: tflite_int8, cell: int32}", formats="float32").formats) == but_cell
    each = "{" + ", ".join(f"{kind}: {name}" for kind, name in FORMAT_SETS["tflite_int8"].items()) + "}"
    assert names(machine(formats=each).formats) == FORMAT_SETS["tflite_int8"]
    assert names(machine("formats.cell=int32", formats=each).formats) == but_cell
    assert names(machine("formats.cell=int32", formats="q4.12").formats) == dict.fromkeys(KINDS, "q4.12") | {
        "cell": "int32"
    }
    two = machine("formats.cell=int32", "formats.gate=q8.8/wrap", formats="q4.12").formats
    assert (str(two.cell), str(two.gate), str(two.weight)) == ("int32", "q8.8/wrap", "q4.12")


def test_names_are_printed_in_one_way(machine: Machine) -> None:
    formats = machine("formats.weight=int8/gemmlowp/saturate/row").formats
    assert str(formats.weight) == "int8/row/gemmlowp"
    again = Formats.model_validate(formats.model_dump())
    assert names(again) == names(formats)


ACCEPTED = {
    "q over q": ("formats=q4.12", "formats.accumulator=q10.30"),
    "int over q": ("formats=q4.12", "formats.accumulator=int48"),
    "int over q and int": ("formats.input=q1.7",),
    "48 bits": ("formats.accumulator=int48/wrap",),
    "float32 over int": ("formats.accumulator=float32",),
    "float16 over bfp": ("formats=float16", "formats.weight=bfp8", "formats.hidden=bfp6/block8"),
    "bfloat16 over q, int and bfp": ("formats=bfloat16", "formats.weight=int4/row", "formats.input=q2.6"),
    "int gates of float sums": ("formats=float32", "formats.gate=q4.12", "formats.cell=int16"),
    "a zero point of 16 bits": ("formats.hidden=int16/asymmetric",),
}


@pytest.mark.parametrize("overrides", ACCEPTED.values(), ids=ACCEPTED)
def test_what_goes_together(machine: Machine, overrides: tuple[str, ...]) -> None:
    machine(*overrides)


def test_what_follows_from_formats(machine: Machine) -> None:
    """exact, float32; whether sums are one accumulation, and whether there is a converter behind it."""
    for overrides, exact, one, converts in (
        (("formats=float32",), False, True, False),
        (("formats=bfloat16",), False, True, False),
        ((), True, False, True),
        (("formats=q4.12",), True, True, False),
        (("formats=q4.12", "formats.input=q4.12/even"), True, True, False),
        (("formats=q4.12", "formats.input=q4.12/truncate"), True, False, False),
        (("formats=q4.12", "formats.hidden=q5.11"), True, False, False),
        (("formats=q4.12", "formats.weight=int16"), False, None, None),
        (("formats=q4.12", "formats.weight=int16", "formats.accumulator=int32"), True, False, True),
        (("formats=q4.12", "formats.accumulator=int40"), True, True, True),
        (("formats=q4.12", "formats.gate=q8.8"), True, True, True),
        (("formats=q4.12", "formats.gate=q4.12/wrap"), True, True, True),
        (("formats.accumulator=float32",), False, True, True),
        (("formats.accumulator=float32", "formats.gate=float32"), False, True, False),
        (("formats.cell=float32",), False, False, True),
    ):
        if one is None:
            with pytest.raises(ArchError):
                machine(*overrides)
            continue
        formats = machine(*overrides).formats
        assert (formats.exact, formats.one_accumulation, formats.converts_sums) == (exact, one, converts), overrides
        assert formats.float32 == (overrides == ("formats=float32",))


OF_PRODUCTS = "accumulator int32/gemmlowp sums products of q or int formats, not of "
REFUSED = {
    "formats=int7x": "unknown number format 'int7x'; allowed: float32, float16, bfloat16, bfpN, qM.N, intN, or the set "
    "tflite_int8",
    "formats={all: int7x}": "unknown number format 'int7x'; allowed: float32, float16, bfloat16, bfpN, qM.N, intN, or "
    "the set tflite_int8",
    "formats.weight=tflite_int8": "unknown number format 'tflite_int8'; allowed: float32, ",
    "formats.weight=int8/column": "no option 'column' here; q and int formats take ",
    "formats.weight=8": "formats.weight: expected a string (number format of the weights), got the integer 8",
    "formats.weight=null": "formats.weight: expected a string (number format of the weights), got null",
    "formats.weights=int8": "formats.weights: unknown key; did you mean 'weight'? allowed here: accumulator, ",
    "formats=8": "formats: expected a mapping with keys among accumulator, ",
    "formats=[int8]": "formats: expected a mapping with keys among accumulator, ",
    "formats.weight=int33": "weight int33: more than 32 bits; only an accumulator may have them",
    "formats.cell=q20.20": "cell q20.20: more than 32 bits; only an accumulator may have them",
    "formats.accumulator=int49": "'int49': 49 bits are not from 2 to 48",
    "formats.cell=bfp8": "cell bfp8: only weight, input and hidden can share exponents",
    "formats.gate=bfp8": "gate bfp8: only weight, input and hidden can share exponents",
    "formats.activation=bfp8": "activation bfp8: only weight, input and hidden can share exponents",
    "formats.accumulator=bfp8": "accumulator bfp8: only weight, input and hidden can share exponents",
    "formats=bfp8": "accumulator bfp8: only weight, input and hidden can share exponents",
    "formats.cell=int8/row": "cell int8/row: only weights have a scale for each gate or row",
    "formats.input=int8/gate": "input int8/gate: only weights have a scale for each gate or row",
    "formats.accumulator=int32/row": "accumulator int32/row: only weights have a scale for each gate or row",
    "formats.weight=int8/asymmetric": "weight int8/asymmetric: only input and hidden have a zero point",
    "formats.cell=int8/asymmetric": "cell int8/asymmetric: only input and hidden have a zero point",
    "formats.hidden=int17/asymmetric": "hidden int17/asymmetric: only up to 16 bits have a zero point",
    "formats.accumulator=int32/power_of_two": "the scale of an accumulator is that of its products",
    "formats.weight=float32": OF_PRODUCTS + "weight float32; float32 takes products of any format",
    "formats.weight=bfp8": OF_PRODUCTS + "weight bfp8; ",
    "formats.hidden=bfloat16": OF_PRODUCTS + "hidden bfloat16; ",
    "formats.accumulator=q8.24": "accumulator q8.24 sums products of q formats, not of weight int8/gate/gemmlowp, "
    "input int8/asymmetric/gemmlowp, hidden int8/asymmetric/gemmlowp; ",
}


@pytest.mark.parametrize("override", REFUSED)
def test_what_is_refused(machine: Machine, override: str) -> None:
    """One line, which names the override."""
    with pytest.raises(ArchError) as caught:
        machine(override)
    (line,) = str(caught.value).splitlines()
    assert REFUSED[override] in line
    assert f"--set {override}" in line


def test_a_set_needs_all_kinds(machine: Machine) -> None:
    with pytest.raises(ArchError) as caught:
        machine(formats="{weight: int8, cell: int16}")
    lines = str(caught.value).splitlines()
    assert len(lines) == len(KINDS) - 2
    assert all(
        re.search(r"machine\.yaml:4: formats: missing key '\w+' \(a string: number format of ", s) for s in lines
    )


NEEDED = "it needs its argument in a q format of up to 32 bits, as q4.12"
METHODS = {
    ("activation.method=table",): None,
    ("activation.method=exact", "formats=float32"): None,
    ("activation.method=hard", "formats=int8"): None,
    ("activation.method=table", "formats=float32", "activation.address_format=q4.8"): None,
    ("activation.method=piecewise_linear", "formats=int8", "activation.address_format=q4.8"): None,
    (
        "activation.method=table",
        "formats.gate=int16",
    ): f"{NEEDED}; without address_format that is formats.gate, int16: set one of the two",
    (
        "activation.method=table",
        "formats=float32",
    ): f"{NEEDED}; without address_format that is formats.gate, float32: set one of the two",
    (
        "activation.method=piecewise_linear",
        "formats=bfloat16",
    ): f"{NEEDED}; without address_format that is formats.gate, bfloat16: set one of the two",
    ("activation.method=table", "activation.address_format=int16"): f"{NEEDED}; address_format is int16",
    ("activation.method=table", "activation.address_format=q20.20"): f"{NEEDED}; address_format is q20.20",
    ("activation.address_format=nothing",): "unknown number format 'nothing'",
}


@pytest.mark.parametrize("overrides", METHODS, ids=" ".join)
def test_tables_and_lines_need_an_address(machine: Machine, overrides: tuple[str, ...]) -> None:
    wanted = METHODS[overrides]
    if wanted is None:
        machine(*overrides)
        return
    with pytest.raises(ArchError) as caught:
        machine(*overrides)
    (line,) = str(caught.value).splitlines()
    assert wanted in line
    if "unknown" not in wanted:
        assert f": activation: method {overrides[0].removeprefix('activation.method=')}: {wanted}" in line
