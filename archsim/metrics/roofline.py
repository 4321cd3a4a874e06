"""The roofline: what the multipliers and each memory allow at the workload's operational intensity.

Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for multicore architectures", CACM
52(4), 2009: a machine does at most min(peak, bandwidth * operational intensity). Of on-chip memories the ceiling is
that of the multipliers' ports, and the intensity that of what passes them. A memory with a bank for each kind of data
passes one kind beside the other: it allows what the bank allows that passes most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from archsim.families.machine_config import MachineConfig
from archsim.hardware.port_streams import Bank
from archsim.hardware.unit import Units
from archsim.metrics.declare import Metric
from archsim.metrics.traffic import DRAM
from archsim.program.ir import Op, Phase, PhaseKind, Program
from archsim.program.outline import PhaseOutline, ProgramOutline

OPS_PER_MAC = 2
"""A multiply and an add."""

PEAK = "peak"
"""The name of the ceiling that is the multipliers'."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The ceiling of a memory: what it allows.

    An intensity is null where the memory moves nothing, and so is what follows from it.
    """

    bandwidth_gb_per_s: Annotated[
        float, Metric("GB/s", "bytes that pass at most; of several banks, one", "bytes a cycle * clock_mhz / 1000")
    ]
    step_ops_per_byte: Annotated[
        float | None,
        Metric("ops/byte", "ops for each byte that passes (the busiest bank) in the time steps", "2 macs / bytes"),
    ]
    run_ops_per_byte: Annotated[float | None, Metric("ops/byte", "the same over the whole run", "2 macs / bytes")]
    step_roof_gops: Annotated[
        float, Metric("GOPS", "most that can be done in the time steps", "min(peak, bandwidth * step_ops_per_byte)")
    ]
    run_roof_gops: Annotated[
        float, Metric("GOPS", "most that can be done over the whole run", "min(peak, bandwidth * run_ops_per_byte)")
    ]


@dataclass(frozen=True, slots=True)
class Roofline:
    """The machine's ceilings, and what the workload reaches below them."""

    peak_gops: Annotated[float, Metric("GOPS", "ceiling of the multipliers", "2 R C clock_mhz / 1000")]
    ceilings: Annotated[
        Mapping[str, Ceiling], Metric("", "memory -> its ceiling: DRAM's channel, and read ports of the multipliers")
    ]
    step_gops: Annotated[float, Metric("GOPS", "reached in the steady state", "steady_state_throughput_gops")]
    run_gops: Annotated[float, Metric("GOPS", "reached over the whole run", "throughput_gops")]
    step_binding: Annotated[str, Metric("", "lowest roof of the time steps: peak, or a memory")]
    run_binding: Annotated[str, Metric("", "lowest roof of the whole run: peak, or a memory")]
    step_roof_share: Annotated[float, Metric("1", "reached of the lowest roof, in the steady state")]
    run_roof_share: Annotated[float, Metric("1", "the same over the whole run")]


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The ceilings of a machine for a program, whatever it reaches: as Roofline has them."""

    peak_gops: float
    of_memories: Mapping[str, Ceiling]
    step_binding: str
    run_binding: str

    @classmethod
    def from_program(cls, program: Program | ProgramOutline, config: MachineConfig, units: Units) -> Ceilings:
        """The ceilings of a program on a machine: of multipliers and their ports, of DRAM, and of the clock."""
        multipliers, clock_mhz = config.multipliers, Fraction(repr(config.clock_mhz))
        peak_gops = float(OPS_PER_MAC * multipliers.macs_per_cycle * clock_mhz / 1000)
        macs, name = program.macs, multipliers.unit
        in_steps, in_run = (_bits(of, units, name) for of in (program.of_kind(PhaseKind.BODY), program.phases))
        ceilings = {
            memory: _ceiling(
                bytes_per_cycle * clock_mhz / 1000,
                _intensity(macs, in_steps.get(memory, 0)),
                _intensity(macs, in_run.get(memory, 0)),
                peak_gops,
            )
            for memory, bytes_per_cycle in _bandwidths(program, name, units).items()
        }
        step_roofs = {PEAK: peak_gops} | {memory: ceiling.step_roof_gops for memory, ceiling in ceilings.items()}
        run_roofs = {PEAK: peak_gops} | {memory: ceiling.run_roof_gops for memory, ceiling in ceilings.items()}
        step_binding, run_binding = (min(roofs, key=lambda name: roofs[name]) for roofs in (step_roofs, run_roofs))
        return cls(peak_gops, ceilings, step_binding, run_binding)

    @property
    def step_roof_gops(self) -> float:
        """The lowest roof of the time steps."""
        binding = self.step_binding
        return self.peak_gops if binding == PEAK else self.of_memories[binding].step_roof_gops

    @property
    def run_roof_gops(self) -> float:
        """The lowest roof of the whole run."""
        binding = self.run_binding
        return self.peak_gops if binding == PEAK else self.of_memories[binding].run_roof_gops


def compute_roofline(ceilings: Ceilings, step_gops: float, run_gops: float) -> Roofline:
    """The roofline of a run that reached so many GOPS."""
    return Roofline(
        peak_gops=ceilings.peak_gops,
        ceilings=ceilings.of_memories,
        step_gops=step_gops,
        run_gops=run_gops,
        step_binding=ceilings.step_binding,
        run_binding=ceilings.run_binding,
        step_roof_share=step_gops / ceilings.step_roof_gops,
        run_roof_share=run_gops / ceilings.run_roof_gops,
    )


def _bandwidths(program: Program | ProgramOutline, multipliers: str, units: Units) -> dict[str, Fraction]:
    """The bytes a cycle of DRAM, if it is used, and of each memory that the multipliers read by a port."""
    ports = units[multipliers].ports
    transfer = next((op for phase in program.phases for op, _ in phase.distinct if op.unit == DRAM), None)
    found = {} if transfer is None else {DRAM: units[DRAM].work(transfer).items_per_cycle}
    return found | {memory: Fraction(bits, 8) for memory, bits in ports.items() if bits is not None}


def _bits(phases: Sequence[Phase | PhaseOutline], units: Units, multipliers: str) -> dict[str, int]:
    """The bits that pass DRAM's channel, in whole bursts, and the multipliers' read port into each memory.

    Into each bank there is a port: of several the one that passes most.
    """
    moved: Counter[Bank] = Counter()
    for phase in phases:
        for op, times in phase.distinct:
            for bank, bits in _passing(op, units, multipliers):
                moved[bank] += bits * times
    busiest: dict[str, int] = {}
    for (memory, *_), bits in moved.items():
        busiest[memory] = max(busiest.get(memory, 0), bits)
    return busiest


def _passing(op: Op, units: Units, multipliers: str) -> list[tuple[Bank, int]]:
    unit = units[op.unit]
    if op.unit == multipliers:
        return [(unit.bank(region), region.bits) for region in unit.read_ports(op)]
    if op.unit != DRAM:  # a unit with a way of its own into memory
        return []
    return [((DRAM,), unit.moved_bits(region)) for region in op.reads + op.writes if region.buffer.memory == DRAM]


def _intensity(macs: int, bits: int) -> Fraction | None:
    return Fraction(8 * OPS_PER_MAC * macs, bits) if bits else None


def _ceiling(
    bandwidth_gb_per_s: Fraction, in_steps: Fraction | None, in_run: Fraction | None, peak_gops: float
) -> Ceiling:
    return Ceiling(
        bandwidth_gb_per_s=float(bandwidth_gb_per_s),
        step_ops_per_byte=None if in_steps is None else float(in_steps),
        run_ops_per_byte=None if in_run is None else float(in_run),
        step_roof_gops=_roof(bandwidth_gb_per_s, in_steps, peak_gops),
        run_roof_gops=_roof(bandwidth_gb_per_s, in_run, peak_gops),
    )


def _roof(bandwidth_gb_per_s: Fraction, intensity: Fraction | None, peak_gops: float) -> float:
    return peak_gops if intensity is None else min(peak_gops, float(bandwidth_gb_per_s * intensity))
