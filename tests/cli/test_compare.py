"""`archsim compare`: what differs, figures of each design, folders of results, all formats."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.rings import exhaustive

TINY = ("tiny_2x2", "lstm_3_2_t4")
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "compare.md").read_text(encoding="utf-8")


def compared(cli: Cli, *arguments: str) -> dict[str, Any]:
    run = cli("compare", *arguments, "--format", "json")
    assert (run.code, run.err) == (0, "")
    found: dict[str, Any] = json.loads(run.out)
    return found


def test_figures_are_those_of_runs(cli: Cli) -> None:
    rows = compared(cli, "tiny_2x2", "edge_16x16", "-w", "lstm_3_2_t4", "-s", "fused", "-s", "split")["rows"]
    assert [(row["arch"], row["schedule"]) for row in rows] == [
        (arch, f"{way}_interleaved") for arch in ("tiny_2x2", "edge_16x16") for way in ("fused", "split")
    ]
    for row in rows:
        run = cli("run", row["arch"], "lstm_3_2_t4", "-s", row["schedule"], "--json", "--no-plots", "--timing-only")
        stats = json.loads(run.out)
        for name in ("latency_cycles", "latency_us", "cycles_per_step", "mac_utilization"):
            assert row[name] == stats[name]
        assert row["energy_uj"] == stats["energy"]["total_uj"]
        assert [row[f"energy_{end}_uj"] for end in ("low", "high")] == [
            stats["energy"][f"total_{end}_uj"] for end in ("low", "high")
        ]
        assert [row[f"area{end}_mm2"] for end in ("", "_low", "_high")] == [
            stats["area"][f"area{end}_mm2"] for end in ("", "_low", "_high")
        ]
        assert row["edp_uj_us"] == stats["energy"]["total_uj"] * stats["latency_us"]
        losses = {name: cycles for name, cycles in stats["cycle_stack"].items() if name != "useful"}
        assert losses[row["largest_loss"]] == max(losses.values())
        assert row["largest_loss_share"] == max(losses.values()) / stats["latency_cycles"]


def test_frames(cli: Cli) -> None:
    """Of LSTM(3, 2) on tiny_2x2: 49 cycles, and 43 to the next; no figure of its cold start stands unnamed."""
    (row,) = compared(cli, "tiny_2x2", "-w", "lstm:3,2,t=4,streaming=1", "--set", "period_us=1")["rows"]
    assert (row["frame_latency_cycles"], row["frame_interval_cycles"]) == (49, 43)
    assert (row["frame_latency_us"], row["frame_interval_us"]) == (0.49, 0.43)
    assert (row["largest_loss"], row["largest_loss_share"]) == ("dram drain", 8 / 49)
    assert row["frame_mac_utilization"] == 40 / (4 * 43)
    assert row["edp_uj_us"] == row["frame_energy_uj"] * 0.49
    assert (row["headroom"], row["p99_latency_cycles"], row["missed_deadlines"]) == (pytest.approx(100 / 43), 49, 0)
    assert row["frame_energy_uj"] > row["frame_idle_energy_uj"] > 0
    assert row["cold_start_cycles"] > 4 * 43
    cold = ("latency_cycles", "latency_us", "energy_uj", "mac_utilization", "cycles_per_step")
    assert [row[name] for name in cold] == [None] * 5
    text = cli("compare", "tiny_2x2", "-w", "lstm:3,2,t=4,streaming=1").out
    assert re.search(r"frame latency, us +0.49\n", text)
    assert "cold start, cycles" in text
    assert "\n  latency" not in text


def test_a_field_is_set_in_all_machines_and_workloads(cli: Cli) -> None:
    sets = ("--set", "clock_mhz=50", "--set", "steps=6")
    found = compared(cli, "tiny_2x2", "edge_16x16", "-w", "lstm_3_2_t4", "-w", "lstm:3,2", *sets)
    assert found["overrides"] == ["clock_mhz=50", "steps=6"]
    assert "clock_mhz" not in {one["field"] for one in found["machines"]}
    for row in found["rows"]:
        assert row["latency_us"] == row["latency_cycles"] / 50
        run = cli("run", row["arch"], "lstm_3_2_t4", *sets, "--json", "--no-plots", "--timing-only")
        assert row["latency_cycles"] == json.loads(run.out)["latency_cycles"]
    assert cli("compare", "tiny_2x2", "tiny_2x2", "-w", "lstm:3,2", *sets).out.startswith(
        "2 designs: lstm_3_2_t1_b1, fused_interleaved, with clock_mhz=50"
    )


def test_a_machine_that_is_given_twice_is_named(cli: Cli) -> None:
    """What is set before the second is set in the first, too."""
    sets = ("tiny_2x2", "--set", "clock_mhz=50", "tiny_2x2", "-w", "lstm:3,2")
    [note] = compared(cli, *sets)["notes"]
    assert note.startswith("given more than once: tiny_2x2; what is set is set in all machines")
    assert "given more than once: tiny_2x2" in cli("compare", *sets).out
    assert compared(cli, "tiny_2x2", "edge_16x16", "-w", "lstm:3,2")["notes"] == []


def test_an_exploration_is_no_run(cli: Cli) -> None:
    Path("study").mkdir()
    Path("study/journal.jsonl").touch()
    for command in ("compare", "report", "rerun"):
        run = cli(command, "study")
        assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
        assert "study: holds an exploration, not a run: the column 'command' of pareto.csv" in run.err


def test_what_a_folder_lacks_is_one_line(cli: Cli) -> None:
    Path("empty").mkdir()
    for command, missing in (
        ("compare", "stats.json, arch.yaml, workload.yaml"),
        ("report", "manifest.json, stats.json, arch.yaml, workload.yaml"),
        ("rerun", "manifest.json, stats.json, arch.yaml, workload.yaml"),
    ):
        run = cli(command, "empty")
        assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
        assert f"empty: holds no results of archsim run: there is no {missing}" in run.err
    assert "nowhere: is no folder" in cli("rerun", "nowhere").err


def test_two_folders_of_results(cli: Cli) -> None:
    """A diff of inputs and figures; what was changed by --set is named, and nothing else."""
    cli("run", *TINY, "--no-plots", "--out", "one")
    cli("run", *TINY, "--no-plots", "--out", "two", "--set", "mac_array.rows=4", "--set", "steps=5", "-s", "split")
    found = compared(cli, "one", "two")
    assert found["machines"] == [{"field": "mac_array.rows", "values": {"one": "2", "two": "4"}}]
    assert found["workloads"] == [{"field": "steps", "values": {"one": "4", "two": "5"}}]
    for row in found["rows"]:
        stats = json.loads(Path(row["arch"], "stats.json").read_text(encoding="utf-8"))
        assert row["latency_cycles"] == stats["latency_cycles"]
        assert row["energy_uj"] == stats["energy"]["total_uj"]
    (again,) = compared(cli, "two", "-w", "lstm_3_2_t4")["rows"]  # its machine, on another workload
    assert (
        again["latency_cycles"]
        == json.loads(cli("run", *TINY, "--set", "mac_array.rows=4", "--json", "--no-plots", "--out", "x").out)[
            "latency_cycles"
        ]
    )


def test_folders_of_streams(cli: Cli) -> None:
    cli("run", "tiny_2x2", "lstm:3,2,t=4,streaming=1", "--no-plots", "--out", "one")
    (saved,) = compared(cli, "one")["rows"]
    (simulated,) = compared(cli, "tiny_2x2", "-w", "lstm:3,2,t=4,streaming=1")["rows"]
    assert saved | {"arch": ""} == simulated | {"arch": ""}
    assert saved["frame_latency_cycles"] == 49


def test_what_cannot_run_is_a_row_that_says_why(cli: Cli) -> None:
    fits, too_small = compared(cli, "edge_16x16", "tiny_2x2", "-w", "lstm:20,64,t=5")["rows"]
    assert fits["misfit"] is None
    assert too_small["latency_cycles"] is None
    assert "weight_sram: needs 86,016 bytes" in too_small["misfit"]


def test_where_no_table_fits_each_figure_says_whose_it_is(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Machine, workload and schedule, as far as they tell the designs apart; each figure then stands once a design."""
    monkeypatch.setenv("COLUMNS", "80")
    both = ("compare", "tiny_2x2", "edge_16x16", "-s", "fused", "-s", "split")
    rows = compared(cli, *both[1:], "-w", "lstm_3_2_t4", "-w", "lstm:3,2")["rows"]
    text = cli(*both, "-w", "lstm_3_2_t4", "-w", "lstm:3,2").out
    listed = text.partition("\n  latency, cycles\n")[2].partition("\n  latency, us\n")[0].splitlines()
    names = ("arch", "workload", "schedule")
    assert listed == [f"    {', '.join(row[n] for n in names)}: {row['latency_cycles']:,}" for row in rows]
    monkeypatch.setenv("COLUMNS", "60")
    text = cli(*both, "-w", "lstm_3_2_t4").out
    listed = text.partition("\n  latency, cycles\n")[2].partition("\n  latency, us\n")[0].splitlines()
    assert [line.partition(":")[0].strip() for line in listed] == [
        f"{arch}, {way}_interleaved" for arch in ("tiny_2x2", "edge_16x16") for way in ("fused", "split")
    ], "the workload is the same and stands in the title"


