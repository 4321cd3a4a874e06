"""The figures of all runs that ship are those of tests/golden_metrics.json (`python -m tools.golden_metrics`)."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.rings import SHARES
from tools.golden_metrics import FILE, ROOT, Run, all_runs, differences, file_text, main, read_file

FEW = (
    "tiny_2x2 | lstm_3_2_t4 |",  # every schedule
    "edge_16x16 | lstm_3_2_t4 | fused_interleaved",
    "koios_lstm | lstm_3_2_t4 | split_gate_major",
    "npu_s10nx | lstm_3_2_t4 |",
    "tiny_2x2 | silero_vad | fused_interleaved",  # an error
)


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    """--check in a process of its own, which pins its arithmetic before NumPy is imported."""
    command = [sys.executable, "-m", "tools.golden_metrics", "--check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_few_runs_have_the_figures_of_the_file() -> None:
    found = check(*(f"--only={text}" for text in FEW))
    assert (found.returncode, found.stderr) == (0, ""), found.stdout + found.stderr
    assert found.stdout.startswith("41 runs, 0 figures differ")


def parts() -> dict[str, list[str]]:
    """All runs by machine, each machine's in several parts, so that they can run side by side.

    A part is a diagonal of workloads and schedules: it has each of them, if there are enough.
    """
    found: dict[str, list[str]] = {}
    for run, place in zip(all_runs(), diagonals(all_runs()), strict=True):
        found.setdefault(f"{run.arch}-{place % SHARES}", []).append(run.key)
    return found


def diagonals(runs: Sequence[Run]) -> list[int]:
    """The places of the workload and of the schedule in their columns, added."""
    workloads, schedules = sorted({run.workload for run in runs}), sorted({run.schedule for run in runs})
    return [workloads.index(run.workload) + schedules.index(run.schedule) for run in runs]


@pytest.mark.exhaustive
@pytest.mark.parametrize("keys", parts().values(), ids=parts())
def test_all_runs_have_the_figures_of_the_file(keys: list[str]) -> None:
    found = check(*(f"--only={key} |" for key in keys))
    assert (found.returncode, found.stderr) == (0, ""), found.stdout + found.stderr
    assert found.stdout.startswith(f"{len(keys)} runs, 0 figures differ")


def test_the_file_holds_every_run_and_is_as_it_would_be_written() -> None:
    text = FILE.read_text(encoding="utf-8")
    saved = read_file(text)
    assert sorted(saved) == [run.key for run in all_runs()]
    assert file_text(saved) == text


def test_another_figure_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = "tiny_2x2 | lstm_3_2_t4 | split_interleaved"
    saved = read_file(FILE.read_text(encoding="utf-8"))
    cycles = saved[key]["latency_cycles"]
    changed = tmp_path / "changed.json"
    changed.write_text(file_text(saved | {key: saved[key] | {"latency_cycles": cycles + 1}}))
    assert main(["--check", "--only", key, "--file", str(changed)]) == 1
    assert f"{key}: latency_cycles: was {cycles + 1}, is {cycles}\n" in capsys.readouterr().out


def test_a_run_that_the_file_lacks_and_one_that_no_preset_gives_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "tiny_2x2 | lstm_3_2_t4 | split_interleaved"
    changed = tmp_path / "changed.json"
    changed.write_text(file_text({f"{key}_renamed": {"error": "none"}}))
    assert main(["--check", "--only", key, "--file", str(changed)]) == 1
    printed = capsys.readouterr().out
    assert f"{key}: is new\n" in printed
    assert f"{key}_renamed: is not there any more\n" in printed


def test_differences_name_the_figure_inside() -> None:
    want = {"a": {"b": [1, 2.0], "c": "x"}, "d": None}
    assert list(differences(want, want)) == []
    assert list(differences(want, {"a": {"b": [1, 2], "c": "x"}, "d": 0})) == [
        "a: b[1]: was 2.0, is 2",
        "d: was null, is 0",
    ]
    assert list(differences({"b": [1]}, {"b": [1, 2]})) == ["b: was [1], is [1,2]"]


def test_a_long_figure_is_said_once_for_the_schedules_of_a_machine_and_workload() -> None:
    long, other = {"figure": "x" * 50}, {"figure": "y" * 50}
    runs = {"m | w | a": {"f": long}, "m | w | b": {"f": long}, "m | w | c": {"f": other}, "m | v | a": {"f": long}}
    text = file_text(runs)
    assert text.count("x" * 50) == 2
    assert '"f": "as a"' in text
    assert read_file(text) == runs


def test_no_run_of_that_name_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", "--only", "nothing has this"]) == 2
    assert capsys.readouterr().err.startswith("--only nothing has this: no run's name holds that")
