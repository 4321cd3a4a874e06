"""What a machine grants that no chip has is named, and what it does not grant is not."""

from __future__ import annotations

import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.families.load import Arch, load_arch
from archsim.report import report_text
from archsim.report.text.catalogue import catalogue
from archsim.workload import load_workload

REAL = (
    "sequencer.token_latency_cycles=1",
    "activation.method=table",
    "activation.address_format=q3.12",
    "activation.table={entries: 64}",
    "state_buffer.ports=1RW",
)
"""Settings of edge_64x64 with which it idealizes nothing."""


def machine(*overrides: str) -> Arch:
    return load_arch("edge_64x64", [parse_override(text) for text in overrides])


def settings_of(*overrides: str) -> list[str]:
    return [found.setting for found in machine(*overrides).config.idealizations]


def test_a_machine_may_idealize_nothing() -> None:
    assert settings_of(*REAL) == []
    stats = simulate(machine(*REAL), load_workload("lstm:3,2,t=2"), "fused").stats
    assert stats.idealizations == ()


@pytest.mark.parametrize(
    ("override", "setting"),
    [
        ("sequencer.issue_cycles=0", "sequencer.issue_cycles 0"),
        ("sequencer.token_latency_cycles=0", "sequencer.token_latency_cycles 0"),
        ("state_buffer.ports=1R1W", "state_buffer.ports 1R1W"),
        ("weight_sram.read_latency_cycles=0", "weight_sram.read_latency_cycles 0"),
        ("mac_array.multiplier_latency_cycles=0", "mac_array.multiplier_latency_cycles 0"),
        ("activation.latency_cycles=0", "activation.latency_cycles 0"),
        ("elementwise.cell_latency_cycles=0", "elementwise.cell_latency_cycles 0"),
        ("elementwise.hidden_latency_cycles=0", "elementwise.hidden_latency_cycles 0"),
    ],
)
def test_each_is_named_on_its_own(override: str, setting: str) -> None:
    assert settings_of(*REAL, override) == [setting]


def test_functions_that_no_circuit_defines() -> None:
    assert settings_of(REAL[0], REAL[-1]) == ["activation.method exact"]


@pytest.mark.parametrize(
    ("arch", "settings"),
    [
        ("npu_s10nx", ["sequencer.token_latency_cycles 0", "mfu.method exact"]),
        ("tpu_v1", ["sequencer.token_latency_cycles 0", "activation.method exact"]),
    ],
)
def test_other_families(arch: str, settings: list[str]) -> None:
    assert [found.setting for found in load_arch(arch).config.idealizations] == settings


def test_report_and_list_name_them() -> None:
    simulation = simulate(load_arch("edge_64x64"), load_workload("lstm:3,2,t=2"), "fused")
    assert len(simulation.stats.idealizations) == 3
    header = " ".join(report_text(simulation).split("\nLatency")[0].split())
    assert "idealized " + " ".join(simulation.stats.idealizations) in header
    machines = dict(dict(catalogue().sections)["Architectures (arch_configs/)"])
    assert machines["edge_64x64"].endswith(
        "; idealized: sequencer.token_latency_cycles 0, activation.method exact, state_buffer.ports 1R1W"
    )
