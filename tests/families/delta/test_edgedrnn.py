"""EdgeDRNN (github SensorsINI/EdgeDRNN): every step of three runs of its RTL, to the cycle, from recorded activity."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

import pytest

from archsim.api import Simulation, simulate
from archsim.api.explain import find
from archsim.config import parse_override
from archsim.config.presets import PresetKind, preset_folder
from archsim.errors import ArchError, ScheduleError, WorkloadError
from archsim.families.load import load_arch
from archsim.report.text.figures_as_text import percent
from archsim.report.text.report_text import report_text
from archsim.report.text.summary import summary_rows
from archsim.workload import load_workload

PUBLISHED = preset_folder(PresetKind.ARCH) / "published" / "edgedrnn"
RUNS = {"shipped_th0": 1000, "shipped_th16": 1000, "8_8_16_2_200_1_16_16": 200}
SHORT = "8_8_16_2_200_1_16_16"

RESET = 1204
"""The cycle after reset in which step 1 begins in their test bench: the same in all three runs."""


def timed(run: str, *sets: str) -> Simulation:
    """A run of the network of two layers of H 16 with I 8 with that run's activity."""
    workload = load_workload(f"gru:8,16,layers=2,t={RUNS[run]}", (), PUBLISHED / f"{run}.nz.txt")
    return simulate(load_arch("edgedrnn", [parse_override(text) for text in sets]), workload, timing_only=True)


@lru_cache
def published(run: str) -> tuple[int, ...]:
    """The cycle of the last word of h of each step, counted from reset."""
    with (PUBLISHED / f"{run}.steps.csv").open() as file:
        return tuple(int(row["cycle"]) for row in csv.DictReader(file))


@pytest.mark.parametrize("run", RUNS)
def test_every_step_ends_in_the_published_cycle(run: str) -> None:
    """A step ends where the next one begins, the cycle after its last word: 183 of step 1 is 1204 + 182 = 1386."""
    found = timed(run).step_end_cycles
    assert found is not None
    assert [RESET + end - 1 for end in found] == list(published(run))


def test_the_published_sums() -> None:
    """Steps 2 to 1,000 of the shipped model take 189,044 and 126,857 cycles, steps 2 to 200 of the third run 32,739."""
    sums = {run: published(run)[-1] - published(run)[0] for run in RUNS}
    assert sums == {"shipped_th0": 189_044, "shipped_th16": 126_857, SHORT: 32_739}
    found = timed(SHORT)
    assert found.stats.latency_cycles == published(SHORT)[-1] - RESET + 1 == 32_921


@pytest.mark.parametrize(
    "change",
    [
        "delta_encoder.latency_cycles=1",
        "delta_encoder.latency_cycles=3",
        "delta_encoder.part_gap_cycles=1",
        "delta_encoder.part_gap_cycles=3",
        "index_fifo.latency_cycles=1",
        "index_fifo.latency_cycles=3",
        "weight_stream.latency_cycles=0",
        "weight_stream.latency_cycles=2",
        "pe_array.mark_cycles=2",
        "pe_array.latency_cycles=3",
        "pe_array.latency_cycles=5",
        "pe_array.pes=4",
        "activation.group_cycles=4",
        "activation.group_cycles=6",
        "activation.pipeline_groups=0",
        "activation.pipeline_groups=2",
        "activation.feedback_cycles=0",
        "activation.feedback_cycles=2",
    ],
)
def test_a_rule_off_by_one_gives_other_steps(change: str) -> None:
    """The depth of the FIFO makes no difference in these runs: test_layer_times.py has it, a cycle for each place."""
    found = timed(SHORT, change).step_end_cycles
    assert found is not None
    pairs = zip(found, found[1:], published(SHORT), published(SHORT)[1:], strict=False)
    assert any(second - first != after - before for first, second, before, after in pairs)


