"""What skipped columns would have taken: cycles by hand, and energy as the difference from a run that skips none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archsim.api import Simulation, simulate
from archsim.api.explain import find
from archsim.families.load import load_arch
from archsim.report.files.saved import stats_json
from archsim.report.text.report_text import report_text
from archsim.report.text.summary import summary_rows
from archsim.workload import load_workload
from tests.present import present

STEPS = 4


def timed(activity: Path, lines: list[str]) -> Simulation:
    """GRU(8, 16) on 8 PEs, with that activity."""
    activity.write_text("".join(f"{line}\n" for line in lines))
    workload = load_workload(f"gru:8,16,t={STEPS}", (), activity)
    return simulate("edgedrnn", workload, timing_only=True)


def dense(first: int) -> str:
    return " ".join(map(str, range(first, 9))) + " | " + " ".join(map(str, range(9, 25))) + " |"


def test_a_run_that_skips_nothing_by_hand(tmp_path: Path) -> None:
    """A burst is 3 * 16 / 8 = 6 beats. Step 1: the bias leaves the encoder in 2, is at the output in 4; 25 bursts are
    beats 5 to 154, activation in 158, 5 * (2 + 1) = 15 later the last word, in 173: 174 cycles. From step 2 on column 1
    leaves in 3, and 24 bursts are beats 6 to 149: 4 + 15 + 1 later, in 169, the next step begins. 174 + 3 * 169 = 681.
    """
    run = timed(tmp_path / "some.txt", ["0 3 | |", "| 12 |", "| |", "1 2 3 | 24 |"])
    found = present(run.activity)
    assert found.dense_latency_cycles == 681
    whole = timed(tmp_path / "some.txt", [dense(0), *[dense(1)] * 3])
    assert whole.stats.latency_cycles == 681
    assert present(run.dense) == present(whole.dense)
    assert present(whole.activity).skipped_uj == 0
    assert set(present(present(whole.activity).skipped_part_uj).values()) == {0}
    assert found.dense_energy_uj == present(whole.stats.energy).total_uj


def test_the_weights_that_are_not_fetched_are_what_dram_saves(tmp_path: Path) -> None:
    """Of x 4 columns are multiplied, of h 2: 6 of 4 * 24, and 90 are skipped, of 48 weights of a byte each."""
    run = timed(tmp_path / "some.txt", ["0 3 | |", "| 12 |", "| |", "1 2 3 | 24 |"])
    found, prices = present(run.activity), run.arch.prices
    skipped_bytes = 90 * 48
    assert run.stats.macs - found.multiplied_macs == skipped_bytes
    assert found.skipped_share == 90 / 96
    dram, parts = prices.dram("ddr3"), present(found.skipped_part_uj)
    assert parts["dram"] == pytest.approx(skipped_bytes * 8 * dram.energy_pj_per_bit / 1e6)
    assert parts["dram_phy"] == pytest.approx(skipped_bytes * 8 * dram.phy_pj_per_bit / 1e6)
    assert sum(parts.values()) == pytest.approx(found.skipped_uj)
    assert parts["activation"] == parts["state"] == 0, "h is computed whatever has changed"
    assert parts["leakage"] > 0, "a run that takes longer leaks longer"


def test_report_and_json_say_it(tmp_path: Path) -> None:
    run = timed(tmp_path / "some.txt", ["0 3 | |", "| 12 |", "| |", "1 2 3 | 24 |"])
    found, saved = present(run.activity), 681 - run.stats.latency_cycles
    shown = " ".join(report_text(run).split())
    assert f"cycles 681 {saved:,} {100 * saved / 681:.1f} %" in shown
    assert f"energy, uJ {found.dense_energy_uj:.4g}" in shown
    (line,) = [text for name, text in summary_rows(run, find(run)) if name == "skipping"]
    assert line.startswith(f"saves {saved:,} cycles, {100 * saved / 681:.1f} %, and ")
    data = json.loads(stats_json(run))["activity"]
    assert (data["dense_latency_cycles"], data["skipped_uj"]) == (681, found.skipped_uj)


def test_an_ordinary_network_has_no_run_that_skips_nothing() -> None:
    run = simulate("tiny_2x2", "lstm:3,2,t=2", timing_only=True)
    assert (run.dense, run.activity) == (None, None)


def test_a_run_of_its_own_numbers_has_it_too() -> None:
    run = simulate(load_arch("edgedrnn"), load_workload("lstm:8,16,t=3,delta=0.1"))
    found = present(run.activity)
    assert found.dense_latency_cycles > run.stats.latency_cycles
    assert present(found.skipped_uj) > 0