def test_every_format_has_the_same_cells(cli: Cli) -> None:
    arguments = ("compare", "tiny_2x2", "edge_16x16", "-w", "lstm_3_2_t4")
    (first, second) = compared(cli, *arguments[1:])["rows"]
    rows = list(csv.DictReader(io.StringIO(cli(*arguments, "--format", "csv").out)))
    assert [int(row["latency_cycles"]) for row in rows] == [first["latency_cycles"], second["latency_cycles"]]
    assert float(rows[1]["energy_uj"]) == second["energy_uj"]
    markdown = cli(*arguments, "--format", "markdown").out
    assert f"| tiny_2x2 | lstm_3_2_t4 | fused_interleaved | {first['latency_cycles']} |" in markdown
    assert len({line.count("|") for line in markdown.splitlines() if "fused" in line}) == 1
    latex = cli(*arguments, "--format", "latex").out
    assert rf"tiny\_2x2 & lstm\_3\_2\_t4 & fused\_interleaved & {first['latency_cycles']} &" in latex
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}") == 2
    text = cli(*arguments).out
    assert re.search(rf"latency, cycles +{first['latency_cycles']} +{second['latency_cycles']}", text)


def test_the_figure_is_a_png_and_the_same_bytes_every_time(cli: Cli) -> None:
    arguments = ("compare", "tiny_2x2", "edge_16x16", "-w", "lstm_3_2_t4", "-w", "lstm:20,64,t=5")
    first = cli(*arguments, "--figure", "a.png")
    assert first.code == 0
    assert cli(*arguments, "--figure", "b.png").out == first.out
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "no preset of that name"),
        (("empty",), "empty: holds no results of archsim run: there is no stats.json, arch.yaml, workload.yaml"),
        (("broken", "--set", "steps=3"), "broken: is a run that is over, which --set cannot change"),
        (("tiny_2x2", "tpu_v1", "--set", "mac_array.rows=4"), "--set mac_array.rows=4: mac_array: unknown key"),
        (("tiny_2x2", "--set", "rows"), "--set rows: expected PATH=VALUE"),
        (("broken",), "broken/stats.json: is no stats.json of this archsim"),
        (("tiny_2x2", "--figure", "x.pdf"), "--figure names a .png file"),
        (("tiny_2x2", "-w", "nothing"), "nothing: no preset of that name"),
        (("tiny_2x2", "--format", "xml"), "xml"),
    ],
)
def test_a_mistake_is_one_clear_line(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    Path("empty").mkdir()
    cli("run", *TINY, "--no-plots", "--timing-only", "--out", "broken")
    Path("broken/stats.json").write_text('{"energy": 7}', encoding="utf-8")
    run = cli("compare", *arguments)
    assert run.code == 2
    assert said in run.err
    assert "Traceback" not in run.err


@exhaustive
def test_commands_of_the_page_run_and_print_what_it_shows(cli: Cli) -> None:
    out = ""
    for block, shown in re.findall(r"^```sh\n(.*?)^```\n(.*?)(?=^```sh|\Z)", PAGE, flags=re.MULTILINE | re.DOTALL):
        for command in block.splitlines():
            run = cli(*shlex.split(command)[1:])
            assert (run.code, run.err) == (0, "")
            out = run.out
        printed = re.findall(r"^    (.*)$", shown, flags=re.MULTILINE)
        assert all(line in out.splitlines() for line in printed if line.strip())
