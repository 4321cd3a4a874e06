"""archsim explore as a user meets it."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archsim.errors import OutputError

Cli = Callable[..., tuple[int, str, str]]
"""Runs the command line: exit code, stdout, stderr."""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    from archsim.cli.main import main

    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["archsim", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        captured = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return caught.value.code, captured.out, captured.err

    return run


def test_json_is_one_object_with_these_keys(cli: Cli, write: Callable[..., Path]) -> None:
    code, out, err = cli("explore", str(write()), "--json", "--workers", "1", "--no-plots")
    found = json.loads(out)
    assert code == 0
    assert err == ""
    counts = ["evaluated", "infeasible", "pruned", "failed"]
    assert list(found) == [*counts, "seconds", "designs_per_second", "one_by_one", "front", "notes"]
    assert sum(found[key] for key in counts) == 48
    assert found["front"]
    for point in found["front"]:
        assert set(point) == {"inputs", "objectives", "same_as"}
        assert set(point["objectives"]) == {"body_us", "macs_per_cycle"}
        assert {"mac_array.rows", "schedule", "weight_sram.banks"} <= set(point["inputs"])


def test_what_cannot_be_on_the_front_is_left_out_unless_all_is_asked_for(
    cli: Cli, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round of 4 points comes first. More SRAM costs area and buys nothing: later ones are seen to be dominated."""
    monkeypatch.setattr("archsim.explore.search.samplers.ROUND", 4)
    larger = [("tiny_2x2", "edge_16x16"), ("lstm:3,4,t=3", "lstm:24,24,t=2"), ("[256, 2KiB]", "[64KiB, 1MiB]")]
    path = write(*larger, ("minimize: mac_array.rows * mac_array.columns", "minimize: area"))
    options = ("explore", str(path), "--json", "--workers", "1", "--no-plots", "--out")
    found = [json.loads(cli(*options, *more)[1]) for more in (("few",), ("all", "--no-prune"))]
    assert found[0]["pruned"] > 0
    assert found[1]["pruned"] == 0
    assert found[1]["evaluated"] == found[0]["evaluated"] + found[0]["pruned"]
    assert found[0]["front"] == found[1]["front"]


def test_what_is_missing_is_noted_on_stderr_or_in_the_object(
    cli: Cli, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without pyarrow there is no points.parquet: one line on stderr, or, with --json, a note and nothing there."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    options = ("explore", str(write()), "--workers", "1", "--no-plots", "--budget", "3", "--out")
    code, _, err = cli(*options, "plain")
    assert (code, len(err.splitlines())) == (0, 1)
    assert err.startswith("archsim: note: points.parquet is not written: it needs pyarrow")
    code, out, err = cli(*options, "json", "--json")
    assert (code, err) == (0, "")
    (note,) = json.loads(out)["notes"]
    assert note.startswith("points.parquet is not written: it needs pyarrow")
    assert not list(Path().glob("*/points.parquet"))


def test_points_csv_has_every_input_and_output(cli: Cli, write: Callable[..., Path]) -> None:
    code, out, _ = cli("explore", str(write()), "--workers", "1", "--no-prune", "--budget", "40", "--out", "here")
    assert code == 0
    assert "Pareto front" in out
    assert "40 points of 48 looked at" in out
    with Path("here/points.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 40
    done = [row for row in rows if row["status"] == "evaluated"]
    for name in ("mac_array.rows", "weight_sram.banks", "latency_cycles", "bounds.compute", "cycle_stack.useful"):
        assert all(row[name] for row in done), name
    assert {row["reason_gap"] for row in rows if row["reason"] == "capacity"} == {"192"}
    assert all(row["command"].startswith("archsim run tiny_2x2 ") for row in rows)
    page = Path("here/index.html").read_text()
    assert page.count("archsim run tiny_2x2") >= len(done), "each design has the command of its full report"


def test_resume_and_quiet(cli: Cli, write: Callable[..., Path]) -> None:
    path = str(write())
    assert cli("explore", path, "--workers", "1", "--budget", "20", "--quiet", "--no-plots")[:2] == (0, "")
    code, _, err = cli("explore", path, "--workers", "1", "--no-plots")
    assert code == 2
    assert "--resume" in err
    code, _, err = cli("explore", path, "--workers", "1", "--resume", "--no-plots")
    assert code == 0
    assert "no journal" not in err
    code, _, err = cli("explore", path, "--workers", "1", "--budget", "5", "--resume", "--no-plots", "--out", "other")
    assert code == 0
    assert "archsim: note: other: has no journal to go on from; a new exploration begins\n" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("edgy",), "did you mean 'edge'"),
        (("edge", "--executor", "slow"), "expected auto, fast or machine"),
        (("edge", "--workers", "0"), "--workers"),
    ],
)
def test_mistakes_are_one_line(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = cli("explore", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_ctrl_c_while_results_are_written_names_resume(
    cli: Cli, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("archsim.explore.results.write_results.write_results", stopped)
    code, out, said = cli("explore", str(write()), "--budget", "2", "--workers", "1", "--out", "here", "--quiet")
    assert (code, out) == (130, "")
    assert said.startswith(
        "archsim: stopped; all designs are on disk in here, and --resume writes the results: archsim "
    )
    assert said.endswith(" --resume\n")


def test_a_full_disk_while_results_are_written_names_resume(
    cli: Cli, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _: bytes) -> None:
        raise OutputError(f"{path}: cannot write results: No space left on device")

    monkeypatch.setattr("archsim.explore.results.write_results.write_file", full)
    options = ("explore", str(write()), "--budget", "2", "--workers", "1", "--out", "here", "--quiet", "--no-plots")
    code, out, said = cli(*options)
    assert (code, out) == (2, "")
    assert said.startswith(
        "archsim: error: here/points.csv: cannot write results: No space left on device; all designs are on disk in "
        "here, and --resume writes the results: archsim explore "
    )
    assert said.endswith(" --resume\n")


@pytest.mark.parametrize("columns", [60, 80])
def test_on_a_terminal_lines_are_as_long_as_it(
    cli: Cli, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """Elsewhere as long as 120 characters, which a terminal of 80 would break in the middle of words."""
    options = ("explore", str(write()), "--budget", "20", "--workers", "1", "--no-plots", "--out")
    _, wide, _ = cli(*options, "one")
    assert max(map(len, wide.splitlines())) > 80
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    _, out, _ = cli(*options, "two")
    assert max(map(len, out.splitlines())) <= columns
    assert " ".join(out.split()).startswith("Space small: 20 points of 48 looked at")
    if columns == 60:
        assert "\n  body_us (min): " in out, "as lists each figure has its name, the first too"
