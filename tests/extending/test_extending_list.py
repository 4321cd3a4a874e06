"""`archsim list` beside broken packages: it lists all else, says what is whose, and names each broken entry."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archsim.cli.main import main
from archsim.config.extensions import forget_extensions
from archsim.config.listed import Catalogue
from archsim.families.load import load_arch
from archsim.families.schedules import build_program, find_schedule
from archsim.report.text.catalogue import catalogue
from archsim.workload import load_workload

GOOD = """
from dataclasses import replace
from typing import Literal
from pydantic import Field
from archsim.families.gemv.array.mac_array import MacArray
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.family import GEMV
from archsim.families.gemv.order import WorkOrder
from archsim.families.gemv.schedule import gemv_schedule
from archsim.families.gemv.split import split
from archsim.formats.offered import FormatDefinition
from archsim.hardware.functions.method_definition import MethodDefinition
from archsim.hardware.functions.methods import Hard
from archsim.hardware.unit import UnitConfig
from archsim.hardware.unit_definition import UnitDefinition
from archsim.importers.importer import Importer
from archsim.metrics.statistic import Statistic

EAGER = gemv_schedule(WorkOrder("eager", True, split, splits_sums=True), "split under another name")

class OtherConfig(GemvConfig):
    family: Literal["other"] = Field(description="kind of machine")

OTHER = replace(GEMV, name="other", config=OtherConfig, schedules=(replace(GEMV.schedules[0], family="other"),))
HARDER = MethodDefinition("harder", "as hard", lambda config, formats: Hard())
HALF = FormatDefinition("half", "float16", lambda text: None)
LINK = UnitDefinition("link", "a link", UnitConfig, lambda config, ports, formats: None)
COUNT = Statistic("count", "cycles", "a count", "1", lambda run: 1)
READER = Importer("reader", "reads nothing", (".none",), None)
WRONG = replace(COUNT, name="wrong", unit=3)
HOLLOW = replace(GEMV, name="hollow", schedules=3)

class TornConfig(GemvConfig):
    family: Literal["torn"] = Field(description="kind of machine")

class NoKind:
    def __get__(self, *of):
        raise KeyError("kind")

class TornArray(MacArray):
    kind = NoKind()

TORN = replace(
    OTHER, name="torn", config=TornConfig, unit_kinds=(*GEMV.unit_kinds[:1], TornArray, *GEMV.unit_kinds[2:]),
    schedules=(replace(GEMV.schedules[0], family="torn"),),
)
"""

ENTRIES = """
[archsim.schedules]
eager = good:EAGER
[archsim.families]
other = good:OTHER
[archsim.activation_methods]
harder = good:HARDER
[archsim.number_formats]
half = good:HALF
[archsim.units]
link = good:LINK
[archsim.statistics]
count = good:COUNT
[archsim.importers]
reader = good:READER
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where packages are installed; one is good and offers something of each kind."""
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "stops.py").write_text("raise RuntimeError('two\\nlines')")
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(7)")
    offer(tmp_path, "good-things", ENTRIES)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    forget_extensions()
    for name in ("good", "stops", "leaves"):
        sys.modules.pop(name, None)


def offer(folder: Path, package: str, entries: str) -> None:
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entries)
    forget_extensions()


def texts(found: Catalogue) -> dict[str, str]:
    """What is said of each name, the last of several."""
    return {name: text for _, entries in found.sections for name, text in entries}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("eager", "split under another name"),
        ("harder", "as hard"),
        ("half", "float16"),
        ("link", "a link"),
        ("count", "a count (cycles)"),
        ("reader", "reads nothing (.none)"),
    ],
)
def test_what_is_not_archsim_s_own_has_its_package(folder: Path, name: str, text: str) -> None:
    assert texts(catalogue())[name] == f"{text}; from good-things"


def test_so_has_a_family_and_archsim_s_own_has_none(folder: Path) -> None:
    found = catalogue()
    titles = [title for title, _ in found.sections]
    assert "Schedules of the family other from good-things" in titles
    assert "Components of the family other from good-things (the sections of an architecture)" in titles
    assert "Schedules of the family npu" in titles
    assert not texts(found)["hard"].endswith("good-things")
    assert found.broken == ()


@pytest.mark.parametrize(
    ("group", "entry", "line"),
    [
        ("schedules", "bad = stops:X", r"'bad' = 'stops:X' of bad cannot be imported: RuntimeError: two\nlines"),
        ("families", "bad = leaves:X", "'bad' = 'leaves:X' of bad cannot be imported: SystemExit: 7"),
        ("units", "bad = good:COUNT", "of bad: expected an instance of UnitDefinition, got Statistic"),
        ("activation_methods", "bad = stops:X", "'bad' = 'stops:X' of bad cannot be imported: RuntimeError"),
        ("importers", "bad = good:READER", "of bad: the entry must have the name of its importer, which is 'reader'"),
        ("statistics", "wrong = good:WRONG", "of bad: unit must be text, got the integer 3"),
        ("families", "hollow = good:HOLLOW", "of bad: config must be a model whose field family is Literal['hollow']"),
        ("families", "torn = good:TORN", "torn of bad: cannot be listed: KeyError: 'kind'"),
        ("number_formats", "bad = none:X", "of bad cannot be imported: ModuleNotFoundError: No module named 'none'"),
    ],
)  # fmt: skip
def test_a_broken_entry_is_one_line_and_hides_nothing(folder: Path, group: str, entry: str, line: str) -> None:
    before = catalogue().sections
    offer(folder, "bad", f"[archsim.{group}]\n{entry}\n")
    found = catalogue()
    assert found.sections == before
    (broken,) = found.broken
    assert broken.startswith(f"archsim.{group}: ")
    assert line in broken
    assert len(broken.splitlines()) == 1


def test_of_two_packages_that_offer_one_name_neither_is_listed(folder: Path) -> None:
    offer(folder, "bad", "[archsim.units]\nlink = good:LINK\n")
    found = catalogue()
    assert "link" not in texts(found)
    why = "another installed package offers link too"
    assert found.broken == tuple(f"archsim.units: 'link' = 'good:LINK' of {of}: {why}" for of in ("bad", "good-things"))


def test_the_command_lists_all_and_then_names_the_broken_ones(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, as wherever something cannot be used; without them 0."""
    monkeypatch.setattr("sys.argv", ["archsim", "list"])
    with pytest.raises(SystemExit) as whole:
        main()
    assert whole.value.code == 0
    listed = capsys.readouterr().out
    offer(folder, "bad", "[archsim.schedules]\nbad = stops:X\n[archsim.units]\nbad = none:X\n")
    with pytest.raises(SystemExit) as partly:
        main()
    assert partly.value.code == 2
    said = capsys.readouterr()
    assert said.out == listed
    assert [line.split(" = ")[0] for line in said.err.splitlines()] == [
        "archsim: error: archsim.schedules: 'bad'",
        "archsim: error: archsim.units: 'bad'",
    ]


@pytest.mark.parametrize("group", ["families", "schedules", "activation_methods", "number_formats", "units"])
def test_a_broken_entry_stops_no_program_of_archsim_s_own(folder: Path, group: str) -> None:
    offer(folder, "bad", f"[archsim.{group}]\nbad = stops:X\n")
    program = build_program(find_schedule("fused"), load_workload("lstm_3_2_t4").spec, load_arch("tiny_2x2").config)
    assert program.schedule == "fused_interleaved"
