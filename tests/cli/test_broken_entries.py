"""What another package offers and cannot be used is an error only of the command that asks for its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archsim.config.extensions import forget_extensions
from tests.cli.conftest import Cli


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages."""
    monkeypatch.syspath_prepend(tmp_path)
    forget_extensions()
    yield tmp_path
    forget_extensions()


def offer_broken(folder: Path, group: str) -> None:
    """An entry of a module that is not there."""
    info = folder / "offered-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offered\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[archsim.{group}]\nbroken = not_there:BROKEN\n")
    forget_extensions()


@pytest.mark.parametrize(
    ("group", "sets", "unknown"),
    [
        ("families", "family=gemw", "expected one of 'gemv', 'npu', "),
        ("activation_methods", "activation.method=tabel", "did you mean 'table'"),
        ("number_formats", "formats=q4.x", "unknown number format 'q4.x'; allowed: float32"),
        ("units", "units.linq.lanes=2", "linq"),
    ],
)
def test_a_broken_entry_of_another_name_is_a_note(folder: Path, cli: Cli, group: str, sets: str, unknown: str) -> None:
    """The answer is what is unknown and what there is; the entry that cannot be used stands beside it, on a line."""
    offer_broken(folder, group)
    Path("gemw.yaml").write_text("family: gemw\n", encoding="utf-8")
    given = ("gemw.yaml", "lstm_3_2_t4") if group == "families" else ("tiny_2x2", "lstm_3_2_t4", "--set", sets)
    outcome = cli("run", *given, "--json")
    assert outcome.code == 2
    notes = [line for line in outcome.err.splitlines() if line.startswith("archsim: note: ")]
    errors = [line for line in outcome.err.splitlines() if line.startswith("archsim: error: ")]
    assert [*notes, *errors] == outcome.err.splitlines()
    (note,) = notes
    assert note.startswith(f"archsim: note: left out: archsim.{group}: 'broken' = 'not_there:BROKEN' of offered")
    assert unknown in errors[0]
    assert "broken" not in errors[0]


def test_the_broken_entry_that_is_asked_for_is_the_error(folder: Path, cli: Cli) -> None:
    offer_broken(folder, "activation_methods")
    outcome = cli("run", "tiny_2x2", "lstm_3_2_t4", "--set", "activation.method=broken", "--json")
    assert outcome.code == 2
    assert outcome.err.startswith("archsim: error: archsim.activation_methods: 'broken' = 'not_there:BROKEN'")