def test_on_4_pes_a_step_by_hand(tmp_path: Path) -> None:
    """Step 8 of the shipped model (test_layer_times.py) on 4 PEs: bursts of 12 beats, 5 groups' cycles of activation.

    Layer 1: 18 to 29, 30 to 41, the mark 42, activation 46, last word 46 + 5 * 5 = 71: 72 cycles. Layer 2: 26 to 37,
    then from 38, 50, 62, and 74 to 85, mark 86, activation 90, last word 115: 116 cycles. 188 together.
    """
    lines = (PUBLISHED / "shipped_th16.nz.txt").read_text().splitlines(keepends=True)
    (tmp_path / "a.txt").write_text("".join(lines[:8]))
    workload = load_workload("gru:8,16,layers=2,t=8", (), tmp_path / "a.txt")
    arch = load_arch("edgedrnn", [parse_override("pe_array.pes=4")])
    found = simulate(arch, workload, timing_only=True).step_end_cycles
    assert found is not None
    assert found[7] - found[6] == 188


def test_what_was_skipped_is_neither_fetched_nor_multiplied() -> None:
    """Columns of the third run, from its file: each takes 48 weights, so 6 cycles of 8 PEs, and 48 bytes of q1.7.

    Per step and part they are 4.3, 4.9, 4.9 and 3.8 as published. Dense it were 8 + 16 + 16 + 16 = 56 a step, so that
    about 1 - 17.9 / 56 = 68 % are skipped. The bias of both layers, 64 numbers of 24 bits each, is fetched once.
    """
    found = timed(SHORT)
    lines = (PUBLISHED / f"{SHORT}.nz.txt").read_text().splitlines()
    parts = [[part.split() for part in line.split("|")] for line in lines]
    counted = [sum(len([c for c in line[place] if c not in ("0", "25")]) for line in parts) for place in range(4)]
    assert [round(count / 200, 1) for count in counted] == pytest.approx([4.3, 4.9, 4.9, 3.8], abs=0.11)
    figures = found.activity
    assert figures is not None
    assert [count for layer in figures.layers for count in (layer.x, layer.h)] == counted
    assert [layer.bias for layer in figures.layers] == [1, 1]
    assert figures.multiplied_macs == sum(counted) * 48
    assert figures.skipped_share == pytest.approx(1 - sum(counted) / (56 * 200))
    assert figures.multiplied_utilization == pytest.approx(sum(counted) * 48 / (8 * found.stats.latency_cycles))
    (line,) = (text for name, text in summary_rows(found, find(found)) if name == "utilization")
    assert line.startswith(percent(figures.multiplied_utilization))
    assert "68." in line
    read = found.stats.traffic_bytes["dram"]["read"]
    assert read["W_ih"] == (counted[0] + counted[2]) * 48
    assert read["W_hh"] == (counted[1] + counted[3]) * 48
    assert read["bias"] == 2 * 64 * 3
    assert found.stats.cycle_stack["useful"] == (sum(counted) + 2) * 6
    assert "68." in report_text(found)


def test_what_cannot_be_is_said_in_one_line() -> None:
    with pytest.raises(
        ArchError, match=r"pe_array: pes: 16 PEs take sizes that are multiples of 16; layer 0 has input"
    ):
        timed(SHORT, "pe_array.pes=16")
    workload = load_workload("gru:8,16,layers=2,t=200", (), PUBLISHED / f"{SHORT}.nz.txt")
    with pytest.raises(WorkloadError, match="recorded activity says which columns are multiplied, and has no numbers"):
        simulate("edgedrnn", workload)
    with pytest.raises(ScheduleError, match="skips no columns, and so takes no recorded activity"):
        simulate("edge_16x16", workload, timing_only=True)
    with pytest.raises(ScheduleError, match="takes one sequence at a time; this workload has 2 sequences"):
        simulate("edgedrnn", load_workload("gru:8,16,t=2,b=2"), timing_only=True)
