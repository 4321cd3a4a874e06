"""--executor of run and validate: the same figures and files, and which one timed them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from archsim.api import Simulation, simulate
from archsim.api.verdict import ExecutorCheck, judge
from archsim.config import parse_override
from archsim.engines.choose import SHORT_OPS
from archsim.errors import ExecutorError
from archsim.families.load import Arch, load_arch
from archsim.families.schedules import AskedSchedule
from archsim.workload import Workload, load_workload
from tests.arrays import stored
from tests.cli.conftest import Cli
from tests.rings import exhaustive, few

ARCH, LOAD = load_arch("tiny_2x2"), load_workload("lstm_3_2_t4")


def run(cli: Cli, tmp_path: Path, name: str, *options: str) -> dict[str, Any]:
    arguments = ("tiny_2x2", "lstm:3,2,t=40", "--no-plots", "--json", "--out", f"{tmp_path / name}")
    outcome = cli("run", *arguments, *options)
    assert outcome.code == 0
    figures: dict[str, Any] = json.loads(outcome.out)
    return figures


@pytest.mark.parametrize("options", few([(("--timing-only",),), ((),)], 1))
def test_the_same_figures(cli: Cli, tmp_path: Path, options: tuple[str, ...]) -> None:
    """But for the line that says which it was; and with arithmetic the same outputs, bit for bit."""
    found = {name: run(cli, tmp_path, name, "--executor", name, *options) for name in ("fast", "machine", "auto")}
    reason = "the run is short, less than 20,000 ops"
    assert found["fast"].pop("executor") == {"name": "fast", "reason": ""}
    assert found["machine"].pop("executor") == {"name": "machine", "reason": ""}
    assert found["auto"].pop("executor") == {"name": "machine", "reason": reason}
    assert found["fast"] == found["machine"] == found["auto"]
    if not options:
        outputs = [stored(tmp_path / name / "outputs.npz") for name in ("fast", "machine")]
        assert all((outputs[0][key] == outputs[1][key]).all() for key in outputs[1])


@pytest.mark.parametrize(
    ("executor", "said"),
    [
        ("fast", "timed by the second executor, by recurrence; the numbers are the untimed program's"),
        (
            "auto",
            "timed by the machine (the run is short, less than 20,000 ops); the numbers are the untimed program's",
        ),
        ("machine", "timed by the machine "),
    ],
)
def test_the_report_says_which(cli: Cli, tmp_path: Path, executor: str, said: str) -> None:
    """And whose the numbers are: the machine executes them itself where it was asked for by name."""
    run(cli, tmp_path, "it", "--executor", executor)
    report = " ".join((tmp_path / "it" / "report.txt").read_text().split())
    assert said in report
    assert ("untimed program's" in report) == (executor != "machine")


@exhaustive
def test_plots_need_nothing_else(cli: Cli, tmp_path: Path) -> None:
    """Timelines and ops of the window are there: the figures are the same, byte for byte."""
    folders = []
    for name in ("fast", "machine"):
        outcome = cli("run", "tiny_2x2", "lstm_3_2_t4", "--executor", name, "--plots", "--out", f"{tmp_path / name}")
        assert outcome.code == 0
        folders.append(tmp_path / name)
    for figure in ("utilization.png", "timeline.png", "cycle_stack.png"):
        assert (folders[0] / figure).read_bytes() == (folders[1] / figure).read_bytes()


def test_auto_takes_the_second_executor_for_a_long_run() -> None:
    """10,000 steps of LSTM(3, 2) on tiny_2x2 are more than 20,000 ops."""
    simulation = simulate(ARCH, load_workload("lstm:3,2,t=10000"), timing_only=True)
    assert simulation.program.op_instances >= SHORT_OPS
    assert (simulation.executor.name, simulation.executor.reason) == ("fast", "")


def test_auto_falls_back_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["archsim.api.simulate"], "SHORT_OPS", 1_000)
    device = "dram={kind: ddr, device: ddr4_3200, channels: 1, controller_latency_cycles: 40}"
    arch = load_arch("tiny_2x2", [parse_override(device)])
    simulation = simulate(arch, load_workload("lstm:3,2,t=200"), timing_only=True)
    assert simulation.executor.name == "machine"
    assert simulation.executor.reason == "service times of dram depend on what was before"
    with pytest.raises(ExecutorError, match="--executor fast: service times of dram"):
        simulate(arch, LOAD, executor="fast")


@pytest.mark.parametrize("command", ["run", "validate"])
def test_no_such_executor(cli: Cli, command: str) -> None:
    outcome = cli(command, "tiny_2x2", "lstm_3_2_t4", "--executor", "slow")
    assert outcome.code == 2
    assert "--executor slow: no such executor; allowed: auto, fast, machine" in outcome.err


def test_validate_compares_the_two(cli: Cli) -> None:
    outcome = cli("validate", "tiny_2x2", "lstm_3_2_t4", "--executor", "fast")
    assert outcome.code == 0
    assert "ok   machine against the second executor: every cycle the same, 198 in all" in outcome.out
    assert "second executor" not in cli("validate", "tiny_2x2", "lstm_3_2_t4").out


def test_a_difference_fails_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    real = simulate

    def slower(arch: Arch, workload: Workload, schedule: AskedSchedule, **options: Any) -> Simulation:
        if options.get("executor") == "fast":
            workload = load_workload("lstm:3,2,t=5")
        return real(arch, workload, schedule, **options)

    monkeypatch.setattr("archsim.api.verdict.simulate", slower)
    found = judge(ARCH, LOAD, "fused", "fast")
    assert isinstance(found.executors, ExecutorCheck)
    assert "total_cycles" in found.executors.differing
    assert not found.passed


@pytest.mark.parametrize("executor", ["auto", "fast", "machine"])
def test_a_run_that_no_executor_can_count_is_one_line(cli: Cli, executor: str) -> None:
    """At 1e-18 bytes a cycle the weights take 1e20 cycles; times are 64-bit integers in each executor."""
    slow = ("--set", "dram.bandwidth_bytes_per_cycle=1e-18", "--timing-only", "--json")
    outcome = cli("run", "edge_16x16", "lstm:1,4,t=200", *slow, "--executor", executor)
    assert outcome.code == 2
    assert outcome.err.startswith("archsim: error: the run takes more than 4,611,686,018,427,387,904 cycles (2^62)")
    assert len(outcome.err.splitlines()) == 1
