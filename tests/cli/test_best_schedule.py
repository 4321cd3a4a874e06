"""`--schedule best`: all schedules that can run, simulated, the best one taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archsim.api import simulate
from archsim.api.ranking import asked_best, rank_schedules
from archsim.config import parse_override
from archsim.config.aims import By
from archsim.errors import ScheduleError
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.load import load_arch
from archsim.report.text.figures_as_text import significant
from archsim.workload import load_workload
from tests.cli.conftest import Cli
from tests.rings import few

TINY = ("tiny_2x2", "lstm_3_2_t4")
QUIET = ("--no-plots", "--out", "x", "--force")


@pytest.mark.parametrize("by", few(By, 1))
def test_the_best_is_what_takes_least_of_all(by: By) -> None:
    machine, work = load_arch(TINY[0]), load_workload(TINY[1])
    ranking = rank_schedules(machine, work, by)
    stats = {s.name: simulate(machine, work, s, timing_only=True).stats for s in GEMV_SCHEDULES}
    assert {schedule.name for schedule, _ in ranking.ranked} == set(stats)
    for schedule, outcome in ranking.ranked:
        assert outcome.latency_cycles == stats[schedule.name].latency_cycles
    amounts = [outcome.amount(by) for _, outcome in ranking.ranked]
    assert amounts == sorted(amounts)
    assert amounts[0] == min(ranking.ranked, key=lambda one: one[1].amount(by))[1].amount(by)


def test_what_does_not_fit_is_left_out_and_named() -> None:
    """Weights that stay need 160 bytes; with 100 only the schedules that stream are left."""
    machine = load_arch(TINY[0], [parse_override("weight_sram.capacity_bytes=100")])
    ranking = rank_schedules(machine, load_workload(TINY[1]))
    assert all("streamed" in schedule.name for schedule, _ in ranking.ranked)
    left = dict(ranking.left_out)
    assert "weight_sram: needs 160 bytes" in left["fused_interleaved"]


def test_nothing_that_fits_is_an_error() -> None:
    machine = load_arch(TINY[0], [parse_override("state_buffer.capacity_bytes=1")])
    with pytest.raises(ScheduleError, match="no schedule can run lstm_3_2_t4 on tiny_2x2: state_buffer: needs"):
        rank_schedules(machine, load_workload(TINY[1]))


def test_what_many_schedules_lack_is_said_once() -> None:
    """Each schedule names its own way out, but what they lack is the same: h in 2 slots, c, gates and more."""
    machine = load_arch(TINY[0], [parse_override("state_buffer.capacity_bytes=1")])
    with pytest.raises(ScheduleError) as caught:
        rank_schedules(machine, load_workload(TINY[1]))
    reasons = str(caught.value).split(" on tiny_2x2: ")[1].split("; ")
    assert len(reasons) == len(set(reasons)) < len(GEMV_SCHEDULES)
    assert all(reason.startswith("state_buffer: needs") and reason.endswith(" short") for reason in reasons)


def test_weights_that_fit_no_schedule_are_one_reason() -> None:
    """With 8 bytes neither all 160 fit nor the slots of what streams; no text of another schedule stands there."""
    machine = load_arch(TINY[0], [parse_override("weight_sram.capacity_bytes=8")])
    with pytest.raises(ScheduleError, match="weight_sram: needs 160 bytes, has 8, 152 short") as caught:
        rank_schedules(machine, load_workload(TINY[1]))
    assert str(caught.value).count("needs 160 bytes") == 1
    assert "--schedule fused" not in str(caught.value)


def test_names_of_the_best() -> None:
    assert [asked_best(name) for name in ("best", "best-step", "best_energy")] == [By.LATENCY, By.STEP, By.ENERGY]
    assert [asked_best(name) for name in ("fused", None, "besten", GEMV_SCHEDULES[0])] == [None] * 4


def test_a_run_of_the_best_lists_the_others(cli: Cli) -> None:
    run = cli("run", *TINY, "--schedule", "best", "--full", *QUIET)
    assert run.code == 0
    section = run.out.split("\nSchedules")[1].split("\nLatency")[0]
    assert "split_gate_major" in section
    assert "hoisted_interleaved" in section
    found = json.loads(cli("run", *TINY, "--schedule", "best", "--json", *QUIET).out)
    assert found["schedule"] == found["schedules"][0]["schedule"] == "ahead_gate_major"
    assert found["latency_cycles"] == min(one["latency_cycles"] for one in found["schedules"])
    assert "schedules" not in json.loads(cli("run", *TINY, "--json", *QUIET).out)


@pytest.mark.parametrize("command", few(["explain", "validate", "program", "trace"], 1))
def test_other_commands_take_the_best_too(cli: Cli, command: str) -> None:
    assert cli(command, *TINY, "--schedule", "best").out == cli(command, *TINY, "--schedule", "ahead_gate_major").out


def test_the_best_is_validated_where_it_is_asked_for(cli: Cli) -> None:
    """And its energy stands beside each schedule that was simulated."""
    assert cli("validate", *TINY, "--schedule", "best").code == 0
    machine, work = load_arch(TINY[0]), load_workload(TINY[1])
    ranking = rank_schedules(machine, work, By.LATENCY)
    cli("run", *TINY, "--schedule", "best", *QUIET, "--full")
    report = Path("x/report.txt").read_text()
    schedule, outcome = ranking.ranked[0]
    [line] = [
        line for line in report.splitlines() if line.split()[:2] == [schedule.name, f"{outcome.latency_cycles:,}"]
    ]
    assert outcome.energy_uj is not None
    assert significant(outcome.energy_uj) in line.split()
