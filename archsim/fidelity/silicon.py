"""Simulates machines of which energy was measured or published: what was published, what is simulated, the ratio.

No factor was fitted to any of them. A machine is described as far as its papers go; what is not like it is said.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from archsim.api.evaluate import Evaluator
from archsim.config import parse_override
from archsim.families.load import load_arch, load_workload_for
from archsim.metrics.energy import Energy, dram_parts


@dataclass(frozen=True, slots=True)
class Silicon:
    """A chip or board, its published energy, and how it is simulated.

    `published_pj_per_mac` or, of a board, `published_mw`; `with_dram`: whether DRAM is in what was measured; `unlike`:
    what the simulated machine is not like.
    """

    name: str
    source: str
    arch: str
    workload: str
    changes: tuple[str, ...]
    unlike: str
    published_pj_per_mac: float | None = None
    published_mw: float | None = None
    with_dram: bool = False


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What the simulation says of a chip, in the unit of what was published, with its low and high."""

    silicon: Silicon
    published: float
    value: float
    low: float
    high: float

    @property
    def ratio(self) -> float:
        """Simulated over published."""
        return self.value / self.published

    @property
    def unit(self) -> str:
        """The unit of all three."""
        return "mW" if self.silicon.published_mw is not None else "pJ/MAC"


_LSTM_TILE = (
    "formats=q4.4",
    "mac_array.rows=96",
    "mac_array.columns=1",
    "mac_array.multiplier_latency_cycles=0",
    "weight_sram={capacity_bytes: 96KiB, banks: 96, port_bits: 8, read_latency_cycles: 1}",
    "activation.method=exact",
    "activation.lanes=1",
    "elementwise.lanes=1",
    "technology=node_65nm",
    "energy_model.temperature_k=300.0",
    "energy_model.device=low_standby",
)
"""A tile of Chipmunk and Muntaniala: 96 units, each with a multiplier and an SRAM of its own of weights of 8 bits."""

_FULL_ARRAY = "lstm:256,256,t=4,b=256"
"""Weights are used 256 times each, as convolutions do."""

SILICON: tuple[Silicon, ...] = (
    Silicon(
        "Chipmunk",
        "Conti et al., arXiv 1711.05734 (2017): 3.08 Gop/s/mW at 1.24 mW, UMC 65 nm; 0.75 V",
        "edge_16x16",
        "lstm:96,96,t=100",
        (*_LSTM_TILE, "clock_mhz=20.0", "energy_model.voltage_v=0.75"),
        "datapath of 8 bits, there of 16",
        published_pj_per_mac=2 / 3.08,
    ),
    Silicon(
        "Muntaniala",
        "Paulin et al., TCAS-I (2021), arXiv 2202.07462: 3.25 TOP/s/W, UMC 65 nm; 10 MHz; 0.75 V taken (inferred)",
        "edge_16x16",
        "lstm:96,96,t=100",
        (*_LSTM_TILE, "clock_mhz=10.0", "energy_model.voltage_v=0.75"),
        "datapath of 8 bits, there of 16",
        published_pj_per_mac=2 / 3.25,
    ),
    Silicon(
        "UNPU, 16 bits",
        "Lee et al., JSSC 54(1) (2019): 3.08 TOPS/W with weights of 16 bits, 65 nm, 0.63 V; 345.6 GOPS at 200 MHz: 864 "
        "MACs, in 24 units",
        "edge_16x16",
        "lstm:72,72,t=20,b=16",
        (
            "formats=q4.12",
            "technology=node_65nm",
            "mac_array.rows=24",
            "mac_array.columns=36",
            "weight_sram={capacity_bytes: 128KiB, banks: 24, port_bits: 576, read_latency_cycles: 1}",
            "accumulators.entries=2048",
            "input_buffer.capacity_bytes=16KiB",
            "state_buffer.capacity_bytes=64KiB",
            "clock_mhz=10.0",
            "energy_model.voltage_v=0.63",
            "energy_model.temperature_k=300.0",
            "energy_model.device=low_standby",
        ),
        "multipliers, there look-up tables that work bit by bit and take 23 % less; weights used 16 times each",
        published_pj_per_mac=2 / 3.08,
    ),
    Silicon(
        "TPU v1",
        "Jouppi et al., ISCA 2017: 40 W busy, 92 TOPS at the peak, 28 nm",
        "tpu_v1",
        _FULL_ARRAY,
        ("formats.input=int8", "formats.hidden=int8"),
        "at the peak, there 40 W at less than it",
        published_pj_per_mac=40 / 92 * 2,
        with_dram=True,
    ),
    Silicon(
        "Edge TPU",
        "4 TOPS at 2 W, 28 nm: "
        "https://applied-ee.github.io/embedded/docs/edge-ai/hardware-accelerators/coral-edge-tpu/",
        "tpu_v1",
        _FULL_ARRAY,
        (
            "formats.input=int8",
            "formats.hidden=int8",
            "systolic_array.rows=64",
            "systolic_array.columns=64",
            "unified_buffer.capacity_bytes=8MiB",
            "clock_mhz=480.0",
        ),
        "an array of 64 x 64 (inferred from 4 TOPS); host and weights by DDR3, there by USB",
        published_pj_per_mac=2 / 4 * 2,
    ),
    Silicon(
        "ElasticAI.creator's LSTM, FPGA",
        "Qian et al., arXiv 2310.16842 (2023): 17,534 inferences/s of 3.8 uJ each, Spartan-7 XC7S15 (28 nm)",
        "elasticai_lstm",
        "lstm:1,20,t=6",
        (),
        "leakage of what is used alone, there the whole FPGA's; a linear layer behind the LSTM there",
        published_mw=17_534 * 3.8e-3,
    ),
    Silicon(
        "EdgeDRNN, board",
        "Gao et al., arXiv 1912.12193 (2019): 2.42 W at the wall plug, MiniZed",
        "edgedrnn",
        "gru:40,768,layers=2,t=20,delta=0.25",
        (),
        "accelerator and DRAM alone, there the processor, USB and supplies of the board too",
        published_mw=2420,
        with_dram=True,
    ),
)


def simulated(silicon: Silicon, evaluator: Evaluator | None = None) -> Calibrated:
    """What the simulation says of a chip."""
    arch = load_arch(silicon.arch, [parse_override(text) for text in silicon.changes])
    workload = load_workload_for(arch, silicon.workload)
    stats = (evaluator or Evaluator()).evaluate(arch, workload, None).stats
    assert stats.energy is not None
    costing = arch.config.costing
    assert costing is not None  # or there would be no energy
    left_out = () if silicon.with_dram else dram_parts(costing.memories)
    value, low, high = _ends(stats.energy, left_out)
    if silicon.published_mw is not None:
        per_us = 1000 / stats.latency_us
        return Calibrated(silicon, silicon.published_mw, value * per_us, low * per_us, high * per_us)
    assert silicon.published_pj_per_mac is not None
    per_mac = 1e6 / stats.macs
    return Calibrated(silicon, silicon.published_pj_per_mac, value * per_mac, low * per_mac, high * per_mac)


def _ends(energy: Energy, left_out: Collection[str]) -> tuple[float, float, float]:
    """The energy in uJ, its low and high, without some parts."""
    parts = (energy.part_uj, energy.part_low_uj, energy.part_high_uj)
    value, low, high = (sum(uj for name, uj in each.items() if name not in left_out) for each in parts)
    return value, low, high
