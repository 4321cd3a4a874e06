"""Whose code an unforeseen error is from: archsim's, or that of an installed package, whose line is then named."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archsim.cli.blame import outside_place
from archsim.config.extensions import forget_extensions
from archsim.families.load import load_arch
from tests.cli.conftest import Cli

UNIT = """\
from archsim.families.gemv.order import WorkOrder
from archsim.families.gemv.schedule import gemv_schedule
from archsim.families.gemv.split import split
from archsim.config.read_tracking import ReadTracker
from archsim.metrics.statistic import Statistic

def late(config):
    tracker = ReadTracker(config)
    tracker.close()
    return tracker.stand_in.clock_mhz

def by_hand(text):
    return int(text)

def with_a_library():
    import json
    return json.loads("no JSON")

def with_archsim(call):
    return call()

COUNT = Statistic("count", "1", "a count", "1", lambda run: 1)
"""


@pytest.fixture
def offering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package my-blamed is installed; its module my_blamed offers a statistic."""
    info = tmp_path / "my_blamed-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-blamed\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[archsim.statistics]\ncount = my_blamed:COUNT\n")
    (tmp_path / "my_blamed.py").write_text(UNIT)
    monkeypatch.syspath_prepend(tmp_path)
    forget_extensions()
    yield
    forget_extensions()
    sys.modules.pop("my_blamed", None)


def place_of(expression: str) -> str | None:
    """Where the error of an expression over the module was raised."""
    import my_blamed  # type: ignore[import-not-found]

    try:
        eval(expression, {"__name__": "tests", "m": my_blamed, "load_arch": load_arch})
    except Exception as error:
        found = outside_place(error)
        return None if found is None else str(found)
    raise AssertionError(f"{expression} raised nothing")


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ("m.by_hand('x')", "my-blamed: my_blamed, line 13"),
        # The innermost frames are the standard library's, which the package called.
        ("m.with_a_library()", "my-blamed: my_blamed, line 17"),
        # archsim refuses the read, and the package made it.
        ("m.late(load_arch('tiny_2x2').config)", "my-blamed: my_blamed, line 10"),
        # The package called archsim, which raised.
        ("m.with_archsim(lambda: load_arch('not_there'))", None),
        ("load_arch('not_there')", None),
        ("int('x')", None),
    ],
)
def test_the_innermost_code_that_is_archsim_s_or_a_package_s_decides(
    offering: None, expression: str, place: str | None
) -> None:
    assert place_of(expression) == place


def test_an_error_that_is_raised_anew_is_looked_for_where_it_came_from(offering: None) -> None:
    import my_blamed

    try:
        try:
            my_blamed.by_hand("x")
        except ValueError as first:
            raise ValueError(*first.args) from first  # as SimPy does
    except ValueError as error:
        assert str(outside_place(error)) == "my-blamed: my_blamed, line 13"


def test_the_command_names_the_line_and_reports_no_bug(
    offering: None, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    import my_blamed

    def raises(*_: object, **__: object) -> None:
        my_blamed.by_hand("x")

    monkeypatch.setattr("archsim.api.programs.program_cache.build_program", raises)
    run = cli("run", "tiny_2x2", "lstm_3_2_t4", "--json")
    assert (run.code, run.out) == (2, "")
    assert run.err == (
        "archsim: error: my-blamed: my_blamed, line 13: ValueError: invalid literal for int() with base 10: 'x' "
        "(--debug shows more)\n"
    )
    assert not list(Path().glob("archsim-crash-*.txt"))
