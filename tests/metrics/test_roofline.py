"""The roofline: ceilings and intensities by hand, and that nothing breaks through."""

from __future__ import annotations

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from archsim.api import simulate
from archsim.config import parse_override
from archsim.errors import ScheduleError
from archsim.families.load import load_arch
from archsim.metrics.roofline import PEAK
from archsim.report.text.sections.roofline_section import roof_sentence
from archsim.workload import load_workload
from tests.metrics.test_energy_by_hand import run
from tests.strategies import Case, cases


def test_by_hand() -> None:
    """tiny_2x2 with lstm_3_2_t4 (see test_energy_by_hand.py): 100 MHz, 2 x 2 MACs; 160 MACs are 320 ops in 198 cycles.

    DRAM: 8 bytes a cycle; 384 bytes in bursts, of which 3 loads of x (16 bytes) and 4 stores of h (8) in the steps. The
    array reads 16 tiles x (10 weights, 3 x, 2 h) of 4 bytes; the bias has a port of its own."""
    stats = run().stats
    found = stats.roofline
    assert found.peak_gops == 2 * 4 * 100 / 1000
    assert found.ceilings.keys() == {"dram", "weight_sram", "input_buffer", "state_buffer"}
    bandwidths = {memory: ceiling.bandwidth_gb_per_s for memory, ceiling in found.ceilings.items()}
    assert bandwidths == {"dram": 0.8, "weight_sram": 1.6, "input_buffer": 0.8, "state_buffer": 0.8}
    dram = found.ceilings["dram"]
    assert dram.run_ops_per_byte == pytest.approx(320 / 384)
    assert dram.step_ops_per_byte == pytest.approx(320 / (3 * 16 + 4 * 8))
    assert dram.run_roof_gops == pytest.approx(0.8 * 320 / 384)
    assert dram.step_roof_gops == found.peak_gops
    for memory, elements in (("weight_sram", 10), ("input_buffer", 3), ("state_buffer", 2)):
        assert found.ceilings[memory].step_ops_per_byte == pytest.approx(320 / (16 * elements * 4))
    assert found.ceilings["weight_sram"].step_roof_gops == pytest.approx(1.6 * 320 / 640)
    assert (found.step_binding, found.run_binding) == (PEAK, "dram")
    assert found.run_gops == stats.throughput_gops == pytest.approx(320 / 1980)
    assert found.run_roof_share == pytest.approx(320 / 1980 / (0.8 * 320 / 384))
    assert found.step_roof_share == pytest.approx(stats.steady_state_mac_utilization)


@pytest.mark.parametrize(("banks", "bytes_a_tile"), [("by_kind", 8), ("one", 16)])
def test_banks_pass_their_data_side_by_side(banks: str, bytes_a_tile: int) -> None:
    """Of the banks of a memory the one that passes most is the ceiling; of one bank, all that passes.

    LSTM(3, 2), T = 4, R = C = 2, as above, but hoisted: each of 16 tiles in the steps reads h (2 numbers of 4 bytes)
    and the 2 sums that W_ih x has left for its rows (8 bytes), each kind through a port of a byte a cycle.
    """
    sets = (f"state_buffer.banks={banks}", "state_buffer.port_bits=8", "state_buffer.hoist_steps=2")
    arch = load_arch("tiny_2x2", [parse_override(text) for text in sets])
    stats = simulate(arch, load_workload("lstm_3_2_t4"), "hoisted", timing_only=True).stats
    found = stats.roofline.ceilings["state_buffer"]
    assert found.bandwidth_gb_per_s == pytest.approx(0.1)
    assert found.step_ops_per_byte == found.run_ops_per_byte == pytest.approx(320 / (16 * bytes_a_tile))
    assert found.step_roof_gops == pytest.approx(0.1 * 320 / (16 * bytes_a_tile))


@given(cases(), st.sampled_from(["one", "by_kind"]))
def test_no_roof_is_broken(case: Case, banks: str) -> None:
    """Over the whole run; and over all time steps together."""
    case = case.with_fields({"state_buffer.banks": banks})
    try:
        _ = case.program
    except ScheduleError:  # two units would write h at a time
        reject()
    stats = case.simulate(timing_only=True).stats
    found = stats.roofline
    in_steps = 2 * stats.macs / stats.body_us / 1000
    for memory, ceiling in found.ceilings.items():
        assert found.run_gops <= ceiling.run_roof_gops * (1 + 1e-9), memory
        assert in_steps <= ceiling.step_roof_gops * (1 + 1e-9), memory
        assert ceiling.step_roof_gops <= found.peak_gops
    assert 0 < found.run_roof_share <= 1 + 1e-9
    roofs = {PEAK: found.peak_gops} | {memory: c.run_roof_gops for memory, c in found.ceilings.items()}
    assert roofs[found.run_binding] == min(roofs.values())
    assert found.run_roof_share == pytest.approx(found.run_gops / min(roofs.values()))


@pytest.mark.parametrize(
    ("sets", "binding", "said"),
    [
        ((), (PEAK, "dram"), "Whole run: the roof is the bandwidth of dram, of which"),
        (
            ("weight_sram.port_bits=8",),
            ("weight_sram", "weight_sram"),
            "Time steps: the roof is the bandwidth of weight_sram, of which",
        ),
        (
            ("input_buffer.port_bits=1",),
            ("input_buffer", "input_buffer"),
            "Whole run: the roof is the bandwidth of input_buffer, of which",
        ),
        (
            ("dram.bandwidth_bytes_per_cycle=0.05",),
            ("dram", "dram"),
            "Time steps: the roof is the bandwidth of dram, of which",
        ),
        (
            ("dram.bandwidth_bytes_per_cycle=1000",),
            (PEAK, PEAK),
            "Whole run: the roof is the peak of the multipliers, of which",
        ),
    ],
)
def test_what_is_narrow_binds_and_is_said(sets: tuple[str, ...], binding: tuple[str, str], said: str) -> None:
    stats = run(*sets).stats
    assert (stats.roofline.step_binding, stats.roofline.run_binding) == binding
    assert said in roof_sentence(stats)


def test_a_run_far_below_its_roof_names_what_a_roofline_does_not_see() -> None:
    stats = run().stats
    assert stats.roofline.step_roof_share < 0.9
    assert "recurrence binds a step" in roof_sentence(stats)
    close = run("mac_array.columns=1", "mac_array.rows=1", workload="lstm:20,8,t=9", arch="edge_16x16").stats
    assert close.roofline.step_roof_share > 0.9
    assert "binds a step" not in roof_sentence(close)
