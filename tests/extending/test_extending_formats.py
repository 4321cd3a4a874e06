"""Number formats from outside: the worked example of the docs, and every way in which one can be wrong."""

from __future__ import annotations

import importlib
import pickle
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.config.extensions import FORMATS as GROUP
from archsim.errors import ArchError, ExtensionError
from archsim.families.load import Arch, load_arch
from archsim.formats import KINDS, Bit, Fixed, FloatFormat, Formats, NumberFormat, parse_format
from archsim.formats.offered import FormatDefinition
from archsim.hardware.operators import Width, width_of
from archsim.report.text.catalogue import catalogue
from archsim.workload import load_workload
from tests.extending.entries import offered
from tests.extending.outside import check_section, install, run, section
from tests.rings import exhaustive

TITLE = "A number format"
MIXED = "formats={all: float32, weight: e4m3, input: e4m3, hidden: e4m3}"


@dataclass(frozen=True)
class Half(FloatFormat):
    """float16 under another name."""

    name = "half"
    bits = 16
    significand_bits = 11
    largest = 65504.0

    def rounded(self, values: npt.NDArray[np.floating[Any]]) -> tuple[npt.NDArray[np.float32], int]:
        return parse_format("float16").rounded(values)  # type: ignore[attr-defined,no-any-return]


@dataclass(frozen=True)
class Noisy(Fixed):
    """A fixed-point format that its package may round in its own way."""

    @property
    def name(self) -> str:
        return "noisy"


def parse(text: str) -> NumberFormat | None:
    return {"half": Half(), "noisy": Noisy(4, 12)}.get(text)


MINE = FormatDefinition("half", "float16 under another name", parse)


def machine(formats: object) -> Arch:
    """tiny_2x2 with these formats, given as they are, and a method that is for all of them."""
    arch = load_arch("tiny_2x2", [parse_override("activation.method=exact")])
    data = arch.config.model_dump() | {"formats": formats}
    return replace(arch, config=type(arch.config).model_validate(data, strict=False))


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The worked example, installed."""
    folder = tmp_path_factory.mktemp("outside")
    check_section("archsim_e4m3", TITLE, folder)
    return folder


@exhaustive
def test_the_worked_example_and_a_run_of_what_it_saved(example: Path) -> None:
    (saved,) = example.glob("results/tiny_2x2-lstm_3_2_t4-fused_interleaved*/arch.yaml")  # with a hash of what was set
    assert "weight: e4m3" in saved.read_text()
    again = run(f"archsim run {saved} lstm_3_2_t4 --no-plots --out again", example)
    assert again.returncode == 0, again.stdout
    assert "no exact reference (e4m3," in " ".join(again.stdout.split())
    figures = run(f"archsim run {saved} lstm_3_2_t4 --out drawn", example)
    assert figures.returncode == 0, figures.stdout


@exhaustive
def test_an_unknown_name_lists_the_package_s_names_too(example: Path) -> None:
    found = run("archsim validate tiny_2x2 lstm_3_2_t4 --set formats.weight=e5m9 --set formats=e5m9", example)
    known = "allowed: float32, float16, bfloat16, bfpN, qM.N, intN, e4m3"
    assert found.returncode == 2
    assert f"got 'e5m9': unknown number format 'e5m9'; {known}, or the set tflite_int8\n" in found.stdout
    one = run("archsim validate tiny_2x2 lstm_3_2_t4 --set formats.weight=e5m9", example)
    assert one.stdout == (
        "archsim: error: --set formats.weight=e5m9: formats.weight: expected a string (number format of the weights), "
        f"got 'e5m9': unknown number format 'e5m9'; {known}\n"
    )


def test_the_example_s_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OFP8, table 1 and 2: 448 the largest, 2^-6 the smallest normal, 2^-9 the smallest; 126 positive numbers.

    The 2 x 127 codes that are numbers are what rounding leaves as it is, and of two neighbours the nearer is taken,
    from the middle the one whose last bit is 0.
    """
    e4m3 = e4m3_module(tmp_path, monkeypatch).E4M3()
    codes = np.arange(127)
    exponent, fraction = codes >> 3, codes & 7
    numbers = np.where(exponent == 0, fraction * 2.0**-9, (8 + fraction) * 2.0 ** (exponent - 10))
    assert (numbers[1], numbers[8], numbers[-1]) == (2.0**-9, 2.0**-6, 448.0)
    for sign in (1, -1):
        assert e4m3.rounded(sign * numbers)[0].tolist() == (sign * numbers).tolist()
        middle = (numbers[1:] + numbers[:-1]) / 2
        even = np.where(codes[:-1] % 2 == 0, numbers[:-1], numbers[1:])
        assert e4m3.rounded(sign * middle)[0].tolist() == (sign * even).tolist()
        assert e4m3.rounded(sign * np.nextafter(middle, 500))[0].tolist() == (sign * numbers[1:]).tolist()
        assert e4m3.rounded(sign * np.nextafter(middle, 0))[0].tolist() == (sign * numbers[:-1]).tolist()
    beyond = e4m3.rounded(np.array([463.9, 464.1, -1e9, 448.0]))
    assert (beyond[0].tolist(), beyond[1]) == ([448.0, 448.0, -448.0, 448.0], 2)


