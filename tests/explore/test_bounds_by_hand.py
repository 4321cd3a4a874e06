"""The bounds before simulation, each derived by hand where another one binds: equal to that, not only below."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.explore.search.result_bounds import ResultBounds
from archsim.explore.space.interval import Interval
from archsim.families.load import load_arch
from archsim.workload import load_workload


def bounds(workload: str, *sets: str) -> dict[str, Interval]:
    arch = load_arch("tiny_2x2", [parse_override(text) for text in sets])
    return dict(ResultBounds().bounds_of(arch, load_workload(workload).spec))


@pytest.mark.parametrize(
    ("workload", "sets", "body", "latency"),
    [
        # 16 rows in 8 pairs, ceil(7 / 2) = 4 chunks: 32 cycles a step. W_hh 64 words of 32 bits, 128 bits a cycle: 16.
        # Weights 112 x 4 = 448 bytes at 8 a cycle: 56 cycles.
        ("lstm:3,4,t=1", (), 32, 56),
        ("lstm:3,4,t=2", (), 64, 64),
        ("lstm:3,4,t=100", (), 3200, 3200),
        # A batch of 3 goes through the array three times; weights are loaded once, and read once a step.
        ("lstm:3,4,t=1,b=3", (), 96, 96),
        # Narrow ports: 64 x 32 bits at 8 bits a bank, 16 a cycle, are 128 cycles for W_hh, whatever the batch.
        ("lstm:3,4,t=2,b=3", ("weight_sram.port_bits=8",), 256, 256),
        ("lstm:3,4,t=2,b=5", ("weight_sram.port_bits=8",), 320, 320),
        # Slow DRAM: 448 bytes at 0.5 a cycle.
        ("lstm:3,4,t=2", ("dram.bandwidth_bytes_per_cycle=0.5", "dram.efficiency=1"), 64, 896),
        # Two layers: (32 + 8 x ceil(8 / 2) = 32) a step; 112 + 128 weights of 4 bytes.
        ("lstm:3,4,t=1,layers=2", (), 64, 120),
    ],
)
def test_cycles(workload: str, sets: tuple[str, ...], body: int, latency: int) -> None:
    found = bounds(workload, *sets)
    assert found["body_cycles"].least == body
    assert found["latency_cycles"].least == latency
    assert found["body_us"].least == pytest.approx(body / 100)
    assert found["latency_us"].least == pytest.approx(latency / 100)
    spec = load_workload(workload).spec
    assert found["mac_utilization"].most == pytest.approx(spec.macs / (4 * latency))


def test_half_a_byte_of_weights_is_loaded_too() -> None:
    """LSTM(1, 1): 8 weights of 5 bits are 5 bytes; RNN(1, 1): 2 are 10 bits, 2 bytes; an eighth a cycle."""
    formats = ("formats.weight=q1.4", "formats.input=q1.4", "formats.hidden=q1.4")
    sets = (*formats, "dram.bandwidth_bytes_per_cycle=0.125", "dram.efficiency=1")
    arch = load_arch("tiny_2x2", [parse_override(text) for text in sets])
    for workload, bytes_loaded in (("lstm:1,1,t=1", 5), ("rnn:1,1,t=1", 2)):
        assert arch.config.least_load_cycles(load_workload(workload).spec) == 8 * bytes_loaded


def energy_pj(workload: str) -> float:
    sets = ["formats=float32", "technology=node_45nm", "dram_type=lpddr4", "weight_sram.port_bits=64"]
    return bounds(workload, *sets)["energy.dynamic_uj"].least * 1e6


def test_of_a_batch_only_the_multiplications_are_more() -> None:
    """112 multiplications of 3.7 pJ for each sequence and step; loading and W_hh are for all sequences together."""
    one, three = energy_pj("lstm:3,4,t=2"), energy_pj("lstm:3,4,t=2,b=3")
    assert three - one == pytest.approx(2 * 2 * 112 * 3.7)


def test_of_a_step_more_the_multiplications_and_w_hh_are_more() -> None:
    """So that step 2 and step 3 take the same, whatever a read of W_hh takes, and a load of all weights is once."""
    two, three, four = (energy_pj(f"lstm:3,4,t={steps}") for steps in (2, 3, 4))
    step = three - two
    assert four - three == pytest.approx(step)
    assert two - 2 * step == pytest.approx(112 * 32 * 5.9)
    assert step > 112 * 3.7


def test_energies_are_sums() -> None:
    found = bounds("lstm:3,4,t=100", "technology=node_45nm", "dram_type=lpddr4", "formats=float32")
    leakage = found["area.leakage_mw"].least * found["latency_us"].least / 1000
    assert leakage > 0
    assert found["energy.leakage_uj"].least == pytest.approx(leakage)
    assert found["energy.total_uj"].least == pytest.approx(found["energy.dynamic_uj"].least + leakage)
