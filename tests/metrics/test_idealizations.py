"""What a machine grants that no chip has is named, and what it does not grant is not."""

from __future__ import annotations

import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.families.load import Arch, load_arch
from archsim.report import report_text
from archsim.report.text.catalogue import catalogue
from archsim.workload import load_workload

SINGLE = ("state_buffer.banks=one", "state_buffer.ports=1RW")
"""A state buffer of one bank and one port, which the units share."""


def machine(*overrides: str) -> Arch:
    return load_arch("edge_64x64", [parse_override(text) for text in overrides])


def settings_of(*overrides: str) -> list[str]:
    return [found.setting for found in machine(*overrides).config.idealizations]


@pytest.mark.parametrize("sets", [(), SINGLE])
def test_a_machine_may_idealize_nothing(sets: tuple[str, ...]) -> None:
    assert settings_of(*sets) == []
    stats = simulate(machine(*sets), load_workload("lstm:3,2,t=2"), "fused").stats
    assert stats.idealizations == ()


@pytest.mark.parametrize(
    ("override", "setting"),
    [
        ("sequencer.issue_cycles=0", "sequencer.issue_cycles 0"),
        ("sequencer.token_latency_cycles=0", "sequencer.token_latency_cycles 0"),
        ("state_buffer.banks=one", "state_buffer.banks one"),
        ("bias_buffer=null", "bias_buffer left out"),
        ("activation.method=exact", "activation.method exact"),
        ("weight_sram.read_latency_cycles=0", "weight_sram.read_latency_cycles 0"),
        ("mac_array.multiplier_latency_cycles=0", "mac_array.multiplier_latency_cycles 0"),
        ("activation.latency_cycles=0", "activation.latency_cycles 0"),
        ("elementwise.cell_latency_cycles=0", "elementwise.cell_latency_cycles 0"),
        ("elementwise.hidden_latency_cycles=0", "elementwise.hidden_latency_cycles 0"),
        ("dram.efficiency=1.0", "dram.efficiency 1"),
    ],
)
def test_each_is_named_on_its_own(override: str, setting: str) -> None:
    assert settings_of(override) == [setting]


@pytest.mark.parametrize("method", ["table", "piecewise_linear", "hard"])
def test_methods_that_a_circuit_defines(method: str) -> None:
    """Of `exact` alone the bits are a library's; `polynomial` computes in floating point, as tiny_2x2 does."""
    assert settings_of(f"activation.method={method}") == []
    assert load_arch("tiny_2x2").config.idealizations == ()


@pytest.mark.parametrize(
    ("override", "setting"),
    [
        # 64 banks of a word of 64 int8 weights; 64 int8 inputs; 64 int8 h.
        ("weight_sram.port_bits=511", "weight_sram 32,704 bits a cycle"),
        ("weight_sram.banks=63", "weight_sram 32,256 bits a cycle"),
        ("input_buffer.port_bits=511", "input_buffer 511 bits a cycle"),
        ("state_buffer.port_bits=511", "state_buffer 511 bits a cycle"),
        ("mac_array.columns=65", None),
        ("input_buffer.port_bits=512", ""),
    ],
)
def test_a_port_narrower_than_a_chunk_needs_a_buffer_that_has_no_area(override: str, setting: str | None) -> None:
    """A column more is more than each of the three gives."""
    every = ["weight_sram 32,768 bits a cycle", "input_buffer 512 bits a cycle", "state_buffer 512 bits a cycle"]
    expected = every if setting is None else [setting] if setting else []
    assert settings_of(override) == expected


def test_columns_of_x_and_of_h_have_chunks_of_their_own() -> None:
    """Of 64 columns 24 multiply x, 40 multiply h: 24 and 40 numbers of 8 bits."""
    sets = ("mac_array.x_columns=24", "input_buffer.port_bits=192", "state_buffer.port_bits=320")
    assert settings_of(*sets) == []
    assert settings_of(*sets, "input_buffer.port_bits=191") == ["input_buffer 191 bits a cycle"]
    assert settings_of(*sets, "state_buffer.port_bits=319") == ["state_buffer 319 bits a cycle"]


@pytest.mark.parametrize("arch", ["tiny_2x2", "edge_16x16", "edge_64x64", "edge_64x64_q4_12", "cloud_256x256"])
def test_presets_idealize_nothing(arch: str) -> None:
    assert load_arch(arch).config.idealizations == ()


@pytest.mark.parametrize(
    ("arch", "settings"),
    [
        ("npu_s10nx", ["sequencer.token_latency_cycles 0", "mfu.method exact"]),
        (
            "tpu_v1",
            [
                "sequencer.token_latency_cycles 0",
                "activation.method exact",
                "dram.efficiency 1",
                "host.efficiency 1",
            ],
        ),
    ],
)
def test_other_families(arch: str, settings: list[str]) -> None:
    assert [found.setting for found in load_arch(arch).config.idealizations] == settings


def test_report_and_list_name_them() -> None:
    """The header of a report; `archsim list`, of a preset that idealizes something and of one that does not."""
    arch = machine("activation.method=exact", "state_buffer.banks=one")
    simulation = simulate(arch, load_workload("lstm:3,2,t=2"), "fused")
    assert len(simulation.stats.idealizations) == 2
    header = " ".join(report_text(simulation).split("\nLatency")[0].split())
    assert "idealized " + " ".join(simulation.stats.idealizations) in header
    machines = dict(dict(catalogue().sections)["Architectures (arch_configs/)"])
    assert machines["npu_s10nx"].endswith("; idealized: sequencer.token_latency_cycles 0, mfu.method exact")
    assert "idealized" not in machines["edge_64x64"]


@pytest.mark.parametrize(("sparsity", "idealized"), [("null", False), ("{kept: 2, of: 4}", True)])
def test_a_chunk_of_sparse_weights_has_their_places_too(sparsity: str, idealized: bool) -> None:
    """64 rows of 64 weights of 8 bits are 32,768 bits; with two bits for the place of each of four, 40,960."""
    bits = machine().config.weight_sram.bits_per_cycle  # type: ignore[attr-defined]
    assert bits == 64 * 64 * 8
    found = settings_of(f"mac_array.sparsity={sparsity}")
    assert any(setting.startswith("weight_sram") for setting in found) is idealized
