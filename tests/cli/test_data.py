"""`archsim program --json` and `archsim trace --json|--csv` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

TINY = ("tiny_2x2", "lstm_3_2_t4")
Q4_12 = ("--set", "formats=q4.12", "--set", "activation.method=exact")


@pytest.mark.parametrize(
    "command",
    [
        ("program", *TINY, "--json"),
        ("program", *TINY, "--json", "--timing-only"),
        ("program", *TINY, "--json", "--contents", *Q4_12, "--schedule", "split"),
        ("trace", *TINY, "--json"),
        ("trace", *TINY, "--csv"),
        ("trace", *TINY, "--json", "--from", "50", "--to", "60"),
        ("program", *TINY),
        ("trace", *TINY),
    ],
)
def test_the_same_bytes_every_time_and_in_a_file(cli: Cli, command: tuple[str, ...]) -> None:
    first = cli(*command)
    assert (first.code, first.err) == (0, "")
    assert cli(*command).out == first.out
    written = cli(*command, "--out", "found.txt")
    assert (written.code, written.out, written.err) == (0, "", "")
    assert Path("found.txt").read_text(encoding="utf-8") == first.out
    assert [path.name for path in Path().iterdir()] == ["found.txt"]
    if "--json" in command:
        found = json.loads(first.out)
        assert found["format"] == f"archsim-{command[0]}"
        assert found["version"] == 1


def test_what_is_asked_for_is_there_and_nothing_else(cli: Cli) -> None:
    plain = json.loads(cli("program", *TINY, "--json").out)
    timing = json.loads(cli("program", *TINY, "--json", "--timing-only").out)
    whole = json.loads(cli("program", *TINY, "--json", "--contents", *Q4_12).out)
    assert {op["arithmetic"]["definition"] for op in plain["ops"]} == {"floating_point"}
    assert {op["arithmetic"] for op in timing["ops"]} == {None}
    assert "contents" not in plain
    assert {type(value) for entry in whole["contents"] for value in entry["values"]} == {int}
    assert {found["definition"] for found in whole["functions"]} == {"float64"}  # the method is `exact`


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("trace", *TINY, "--json", "--csv"), "--json and --csv exclude each other."),
        (("program", *TINY, "--contents"), "--contents goes with --json."),
        (("program", *TINY, "--timing-only"), "--timing-only goes with --json."),
        (("program", *TINY, "--json", "--timing-only", "--contents"), "--contents are numbers"),
        (("program", *TINY, "--json", "--out", "."), "is a folder; --out names a file"),
        (("trace", *TINY, "--csv", "--out", "none/found.csv"), "none/found.csv: cannot write: No such file"),
        (("program", *TINY, "--json", "--schedule", "fussed"), "did you mean 'fused'?"),
        (("trace", "tiny_2x2", "lstm:30,20,t=4", "--json"), "weight_sram: needs"),
        (("trace", *TINY, "--csv", "--from", "50", "--to", "10"), "--from 50 is after --to 10."),
        (("trace", *TINY, "--from", "199"), "--from 199: the run ends at cycle 198"),
        (("trace", *TINY, "--csv", "--from", "199", "--out", "found.csv"), "--from 199: the run ends at cycle 198"),
        (("trace", *TINY, "--json", "--from", "199", "--out", "found.json"), "--from 199: the run ends at cycle 198"),
    ],
)
def test_errors_are_one_line(cli: Cli, command: tuple[str, ...], message: str) -> None:
    outcome = cli(*command)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert list(Path().iterdir()) == []
