"""Columns beside each other that are alike in most runs, on a run where they are not: a streamed one."""

from __future__ import annotations

import re

import pytest

from archsim.api import Simulation, simulate
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.program.ir import DataKind
from archsim.report import report_text
from archsim.report.text.figures_as_text import part
from archsim.report.text.sections.energy_section import most
from archsim.report.text.steps import step_stacks
from archsim.workload import load_workload
from tests.report.test_report_text import cells

STEPS = 4
W_IH = DataKind.W_IH.value


@pytest.fixture(scope="module")
def streamed() -> Simulation:
    """LSTM(3, 2) of whose 160 bytes of weights 100 have room: tiles of W_ih are loaded in each of 4 steps."""
    arch = load_arch("tiny_2x2", [parse_override("weight_sram.capacity_bytes=100")])
    return simulate(arch, load_workload("lstm_3_2_t4"), "fused_streamed", timing_only=True)


def test_what_the_run_reads_stands_before_the_least(streamed: Simulation) -> None:
    """Each of 8 rows of 3 weights is read once at least; more often here, which only the column of the run says."""
    least = 8 * 3 * 4
    read = streamed.stats.traffic_bytes["dram"]["read"][W_IH]
    assert least < read <= STEPS * least
    lines = report_text(streamed).split("\nDRAM traffic by phase")[1].split("\n\n")[0].splitlines()
    row = next(line.split() for line in lines if line.split()[:1] == [W_IH])
    assert row[-2:] == [f"{read:,}", str(least)]


def test_shares_of_the_run_and_of_its_steps_are_of_different_cycles(streamed: Simulation) -> None:
    """The multipliers are useful in the body alone: a larger share of it than of the run with what stands around it."""
    stats = streamed.stats
    useful = stats.cycle_stack["useful"]
    assert stats.body_cycles < stats.latency_cycles
    of_run, of_steps = part(useful, stats.latency_cycles), part(useful, stats.body_cycles)
    assert of_run != of_steps
    assert cells(report_text(streamed), "Cycle stack")["useful"][1:3] == [of_run, of_steps]


def test_what_a_unit_waits_for_is_a_share_of_the_steps(streamed: Simulation) -> None:
    """And it is the wait that takes most of its cycles, of those in the steps."""
    text, stats = report_text(streamed), streamed.stats
    rows = cells(text, "Units during the time steps")
    stacks = step_stacks(streamed)
    contrasts = 0
    for name, buckets in stacks.items():
        waits = {bucket: n for bucket, n in buckets.items() if bucket not in ("useful", "padding", "wait_port") and n}
        if not waits:
            continue
        worst = max(waits, key=lambda bucket: waits[bucket])
        of_steps, of_run = part(waits[worst], stats.body_cycles), part(waits[worst], stats.latency_cycles)
        assert rows[name][-1] == f"{worst} {of_steps}"
        contrasts += of_steps != of_run and min(waits.values()) < waits[worst]
    assert contrasts


def test_parts_and_kinds_of_energy_stand_from_most_to_least(streamed: Simulation) -> None:
    text, energy = report_text(streamed), streamed.stats.energy
    assert energy is not None
    amounts = list(energy.part_uj.values())
    assert amounts != sorted(amounts, reverse=True), "the order of the table is not that of the figures"
    lines = text.split("\nEnergy of an inference")[1].splitlines()
    names = [line.split()[0] for line in lines if re.match("  [a-z]", line)]
    shown = [name for name in names if name in energy.part_uj]
    assert shown == sorted(energy.part_uj, key=lambda name: -energy.part_uj[name])
    several = 0
    for name in shown:
        shares = [float(share) for share in re.findall(r"([0-9.]+) %", most(streamed, name))]
        assert shares == sorted(shares, reverse=True)
        several += len(set(shares)) > 1
    assert several > 2
