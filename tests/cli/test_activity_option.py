"""`--activity` of the commands that explain and export a run: the columns are those of the file, as in `run`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def design(tmp_path: Path) -> tuple[str, ...]:
    """GRU(8, 16) in which nothing ever changes: a step takes 50 cycles (tests/families/delta/test_layer_times.py)."""
    file = tmp_path / "nothing.nz.txt"
    file.write_text("| |\n" * 3, encoding="utf-8")
    return "edgedrnn", "gru:8,16,t=3", "--activity", str(file)


@pytest.mark.parametrize("command", ["explain", "whatif"])
def test_what_is_explained_is_the_run_of_the_file(cli: Cli, design: tuple[str, ...], command: str) -> None:
    found = json.loads(cli(command, *design, "--json").out)
    assert (found["latency_cycles"] if command == "explain" else found[0]["before_cycles"]) == 3 * 50


def test_the_trace_is_that_of_the_file(cli: Cli, design: tuple[str, ...]) -> None:
    lines = [line.split(",") for line in cli("trace", *design, "--csv").out.splitlines()]
    done = lines[0].index("done_cycle")
    assert max(int(line[done]) for line in lines[1:]) == 3 * 50


def test_the_program_is_that_of_the_file(cli: Cli, design: tuple[str, ...]) -> None:
    assert "9 ops executed" in cli("program", *design).out
    assert "has 3 lines" in cli("program", "edgedrnn", "gru:8,16,t=4", *design[2:]).err


def test_nothing_at_all_passes_the_fifo(cli: Cli) -> None:
    """Without a bias not even that is passed on: no byte passes the FIFO, and no ops a byte are said of it."""
    words = ("run", "edgedrnn", "gru:8,16,t=3,delta=100", "--set", "bias=false", "--no-plots", "--out", "x", "--force")
    found = json.loads(cli(*words, "--json").out)
    assert (found["latency_cycles"], found["activity"]["skipped_share"]) == (3 * 50, 1)
    assert "index_fifo" not in found["operational_intensity_ops_per_byte"]
    assert " index_fifo all 0 0 B - " in " ".join(cli(*words, "--full").out.split())
