"""archsim explore as a user meets it."""

import csv
import json
from pathlib import Path

import pytest


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    from archsim.cli.main import main

    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["archsim", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        captured = capsys.readouterr()
        return caught.value.code, captured.out, captured.err

    return run


def test_json_is_one_object_with_these_keys(cli, write) -> None:
    code, out, err = cli("explore", str(write()), "--json", "--workers", "1", "--no-plots")
    found = json.loads(out)
    assert code == 0
    assert err == ""
    assert list(found) == ["evaluated", "infeasible", "pruned", "failed", "seconds", "designs_per_second", "front"]
    assert sum(found[key] for key in ("evaluated", "infeasible", "pruned", "failed")) == 48
    assert found["front"]
    for point in found["front"]:
        assert set(point) == {"inputs", "objectives"}
        assert set(point["objectives"]) == {"body_us", "macs_per_cycle"}
        assert {"mac_array.rows", "schedule", "weight_sram.banks"} <= set(point["inputs"])


def test_points_csv_has_every_input_and_output(cli, write) -> None:
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
    assert {row["reason_gap"] for row in rows if row["reason"] == "capacity"} == {"256"}
    assert all(row["command"].startswith("archsim run tiny_2x2 ") for row in rows)
    page = Path("here/index.html").read_text()
    assert page.count("archsim run tiny_2x2") >= len(done)


def test_resume_and_quiet(cli, write) -> None:
    path = str(write())
    assert cli("explore", path, "--workers", "1", "--budget", "20", "--quiet", "--no-plots")[:2] == (0, "")
    code, _, err = cli("explore", path, "--workers", "1", "--no-plots")
    assert code == 2
    assert "--resume" in err
    assert cli("explore", path, "--workers", "1", "--resume", "--no-plots")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("edgy",), "did you mean 'edge'"),
        (("edge", "--executor", "slow"), "expected auto, fast or machine"),
        (("edge", "--workers", "0"), "--workers"),
    ],
)
def test_mistakes_are_one_line(cli, arguments, message: str) -> None:
    code, out, err = cli("explore", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
