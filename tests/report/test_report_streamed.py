"""What the report says where streamed weights keep the array waiting."""

from __future__ import annotations

from archsim.api import Simulation, simulate
from archsim.config import parse_override
from archsim.families.gemv.family import GEMV
from archsim.families.load import load_arch
from archsim.report import report_text
from archsim.report.text.binding import gap_sentence
from archsim.workload import load_workload


def run(*sets: str, schedule: str = "fused_streamed") -> Simulation:
    """LSTM(40, 64), T = 20, on edge_16x16, whose weight SRAM holds a part of the 26,624 weights."""
    arch = load_arch("edge_16x16", [parse_override(text) for text in ("weight_sram.capacity_bytes=12000", *sets)])
    return simulate(arch, load_workload("lstm:40,64,t=20"), schedule, timing_only=True)


def test_where_dram_binds_waits_for_weights_are_no_loss_beside_it() -> None:
    """The waits for weights follow from the bound; they are no loss beside it."""
    found = run()
    text = " ".join(report_text(found).split())
    assert found.stats.binding_bound == "dram"
    assert found.stats.cycle_stack["wait_weights"] > found.stats.body_cycles / 2
    assert "dram binds: the simulated step is" in text
    assert "wait_weights" not in gap_sentence(found.stats, "MAC array", GEMV.explained)


def test_a_loss_to_streamed_weights_is_named() -> None:
    """With one slot DRAM is idle while the array reads: another bound binds, and the array waits for weights."""
    stats = run("weight_sram.stream_slots=1", "dram.bandwidth_bytes_per_cycle=4096").stats
    assert stats.binding_bound != "dram"
    assert "loses most by wait_weights" in gap_sentence(stats, "MAC array", GEMV.explained)