def e4m3_module(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's package as a module of this process, forgotten afterwards."""
    install("archsim_e4m3", section(TITLE), folder)
    monkeypatch.syspath_prepend(folder)
    for name in ("archsim_e4m3", "archsim_e4m3.number_format"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("archsim_e4m3.number_format")


def test_a_format_given_as_itself_computes_as_one_of_that_arithmetic() -> None:
    """As float16, whose every number it has: the same outputs, cycles and energy, and a verdict by its own name."""
    workload = load_workload("lstm_3_2_t4")
    own = simulate(machine("float16"), workload)
    mine = simulate(machine(Half()), workload)
    assert own.results is not None
    assert mine.results is not None
    assert np.array_equal(own.results.output, mine.results.output)
    assert own.trace.total_cycles == mine.trace.total_cycles
    assert own.stats.energy == mine.stats.energy
    assert mine.validation.passed is None
    assert mine.validation.not_judged == "floating point other than float32 alone has no exact reference (half)"
    assert width_of(Half()) == Width(11, floating=True)


def test_a_class_that_is_derived_from_one_on_integers_is_not_judged_as_that() -> None:
    """It may round as it likes: the reference knows archsim's own alone."""
    workload = load_workload("lstm_3_2_t4")
    assert simulate(machine("q4.12"), workload).validation.passed
    found = simulate(machine(Noisy(4, 12)), workload).validation
    assert found.passed is None
    assert found.not_judged == "the integer reference does not know the number format noisy"
    address = {**machine("q4.12").config.model_dump(), "formats": "q4.12"}
    address["activation"] = {**address["activation"], "method": "table", "address_format": Noisy(4, 12)}
    arch = load_arch("tiny_2x2")
    arch = replace(arch, config=type(arch.config).model_validate(address, strict=False))
    assert simulate(arch, workload).validation.not_judged == (
        "the integer reference does not know the number format noisy"
    )


def test_offered_formats_are_found_by_name_and_written_by_name() -> None:
    with offered(GROUP, half=MINE):
        formats = Formats.model_validate({"all": "half", "cell": "float32"})
        assert [formats.format(kind).name for kind in KINDS] == ["half"] * 6 + ["float32"]
        assert formats == Formats.model_validate({"all": Half(), "cell": parse_format("float32")})
        assert hash(formats) == hash(Formats.model_validate_json(formats.model_dump_json()))
        assert pickle.loads(pickle.dumps(formats)) == formats
    with pytest.raises(ValueError, match="unknown number format 'half'"):
        Formats.model_validate("half")


def test_formats_and_methods_are_listed() -> None:
    with offered(GROUP, half=MINE):
        listed = dict(catalogue().sections)
    assert listed["Number formats of installed packages (formats)"] == [
        ("half", "float16 under another name; from an installed package")
    ]
    methods = listed["Activation methods (activation.method, mfu.method)"]
    assert [name for name, _ in methods] == ["exact", "polynomial", "hard", "table", "piecewise_linear", "gemmlowp"]


def test_archsim_s_own_names_are_never_asked_for() -> None:
    """Not even those with wrong options: `int8/half` is a wrong int8."""

    def takes_all(text: str) -> NumberFormat | None:
        raise AssertionError(f"asked for {text}")

    with offered(GROUP, all=FormatDefinition("all", "takes every name", takes_all)):
        assert parse_format("int8").bits == 8
        with pytest.raises(ValueError, match="no option 'half' here"):
            parse_format("int8/half")


@pytest.mark.parametrize(
    ("definitions", "message"),
    [
        ({"half": MINE, "again": MINE}, "'half' is a format of both again and half"),
        ({"half": 3}, "expected an instance of FormatDefinition, got int"),
        ({"half": replace(MINE, parse=lambda text: Bit())}, "number format bit: Bit is neither a FloatFormat, nor"),
        (
            {"half": replace(MINE, parse=lambda text: Noisy(4, 12) if text == "half" else None)},
            "a format named 'noisy', and",
        ),
        (
            {"half": replace(MINE, parse=lambda text: Noisy(4, len(text)))},
            "a format named 'noisy', and that name is not",
        ),
    ],
)
def test_entries_that_are_wrong(definitions: dict[str, object], message: str) -> None:
    with offered(GROUP, **definitions), pytest.raises(ExtensionError, match=message):
        parse_format("half")


def test_what_a_package_says_of_a_name_is_a_fault_of_the_file() -> None:
    def refuses(text: str) -> NumberFormat | None:
        raise ValueError("halves have no options")

    with (
        offered(GROUP, half=replace(MINE, parse=refuses)),
        pytest.raises(ArchError, match="formats.weight: expected a string .*, got 'half/x': halves have no options"),
    ):
        load_arch("tiny_2x2", (parse_override("formats.weight=half/x"),))
